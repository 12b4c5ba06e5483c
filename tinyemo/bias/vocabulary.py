"""Embeddings read in a language model's vocabulary: which words lie where the images of an emotion lie.

Takes a model's input-embedding table, embeddings of images in that space and predictions; gives nearest words and, for
every predicted emotion, the words over-represented beyond its anchor (detector "vocabulary"). Needs no attributes.

Three corrections make such a reading mean something:
- *frequency*: the mean of all words and their first principal components follow how frequent a word is, not what it
  says, and make hubs; words and images lose these directions (Mu and Viswanath 2018, all-but-the-top; Suzuki et al.
  2013, centring against hubs). A contrast of two groups of images cancels what is left of a word's own offset, the
  term that CSLS subtracts (Conneau et al. 2018).
- *anchors*: training pulls images to anchors, so words near these come by construction; their span is taken out.
- *chance*: outside that span a projector keeps the directions it was initialised with, and a classifier's hidden layer
  separates its classes along any direction. Shuffling images alone therefore "finds" words in every projector. A word
  counts only if it also stands out among projectors trained on permuted labels, which are as random there.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import false_discovery_control
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from torch import Tensor
from transformers import PreTrainedTokenizerBase

MIN_ITEMS = 10  # images of a predicted emotion; a smaller group has no words
MIN_CONTROLS = 20  # projectors: fewer cannot carry a claim at a false discovery rate of 5 %
TOP = 10  # words that count as an emotion's own in a resample
Reading = tuple[np.ndarray, np.ndarray]  # embeddings (N, D), predicted labels (N,) int


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """W words and their unit vectors, (W, D) float32, outside the span of `common`, (K, D) orthonormal rows."""

    words: tuple[str, ...]
    vectors: np.ndarray
    common: np.ndarray

    def place(self, vectors: np.ndarray | Tensor) -> np.ndarray:
        """(M, D) of the same space -> (M, D) float32, comparable with the words: `common` taken out, unit length."""
        if np.ndim(vectors) != 2 or np.shape(vectors)[1] != self.vectors.shape[1]:
            raise ValueError(f"vectors of shape {tuple(np.shape(vectors))}: the vocabulary is of width "
                             f"{self.vectors.shape[1]}")
        return _unit(_outside(np.asarray(vectors, dtype=np.float32), self.common))

    def without(self, directions: np.ndarray | Tensor) -> "Vocabulary":
        """The words beyond the span of (A, D) directions: words that lie in it by more than half are left out."""
        span = _basis(_outside(np.asarray(directions, dtype=np.float32), self.common))
        rest = _outside(self.vectors, span)
        beyond = np.square(rest).sum(axis=1) > 0.5
        words = tuple(word for word, kept in zip(self.words, beyond, strict=True) if kept)
        return Vocabulary(words, _unit(rest[beyond]), np.concatenate([self.common, span]))


def read_vocabulary(
    table: Tensor, tokenizer: PreTrainedTokenizerBase, known: Container[str] | None = None
) -> Vocabulary:
    """The whole words of an embedding table (V, D), as `models.anchors.embedding_table` gives it with its tokenizer.

    A word is a piece that begins one ("▁" of SentencePiece, "Ġ" of byte-level BPE, no "##" of BERT), of three ASCII
    letters or more, no stop-word of scikit-learn's; forms that differ in case are averaged. Nothing in a BPE says that
    such a piece also ends a word ("Ġconf"): `known`, the words of a corpus or dictionary, leaves fragments out.
    ValueError: fewer than ten words per hundred dimensions are left.
    """
    pieces = tokenizer.convert_ids_to_tokens(list(range(min(len(table), len(tokenizer)))))
    mark = next((mark for mark in "▁Ġ" if sum(piece.startswith(mark) for piece in pieces) > len(pieces) // 20), "")
    rows: dict[str, list[int]] = {}
    for i, piece in enumerate(pieces):
        word = piece[len(mark):].lower()
        if (piece.startswith(mark) and len(word) >= 3 and word.isascii() and word.isalpha()
                and word not in ENGLISH_STOP_WORDS and (known is None or word in known)):
            rows.setdefault(word, []).append(i)
    top = max(1, table.shape[1] // 100)  # components that Mu and Viswanath take out
    if len(rows) <= 10 * top:
        raise ValueError(f"vocabulary: {len(rows)} whole words in {len(pieces)} pieces; expected more than {10 * top}")
    whole = table.float().numpy()
    vectors = np.stack([whole[own].mean(axis=0) for own in rows.values()])
    mean = vectors.mean(axis=0)
    components = np.linalg.eigh(np.cov(vectors.T))[1][:, -top:].T
    common = _basis(np.stack([mean, *components]))
    return Vocabulary(tuple(rows), _unit(_outside(vectors, common)), common)


def nearest_words(vectors: np.ndarray | Tensor, vocabulary: Vocabulary, n: int = 10) -> pd.DataFrame:
    """The n nearest words of each of (M, D) vectors: columns row, rank (from 1), word, cosine.

    A vector is an image, a class's mean or the difference of two groups. All images share a part, whose words are
    hubs: take the mean over images off first to read what is an image's own. `vocabulary.without(anchors)` reads
    beyond the labels' words.
    """
    cosines = vocabulary.place(vectors) @ vocabulary.vectors.T  # (M, W)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
    return pd.DataFrame({
        "row": np.repeat(np.arange(len(nearest)), nearest.shape[1]),
        "rank": np.tile(np.arange(1, nearest.shape[1] + 1), len(nearest)),
        "word": np.array(vocabulary.words, dtype=object)[nearest.ravel()],
        "cosine": np.take_along_axis(cosines, nearest, axis=1).ravel(),
    })


def over_represented(
    reading: Reading,
    labels: Sequence[str],
    anchors: np.ndarray | Tensor,
    vocabulary: Vocabulary,
    controls: Sequence[Reading],
    *,
    permutations: int = 1000,
    resamples: int = 200,
    shown: int = 30,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """The detector table "vocabulary": words nearer to the images predicted as a label than to all other images.

    `reading` is a model's embeddings (N, D) and predictions (N,) int, which count `labels` (C,); `controls` are those
    of the same images by projectors of the same recipe trained on permuted labels, at least 20. `anchors` (A, D) are
    the directions to look beyond. Rows: each label's `shown` first words and all that are found.

    effect: mean cosine of the images predicted as the label minus that of the others, with a percentile interval over
    `resamples` bootstrap draws of images (of words chosen as the highest: the first of many look larger than they are).
    p: the larger of p_images and p_controls, for both have to hold. p_images: against predictions shuffled over the
    images, `permutations` times. p_controls: against the controls, each contrast scaled to length one and each word
    standardised by the other controls' mean and deviation. Either is a rank among null scores pooled over words (and
    for the controls over labels), as in SAM (Tusher et al. 2001): 240,000 hypotheses need such fine p-values.
    q: Benjamini-Hochberg over all words and labels. Further columns: p_images, p_controls, z (against the controls),
    control (the effect the controls would show at this separation), stability (share of resamples in which the word is
    among the label's first ten), items. Labels predicted for fewer than ten images, or all but ten, have no rows.
    """
    if len(controls) < MIN_CONTROLS:
        raise ValueError(f"vocabulary: {len(controls)} controls; expected the readings of at least {MIN_CONTROLS} "
                         "projectors trained on permuted labels")
    rng, beyond = np.random.default_rng(seed), vocabulary.without(anchors)
    words, images, predicted = beyond.vectors.T, beyond.place(reading[0]), np.asarray(reading[1])
    contrasts, counts = _contrasts(images, predicted[None], len(labels))
    kept = np.flatnonzero(_large(counts[0], len(predicted)))
    scale = np.linalg.norm(contrasts[0, kept], axis=1, keepdims=True)
    effects = contrasts[0, kept] @ words  # (K, W)

    null = []
    for embeddings, labelled in controls:
        control, n = _contrasts(beyond.place(embeddings), np.asarray(labelled)[None], len(labels))
        null.append(_unit(control[0, _large(n[0], len(labelled))]) @ words)  # (<= C, W)
    sums, squares = (np.stack([getattr(np, f)(one, axis=0) for one in values]) for f, values in
                     (("sum", null), ("sum", [one**2 for one in null])))
    size = np.array([len(one) for one in null])[:, None]

    def standard(scores: np.ndarray, used: np.ndarray) -> np.ndarray:
        """Scores (K, W) by the mean and deviation of a word over the used controls."""
        n = size[used].sum()
        mean = sums[used].sum(axis=0) / n
        deviation = np.sqrt(np.maximum(squares[used].sum(axis=0) / n - mean**2, 1e-12) * n / (n - 1))
        return (scores - mean) / deviation

    everyone = np.arange(len(null))
    z = standard(effects / scale, everyone)
    p_controls = _rank(np.concatenate([standard(one, everyone != r) for r, one in enumerate(null)]), z)

    spread = np.sqrt(np.maximum(np.einsum("dw,dw->w", words, np.cov(images.T).astype(np.float32) @ words), 1e-12))
    shuffled, _ = _contrasts(images, rng.permuted(np.tile(predicted, (permutations, 1)), axis=1), len(labels))
    p_images = np.concatenate([_rank(shuffled[:, k] @ words / spread, effects[[i]] / spread)
                               for i, k in enumerate(kept)])
    p = np.maximum(p_images, p_controls)
    q = false_discovery_control(p.ravel()).reshape(p.shape)

    weights = rng.multinomial(len(images), np.full(len(images), 1 / len(images)), size=resamples)
    drawn, _ = _contrasts(images, np.tile(predicted, (resamples, 1)), len(labels), weights)
    tables = []
    for i, k in enumerate(kept):
        again = drawn[:, k] @ words  # (resamples, W)
        first = np.argpartition(-standard(again / np.linalg.norm(drawn[:, k], axis=1, keepdims=True), everyone), TOP,
                                axis=1)[:, :TOP]
        order = np.lexsort((-z[i], p[i]))
        rows = order[: max(shown, int((q[i] <= alpha).sum()))]
        low, high = np.quantile(again[:, rows], [0.025, 0.975], axis=0)
        tables.append(pd.DataFrame({
            "detector": "vocabulary", "what": [beyond.words[j] for j in rows], "where": labels[k],
            "effect": effects[i, rows], "low": low, "high": high, "unit": "cosine", "p": p[i, rows], "q": q[i, rows],
            "found": q[i, rows] <= alpha, "p_images": p_images[i, rows], "p_controls": p_controls[i, rows],
            "z": z[i, rows], "control": sums.sum(axis=0)[rows] / size.sum() * scale[i],
            "stability": np.bincount(first.ravel(), minlength=len(beyond.words))[rows] / resamples,
            "items": int(counts[0, k]),
        }))
    return pd.concat(tables, ignore_index=True)


def _contrasts(
    images: np.ndarray, predicted: np.ndarray, labels: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each label's images minus that of the others, (B, C, D), for B predictions (B, N); counts (B, C)."""
    draws, items = predicted.shape
    weights = np.ones_like(predicted) if weights is None else weights
    rows = (np.arange(draws)[:, None] * labels + predicted).ravel()
    member = sparse.csr_array((weights.ravel().astype(np.float32), (rows, np.tile(np.arange(items), draws))),
                              shape=(draws * labels, items))
    sums = (member @ images).reshape(draws, labels, -1)
    counts = member.sum(axis=1).reshape(draws, labels)
    others = sums.sum(axis=1, keepdims=True) - sums, counts.sum(axis=1, keepdims=True) - counts
    return sums / np.maximum(counts, 1)[..., None] - others[0] / np.maximum(others[1], 1)[..., None], counts


def _large(counts: np.ndarray, items: int) -> np.ndarray:
    return (counts >= MIN_ITEMS) & (items - counts >= MIN_ITEMS)


def _rank(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Share of the null scores at least as high as each observed one, one added above and below the line."""
    ordered = np.sort(null, axis=None)
    return (1 + len(ordered) - np.searchsorted(ordered, observed)) / (1 + len(ordered))


def _outside(vectors: np.ndarray, span: np.ndarray) -> np.ndarray:
    """(M, D) less its part within the span of orthonormal rows (K, D)."""
    return vectors - (vectors @ span.T) @ span


def _basis(vectors: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span (K, D)."""
    _, size, rows = np.linalg.svd(vectors, full_matrices=False)
    return rows[size > size[0] * 1e-5].astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(np.float32)
