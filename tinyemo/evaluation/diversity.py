"""Diversity: how varied a body of texts is, as two numbers.

Takes texts; gives the share of distinct n-grams in them, and how well each text is foretold by the others. Both
depend on how many texts are looked at (more texts repeat more), so both look at a sample of fixed size, drawn by
seed: figures are comparable where the sample is, and no text is much longer in one body than in the other.
"""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU

_BLEU = BLEU(
    lowercase=True, effective_order=True
)  # sentence level: texts of under four words have a score too


def _sample(texts: Sequence[str], size: int, seed: int) -> list[str]:
    if len(texts) <= size:
        return list(texts)
    return [texts[i] for i in np.random.default_rng(seed).choice(len(texts), size, replace=False)]


def distinct_n(texts: Sequence[str], n: int = 2, sample: int = 1000, seed: int = 0) -> float:
    """Distinct n-grams of words over all n-grams, in [0, 1] (Li et al. 2016): 1, no n-gram comes twice.

    Words are what white space parts, in lower case. It falls as texts are added, for n-grams run out: compare
    bodies of texts at the same `sample` only, and none with fewer texts than that. nan: no text has n words.
    """
    if n < 1:
        raise ValueError(f"n = {n}: expected at least 1")
    grams = [
        tuple(words[i : i + n])
        for words in (text.lower().split() for text in _sample(texts, sample, seed))
        for i in range(len(words) - n + 1)
    ]
    return len(set(grams)) / len(grams) if grams else float("nan")


def self_bleu(texts: Sequence[str], sample: int = 200, seed: int = 0) -> float:
    """Mean BLEU-4 of each sampled text against all other sampled ones, in [0, 1] (Zhu et al. 2018).

    1: all alike; near 0: nothing in common. sacrebleu's sentence BLEU in lower case (tokenizer 13a, exponential
    smoothing); it rises with `sample`. Some seconds for 200 texts of 40 words. ValueError: fewer than two texts.
    """
    drawn = _sample(texts, sample, seed)
    if len(drawn) < 2:
        raise ValueError(
            f"self-BLEU of {len(drawn)} text: expected at least two, each is compared with the others"
        )
    scores = [
        _BLEU.sentence_score(text, drawn[:i] + drawn[i + 1 :]).score for i, text in enumerate(drawn)
    ]
    return min(float(np.mean(scores)) / 100, 1.0)  # 100.00000000000004 for equal texts
