"""Findings: what all detectors found, as one ranked table, and a reviewer's marks on them.

Takes the detector tables (`evidence`) and the review (`review_file`). Gives the ranked table,
counts of the marks per detector, and the accepted findings. The id of a finding depends only on
`detector`, `what` and `where`, so it is the same in every run and for every dataset.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from tinyemo.bias.evidence import EVIDENCE

FINDING = (
    "id",
    "rank",
    "what",
    "where",
    "detector",
    "effect",
    "low",
    "high",
    "unit",
    "p",
    "q",
    "agree",
    "examples",
)
PAIR = ["what", "where"]
MARKS = ("accept", "reject", "unsure")  # or an empty text
BETWEEN_EXAMPLES = " | "


def finding_id(detector: str, what: str, where: str) -> str:
    """Ten hexadecimal digits that identify a finding in every run, for any data and rank."""
    return hashlib.sha256(f"{detector}|{what}|{where}".encode()).hexdigest()[:10]


def rank(
    tables: Sequence[pd.DataFrame], examples: Mapping[tuple[str, str], Sequence[str]] | None = None
) -> pd.DataFrame:
    """The significant rows of all detector tables, ranked; with the columns FINDING.

    A pair is an attribute value (`what`) and an emotion (`where`). Pairs that more detectors found
    come first, then pairs with a smaller q. |effect| decides only ties, because its unit differs
    between detectors. The rows of one pair are together, in the order of `tables`. `agree` names
    the detectors that found the pair. Some of them share data or a model, so their number only
    orders the table and is no independent confirmation. `examples` holds the record ids or image
    paths that were given for the pair, separated by " | ".

    ValueError: a table lacks a column of EVIDENCE, or a detector found one pair twice.
    """
    for table in tables:
        missing = [name for name in EVIDENCE if name not in table]
        if missing:
            raise ValueError(
                f"a detector's table has no column {', '.join(missing)}: "
                f"expected {', '.join(EVIDENCE)}"
            )
    found = []
    for position, table in enumerate(tables):
        rows = table.loc[table["found"].astype(bool), list(EVIDENCE)]
        if len(rows):
            found.append(rows.assign(position=position))
    if not found:
        return pd.DataFrame(columns=list(FINDING))
    findings = pd.concat(found, ignore_index=True)
    ids = map(finding_id, findings["detector"], findings["what"], findings["where"])
    findings["id"] = list(ids)
    _check_unique(findings)
    examples = examples or {}
    pairs = findings[PAIR].itertuples(index=False, name=None)
    findings["examples"] = [BETWEEN_EXAMPLES.join(examples.get(pair, ())) for pair in pairs]
    detectors = findings.groupby(PAIR)["detector"]
    findings["agree"] = detectors.transform(lambda names: ", ".join(sorted(names)))

    findings["fewer"] = -detectors.transform("size")
    findings["smaller"] = -findings["effect"].abs()
    findings = findings.sort_values(["fewer", "q", "smaller", "id"])
    place_of_pair = findings.groupby(PAIR, sort=False).ngroup()  # by its most credible row
    order = np.lexsort((findings["position"], place_of_pair))
    findings = findings.iloc[order].reset_index(drop=True)
    findings["rank"] = findings.index + 1
    return findings[list(FINDING)]


def _check_unique(findings: pd.DataFrame) -> None:
    twice = findings["id"].duplicated()
    if twice.any():
        row = findings[twice].iloc[0]
        raise ValueError(
            f"detector {row['detector']!r} found {row['what']!r} at {row['where']!r} twice: "
            "expected one row per detector, what and where"
        )


def agreement(findings: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """How a person marked each detector's findings: one row per detector and one for all of them.

    Columns: detector; accept, reject, unsure, unmarked (counts); share = accept / (accept +
    reject), with its 95 % Wilson interval low, high (Wilson 1927). NaN where nothing was accepted
    or rejected.
    """
    marks = review[["id", "mark"]].replace("", np.nan)
    marks = findings[["id", "detector"]].merge(marks, how="left", on="id")
    mark = marks["mark"].fillna("unmarked")
    counts = pd.crosstab(marks["detector"], mark, margins=len(marks) > 0, margins_name="all")
    counts = counts.reindex(columns=[*MARKS, "unmarked"], fill_value=0)
    decided = counts["accept"] + counts["reject"]
    intervals = []
    for accepts, n in zip(counts["accept"], decided, strict=True):
        interval = (np.nan, np.nan)
        if n:
            interval = binomtest(accepts, n).proportion_ci(method="wilson")
        intervals.append(interval)
    intervals = pd.DataFrame(intervals, columns=["low", "high"], index=counts.index, dtype=float)
    table = counts.assign(share=counts["accept"] / decided, **intervals)
    return table.rename_axis(columns=None).reset_index()


def accepted(findings: pd.DataFrame, review: pd.DataFrame) -> pd.DataFrame:
    """The findings that a person accepted, in their order, with the comment."""
    accepts = review.loc[review["mark"] == "accept", ["id", "comment"]]
    return findings.merge(accepts, on="id")
