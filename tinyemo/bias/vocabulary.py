"""Embeddings read in a language model's vocabulary: which words lie where the images of an emotion lie.

Takes words with vectors (a model's input-embedding table, CLIP's text tower), embeddings of images in that space and
predictions; gives nearest words and, for every predicted emotion, the words over-represented beyond its anchor
(detector "vocabulary"). Needs no attributes. Three corrections make such a reading mean something:
- *frequency*: the mean of all words and their first principal components follow how frequent a word is, and make hubs;
  words and images lose these directions (Mu and Viswanath 2018; Suzuki et al. 2013). A contrast of two groups of
  images cancels what is left of a word's own offset, the term that CSLS subtracts (Conneau et al. 2018).
- *anchors*: training pulls images to anchors, so words near these come by construction; their span is taken out.
- *chance*: a projector trained on anchors alone learns nothing outside their span. There it keeps its random last
  layer, bent by AdamW's coordinate-wise steps (under plain gradient descent two seeds share nothing), which carries
  along the classes that the hidden layer separates: shuffling images "finds" words in every projector. A word counts
  only if it also stands out among control projectors. What images show is read where words were taught, in CLIP's
  text space say.
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
            raise ValueError(
                f"vectors of shape {tuple(np.shape(vectors))}: the vocabulary is of width "
                f"{self.vectors.shape[1]}"
            )
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
    ValueError: as `vocabulary_of`.
    """
    pieces = tokenizer.convert_ids_to_tokens(list(range(min(len(table), len(tokenizer)))))
    mark = next(
        (
            mark
            for mark in "▁Ġ"
            if sum(piece.startswith(mark) for piece in pieces) > len(pieces) // 20
        ),
        "",
    )
    rows: dict[str, list[int]] = {}  # word -> its rows of the table
    for i, piece in enumerate(pieces):
        word = piece[len(mark) :].lower()
        if (
            piece.startswith(mark)
            and len(word) >= 3
            and word.isascii()
            and word.isalpha()
            and word not in ENGLISH_STOP_WORDS
            and (known is None or word in known)
        ):
            rows.setdefault(word, []).append(i)
    whole = table.float().numpy()
    return vocabulary_of(list(rows), np.stack([whole[own].mean(axis=0) for own in rows.values()]))


def vocabulary_of(words: Sequence[str], vectors: np.ndarray | Tensor) -> Vocabulary:
    """Words with their vectors (W, D) in any space, CLIP's text tower say, without their mean and first components.

    One component a hundred dimensions, as Mu and Viswanath. ValueError: fewer words than ten a component.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    top = max(1, vectors.shape[1] // 100)
    if len(words) <= 10 * top:
        raise ValueError(f"vocabulary: {len(words)} whole words; expected more than {10 * top}")
    components = np.linalg.eigh(np.cov(vectors.T))[1][:, -top:].T
    common = _basis(np.stack([vectors.mean(axis=0), *components]))
    return Vocabulary(tuple(words), _unit(_outside(vectors, common)), common)


def nearest_words(
    vectors: np.ndarray | Tensor, vocabulary: Vocabulary, n: int = 10
) -> pd.DataFrame:
    """The n nearest words of each of (M, D) vectors: columns row, rank (from 1), word, cosine.

    A vector is an image, a class's mean or the difference of two groups. What all images share makes hubs: take their
    mean off first. `vocabulary.without(anchors)` reads beyond the labels' words.
    """
    cosines = vocabulary.place(vectors) @ vocabulary.vectors.T  # (M, W)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(nearest)), nearest.shape[1]),
            "rank": np.tile(np.arange(1, nearest.shape[1] + 1), len(nearest)),
            "word": np.array(vocabulary.words, dtype=object)[nearest.ravel()],
            "cosine": np.take_along_axis(cosines, nearest, axis=1).ravel(),
        }
    )


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

    `reading` is a model's embeddings (N, D) and predictions (N,) int, which count `labels` (C,); `controls`, at least
    20, are those of the same images by projectors of the same recipe, trained on permuted labels or, to ask for a bias
    alone, on draws without it. In a space that never saw labels, CLIP's say, only predictions differ. `anchors` (A, D)
    are the directions to look beyond. Rows: each label's `shown` first words and all that are found.

    effect: mean cosine of the images predicted as the label minus that of the others; its percentile interval over
    `resamples` bootstrap draws of images knows nothing of the word's having been picked as a high one.
    p: the larger of p_images (predictions shuffled over images; takes at least C / alpha `permutations`) and p_controls
    (z: the contrast's cosine, less the controls' mean for the label, by their deviation; of cosines, not of effects,
    for permuted labels separate less). Both are ranks among null scores pooled over words, p_controls' over labels too,
    as in SAM (Tusher et al. 2001): 100,000 hypotheses need such fine p-values. q: Benjamini-Hochberg over all of them.
    Further columns: p_images, p_controls, z, control (the controls' mean, as an effect), stability (share of resamples
    in which the word is among the label's first ten), items. Labels predicted for fewer than ten images, or all but
    ten, have no rows. ValueError: too few controls, or no label left.
    """
    if len(controls) < MIN_CONTROLS:
        raise ValueError(
            f"vocabulary: {len(controls)} controls; expected the readings of at least {MIN_CONTROLS} "
            "projectors, trained on permuted labels say"
        )
    rng, beyond = np.random.default_rng(seed), vocabulary.without(anchors)
    words, images, predicted = beyond.vectors.T, beyond.place(reading[0]), np.asarray(reading[1])
    null = np.full((len(controls), len(labels), words.shape[1]), np.nan, np.float32)
    for r, (embeddings, labelled) in enumerate(controls):
        own = _large(np.asarray(labelled), len(labels))
        null[r, own] = (
            _unit(_contrasts(beyond.place(embeddings), labelled, len(labels))[own]) @ words
        )
    kept = np.intersect1d(
        _large(predicted, len(labels)),
        np.flatnonzero(np.isfinite(null[..., 0]).sum(axis=0) >= MIN_CONTROLS // 2),
    )
    if not len(kept):
        raise ValueError(
            f"vocabulary: no label is predicted for {MIN_ITEMS} images or more here and by the controls"
        )
    contrasts, null = _contrasts(images, predicted, len(labels))[kept], null[:, kept]
    scale = np.linalg.norm(contrasts, axis=1, keepdims=True)
    effects = contrasts @ words  # (K, W)
    centre, deviation = _moments(null)
    z = (effects / scale - centre) / deviation
    left_out = [
        (one - mean) / sd
        for one, (mean, sd) in (
            (null[r], _moments(np.delete(null, r, axis=0))) for r in range(len(null))
        )
    ]
    p_controls = _rank(np.stack(left_out), z)

    spread = np.sqrt(
        np.maximum(np.einsum("dw,dw->w", words, np.cov(images.T).astype(np.float32) @ words), 1e-12)
    )
    shuffled = np.stack(
        [_contrasts(images, rng.permutation(predicted), len(labels)) for _ in range(permutations)]
    )
    p_images = np.stack(
        [_rank(shuffled[:, k] @ words / spread, effects[i] / spread) for i, k in enumerate(kept)]
    )
    p = np.maximum(p_images, p_controls)
    q = false_discovery_control(p.ravel()).reshape(p.shape)

    n = len(images)
    drawn = np.stack(
        [
            _contrasts(images, predicted, len(labels), rng.multinomial(n, np.full(n, 1 / n)))
            for _ in range(resamples)
        ]
    )
    tables = []
    for i, k in enumerate(kept):
        again = drawn[:, k] @ words  # (resamples, W)
        turned = again / np.linalg.norm(drawn[:, k], axis=1, keepdims=True)
        first = np.argpartition((centre[i] - turned) / deviation, TOP, axis=1)[:, :TOP]
        order = np.lexsort((-z[i], p[i]))
        rows = order[: max(shown, int((q[i] <= alpha).sum()))]
        low, high = np.quantile(again[:, rows], [0.025, 0.975], axis=0)
        tables.append(
            pd.DataFrame(
                {
                    "detector": "vocabulary",
                    "what": [beyond.words[j] for j in rows],
                    "where": labels[k],
                    "effect": effects[i, rows],
                    "low": low,
                    "high": high,
                    "unit": "cosine",
                    "p": p[i, rows],
                    "q": q[i, rows],
                    "found": q[i, rows] <= alpha,
                    "p_images": p_images[i, rows],
                    "p_controls": p_controls[i, rows],
                    "z": z[i, rows],
                    "control": centre[i, rows] * scale[i],
                    "stability": np.bincount(first.ravel(), minlength=len(beyond.words))[rows]
                    / resamples,
                    "items": int((predicted == k).sum()),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _contrasts(
    images: np.ndarray, predicted: np.ndarray, labels: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean of each label's images (N, D) minus that of all others, (C, D); an image counts `weights` (N,) times."""
    weights = np.ones(len(images)) if weights is None else weights
    member = sparse.csr_array(
        (weights.astype(np.float32), (predicted, np.arange(len(images)))), (labels, len(images))
    )
    sums, counts = member @ images, member.sum(axis=1)[:, None]
    return sums / np.maximum(counts, 1) - (sums.sum(axis=0) - sums) / np.maximum(
        counts.sum() - counts, 1
    )


def _moments(null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of controls (R, K, W), NaN where one has too few images: mean (K, W); deviation (W,), the same for all labels."""
    mean = np.nanmean(null, axis=0)
    freedom = np.isfinite(null[..., 0]).sum() - null.shape[1]
    return mean, np.sqrt(
        np.maximum(np.nansum(np.square(null - mean), axis=(0, 1)) / freedom, 1e-12)
    )


def _large(predicted: np.ndarray, labels: int) -> np.ndarray:
    """The labels that ten images or more are predicted as, and ten or more are not."""
    counts = np.bincount(predicted, minlength=labels)
    return np.flatnonzero(np.minimum(counts, len(predicted) - counts) >= MIN_ITEMS)


def _rank(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Share of the null scores at least as high as each observed one, one added above and below the line."""
    ordered = np.sort(null[np.isfinite(null)])
    return (1 + len(ordered) - np.searchsorted(ordered, observed)) / (1 + len(ordered))


def _outside(vectors: np.ndarray, span: np.ndarray) -> np.ndarray:
    """(M, D) less its part within the span of orthonormal rows (K, D)."""
    return vectors - (vectors @ span.T) @ span


def _basis(vectors: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span (K, D)."""
    _, size, rows = np.linalg.svd(vectors, full_matrices=False)
    return rows[size > size[0] * 1e-5].astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(
        np.float32
    )
