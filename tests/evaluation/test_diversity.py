"""Diversity: distinct-n counted by hand, and self-BLEU compared with its formula."""

import math
import random
from collections import Counter

import pytest

from tinyemo.evaluation.diversity import distinct_n, self_bleu


def ngram_counts(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def sentence_bleu(text, others):
    """Sentence BLEU-4 (Papineni et al. 2002) by its formula.

    Clipped precisions, the closest reference length, and a value that is halved for each
    precision of zero.
    """
    words, references = text.split(), [other.split() for other in others]
    log, halvings = 0.0, 0
    for n in range(1, 5):
        counts, most = ngram_counts(words, n), Counter()
        for reference in references:
            most |= ngram_counts(reference, n)
        found = sum((counts & most).values())
        halvings += not found
        log += math.log((found or 0.5**halvings) / sum(counts.values()))
    lengths = [len(reference) for reference in references]
    closest = min(lengths, key=lambda length: (abs(length - len(words)), length))
    return math.exp(log / 4 + min(0, 1 - closest / len(words)))


def random_texts(seed, letters, number, shortest=8, longest=8):
    rng = random.Random(seed)
    return [" ".join(rng.choices(letters, k=rng.randint(shortest, longest))) for _ in range(number)]


def test_distinct_n_by_hand():
    texts = ["a red rose", "a red car", "A RED rose"]
    assert distinct_n(texts, 1) == 4 / 9
    assert distinct_n(texts) == 3 / 6  # a red, red rose, red car
    assert distinct_n(texts, 3) == 2 / 3
    assert math.isnan(distinct_n(["one", ""], 2))
    with pytest.raises(ValueError, match="n = 0: expected at least 1"):
        distinct_n(texts, 0)


def test_distinct_n_falls_with_the_number_of_texts_and_uses_a_seeded_sample():
    texts = random_texts(0, "abcdefghij", 2000)
    large, middle, small = (distinct_n(texts, sample=size) for size in (2000, 200, 20))
    assert large < middle < small
    assert distinct_n(texts, sample=20) == small
    assert distinct_n(texts, sample=20, seed=1) != small
    assert distinct_n(texts[:20], sample=20) == distinct_n(texts[:20])


def test_self_bleu_is_one_for_equal_texts_and_zero_for_disjoint_ones():
    assert self_bleu(["a red rose stands on the table"] * 5) == 1
    assert self_bleu(["Yes.", "yes."]) == 1
    disjoint = [
        "one two three four five",
        "six seven eight nine ten",
        "red green blue grey pink",
    ]
    assert self_bleu(disjoint) == 0
    with pytest.raises(ValueError, match="self-BLEU of 1 text: expected at least two"):
        self_bleu(["alone"])


def test_self_bleu_is_the_mean_of_sentence_bleu_by_its_formula():
    texts = random_texts(0, "abcdefghijklmnopqrst", 25, 6, 15)
    scores = []
    for i, text in enumerate(texts):
        scores.append(sentence_bleu(text, texts[:i] + texts[i + 1 :]))
    expected = sum(scores) / len(scores)
    assert 0.05 < expected < 0.95
    assert self_bleu(texts) == pytest.approx(expected, abs=1e-9)


def test_self_bleu_of_a_sample_depends_on_the_seed_only():
    texts = random_texts(1, "abcdefghijklmnopqrst", 60)
    ten = self_bleu(texts, sample=10)
    assert self_bleu(texts, sample=10) == ten
    assert self_bleu(texts, sample=10, seed=1) != ten
    assert ten < self_bleu(texts, sample=60)
