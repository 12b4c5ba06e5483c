"""Do texts describe what is in their pictures, and name evidence for the emotion?

Takes records of instruction data and the attributes of their images, which must be known: the
images are of a synthetic dataset. The caller gives the checker that reads the texts (see
text_checks.py) and the function that gives the evidence for a label.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.requests import attributes_of
from tinyemo.evaluation.text_checks import Checker, Evidence, named


def faithfulness(
    items: Iterable[Instruction], records: pd.DataFrame, evidence: Evidence, checker: Checker
) -> pd.DataFrame:
    """One row per task, over the answers of all its instruction records. Columns:

        texts, mentions   number of instruction records; number of visible things that their answers
                          mention as present
        faulty            share of the texts with any fault: something that is not there, or an
                          emotion named as felt that contradicts the label
        precision         1 - faults / mentions: 1 if nothing is invented and nothing else felt
        named             mean number of pieces of evidence named (reasoning only)
        two_named         share of the explanations that name two pieces of evidence, of those whose
                          scene has at least two
        unknown           words that are not in the checker's vocabulary

    `records` hold the images' attributes (attr_ columns) under the ids before the last "#".
    """
    images = {}
    for row in records.to_dict("records"):
        images[row["id"]] = attributes_of(row), row["label_set"]
    rows = []
    for item in items:
        attributes, label_set = images[item.id.rpartition("#")[0]]
        text = " ".join(answer for _, answer in item.turns)
        check = checker.check(text, attributes, item.label)
        row = {
            "task": item.task,
            "mentions": len(check.claims),
            "faults": len(check.faults),
            "named": np.nan,
            "two_named": np.nan,
            "unknown": len(check.unknown),
        }
        if item.task == "reasoning":
            pairs = evidence(attributes, item.label, label_set)
            row["named"] = len(named(check.claims, pairs))
            if len(pairs) >= 2:
                row["two_named"] = float(row["named"] >= 2)
        rows.append(row)
    return _by_task(pd.DataFrame(rows))


def _by_task(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `faithfulness`, from one row per text."""
    tasks = table.assign(faulty=table["faults"] > 0).groupby("task")
    sums = tasks[["mentions", "faults", "unknown"]].sum()
    means = tasks[["faulty", "named", "two_named"]].mean()
    return pd.DataFrame(
        {
            "texts": tasks.size(),
            "mentions": sums["mentions"],
            "faulty": means["faulty"],
            "precision": 1 - sums["faults"] / sums["mentions"],
            "named": means["named"],
            "two_named": means["two_named"],
            "unknown": sums["unknown"],
        }
    )
