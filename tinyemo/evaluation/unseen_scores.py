"""Scores of methods that recognise unseen classes, and their intervals.

Takes cosines of test items to the anchors of all classes, by seed and class left out, and the
penalty of the seen cosines (`unseen`). Gives AUROC, and recall beside false-positive rate and
precision, with intervals; and a table of gains that is corrected for the number of methods.

Two intervals answer two questions. Over test items and seeds: would other images of these classes
give the same mean? Over classes: would other classes? The second treats the classes as a sample
(t-distribution), and is the one that a claim about unseen classes in general needs.

Shapes: M test items, C classes, S seeds, B bootstrap rows.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from tinyemo.evaluation.bootstrap import holm, percentile_interval
from tinyemo.evaluation.proportions import LEVEL, resampled_share_interval

RESAMPLES = 1000  # of test items and seeds, for an interval
TINY = 1e-12  # instead of a division by zero
Scores = dict[str, np.ndarray]  # name -> (B, C), those of `resampled_scores`


def resampled_scores(tests: np.ndarray, penalties: np.ndarray, y: np.ndarray) -> Scores:
    """Scores of a method by name, each (B, C): row 0 of all test items and seeds, the others
    resampled.

    `tests` (S, C, M, C): cosines by seed and class left out; `penalties` (S, C), of the seen
    cosines; `y` (M,). Items and seeds are drawn again for every row, in the same way for all
    methods and classes. So the rows of two methods may be subtracted. B is 1 + RESAMPLES.

        auroc       of the cosine to the unseen anchor
        relative    AUROC of that cosine minus the highest seen one
        recall      share of the unseen class's items that are assigned to it, among all classes
        false_positives     share of the other items that are assigned to it
        excess      recall minus false_positives; 0 without any information
        precision   share of the unseen class among the items assigned to it; 0 if there are
                    none. It depends on how frequent the class is.
        seen        accuracy on the other items
        harmonic    harmonic mean of recall and seen

    ValueError: a class without test items.
    """
    seeds, classes, _, _ = tests.shape
    item_weights = _item_weights(y, classes)  # (B, M)
    seed_weights = _resample_weights(seeds, 1) / seeds  # (B, S)
    scores = {}
    for name in ("auroc", "relative", "recall", "false_positives", "seen", "found", "hits"):
        scores[name] = np.zeros((1 + RESAMPLES, classes))
    for s, c in np.ndindex(seeds, classes):
        one = _scores_of(tests[s, c], c, penalties[s, c], y, item_weights)
        for name, values in one.items():
            scores[name][:, c] += seed_weights[:, s] * values
    found = scores.pop("found")
    scores["precision"] = scores.pop("hits") / np.maximum(found, TINY)
    scores["excess"] = scores["recall"] - scores["false_positives"]
    scores["harmonic"] = _harmonic(scores["recall"], scores["seen"])
    return scores


def _resample_weights(n: int, seed: int, rows: int = RESAMPLES) -> np.ndarray:
    """How often each of n things is drawn: (1 + rows, n). Row 0 has each once, the others are
    resampled."""
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + rows, n))
    weights[1:] = rng.multinomial(n, np.full(n, 1 / n), rows)
    return weights


def _item_weights(y: np.ndarray, classes: int) -> np.ndarray:
    """`_resample_weights` (B, M) of items labelled `y`, every row with an item of each class.

    A row without a class has no recall of it, so it is drawn again.
    """
    is_class = y[:, None] == np.arange(classes)  # (M, C)
    if not is_class.any(axis=0).all():
        missing = np.flatnonzero(~is_class.any(axis=0))
        raise ValueError(f"test items: none of class {missing[0]}, expected some of each class")
    weights = _resample_weights(len(y), 0)
    seed = 0
    while True:
        lacks_one = (weights @ is_class == 0).any(axis=1)  # (B,)
        if not lacks_one.any():
            return weights
        seed += 1
        weights[lacks_one] = _resample_weights(len(y), seed, int(lacks_one.sum()))[1:]


def _scores_of(
    cosine: np.ndarray, unseen: int, penalty: float, y: np.ndarray, weights: np.ndarray
) -> Scores:
    """Scores (B,) of one seed and one class left out: cosines (M, C), item weights (B, M)."""
    is_unseen = y == unseen  # (M,)
    margin, best_seen = margin_to_seen(cosine, unseen)  # (M,) each
    found = margin < penalty
    hits = weights @ (found & is_unseen)
    others = weights @ ~is_unseen
    seen_right = ~found & (best_seen == y) & ~is_unseen
    return {
        "auroc": auroc(cosine[:, unseen], is_unseen, weights),
        "relative": auroc(-margin, is_unseen, weights),
        "recall": hits / (weights @ is_unseen),
        "false_positives": weights @ (found & ~is_unseen) / others,
        "seen": weights @ seen_right / others,
        "found": weights @ found,
        "hits": hits,
    }


def score_table(
    scores: dict[str, Scores],
    y: np.ndarray,
    words: Sequence[str],
    reference: str,
) -> pd.DataFrame:
    """The `resampled_scores` of several methods as rows: method, class, score, value, low, high,
    class_low, class_high.

    `y` (M,) are the labels of the test items, as in `resampled_scores`. `class` is a word, or
    "mean" over all; low and high are the 95 % interval over items and seeds. class_low and
    class_high are that of the mean over classes (t-distribution), NaN in the rows of one class. The
    additional score `gain` is the AUROC minus the AUROC of the method `reference`, on the same
    resamples.
    """
    rows = []
    for method, one in scores.items():
        with_gain = one | {"gain": one["auroc"] - scores[reference]["auroc"]}
        for name, values in with_gain.items():  # (B, C)
            low, high = _limits(name, one, y)
            if low is None:
                low, high = percentile_interval(values[1:])
            for word, *row in zip(words, values[0], low, high, strict=True):
                rows.append((method, word, name, *row, np.nan, np.nan))
            mean = values.mean(axis=1)  # (B,)
            low, high = percentile_interval(mean[1:])
            over_classes = _over_classes(values[0])
            rows.append((method, "mean", name, mean[0], low, high, *over_classes))
    columns = ["method", "class", "score", "value", "low", "high", "class_low", "class_high"]
    return pd.DataFrame(rows, columns=columns)


def gain_table(scores: dict[str, Scores], reference: str) -> pd.DataFrame:
    """The gain in mean AUROC of every method over `reference`, corrected for their number.

    Columns: method, gain, low, high, p, p_holm for other items and trainings of these classes, and
    class_low, class_high, p_class, p_class_holm for other classes: a paired t-test over the
    classes. Holm's correction is over all methods of the table.
    """
    rows = []
    for method, one in scores.items():
        if method == reference:
            continue
        without = scores[reference]["auroc"]
        gains = one["auroc"] - without  # (B, C)
        mean = gains.mean(axis=1)
        low, high = percentile_interval(mean[1:])
        distance = np.abs(mean[1:] - mean[0])
        extreme = (distance >= np.abs(mean[0])).sum()
        p = (1 + extreme) / len(mean)
        class_low, class_high = _over_classes(gains[0])
        p_class = ttest_1samp(gains[0], 0).pvalue
        rows.append((method, mean[0], low, high, p, class_low, class_high, p_class))
    columns = ["method", "gain", "low", "high", "p", "class_low", "class_high", "p_class"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(5, "p_holm", holm(table["p"]))
    return table.assign(p_class_holm=holm(table["p_class"]))


def _limits(
    name: str, scores: Scores, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """The interval of a proportion for each class, (C,) each; None for a score that is none."""
    values = scores.get(name)
    positives = np.bincount(y, minlength=scores["recall"].shape[1])  # (C,)
    negatives = len(y) - positives
    hits = positives * scores["recall"][0]
    false = negatives * scores["false_positives"][0]
    items = {"recall": positives, "precision": hits + false}
    items |= {"false_positives": negatives, "seen": negatives}
    if name not in items:
        return None, None
    return resampled_share_interval(values[0], values[1:], items[name])


def _over_classes(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean of (C,) values, if the classes are a sample of many."""
    classes = len(values)
    error = values.std(ddof=1) / classes**0.5
    half = student.ppf((1 + LEVEL) / 2, classes - 1) * error
    return values.mean() - half, values.mean() + half


def auroc(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Areas under the ROC curve of scores (N,): (B,), one per row of item weights (B, N).

    Ties count half. Without weights B is 1.
    """
    if weights is None:
        weights = np.ones((1, len(scores)))
    order = np.argsort(scores)
    ranked = scores[order]
    is_positive = positive[order]
    weights = weights[:, order]
    negatives = np.cumsum(weights * ~is_positive, axis=1)
    negatives = np.pad(negatives, ((0, 0), (1, 0)))  # (B, N + 1) weight of negatives before a place
    first_equal = np.searchsorted(ranked, ranked)  # (N,)
    after_equal = np.searchsorted(ranked, ranked, "right")
    below = negatives[:, first_equal]  # (B, N)
    below_or_equal = negatives[:, after_equal]
    beaten = (below + below_or_equal) / 2
    area = (weights * is_positive * beaten).sum(axis=1)
    positives = weights @ is_positive
    return area / (positives * negatives[:, -1])


def margin_to_seen(cosine: np.ndarray, unseen: int, *absent: int) -> tuple[np.ndarray, np.ndarray]:
    """Highest seen cosine minus the unseen one (N,), and the class of that seen cosine (N,)."""
    n, classes = cosine.shape
    seen = np.delete(np.arange(classes), [unseen, *absent])
    place = cosine[:, seen].argmax(axis=1)  # (N,) among the seen classes
    best_seen = seen[place]
    highest = cosine[np.arange(n), best_seen]
    return highest - cosine[:, unseen], best_seen


def _harmonic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 2 * a * b / np.maximum(a + b, TINY)
