"""Which of two runs is better on the same items, and whether that can be chance.

Owns: the paired bootstrap (Efron and Tibshirani 1993, section 16.4) and Holm's correction (1979). Takes predictions
tables, or the correctness of runs by item; gives differences with intervals and p-values. Items are resampled,
seeds are averaged first: a verdict is about these trained models; the sd over seeds says how another training may
come out.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from tinyemo.evaluation.classification import item_correctness

RESAMPLES = 10_000  # a p-value can fall to 1/10,001: a correction over 200 comparisons still finds what is there
ALPHA = 0.05


def correctness(predictions: pd.DataFrame) -> pd.DataFrame:
    """(items, runs): the share of a run's seeds that get an item right. Index `id`, a column a run.

    ValueError if two runs were not asked the same items.
    """
    runs = {run: item_correctness(one) for run, one in predictions.groupby("run", sort=False)}
    first, reference = next(iter(runs.items()))
    for run, items in runs.items():
        if not items.index.equals(reference.index):
            raise ValueError(
                f"runs {first!r} and {run!r} were not asked the same items: "
                f"{len(reference.index.difference(items.index))} only in the first, "
                f"{len(items.index.difference(reference.index))} only in the second"
            )
    return pd.DataFrame(runs)


def paired_test(difference: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Mean of the (N,) differences of two runs by item, its 95 % percentile interval, and its p-value.

    p is two-sided: the share of resampled means at least as far from the observed mean as that is from zero, with
    one added above and below the line (Davison and Hinkley 1997, equation 4.11).
    """
    # The differences of S seeds take few values, and resampling items only draws how often each value comes: a
    # multinomial over values, exactly the same bootstrap at a cost that does not grow with N.
    values, counts = np.unique(np.asarray(difference, dtype=np.float64), return_counts=True)
    n = int(counts.sum())
    means = np.random.default_rng(seed).multinomial(n, counts / n, size=RESAMPLES) @ values / n
    observed = float(values @ counts / n)
    extreme = int((np.abs(means - observed) >= abs(observed) - 1e-12).sum())
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "difference": observed,
        "low": float(low),
        "high": float(high),
        "p": (1 + extreme) / (1 + RESAMPLES),
    }


def holm(p: Sequence[float]) -> np.ndarray:
    """Adjusted p-values (m,): the k-th smallest of m times m - k + 1, never below an earlier one, at most 1."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def compare_runs(predictions: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Accuracy of the first run of each pair minus the second's, on the test items of each dataset that has both.

    Columns `dataset, run, other, items, difference, low, high, p, p_holm`; the correction is over all rows of the
    table. ValueError: a pair that stands together on no dataset, or that was not asked the same items there.
    """
    pairs, rows, test = list(pairs), [], predictions[predictions["split"] == "test"]
    for dataset, part in test.groupby("dataset", sort=False):
        present = set(part["run"])
        for pair in pairs:
            if set(pair) <= present:
                items = correctness(part[part["run"].isin(pair)])
                rows.append(
                    {
                        "dataset": dataset,
                        "run": pair[0],
                        "other": pair[1],
                        "items": len(items),
                        **paired_test(items[pair[0]] - items[pair[1]]),
                    }
                )
    missing = set(pairs) - {(row["run"], row["other"]) for row in rows}
    if missing or not rows:
        raise ValueError(
            f"runs to compare {sorted(missing)}: expected two runs with test items of one dataset"
        )
    return pd.DataFrame(rows).assign(p_holm=holm([row["p"] for row in rows]))


def significantly_best(items: pd.DataFrame) -> str | None:
    """The run of an (items, runs) table of `correctness` that is better than every other one, or None.

    Each of its paired differences has to be significant at 5 % after Holm's correction over all pairs of runs: the
    leader was found on these very items, so the pairs without it count too. One run alone is not the best.
    """
    pairs = list(combinations(items.columns, 2))
    if not pairs or items.empty:
        return None
    leader = items.mean().idxmax()
    adjusted = holm([paired_test(items[a] - items[b])["p"] for a, b in pairs])
    return (
        leader
        if all(p < ALPHA for p, pair in zip(adjusted, pairs, strict=True) if leader in pair)
        else None
    )
