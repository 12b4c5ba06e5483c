"""Which words of a vocabulary are near the images of a predicted emotion (detector "vocabulary").

Takes words with vectors (a language model's input-embedding table, or CLIP's text tower),
embeddings of images in the same space, and predictions. Gives, for every predicted emotion, the
words that are nearer to its images than to all others, beyond the direction of its anchor. No
attributes are needed.

Three corrections are needed for a meaningful result:

- *Frequency*: the mean of all words and their first principal components follow word frequency and
  create hubs. Words and images lose these directions (Mu and Viswanath 2018; Suzuki et al. 2013). A
  contrast of two groups of images also cancels the offset of each word, which is the term that CSLS
  subtracts (Conneau et al. 2018).
- *Anchors*: training moves images towards anchors, so words near anchors appear by construction.
  The span of the anchors is removed.
- *Chance*: a projector that is trained on anchors alone learns nothing outside of their span. Its
  output there comes from the random last layer, which AdamW's coordinate-wise steps have changed.
  This output still differs between the classes that the hidden layer separates. So a test that only
  shuffles images finds words for every projector. A word is found only if it also differs from the
  results of control projectors. To see what the images show, use a space in which words were
  trained, such as CLIP's text space.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import false_discovery_control
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from sklearn.preprocessing import normalize
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from tinyemo.evaluation.bootstrap import percentile_interval

MIN_ITEMS = 10  # images of a predicted emotion; a smaller group has no words
MIN_CONTROLS = 20  # control projectors; fewer cannot support a false discovery rate of 5 %
TOP = 10  # a word is stable in a resample if it is among this many first words
TINY = 1e-12  # lower bound of variances, against division by zero
WORD_STARTS = "▁Ġ"  # how SentencePiece and byte-level BPE mark the start of a word
Reading = tuple[np.ndarray, np.ndarray]  # embeddings (N, D), predicted labels (N,) int


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """W words and their unit vectors, outside of the span of `common`.

    `vectors` (W, D) float32; `common` (K, D) orthonormal rows.
    """

    words: tuple[str, ...]
    vectors: np.ndarray
    common: np.ndarray

    def place(self, vectors: np.ndarray | Tensor) -> np.ndarray:
        """Make vectors (M, D) comparable with the words: without `common`, unit length, float32.

        ValueError: another width than that of the words.
        """
        width = self.vectors.shape[1]
        if np.ndim(vectors) != 2 or np.shape(vectors)[1] != width:
            raise ValueError(
                f"vectors of shape {tuple(np.shape(vectors))}: expected width {width}, as in the "
                "vocabulary"
            )
        vectors = np.asarray(vectors, dtype=np.float32)
        return _unit_rows(_outside(vectors, self.common))

    def without(self, directions: np.ndarray | Tensor) -> "Vocabulary":
        """The words outside of the span of `directions` (A, D).

        Words that have more than half of their squared length in the span are left out.
        """
        directions = np.asarray(directions, dtype=np.float32)
        span = _basis(_outside(directions, self.common))
        rest = _outside(self.vectors, span)
        kept = np.square(rest).sum(axis=1) > 0.5  # (W,)
        words = tuple(word for word, is_kept in zip(self.words, kept, strict=True) if is_kept)
        return Vocabulary(words, _unit_rows(rest[kept]), np.concatenate([self.common, span]))


def read_vocabulary(
    table: Tensor, tokenizer: PreTrainedTokenizerBase, known: Container[str] | None = None
) -> Vocabulary:
    """The whole words of an embedding table (V, D), with the tokenizer that belongs to it.

    A word is a token that starts a word ("▁" of SentencePiece, "Ġ" of byte-level BPE, no "##" of
    BERT), has at least three ASCII letters, and is no stop word of scikit-learn. Forms that differ
    in case are averaged. A BPE token does not show whether it also ends a word ("Ġconf"). Pass
    `known`, the words of a corpus or a dictionary, to leave fragments out.

    ValueError: as `vocabulary_of`.
    """
    tokens = tokenizer.convert_ids_to_tokens(list(range(min(len(table), len(tokenizer)))))
    start = _word_start(tokens)
    rows: dict[str, list[int]] = {}  # word -> its rows of the table
    for i, token in enumerate(tokens):
        word = token[len(start) :].lower()
        if token.startswith(start) and _is_word(word) and (known is None or word in known):
            rows.setdefault(word, []).append(i)
    table = table.float().numpy()
    vectors = np.stack([table[own].mean(axis=0) for own in rows.values()])
    return vocabulary_of(list(rows), vectors)


def _word_start(tokens: Sequence[str]) -> str:
    """The mark with which tokens start a word; empty if fewer than a twentieth have one."""
    for mark in WORD_STARTS:
        if sum(token.startswith(mark) for token in tokens) > len(tokens) // 20:
            return mark
    return ""


def _is_word(text: str) -> bool:
    if len(text) < 3 or text in ENGLISH_STOP_WORDS:
        return False
    return text.isascii() and text.isalpha()


def vocabulary_of(words: Sequence[str], vectors: np.ndarray | Tensor) -> Vocabulary:
    """Words with vectors (W, D) of any space, without their mean and first principal components.

    The number of components is one per hundred dimensions (Mu and Viswanath 2018).

    ValueError: fewer than ten words per component.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    number = max(1, vectors.shape[1] // 100)
    if len(words) <= 10 * number:
        raise ValueError(f"vocabulary: {len(words)} whole words; expected more than {10 * number}")
    _, directions = np.linalg.eigh(np.cov(vectors.T))  # ascending eigenvalues
    components = directions[:, -number:].T
    mean = vectors.mean(axis=0)
    common = _basis(np.stack([mean, *components]))
    return Vocabulary(tuple(words), _unit_rows(_outside(vectors, common)), common)


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
    """The detector table "vocabulary": words nearer to a predicted label's images than to others.

    `reading` is a model's embeddings (N, D) and predictions (N,) int, which count `labels` (C,).
    `controls` (at least 20) are readings of the same images by projectors of the same recipe:
    trained on permuted labels, or, to test for a bias alone, on draws without it. In a space that
    was made without labels, such as CLIP's, only predictions differ. `anchors` (A, D) are the
    directions to remove. The rows are each label's `shown` first words and all that are found.

    - effect: mean cosine with the images predicted as the label, minus that with the others. Its
      percentile interval over `resamples` bootstrap draws of images does not account for the
      selection of the word.
    - p: the larger of p_images and p_controls. p_images: predictions are shuffled over images
      (needs at least C / alpha `permutations`). p_controls: rank of z, which is the cosine of the
      contrast minus the controls' mean for the label, divided by their standard deviation. It uses
      cosines and not effects, because models of permuted labels separate less. Both are ranks among
      null scores pooled over words, and for p_controls also over labels, as in SAM (Tusher et al.
      2001): 100,000 hypotheses need such small p-values. q: Benjamini-Hochberg over all of them.
    - control: the controls' mean, as an effect. stability: share of resamples in which the word is
      among the label's first ten. items: number of images.

    Labels predicted for fewer than ten images, or for all but ten, have no rows.

    ValueError: too few controls, or no label is left.
    """
    if len(controls) < MIN_CONTROLS:
        raise ValueError(
            f"vocabulary: {len(controls)} controls; expected the readings of at least "
            f"{MIN_CONTROLS} projectors, for example trained on permuted labels"
        )
    rng = np.random.default_rng(seed)
    beyond = vocabulary.without(anchors)
    words = beyond.vectors.T  # (D, W)
    images = beyond.place(reading[0])  # (N, D)
    predicted = np.asarray(reading[1])  # (N,)
    null = _control_cosines(controls, beyond, len(labels))  # (R, C, W)
    kept = _testable_labels(predicted, null)  # (K,)
    if not len(kept):
        raise ValueError(
            f"vocabulary: no label is predicted for {MIN_ITEMS} images or more by the model and by "
            "enough controls, expected at least one"
        )
    null = null[:, kept]
    contrasts = _contrasts(images, predicted, len(labels))[kept]  # (K, D)
    scale = np.linalg.norm(contrasts, axis=1, keepdims=True)  # (K, 1)
    effects = contrasts @ words  # (K, W)
    centre, deviation = _moments(null)  # (K, W), (W,)
    z = (effects / scale - centre) / deviation
    p_controls = _rank(_left_out_scores(null), z)
    p_images = _p_of_shuffled_images(
        images, predicted, kept, words, effects, len(labels), permutations, rng
    )
    p = np.maximum(p_images, p_controls)
    q = false_discovery_control(p.ravel()).reshape(p.shape)

    drawn = _resampled_contrasts(images, predicted, len(labels), resamples, rng)  # (B, C, D)
    tables = []
    for i, k in enumerate(kept):
        resampled = drawn[:, k] @ words  # (B, W) effects
        cosines = resampled / np.linalg.norm(drawn[:, k], axis=1, keepdims=True)
        first = np.argpartition((centre[i] - cosines) / deviation, TOP, axis=1)[:, :TOP]
        times_first = np.bincount(first.ravel(), minlength=len(beyond.words))  # (W,)

        order = np.lexsort((-z[i], p[i]))
        found = int((q[i] <= alpha).sum())
        rows = order[: max(shown, found)]
        table = pd.DataFrame({"detector": "vocabulary", "what": [beyond.words[j] for j in rows]})
        table["where"] = labels[k]
        table["effect"] = effects[i, rows]
        table["low"], table["high"] = percentile_interval(resampled[:, rows])
        table["unit"] = "cosine"
        table["p"] = p[i, rows]
        table["q"] = q[i, rows]
        table["found"] = q[i, rows] <= alpha
        table["p_images"] = p_images[i, rows]
        table["p_controls"] = p_controls[i, rows]
        table["z"] = z[i, rows]
        table["control"] = centre[i, rows] * scale[i]
        table["stability"] = times_first[rows] / resamples
        table["items"] = int((predicted == k).sum())
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _control_cosines(controls: Sequence[Reading], beyond: Vocabulary, labels: int) -> np.ndarray:
    """Cosines (R, C, W) of each control's contrasts with the words; NaN: too few images."""
    words = beyond.vectors.T
    shape = (len(controls), labels, words.shape[1])
    cosines = np.full(shape, np.nan, np.float32)
    for r, (embeddings, predicted) in enumerate(controls):
        own = _large(np.asarray(predicted), labels)
        contrasts = _contrasts(beyond.place(embeddings), predicted, labels)[own]
        cosines[r, own] = _unit_rows(contrasts) @ words
    return cosines


def _testable_labels(predicted: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Labels with enough images here (N,) and in half of the required controls (R, C, W)."""
    in_controls = np.isfinite(null[..., 0]).sum(axis=0)  # (C,)
    enough_controls = np.flatnonzero(in_controls >= MIN_CONTROLS // 2)
    return np.intersect1d(_large(predicted, null.shape[1]), enough_controls)


def _left_out_scores(null: np.ndarray) -> np.ndarray:
    """z (R, K, W) of each control against the mean and standard deviation of the other controls."""
    scores = []
    for r in range(len(null)):
        mean, deviation = _moments(np.delete(null, r, axis=0))
        scores.append((null[r] - mean) / deviation)
    return np.stack(scores)


def _p_of_shuffled_images(
    images: np.ndarray,
    predicted: np.ndarray,
    kept: np.ndarray,
    words: np.ndarray,
    effects: np.ndarray,
    labels: int,
    permutations: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """p (K, W) of the effects (K, W) of the `kept` labels if predictions are shuffled over images.

    Words (D, W) have different spreads over images, so effects are divided by the word's spread.
    """
    covariance = np.cov(images.T).astype(np.float32)  # (D, D)
    variance = np.einsum("dw,dw->w", words, covariance @ words)
    spread = np.sqrt(np.maximum(variance, TINY))  # (W,)
    shuffled = []
    for _ in range(permutations):
        shuffled.append(_contrasts(images, rng.permutation(predicted), labels))
    shuffled = np.stack(shuffled)  # (P, C, D)
    p = []
    for i, k in enumerate(kept):
        null = shuffled[:, k] @ words / spread  # (P, W)
        p.append(_rank(null, effects[i] / spread))
    return np.stack(p)


def _resampled_contrasts(
    images: np.ndarray,
    predicted: np.ndarray,
    labels: int,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Contrasts (B, C, D) of bootstrap draws of the images."""
    n = len(images)
    share = np.full(n, 1 / n)
    drawn = []
    for _ in range(resamples):
        drawn.append(_contrasts(images, predicted, labels, rng.multinomial(n, share)))
    return np.stack(drawn)


def _contrasts(
    images: np.ndarray, predicted: np.ndarray, labels: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean of each label's images minus the mean of all others, (C, D).

    `images` (N, D); `predicted` (N,); an image counts `weights` (N,) times, or once.
    """
    if weights is None:
        weights = np.ones(len(images))
    positions = (predicted, np.arange(len(images)))
    member = sparse.csr_array((weights.astype(np.float32), positions), (labels, len(images)))
    sums = member @ images  # (C, D)
    counts = member.sum(axis=1)[:, None]  # (C, 1)
    sums_of_others = sums.sum(axis=0) - sums
    counts_of_others = counts.sum() - counts
    mean = sums / np.maximum(counts, 1)
    mean_of_others = sums_of_others / np.maximum(counts_of_others, 1)
    return mean - mean_of_others


def _moments(null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K, W) and standard deviation (W,) of the controls' cosines (R, K, W).

    NaN marks a control with too few images of a label. The deviation is pooled over labels.
    """
    mean = np.nanmean(null, axis=0)
    freedom = np.isfinite(null[..., 0]).sum() - null.shape[1]
    variance = np.nansum(np.square(null - mean), axis=(0, 1)) / freedom
    return mean, np.sqrt(np.maximum(variance, TINY))


def _large(predicted: np.ndarray, labels: int) -> np.ndarray:
    """The labels that are predicted for at least ten images and not predicted for at least ten."""
    counts = np.bincount(predicted, minlength=labels)
    others = len(predicted) - counts
    return np.flatnonzero(np.minimum(counts, others) >= MIN_ITEMS)


def _rank(null: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Share of null scores that are at least as high as each observed score (both counts + 1)."""
    ordered = np.sort(null[np.isfinite(null)])
    as_high = len(ordered) - np.searchsorted(ordered, observed)
    return (1 + as_high) / (1 + len(ordered))


def _outside(vectors: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Vectors (M, D) minus their part within the span of orthonormal rows (K, D)."""
    return vectors - (vectors @ span.T) @ span


def _basis(vectors: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span the vectors (K, D)."""
    _, size, rows = np.linalg.svd(vectors, full_matrices=False)
    return rows[size > size[0] * 1e-5].astype(np.float32)


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Vectors (M, D) scaled to unit length; M may be 0, which scikit-learn's function refuses."""
    return normalize(vectors) if len(vectors) else vectors
