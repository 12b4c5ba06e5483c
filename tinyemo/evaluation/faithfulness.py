"""Do texts say what is in their pictures, and name what speaks for the emotion? Needs a world whose truth is known.

Takes records of instruction data and the attributes of their images; reads the texts through the checker
(evaluation/mentions.py), which knows nothing of who wrote them. What counts as evidence is a function that the caller
gives.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from emoscenes.mentions import faults, mentions, named
from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.requests import attributes_of

Pairs = list[tuple[str, str]]


def faithfulness(
    items: Iterable[Instruction],
    records: pd.DataFrame,
    evidence: Callable[[Mapping[str, object], str, str], Pairs],
) -> pd.DataFrame:
    """One row a task, over the answers of all records of it. Columns:

        texts, mentions   records; visible things that their answers say are there
        faulty            share of the texts with any fault: something that is not there, or an emotion named as felt
                          that contradicts the label
        precision         1 - faults / mentions: 1 if nothing is invented and nothing else felt
        named             mean number of pieces of evidence named (reasoning only)
        two_named         of the explanations whose scene has two pieces of evidence or more, the share that name two

    `records` hold the images' attributes (attr_ columns) under the ids before the last "#"; `evidence(attributes,
    label, label_set)` gives the (attribute, value) pairs that speak for a label.
    """
    images = records.set_index("id")
    known = {name: (attributes_of(row), row["label_set"]) for name, row in images.iterrows()}
    rows = []
    for item in items:
        attributes, label_set = known[item.id.rpartition("#")[0]]
        text = " ".join(answer for _, answer in item.turns)
        found, wrong = len(mentions(text)), len(faults(text, attributes, item.label))
        row = {
            "task": item.task,
            "mentions": found,
            "wrong": wrong,
            "named": np.nan,
            "two_named": np.nan,
        }
        if item.task == "reasoning":
            pairs = evidence(attributes, item.label, label_set)
            row["named"] = len(named(text, pairs))
            row["two_named"] = row["named"] >= 2 if len(pairs) >= 2 else np.nan
        rows.append(row)
    table = pd.DataFrame(rows).astype({"two_named": float})
    grouped = table.groupby("task")
    return pd.DataFrame(
        {
            "texts": grouped.size(),
            "mentions": grouped["mentions"].sum(),
            "faulty": grouped["wrong"].agg(lambda wrong: (wrong > 0).mean()),
            "precision": 1 - grouped["wrong"].sum() / grouped["mentions"].sum(),
            "named": grouped["named"].mean(),
            "two_named": grouped["two_named"].mean(),
        }
    )
