"""The detector table: the one form in which every bias detector reports its tests.

Takes: the tests of one detector, one row per test, with effects, intervals and p-values.
Gives: a table with the columns EVIDENCE, in which the p-values are corrected for the number of
tests. `findings.rank` reads tables of this form.

A detector that reports only some of its tests (for example the most frequent words of a vocabulary)
corrects over all tests that it made.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from tinyemo.bias.values import AttributeValues

EVIDENCE = (
    "detector",  # name of the detector
    "what",  # the attribute value, the word or the dataset that was tested
    "where",  # the emotion label
    "effect",
    "low",  # ends of the 95 % interval of the effect
    "high",
    "unit",  # unit of effect, low and high
    "p",
    "q",  # p corrected for the number of tests
    "found",
)


def corrected(
    table: pd.DataFrame,
    detector: str,
    unit: str,
    alpha: float,
    min_effect: float = 0.0,
    candidates: pd.Series | None = None,
) -> pd.DataFrame:
    """Complete a table of tests to a detector table: first the columns EVIDENCE, then all others.

    Args:
        table: one row per test, with the columns what, where, effect, low, high, p and maybe more.
        detector: name of the detector.
        unit: of the effects.
        alpha: a test is found if q <= alpha and |effect| >= min_effect.
        min_effect: in the unit of the effects.
        candidates: bool, one per row. A row with False is no test: its q is NaN, and it is not
            found.

    q is p corrected over the tested rows (Benjamini and Hochberg 1995).

    ValueError: the p-value of a tested row is NaN or not between 0 and 1.
    """
    if candidates is None:
        candidates = pd.Series(True, index=table.index)
    tested = candidates.to_numpy()
    table = table.assign(detector=detector, unit=unit, q=np.nan)
    table.loc[tested, "q"] = false_discovery_control(table.loc[tested, "p"])
    significant = table["q"] <= alpha
    large = table["effect"].abs() >= min_effect
    table["found"] = significant & large
    other_columns = table.columns.difference(EVIDENCE, sort=False)
    return table[[*EVIDENCE, *other_columns]]


def value_label_tests(
    values: AttributeValues,
    words: Sequence[str],
    effect: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    p: np.ndarray,
) -> pd.DataFrame:
    """A table of tests for `corrected`, from matrices (V, C) with one test per value and label.

    The table has V * C rows, ordered by value and then by label in `words` (C,).
    """
    tests = pd.DataFrame({"what": np.repeat(values.names, len(words))})
    tests["where"] = np.tile(words, len(values.names))
    tests["effect"] = effect.ravel()
    tests["low"] = low.ravel()
    tests["high"] = high.ravel()
    tests["p"] = p.ravel()
    return tests
