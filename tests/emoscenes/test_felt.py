"""Which emotions a text says are felt, and which go against a label."""

import pytest

from emoscenes.felt import contradictions, contradicts, felt
from tinyemo.emotions import LABEL_SETS, SYNONYMS


def test_every_label_and_synonym_is_known():
    for label in {word for labels in LABEL_SETS.values() for word in labels}:
        assert felt(f"This is a picture of {label}.") == {label}
    for label, synonyms in SYNONYMS.items():
        for word in synonyms:
            assert felt(f"It evokes {word}.") == {label}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("She is afraid of the snake and angry at the world.", "anger fear"),
        ("An awe-inspiring view that leaves him spellbound.", "awe enthrallment"),
        ("He can't help feeling lonely.", "neglect"),
        ("Furious, he glares; the mood is calm all the same.", "rage contentment"),
        # everyday words
        (
            "The content of the picture: a calm sea, a warm day, a hot cup, moving clouds, and I love it.",
            "",
        ),
        ("A surprise party, a pride flag, a relief map, a horror film, a happy birthday cake.", ""),
        ("She feels content and at ease.", "contentment"),
        ("A desire to sit, a look of pain.", "lust suffering"),
        ("The abandoned building offers comfort with ease; blue sky; sadly, it rains.", ""),
        # of others and of things, unless they cause it
        ("A sad-looking flower under angry clouds; a storm rages, his boss is furious.", ""),
        ("The terrifying ghost. A cheerful scene.", "horror cheerfulness"),
        ("It might evoke dread in viewers, and there is a hint of pity.", "horror sympathy"),
        (
            "Less angry than ashamed; it might be read as fear. She could not be more proud.",
            "shame pride",
        ),
        # faces are no emotions
        ("A smiling man, a crying woman, a scowl, wide eyes.", ""),
        # denied, compared, supposed, asked, offered
        ("There is no trace of fear, only joy.", "joy"),
        ("Not anger but shame; neither fear nor disgust.", "shame"),
        ("Surprised rather than angry, far from sad, without any envy.", "surprise"),
        ("No anger, fear or disgust is felt; nothing sad about it.", ""),
        ("It is not only sad but also frightening.", "sadness fear"),
        (
            "He would be happy if he were not so proud. As if frightened, he squats. He might be bored.",
            "",
        ),
        ("Is he angry? What about joy?", ""),
        ("Labels: [joy, fear, anger]\nThe ghost evokes fear.", "fear"),
    ],
)
def test_felt(text, labels):
    assert felt(text) == set(labels.split())


@pytest.mark.parametrize(
    ("text", "label", "against"),
    [
        ("A sad picture.", "shame", ""),  # its group
        ("Shame.", "sadness", ""),  # within its group
        ("Disappointment.", "shame", "disappointment"),  # its sibling
        ("Such happiness!", "gratitude", ""),  # an everyday word for joy
        ("Joy!", "amusement", ""),  # coarse words of two sets that share a finer one
        ("Amusement!", "excitement", "amusement"),  # coarse words of one set
        ("Fondness.", "love", ""),
        ("Love.", "joy", "love"),
        ("Despair.", "suffering", ""),  # a word of two labels
        ("Despair and rage.", "joy", "sadness rage"),
        ("Nothing is felt.", "joy", ""),
    ],
)
def test_contradictions(text, label, against):
    assert contradictions(text, label) == set(against.split())
    assert contradicts(text, label) == bool(against)


def test_a_label_is_a_word_of_a_label_set():
    with pytest.raises(ValueError, match="unknown label 'hunger'"):
        contradicts("He is hungry.", "hunger")
