"""Bootstrap: intervals over items, and whether a difference between two runs can be due to chance.

Owns percentile intervals (Efron and Tibshirani 1993, chapter 13), the paired bootstrap test
(section 16.4) and Holm's correction (1979). Takes values per item, or tables of predictions; gives
intervals, differences and p-values. Intervals of proportions are in `proportions`.

The interval of one run's score resamples items. It holds for these trained models only; the
standard deviation over seeds shows how much another training can differ. Where two runs are
compared that differ by their training, the trainings (seeds) are resampled too: `compare_two` for
runs whose trainings have nothing in common, the `crossed_` functions where training i of one run
belongs to training i of the other.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from tinyemo.evaluation.proportions import LEVEL, share_interval

ALPHA = 0.05
RESAMPLES = 2_000  # for an interval
# For a paired test. The smallest p-value is 1 / 10,001, small enough to be significant after a
# correction over 200 comparisons.
TEST_RESAMPLES = 10_000
CHUNK = 100  # resamples drawn at once: 2,000 x N indices may not fit into memory


def percentile_interval(scores: np.ndarray | Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval (low, high) of resampled scores (R, ...), one interval per column.

    Both limits have the shape (...) of one resample; a number for scores (R,).
    """
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def centred_interval(
    observed: np.ndarray | float, resampled: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`percentile_interval` of scores (R, ...), moved so that their median is the observed (...).

    For scores that resampling changes in one direction, such as a function of the lowest of several
    accuracies: the plain percentiles may lie beside the observed score.
    """
    bias = np.median(resampled, axis=0) - observed
    low, high = percentile_interval(resampled)
    return low - bias, high - bias


def mean_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % interval (low, high) of the mean of (N,) values, one per item.

    If all values are 0 or 1, the mean is a proportion and gets Wilson's interval. Other values are
    resampled.
    """
    values = np.asarray(values, dtype=np.float64)
    if np.isin(values, (0, 1)).all():
        return share_interval(values)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(RESAMPLES // CHUNK):
        rows = rng.integers(len(values), size=(CHUNK, len(values)))  # (CHUNK, N)
        means.append(values[rows].mean(axis=1))
    return percentile_interval(np.concatenate(means))


def score_interval(
    score: Callable[[np.ndarray], float], items: int, seed: int = 0
) -> tuple[float, float]:
    """95 % interval (low, high) of a score that is not a mean.

    `score` takes the row numbers (items,) of one resample and gives the score of these rows.
    """
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(RESAMPLES):
        rows = rng.integers(items, size=items)
        scores.append(score(rows))
    return percentile_interval(scores)


def paired_test(
    difference: np.ndarray, seed: int = 0, trainings: Sequence[np.ndarray] = ()
) -> dict[str, float]:
    """Test whether the mean difference of two runs on the same items can be due to chance.

    `difference` (N,) is the first run's value minus the second's, per item. `trainings`: the mean
    value of each training (S,) of the first run, and of the second. If they are given, trainings
    are resampled too, and the result holds for other trainings with the same settings. A run with a
    single training gives no information about other trainings: the result then holds for its
    weights. Returns

        difference    mean of the N differences
        low, high     its 95 % percentile interval
        p             two-sided p-value: the share of resampled means that are at least as far from
                      the observed mean as the observed mean is from zero, with one added to
                      numerator and denominator (Davison and Hinkley 1997, equation 4.11)
    """
    # Differences take few distinct values. In a bootstrap of the items, the number of draws of each
    # value follows a multinomial distribution. Drawing these numbers costs the same for every N.
    values, counts = np.unique(np.asarray(difference, dtype=np.float64), return_counts=True)  # (V,)
    n = int(counts.sum())
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, counts / n, size=TEST_RESAMPLES)  # (TEST_RESAMPLES, V)
    means = drawn @ values / n  # (TEST_RESAMPLES,)
    if len(trainings):
        first, second = trainings
        means = means + _resampled_trainings(first, rng) - _resampled_trainings(second, rng)

    observed = float(values @ counts / n)
    return _test(observed, means)


def _resampled_trainings(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deviations (TEST_RESAMPLES,) of the mean of resampled trainings from the mean of (S,)
    scores."""
    scores = np.asarray(scores, dtype=np.float64)
    if len(scores) < 2:
        return np.zeros(TEST_RESAMPLES)
    deviations = scores - scores.mean()
    drawn = _draw_trainings(len(scores), TEST_RESAMPLES, rng)
    return deviations[drawn].mean(axis=1)


def _draw_trainings(number: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Resampled trainings (resamples, number - 1), or (resamples, 1) if there is only one.

    One draw less than there are trainings makes the variance of the mean unbiased (Rao and Wu 1988,
    JASA 83, 231-241). With three draws of three trainings it would be a third too small.
    """
    return rng.integers(number, size=(resamples, max(number - 1, 1)))


def _test(observed: float, means: np.ndarray) -> dict[str, float]:
    """The result of `paired_test` from the observed difference and its resamples (R,)."""
    distance = np.abs(means - observed)
    extreme = int((distance >= abs(observed) - 1e-12).sum())
    low, high = percentile_interval(means)
    p = (1 + extreme) / (1 + len(means))
    return {"difference": observed, "low": low, "high": high, "p": p}


def crossed_means(values: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """Resampled means of values (T, N) of T trainings on the same N items: (resamples,).

    A two-level bootstrap. Each resample draws N items, the same for all trainings, and trainings
    (`_draw_trainings`; if T is 1, only the items vary). Owen (2007, The pigeonhole bootstrap) draws
    both levels independently in this way. The mean is that of the drawn trainings' means over the
    drawn items. NaN: a training has no value for an item, which is then left out.
    """
    trainings, items = values.shape
    has_value = ~np.isnan(values)
    filled = np.where(has_value, values, 0.0)
    rng = np.random.default_rng(seed)
    first_of_row = items * np.arange(CHUNK)[:, None]
    means = []
    for _ in range(resamples // CHUNK):
        rows = rng.integers(items, size=(CHUNK, items)) + first_of_row
        counts = np.bincount(rows.ravel(), minlength=CHUNK * items).reshape(CHUNK, items)
        sums, numbers = counts @ filled.T, counts @ has_value.T  # (CHUNK, T)
        by_training = sums / np.maximum(numbers, 1)
        drawn = _draw_trainings(trainings, CHUNK, rng)
        means.append(np.take_along_axis(by_training, drawn, axis=1).mean(axis=1))
    return np.concatenate(means)


def crossed_test(difference: np.ndarray, seed: int = 0) -> dict[str, float]:
    """As `paired_test`, for differences (T, N) of T trainings on the same N items.

    The test resamples trainings and items, as `crossed_means` does. With few trainings it is
    approximate: three trainings say little about the spread of trainings.
    """
    means = crossed_means(difference, seed, TEST_RESAMPLES)
    observed = float(np.nanmean(difference, axis=1).mean())
    return _test(observed, means)


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values (m,).

    The k-th smallest p-value is multiplied by m - k + 1. The result is at least as large as the
    adjusted value before it, and at most 1.
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)  # m, m - 1, ..., 1
    ascending = np.maximum.accumulate(p[order] * factors)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(ascending, 1)
    return adjusted


def item_correctness(predictions: pd.DataFrame) -> pd.Series:
    """Share of one run's seeds that predict an item's label correctly; index `id`, sorted."""
    right = (predictions["pred"] == predictions["label"]).astype(float)
    return right.groupby(predictions["id"]).mean().sort_index()


def correctness_by_run(predictions: pd.DataFrame) -> pd.DataFrame:
    """Whether each training of every run is right: (items, trainings) of 0 and 1, index `id`.

    The columns are (run, seed), so `items[run]` holds one column per training of this run.
    ValueError: two trainings have predictions for different items.
    """
    trainings = {}
    for key, one in predictions.groupby(["run", "seed"], sort=False):
        trainings[key] = item_correctness(one)
    (first, _), reference = next(iter(trainings.items()))
    for (run, _), items in trainings.items():
        if not items.index.equals(reference.index):
            only_first = len(reference.index.difference(items.index))
            only_second = len(items.index.difference(reference.index))
            raise ValueError(
                f"runs {first!r} and {run!r} have predictions for different items: "
                f"{only_first} only in the first, {only_second} only in the second, expected the "
                "same items"
            )
    columns = pd.MultiIndex.from_tuples(trainings, names=["run", "seed"])
    return pd.concat(list(trainings.values()), axis=1).set_axis(columns, axis=1)


def compare_two(items: pd.DataFrame, run: str, other: str) -> dict[str, float]:
    """`paired_test` of the accuracies of two runs of `correctness_by_run`, over items and
    trainings."""
    first, second = items[run], items[other]
    difference = first.mean(axis=1) - second.mean(axis=1)
    return paired_test(difference, trainings=(first.mean(), second.mean()))


def compare_runs(predictions: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Accuracy of the first run of each pair minus the second's, on each dataset that has both.

    Only items of split "test" count. Columns `dataset, run, other, items, difference, low, high, p,
    p_holm`; items and trainings are resampled, and the correction is over all rows of the table.
    ValueError: no dataset has both runs of a pair, or they have predictions for different items of
    it.
    """
    pairs = list(pairs)
    test = predictions[predictions["split"] == "test"]
    rows = []
    for dataset, part in test.groupby("dataset", sort=False):
        present = set(part["run"])
        for run, other in pairs:
            if not {run, other} <= present:
                continue
            items = correctness_by_run(part[part["run"].isin((run, other))])
            row = {"dataset": dataset, "run": run, "other": other, "items": len(items)}
            rows.append(row | compare_two(items, run, other))
    missing = set(pairs) - {(row["run"], row["other"]) for row in rows}
    if missing or not rows:
        raise ValueError(
            f"runs to compare {sorted(missing)}: expected two runs with test items of one dataset"
        )
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"]))


def significantly_best(items: pd.DataFrame) -> str | None:
    """The run that is better than every other run, or None.

    `items` is a table of `correctness_by_run`. Each difference between the best run and another
    must be significant at 5 % after Holm's correction over all pairs of runs. Pairs without the
    best run count too, because the best run was found on these same items. None for a single run.
    """
    accuracy = items.mean().groupby(level="run", sort=False).mean()
    pairs = list(combinations(accuracy.index, 2))
    if not pairs or items.empty:
        return None
    leader = accuracy.idxmax()
    adjusted = holm([compare_two(items, a, b)["p"] for a, b in pairs])
    for pair, p in zip(pairs, adjusted, strict=True):
        if leader in pair and p >= ALPHA:
            return None
    return leader
