"""Diversity: how varied a collection of texts is, as two numbers.

Takes texts; gives the share of distinct n-grams, and the mean similarity of each text to the
others. Both depend on the number of texts, because a larger collection contains more repetitions.
So both use a random sample of fixed size. Values are comparable for equal sample sizes and similar
lengths of texts.
"""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU

# effective_order: texts of fewer than four words have a score too
_BLEU = BLEU(lowercase=True, effective_order=True)


def distinct_n(texts: Sequence[str], n: int = 2, sample: int = 1000, seed: int = 0) -> float:
    """Distinct n-grams of words divided by all n-grams, in [0, 1] (Li et al. 2016).

    1: no n-gram occurs twice. Words are split at white space, in lower case. The value falls with
    the number of texts: compare collections with the same `sample`, and with at least that many
    texts. nan: no text has n words. ValueError: n < 1.
    """
    if n < 1:
        raise ValueError(f"n = {n}: expected at least 1")
    ngrams = []
    for text in _sample(texts, sample, seed):
        words = text.lower().split()
        ngrams += [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else float("nan")


def self_bleu(texts: Sequence[str], sample: int = 200, seed: int = 0) -> float:
    """Mean BLEU-4 of each sampled text against all other sampled texts (Zhu et al. 2018).

    In [0, 1]. 1: all texts are equal; near 0: they have nothing in common. sacrebleu's sentence
    BLEU in lower case (tokenizer 13a, exponential smoothing). The value rises with `sample`. Takes
    some seconds for 200 texts of 40 words. ValueError: fewer than two texts.
    """
    drawn = _sample(texts, sample, seed)
    if len(drawn) < 2:
        raise ValueError(
            f"self-BLEU of {len(drawn)} text: expected at least two, because each is compared "
            "with the others"
        )
    scores = []
    for i, text in enumerate(drawn):
        others = drawn[:i] + drawn[i + 1 :]
        scores.append(_BLEU.sentence_score(text, others).score)
    return min(float(np.mean(scores)) / 100, 1.0)  # equal texts give 100.00000000000004


def _sample(texts: Sequence[str], size: int, seed: int) -> list[str]:
    if len(texts) <= size:
        return list(texts)
    rows = np.random.default_rng(seed).choice(len(texts), size, replace=False)
    return [texts[row] for row in rows]
