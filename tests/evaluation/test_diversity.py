"""Diversity: distinct-n counted by hand, self-BLEU against its formula written out."""

import math
import random
from collections import Counter

import pytest

from tinyemo.evaluation.diversity import distinct_n, self_bleu


def bleu4(text, others):
    """Sentence BLEU (Papineni et al. 2002): clipped precisions, closest reference length, halved for each zero."""
    words, references = text.split(), [other.split() for other in others]
    log, halvings = 0.0, 0
    for n in range(1, 5):

        def count(tokens, n=n):
            return Counter(zip(*(tokens[k:] for k in range(n)), strict=False))

        grams, most = count(words), Counter()
        for reference in references:
            most |= count(reference)
        right = sum((grams & most).values())
        halvings += not right
        log += math.log((right or 0.5**halvings) / sum(grams.values()))
    closest = min(
        (len(reference) for reference in references), key=lambda m: (abs(m - len(words)), m)
    )
    return math.exp(log / 4 + min(0, 1 - closest / len(words)))


def test_distinct_n_by_hand():
    texts = ["a red rose", "a red car", "A RED rose"]
    assert distinct_n(texts, 1) == 4 / 9
    assert distinct_n(texts) == 3 / 6  # a red, red rose, red car
    assert distinct_n(texts, 3) == 2 / 3
    assert math.isnan(distinct_n(["one", ""], 2))
    with pytest.raises(ValueError, match="n = 0: expected at least 1"):
        distinct_n(texts, 0)


def test_distinct_n_falls_with_the_number_of_texts_so_it_looks_at_a_seeded_sample():
    rng = random.Random(0)
    texts = [" ".join(rng.choices("abcdefghij", k=8)) for _ in range(2000)]
    assert (
        distinct_n(texts, sample=2000)
        < distinct_n(texts, sample=200)
        < distinct_n(texts, sample=20)
    )
    assert distinct_n(texts, sample=20) == distinct_n(texts, sample=20)
    assert distinct_n(texts, sample=20) != distinct_n(texts, sample=20, seed=1)
    assert distinct_n(texts[:20], sample=20) == distinct_n(texts[:20])


def test_self_bleu_is_one_for_equal_texts_and_zero_for_disjoint_ones():
    assert self_bleu(["a red rose stands on the table"] * 5) == 1
    assert self_bleu(["Yes.", "yes."]) == 1
    assert (
        self_bleu(
            ["one two three four five", "six seven eight nine ten", "red green blue grey pink"]
        )
        == 0
    )
    with pytest.raises(ValueError, match="self-BLEU of 1 text: expected at least two"):
        self_bleu(["alone"])


def test_self_bleu_is_the_mean_of_sentence_bleu_by_its_formula():
    rng = random.Random(0)
    texts = [" ".join(rng.choices("abcdefghijklmnopqrst", k=rng.randint(6, 15))) for _ in range(25)]
    expected = sum(bleu4(text, texts[:i] + texts[i + 1 :]) for i, text in enumerate(texts)) / len(
        texts
    )
    assert 0.05 < expected < 0.95
    assert self_bleu(texts) == pytest.approx(expected, abs=1e-9)


def test_self_bleu_of_a_sample_depends_on_the_seed_only():
    rng = random.Random(1)
    texts = [" ".join(rng.choices("abcdefghijklmnopqrst", k=8)) for _ in range(60)]
    assert (
        self_bleu(texts, sample=10)
        == self_bleu(texts, sample=10)
        != self_bleu(texts, sample=10, seed=1)
    )
    assert self_bleu(texts, sample=10) < self_bleu(texts, sample=60)
