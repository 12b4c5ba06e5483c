"""tinyemo.bias.evidence: the detector table, against Benjamini and Hochberg's procedure by hand."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.bias.evidence import EVIDENCE, corrected

TESTS = pd.DataFrame(
    {
        "items": 7,
        "what": list("abcd"),
        "where": "joy",
        "effect": [0.3, -0.1, -0.5, 0.9],
        "low": 0.0,
        "high": 1.0,
        "p": [0.01, 0.02, 0.04, np.nan],
    },
    index=[3, 1, 0, 9],
)


def test_p_is_corrected_over_the_tested_rows_and_small_effects_are_not_found():
    table = corrected(TESTS, "data", "u", alpha=0.05, min_effect=0.2, candidates=TESTS["p"].notna())
    assert list(table.columns) == [*EVIDENCE, "items"] and set(
        table["detector"] + table["unit"]
    ) == {"datau"}
    assert table["q"].tolist()[:3] == pytest.approx([0.03, 0.03, 0.04]) and np.isnan(
        table["q"].iloc[3]
    )
    assert table["found"].tolist() == [True, False, True, False]
    assert corrected(TESTS[:3], "data", "u", alpha=0.035)["found"].tolist() == [True, True, False]


def test_a_missing_p_value_of_a_tested_row_is_an_error():
    with pytest.raises(ValueError):
        corrected(TESTS, "data", "u", alpha=0.05)
