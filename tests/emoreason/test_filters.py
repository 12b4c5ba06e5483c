"""Filters: what each must catch and must leave, that the sums are right, and near duplicates against brute force."""

import itertools
import random
import re

import pytest

from tinyemo.data.instructions import TASKS, Instruction
from tinyemo.emoreason.filters import FILTERS, LIMITS, REASONS, filter_instructions

ASK = "Look at the image and reason about the feeling that it gives and the reasons for it."
CONDITIONED = (
    f"<image>\n{ASK}\nLabels: [joy, fear, disgust]\nImportant: note that the correct label is joy."
)
WHY = "The open sea behind the smiling child gives room to breathe, and that is where the good mood comes from."


def record(
    answer="A red rose.",
    question="What is on the table?",
    task="vqa",
    label="",
    image="a.png",
    id="r",
):
    return Instruction(id, image, ((f"<image>\n{question}", answer),), task, label)


def reason_of(*records):
    """Why the last of the records is dropped; "kept" if it is kept."""
    dropped = [
        filter_instructions(part)[1].set_index(["task", "reason"])["records"]
        for part in (records, records[:-1])
    ]
    last = dropped[0].sub(dropped[1], fill_value=0) if len(records) > 1 else dropped[0]
    ((_, reason),) = last[last > 0].index
    return reason


def words(n):
    text = "the small dog runs over green grass near an old wall"
    return " ".join(itertools.islice(itertools.cycle(text.split()), n))


CAUGHT = {
    "empty": ["", "   ", "\n\n", "...", "?!", "\u200b", "—", "🌹"],
    "refusal": [
        "I'm sorry, but I can't help with that request.",
        "I’m sorry, but I cannot describe people in photos.",
        "Sorry, I am unable to tell.",
        "As an AI language model, I do not have feelings of my own.",
        "As a large language model I lack eyes.",
        "I'm just an AI, so judging moods is beyond me.",
        "I cannot see the image, so the colour of the rose stays unknown.",
        "Unable to view the image.",
        "I am unable to view this picture at the moment.",
        "I can't determine what emotion this evokes.",
        "I apologize, but there is nothing to look at.",
        "I don't see any image here.",
        "It seems that no image was provided.",
        "You haven't attached a photo.",
        "Please upload the image again.",
        "I don't have personal feelings about pictures.",
        "That would be against my guidelines.",
        "\"I'm sorry, but I can't assist with that.\"",
    ],
    "prompt echo": [
        "What is on the table? A red rose.",
        "what is on the table: a rose",
        "USER: What is there? A rose.",
        "A red rose. ASSISTANT: Yes, a rose.",
        "Labels: [joy, fear, disgust] It is joy.",
        "<image> A rose on a table.",
        "### Response A rose on a table.",
        "Question: What is there?\nAnswer: A rose.",
        "[INST] A rose on a table. [/INST]",
    ],
    "leaks the label line": [
        "Since the correct label is joy, the smile must be happy.",
        "The smile speaks of joy, as given.",
        "The label provided fits the smile and the sea.",
        "You told me that this is joy, and the smile agrees.",
        "According to the given label, the smile means joy.",
        "The smile and the balloons support the label of joy.",
        'The label is "joy", so the smile must be happy.',
        "The provided emotion is visible in the smile.",
        "Because the label is joy, we look at the smile.",
        "I was told that people feel joy here.",
        "The smile is consistent with the label.",
        "Of the three labels, joy suits the smile best.",
        "As stated in the prompt, the picture gives joy.",
        "As you specified, the smile brings joy.",
    ],
    "not English": [
        "Eine Frau steht lächelnd am Strand und hält einen bunten Ballon.",
        "Die Rose auf dem Tisch weckt Zuneigung, weil Rosen für Liebe stehen.",
        "Une femme souriante se tient sur la plage avec un ballon coloré.",
        "Una mujer sonriente está de pie en la playa con un globo de colores.",
        "Una donna sorridente sta sulla spiaggia con un palloncino colorato.",
        "Uma mulher sorridente está na praia com um balão colorido.",
        "Een lachende vrouw staat op het strand met een kleurrijke ballon.",
        "En leende kvinna står på stranden med en färgglad ballong.",
        "Uśmiechnięta kobieta stoi na plaży z kolorowym balonem.",
        "Gülümseyen bir kadın sahilde renkli bir balonla duruyor.",
        "Nainen seisoo rannalla hymyillen ja pitää kädessään ilmapalloa.",
        "Seorang wanita tersenyum berdiri di pantai dengan balon warna-warni.",
        "Một người phụ nữ mỉm cười đứng trên bãi biển với quả bóng bay.",
        "一位微笑的女人站在海滩上。",
        "一朵花",
        "Женщина улыбается.",
        "Роза",
        "笑顔の女性が浜辺に立っています。",
        "한 여자가 해변에서 웃고 있다.",
        "امرأة تبتسم على الشاطئ.",
        "Μια γυναίκα χαμογελά.",
        "हाँ",
        "A woman, eine Frau, steht lächelnd am Strand und hält einen bunten Ballon in der Hand.",
        "Yes. Il y a une femme souriante qui tient un ballon rouge devant la mer agitée.",
        "照片中 a woman 正在微笑，背景是 beach。",
    ],
    "contradicts the label": [  # all with the label joy
        "The picture makes viewers feel fear.",
        "What people feel here is disgust, because of the waste.",
        "The grey sky and the bare tree evoke sadness.",
        "The crying child fills viewers with sadness.",
        "It makes me feel anger because of the broken toy.",
    ],
}
LEFT = {
    "empty": ["A", "7", "No.", "É", "rose"],
    "refusal": [
        "The person cannot reach the apple.",
        "The man with bandaged eyes is unable to see the picture on the wall.",
        "She looks sorry, but the dog does not.",
        "A sign on the door says \"I'm sorry, but I can't open today.\"",
        "The boy cannot see the image because his eyes are closed.",
        "I cannot help but smile at the two puppies.",
        "I can't see her face, but her raised arms speak of joy.",
        "I'm sorry for the wilted flower on the sill.",
        "I'm sorry, I'm just excited about the puppies!",
        "A robot dressed as an AI assistant waves at me.",
        "No, I see no people in the picture.",
        "It would be hard to say no to such a gift.",
        "A camera lies next to an image of a mountain.",
        "The child must decline the second piece of cake.",
    ],
    "prompt echo": [
        "On the table is a red rose.",
        "The table holds a red rose.",
        "A computer user: he types on a keyboard.",
        "A poster with labels: one red, one blue.",
        "We are #1, the banner says.",
        'The sign asks "What is on the table?" in white letters.',
        "What lies there is a rose.",
        "Table.",
    ],
    "leaks the label line": [
        "The label on the bottle is red and white.",
        "A bottle with a label provided with a small picture of a bee.",
        "The gift was given to her by a friend.",
        "The girl gives the correct answer at the blackboard.",
        "Joy, as shown by the smile, spreads to whoever looks at it.",
        "As indicated by her smile, she likes the roses given to her.",
        "A rose as given to lovers stands for affection.",
        "A jar labelled as honey stands on the shelf.",
        "According to the clock on the wall it is noon.",
        "It reminds you of a gift that you gave to a friend.",
        "The labels on the jars are blue.",
        "The pose strikes the right emotional chord.",
        "According to the label on the bottle it is lemonade.",
    ],
    "not English": [
        "Yes.",
        "A red rose.",
        "Two.",
        "Rage.",
        "In an office.",
        "a plushie Appenzeller Sennenhund",
        "Sumo in Osaka.",
        "Angela Merkel and Emmanuel Macron shake hands in Berlin.",
        "Dr. Juan José González and Señora María Muñoz drink coffee.",
        "Bouvier des Flandres dog",
        "A Kuvasz next to a totem pole.",
        "A grand piano next to a Bouvier des Flandres dog.",
        "A croissant, an espresso and a crème brûlée on a table in a café.",
        "Ludwig van Beethoven, Johannes Brahms, Franz Schubert on three posters",
        'The banner says "С Новым годом!" in gold.',
        "A neon sign says 居酒屋 above the door.",
        "La Tour Eiffel at night, Paris, France.",
        "man smiling on beach, red balloon, sunset",
        "THREE BALLOONS ABOVE THE SEA",
        "graffiti of the Sussex Spaniel.",
        "ghost in old graveyard at night, fog",
        'On the wall someone wrote "Ich bin ein Berliner, und das ist auch gut so".',
        "Go! Go! Go! Go! Go! Go! Go!",
        "1, 2, 3, 4, 5, 6, 7, 8",
    ],
    "contradicts the label": [
        "The smile and the sea bring joy.",
        "The smile leaves no room for fear.",
        "There is no sadness here, only joy.",
        "The balloons make viewers feel joy.",
        "A child smiles at a dog.",
    ],
}


@pytest.mark.parametrize(("reason", "text"), [(r, t) for r, texts in CAUGHT.items() for t in texts])
def test_caught(reason, text):
    task = "sentiment" if reason == "contradicts the label" else "vqa"
    assert reason_of(record(text, task=task, label="joy")) == reason


@pytest.mark.parametrize(("reason", "text"), [(r, t) for r, texts in LEFT.items() for t in texts])
def test_left(reason, text):
    task = "sentiment" if reason == "contradicts the label" else "vqa"
    assert reason_of(record(text, task=task, label="joy")) == "kept"


@pytest.mark.parametrize("task", TASKS)
def test_length_limits_count_words_and_stand_in_the_table(task):
    shortest, longest, _ = LIMITS[task]
    for n, expected in ((shortest, "kept"), (longest, "kept"), (longest + 1, "too long")):
        assert reason_of(record(words(n), task=task)) == expected
    assert reason_of(record(words(shortest - 1), task=task)) == (
        "too short" if shortest > 1 else "empty"
    )


def test_a_hyphen_or_apostrophe_does_not_buy_length_and_a_chinese_character_is_a_word():
    assert reason_of(record("It isn't so, she doesn't, he can't.", task="reasoning")) == "too short"
    assert reason_of(record("一位微笑的女人站在海滩上", task="reasoning")) == "not English"


@pytest.mark.parametrize(
    ("answer", "question", "task", "expected"),
    [
        # a sentence of the question, whole; a long run of the instruction; all of it
        (
            "Yes. Reason about the feeling that it gives and the reasons for it here.",
            ASK,
            "reasoning",
            "prompt echo",
        ),
        (f"Sure: {ASK} The sea is calm.", ASK, "reasoning", "prompt echo"),
        (
            "The sea. What does this image make people feel, and why? It is calm.",
            "What does this image make people feel, and why? Reason from what can be seen.",
            "reasoning",
            "prompt echo",
        ),
        ("Describe the image. A calm sea.", "Describe the image.", "caption", "prompt echo"),
        (
            "Here: how would you describe this picture to someone who cannot see it, a calm sea",
            "How would you describe this picture to someone who cannot see it?",
            "caption",
            "prompt echo",
        ),
        # what a good answer takes up
        (
            "Yes, the flowers on the wooden table near the window look fresh.",
            "Do the flowers on the wooden table near the window look fresh?",
            "vqa",
            "kept",
        ),
        (
            "The person in the red coat next to the bare tree is jumping.",
            "What is the person in the red coat next to the bare tree doing?",
            "conversation",
            "kept",
        ),
        (
            "The feeling that it gives is calm, and the reasons for it are the sea and the light.",
            ASK,
            "reasoning",
            "kept",
        ),
        ("Why? Because the sea is calm.", "Why?", "conversation", "kept"),
        (f'A poster on the wall reads "{ASK}" in big red letters.', ASK, "caption", "kept"),
    ],
)
def test_echo_is_a_long_copy_of_the_question(answer, question, task, expected):
    assert reason_of(record(answer, question, task)) == expected


def test_the_label_in_the_question_is_no_leak():
    assert reason_of(record(WHY, CONDITIONED, "reasoning", "joy")) == "kept"
    copied = "Note that the correct label is joy. " + WHY
    assert reason_of(record(copied, CONDITIONED, "reasoning", "joy")) == "leaks the label line"


@pytest.mark.parametrize("task", ["sentiment", "reasoning", "conversation", "caption", "vqa"])
def test_only_answers_about_feelings_can_contradict_a_label_that_is_there(task):
    text = "The crying child alone in the rain makes every viewer feel sadness."
    about_feelings = task in ("sentiment", "reasoning", "conversation")
    assert reason_of(record(text, task=task, label="joy")) == (
        "contradicts the label" if about_feelings else "kept"
    )
    assert reason_of(record(text, task=task, label="")) == "kept"


def test_the_first_reason_in_the_table_counts():
    assert list(FILTERS) == list(REASONS[:-2]) and REASONS[-2:] == (
        "exact duplicate",
        "near duplicate",
    )
    assert (
        reason_of(record("Als KI: ASSISTANT: I'm sorry, but I can't see the image.")) == "refusal"
    )
    assert reason_of(record("<image> The correct label is joy.")) == "prompt echo"
    assert (
        reason_of(record("The correct label is joy. " + CAUGHT["not English"][0]))
        == "leaks the label line"
    )
    assert reason_of(record("ASSISTANT: rose", task="reasoning")) == "too short"
    same = record("The correct label is joy.")
    assert reason_of(same, same) == "leaks the label line"


def test_every_turn_of_a_conversation_is_read():
    turns = [
        ("<image>\nWhat is there?", "A rose."),
        ("Anything else?", "No."),
        ("Why so?", "It was picked."),
    ]
    assert reason_of(Instruction("r", "a.png", tuple(turns), "conversation")) == "kept"
    bad = [("", "empty"), ("I cannot see the image.", "refusal"), ("Роза", "not English")]
    for k, (text, expected) in enumerate(bad):
        spoilt = [(q, text if i == k else a) for i, (q, a) in enumerate(turns)]
        kept, report = filter_instructions(
            [Instruction("r", "a.png", tuple(spoilt), "conversation")]
        )
        (row,) = report[report["records"] > 0].itertuples()
        assert not kept and (row.reason, row.example_id, row.example) == (expected, "r", text)
    assert reason_of(Instruction("r", "a.png", (), "conversation")) == "empty"


LONG = "A boy with a red kite runs over the wet sand while two dogs chase him along the edge of the sea at dusk."


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (record(), record(), "exact duplicate"),
        (record("A red rose."), record("a  red ROSE"), "exact duplicate"),
        (
            record(LONG, task="caption"),
            record(LONG, task="caption", image="b.png"),
            "exact duplicate",
        ),
        (
            record(LONG, task="caption"),
            record(LONG.upper().replace(" ", "\n"), "Else?", "caption", image="b.png"),
            "exact duplicate",
        ),
        (record(WHY, task="reasoning"), record(WHY, CONDITIONED, "reasoning"), "exact duplicate"),
        (
            record("I see a boy who runs with a kite.", task="conversation"),
            record("I see a boy who runs with a kite!", task="conversation", image="b.png"),
            "exact duplicate",
        ),
        (record("A red rose.", image=""), record("A red rose.", image=""), "exact duplicate"),
        (
            record(),
            Instruction("r", "a.png", (("What is on the table?\n<image>", "A red rose."),), "vqa"),
            "exact duplicate",
        ),
        (record(), record(image="b.png"), "kept"),  # the same thing is in many images
        (record(), record(question="What is in the vase?"), "kept"),
        (record(), record("A white rose."), "kept"),
        (record(LONG, task="vqa"), record(LONG, task="vqa", image="b.png"), "kept"),
        (
            record("A boy with a kite on sand.", task="caption"),
            record("A boy with a kite on sand.", task="caption", image="b.png"),
            "kept",
        ),  # seven words
        (
            record(LONG, task="caption"),
            record(LONG, "And?", "conversation"),
            "kept",
        ),  # another question, another task
        (
            record(LONG, task="caption"),
            record(LONG.replace("dusk", "dawn"), task="caption"),
            "near duplicate",
        ),
        (
            record(LONG, task="reasoning"),
            record("Here, " + LONG, task="reasoning", image="b.png"),
            "near duplicate",
        ),
        (
            record(LONG, task="conversation"),
            record(LONG + " Yes.", task="conversation"),
            "near duplicate",
        ),
        (record(LONG, task="vqa"), record(LONG + " Yes.", task="vqa"), "kept"),
        (record(LONG, task="caption"), record(LONG + " Yes.", task="reasoning"), "kept"),
        (
            record(LONG, task="caption"),
            record(LONG.replace("two", "three"), task="caption"),
            "kept",
        ),  # 3 of 21 grams
        (
            record(LONG, task="caption"),
            record(" ".join(reversed(LONG[:-1].split())), task="caption"),
            "kept",
        ),
        (
            record("One red rose stands on a small table near it.", task="caption"),
            record("One red rose stands on a small table near it all.", task="caption"),
            "kept",
        ),  # too few words
    ],
)
def test_duplicates(first, second, expected):
    assert reason_of(first, second) == expected


def jaccard(a, b):
    """Of the sets of word 3-grams, written out independently."""
    a, b = (re.sub(r"[^a-z ]", "", text.lower()).split() for text in (a, b))
    a, b = (set(zip(t, t[1:], t[2:], strict=False)) for t in (a, b))
    return len(a & b) / len(a | b)


def test_a_pair_at_point_nine_is_caught_and_one_at_point_seven_left():
    vocabulary = [
        f"{a}{b}"
        for a in "bdfgklmn"
        for b in ("ane", "ell", "ick", "oad", "ump", "ern", "est", "all")
    ]
    text = " ".join(vocabulary[:60])
    for changed, low, high, expected in (
        (1, 0.89, 0.92, "near duplicate"),
        (4, 0.68, 0.71, "kept"),
    ):
        other = text.split()
        for k in range(changed):
            other[5 + 14 * k] = "zebra"  # takes three of 67 grams away and adds three
        pair = [f"The man and the woman are in the house. {t}" for t in (text, " ".join(other))]
        assert low < jaccard(*pair) < high
        assert reason_of(*(record(t, task="caption") for t in pair)) == expected


def test_near_duplicates_agree_with_brute_force():
    rng = random.Random(0)
    vocabulary = "the a man woman child dog sea tree house rose smiles runs near on with old red light and".split()
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(15, 60))) for _ in range(60)]
    while len(texts) < 300:
        changed = rng.choice(texts).split()
        for _ in range(rng.randint(1, 2)):
            changed[rng.randrange(len(changed))] = rng.choice(vocabulary)
        texts.append(" ".join(changed))
    expected = []
    for text in texts:
        if all(jaccard(text, other) < 0.85 for other in expected):
            expected.append(text)
    kept, _ = filter_instructions(
        record(t, task="caption", image=f"{i}.png") for i, t in enumerate(texts)
    )
    assert [item.turns[0][1] for item in kept] == expected
    assert 100 < len(expected) < 250


def test_every_record_is_accounted_for():
    items = [
        record("", id="1"),
        record(" ", id="2"),
        record(id="3"),
        record(id="4"),
        record("Роза", id="5"),
        record(LONG, task="caption", id="6"),
        record(LONG + " Yes.", task="caption", id="7"),
        record("I'm sorry, but I can't.", task="caption", id="8"),
    ]
    kept, report = filter_instructions(iter(items))
    assert [item.id for item in kept] == ["3", "6"]
    assert list(report.columns) == ["task", "reason", "records", "example_id", "example"]
    assert report["records"].sum() == len(items)
    assert report.groupby("task")["records"].sum().to_dict() == {"caption": 3, "vqa": 5}
    assert list(report[report["task"] == "vqa"]["reason"]) == [*REASONS, "kept"]
    found = {
        (r.task, r.reason): (r.records, r.example_id) for r in report.itertuples() if r.records
    }
    assert found == {
        ("vqa", "empty"): (2, "1"),
        ("vqa", "exact duplicate"): (1, "4"),
        ("vqa", "not English"): (1, "5"),
        ("vqa", "kept"): (1, ""),
        ("caption", "near duplicate"): (1, "7"),
        ("caption", "refusal"): (1, "8"),
        ("caption", "kept"): (1, ""),
    }


def test_nothing_gives_an_empty_table_and_an_unknown_task_is_refused():
    kept, report = filter_instructions([])
    assert kept == [] and report.empty and "records" in report
    with pytest.raises(ValueError, match="record 'r7': task 'story', expected one of caption, vqa"):
        filter_instructions([record(task="story", id="r7")])
