"""Evidence: the detector table, in which every detector says what it tested and what it found.

Takes a detector's tests, one a row, with effects, intervals and p-values; gives them in one form, p corrected over all
of them. `findings.rank` reads this form. Where only some rows are kept, as of a vocabulary's words, their detector
corrects over all that it tried.
"""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

EVIDENCE = (
    "detector",
    "what",
    "where",
    "effect",
    "low",
    "high",
    "unit",
    "p",
    "q",
    "found",
)  # of a detector's table


def corrected(
    table: pd.DataFrame,
    detector: str,
    unit: str,
    alpha: float,
    least: float = 0.0,
    candidates: pd.Series | None = None,
) -> pd.DataFrame:
    """Columns what, where, effect, low, high, p and others -> a detector table: EVIDENCE, then the others.

    q is p corrected over the rows (Benjamini and Hochberg 1995); found: q <= alpha and |effect| >= least. A row that
    `candidates` (bool, a row each) leaves out is no test: q NaN, not found. ValueError: a p of a test that is NaN or
    outside 0 to 1.
    """
    tested = np.ones(len(table), dtype=bool) if candidates is None else candidates.to_numpy()
    table = table.assign(detector=detector, unit=unit, q=np.nan)
    table.loc[tested, "q"] = false_discovery_control(table.loc[tested, "p"])
    table["found"] = (table["q"] <= alpha) & (table["effect"].abs() >= least)
    return table[[*EVIDENCE, *table.columns.difference(EVIDENCE, sort=False)]]
