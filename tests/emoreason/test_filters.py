"""Filters: what each drops and keeps, the table, and near duplicates against brute force."""

import itertools
import json
import random
import re
from pathlib import Path

import pytest

from tinyemo.data.instructions import TASKS, Instruction
from tinyemo.emoreason.filters import FILTERS, LIMITS, REASONS, filter_instructions

ASK = "Look at the image and reason about the feeling that it gives and the reasons for it."
CONDITIONED = (
    f"<image>\n{ASK}\nLabels: [joy, fear, disgust]\nImportant: note that the correct label is joy."
)
WHY = (
    "The open sea behind the smiling child gives room to breathe, and that is where the good mood "
    "comes from."
)
GERMAN = "Eine Frau steht lächelnd am Strand und hält einen bunten Ballon."
# Answers (label joy) that one of the filters must drop, or must not.
ANSWERS = Path(__file__).parent.parent / "data" / "filter_answers.jsonl"
CASES = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


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
    """Why the last of the records is dropped, or "kept"."""
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["answer"][:30])
def test_bad_answers_are_dropped_for_the_right_reason_and_good_ones_kept(case):
    task = "sentiment" if case["filter"] == "contradicts the label" else "vqa"
    expected = case["filter"] if case["expected"] == "dropped" else "kept"
    assert reason_of(record(case["answer"], task=task, label="joy")) == expected


@pytest.mark.parametrize("task", TASKS)
def test_length_limits_count_words(task):
    shortest, longest, _ = LIMITS[task]
    for n, expected in ((shortest, "kept"), (longest, "kept"), (longest + 1, "too long")):
        assert reason_of(record(words(n), task=task)) == expected
    assert reason_of(record(words(shortest - 1), task=task)) == (
        "too short" if shortest > 1 else "empty"
    )


def test_a_contraction_is_one_word_and_so_is_a_chinese_character():
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
def test_only_a_long_copy_of_the_question_is_an_echo(answer, question, task, expected):
    assert reason_of(record(answer, question, task)) == expected


def test_the_question_may_name_the_label_but_not_the_answer():
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


def test_the_first_reason_in_order_counts():
    assert list(FILTERS) == list(REASONS[:-2]) and REASONS[-2:] == (
        "exact duplicate",
        "near duplicate",
    )
    assert (
        reason_of(record("Als KI: ASSISTANT: I'm sorry, but I can't see the image.")) == "refusal"
    )
    assert reason_of(record("<image> The correct label is joy.")) == "prompt echo"
    assert reason_of(record("The correct label is joy. " + GERMAN)) == "leaks the label line"
    assert reason_of(record("ASSISTANT: rose", task="reasoning")) == "too short"
    same = record("The correct label is joy.")
    assert reason_of(same, same) == "leaks the label line"


def test_every_answer_of_a_conversation_is_judged():
    turns = [
        ("<image>\nWhat is there?", "A rose."),
        ("Anything else?", "No."),
        ("Why so?", "It was picked."),
    ]
    assert reason_of(Instruction("r", "a.png", tuple(turns), "conversation")) == "kept"
    bad = [("", "empty"), ("I cannot see the image.", "refusal"), ("Роза", "not English")]
    for k, (text, expected) in enumerate(bad):
        changed = [(q, text if i == k else a) for i, (q, a) in enumerate(turns)]
        kept, report = filter_instructions(
            [Instruction("r", "a.png", tuple(changed), "conversation")]
        )
        (row,) = report[report["records"] > 0].itertuples()
        assert not kept and (row.reason, row.example_id, row.example) == (expected, "r", text)
    assert reason_of(Instruction("r", "a.png", (), "conversation")) == "empty"


LONG = (
    "A boy with a red kite runs over the wet sand while two dogs chase him along the edge of the "
    "sea at dusk."
)


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


def test_texts_with_jaccard_0_9_are_near_duplicates_and_with_0_7_are_not():
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
    words = (
        "the a man woman child dog sea tree house rose smiles runs near on with old red light and"
    )
    vocabulary = words.split()
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


def test_no_records_give_an_empty_table_and_an_unknown_task_is_refused():
    kept, report = filter_instructions([])
    assert kept == [] and report.empty and "records" in report
    with pytest.raises(ValueError, match="record 'r7': task 'story', expected one of caption, vqa"):
        filter_instructions([record(task="story", id="r7")])


@pytest.mark.parametrize(
    ("answer", "label", "expected"),
    [
        ("The rain makes it a sad scene.", "joy", "contradicts the label"),
        ("The rain makes it a sad scene.", "shame", "kept"),  # a coarser word for the label
        ("The face shows joy, or at least pride.", "joy", "kept"),  # a finer word for it
        ("It evokes joy, never sadness.", "joy", "kept"),
        ("Without the rain it would be sadness.", "joy", "kept"),
        ("It might be read as sadness by some.", "joy", "contradicts the label"),
        ("He looks as if he were in fear.", "joy", "kept"),
    ],
)
def test_another_emotion_counts_unless_its_clause_denies_or_supposes_it(answer, label, expected):
    assert reason_of(record(answer, task="sentiment", label=label)) == expected
