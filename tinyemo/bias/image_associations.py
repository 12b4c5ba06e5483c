"""Image associations: are images that show an attribute value nearer to an emotion than others?

Takes embeddings of images, anchors in the same space, labels and attribute values. Gives one row
per value and emotion, and the part of a model that an association comes from. The test for
words, and the score that both share, are in `associations`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse, stats
from torch import Tensor

from tinyemo.bias.associations import (
    MIN_EFFECT,
    EmotionWords,
    Space,
    cosines,
    effect_sizes,
    nearness,
)
from tinyemo.bias.evidence import corrected, value_label_tests
from tinyemo.bias.references import MIN_EFFECT as MIN_MOVE
from tinyemo.bias.values import LEVELS, TAILS, AttributeValues
from tinyemo.emotions import labels_of


def image_association(
    x: Tensor,
    anchors: Tensor,
    y: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    alpha: float = 0.05,
    min_effect: float = MIN_EFFECT,
    detector: str = "image association",
) -> pd.DataFrame:
    """Are images that show a value nearer to an emotion than images of the same label that do not?

    x (N, D) and anchors (C, D) of one space, labels y (N,) of `words` (C,), values of the same N
    items. Gives a detector table of V * C rows, with the column `items`: how many items show the
    value.

    The effect is the difference in `nearness` with and without the value, in standard deviations
    within labels. Labels are weighted by n1 n0 / n, as least squares on value and label does. p and
    the interval are those of permutations within labels, computed as normal with the exact variance
    (Strasser and Weber 1999), because thousands of tests need smaller p-values than drawn
    permutations can give. Found: q <= alpha and |effect| >= min_effect.

    A value that is a true cause of the emotion within a label is found as well. So a finding alone
    is no sign of bias.
    """
    y = np.asarray(y)
    present = values.present.tocsr()  # (N, V)
    near = nearness(x, anchors)  # (N, C)
    if not len(near) == len(y) == present.shape[0]:
        raise ValueError(
            f"image association: {len(near)} embeddings, {len(y)} labels, "
            f"{present.shape[0]} rows of values; expected equal numbers"
        )
    score, information, variance, within = _sums_over_labels(near, present, y)
    # a value that all or none of the items of each label show has neither scale nor variance
    with np.errstate(invalid="ignore", divide="ignore"):
        sd_within = np.sqrt(within / (len(y) - len(np.unique(y))))  # (C,)
        scale = information * sd_within  # (V, C)
        sd_of_score = np.sqrt(variance)
        effect = score / scale
        margin = stats.norm.ppf(0.975) * sd_of_score / scale
        p = 2 * stats.norm.sf(np.abs(score / sd_of_score))
    p = np.nan_to_num(p, nan=1.0)
    tests = value_label_tests(values, words, effect, effect - margin, effect + margin, p)
    table = corrected(tests, detector, "sd within label", alpha, min_effect)
    return table.assign(items=np.repeat(values.counts, len(words)))


def _sums_over_labels(
    near: np.ndarray, present: sparse.csr_array, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sums over labels: score (V, C), information (V, 1), variance (V, C) and squares (C,).

    `near` (N, C), `present` (N, V), `y` (N,). The variance is that over permutations within labels;
    squares are those of the deviations from the label's mean.
    """
    score, information, variance, within = 0.0, 0.0, 0.0, 0.0
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        n = len(rows)
        centred = near[rows] - near[rows].mean(axis=0)  # (n, C)
        squares = (centred**2).sum(axis=0)  # (C,)
        shown = present[rows].sum(axis=0)[:, None].astype(float)  # (V, 1)
        pairs = shown * (n - shown)
        score = score + present[rows].T @ centred
        information = information + pairs / n
        variance = variance + pairs / (n * max(n - 1, 1)) * squares
        within = within + squares
    return score, information, variance, within


def association_parts(
    values: AttributeValues,
    y: np.ndarray,
    label_set: str,
    projector: tuple[Tensor, Tensor],
    moved: pd.DataFrame,
    *,
    controls: Sequence[Tensor] = (),
    encoder: tuple[Tensor, Tensor] | None = None,
    space: Space | None = None,
    min_effect: float = MIN_EFFECT,
) -> pd.DataFrame:
    """Which part of a model an association comes from.

    One row per value and emotion, three columns per part:

    - `projector`: `image_association` of embeddings (N, D) with anchors (C, D). This is the total.
    - `added`: the total minus the mean of models of the same recipe that cannot have learned the
      association. `controls` are embeddings (N, D) of the same items by three or more projectors
      that were trained where value and label are independent. The interval is the prediction
      interval for one more control (Student's t).
    - `encoder`: `image_association` of features (N, E) with CLIP's text anchors (C, E).
    - `anchors`: the value's own word in `space`: its mean cosine to the emotion's words minus its
      mean cosine to the words of the other emotions, divided by the sd of all these cosines
      (Caliskan's WEFAT). The interval is Welch's over emotion words. NaN if the space does not
      contain the word.

    `moved` has the columns what, where and effect of the model detector: how far the mean
    probability changes with the value. `carried_by` names parts only for pairs that the model moves
    by at least the minimum effect of that detector, in the direction of the total. Pairs that are
    not in `moved` count as not moved.

    The named parts (`added` instead of `projector` if there are controls) have the sign of the
    total, an effect of at least `min_effect` and an interval without zero. There is no correction
    for the number of tests, so use this only for associations that were already found.

    ValueError: one or two controls, or inputs of different length.
    """
    if 0 < len(controls) < 3:
        raise ValueError(f"association_parts: expected three controls or more, got {len(controls)}")
    words = labels_of(label_set)

    def of_images(x: Tensor, anchors: Tensor) -> np.ndarray:  # (V * C, 3)
        table = image_association(x, anchors, y, words, values)
        return table[["effect", "low", "high"]].to_numpy()

    total = of_images(*projector)
    parts = {"projector": total}
    if len(controls):
        of_controls = [of_images(x, projector[1])[:, 0] for x in controls]
        parts["added"] = _beyond_controls(total[:, 0], np.stack(of_controls))
    if encoder is not None:
        parts["encoder"] = of_images(*encoder)
    if space is not None:
        parts["anchors"] = _of_value_words(values, label_set, space)

    table = pd.DataFrame({"what": np.repeat(values.names, len(words))})
    table["where"] = words * len(values.names)
    for name, part in parts.items():
        table[[name, f"{name}_low", f"{name}_high"]] = part
    keys = ["what", "where"]
    moves = moved.set_index(keys)["effect"]
    pairs = pd.MultiIndex.from_frame(table[keys])
    move = moves.reindex(pairs, fill_value=0).to_numpy()  # (V * C,)
    is_large = np.abs(move) >= MIN_MOVE
    is_moved = is_large & (move * total[:, 0] > 0)
    carriers = {}
    for name, part in parts.items():
        effect, low, high = part.T
        large = np.abs(effect) >= min_effect
        without_zero = low * high > 0
        same_sign = effect * total[:, 0] > 0
        carriers[name] = is_moved & large & without_zero & same_sign
    if len(controls):
        del carriers["projector"]
    carriers = pd.DataFrame(carriers)
    table["carried_by"] = [", ".join(carriers.columns[row]) for row in carriers.to_numpy()]
    return table


def _beyond_controls(effect: np.ndarray, of_controls: np.ndarray) -> np.ndarray:
    """Effects (M,) minus the controls' mean, with the interval of one more control: (M, 3)."""
    number = len(of_controls)
    sd = of_controls.std(axis=0, ddof=1)
    margin = stats.t.ppf(0.975, number - 1) * sd * np.sqrt(1 + 1 / number)
    difference = effect - of_controls.mean(axis=0)
    return np.column_stack([difference, difference - margin, difference + margin])


def _of_value_words(values: AttributeValues, label_set: str, space: Space) -> np.ndarray:
    """Effect and interval (V * C, 3) of each value's own word in a space; NaN: not in the space."""
    concepts = []
    for attribute, value in zip(values.attributes, values.values, strict=True):
        of_number = value in (*LEVELS, *TAILS)
        concepts.append(f"{value} {attribute}" if of_number else value)
    emotions = EmotionWords.find(space, label_set, concepts)
    labels = emotions.of.shape[1]
    found = np.full((len(concepts), labels, 3), np.nan)
    for row, concept in enumerate(concepts):
        if concept not in emotions.vectors:
            continue
        near = cosines(emotions.vectors[concept][None], emotions.anchors)  # (1, W)
        for k, own in enumerate(emotions.of.T):
            found[row, k] = effect_sizes(near[:, own], near[:, ~own])[:, 0]
    return found.reshape(-1, 3)
