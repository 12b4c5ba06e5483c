"""Accuracies that others published, in a table of their own, marked as published.

Source: Table VIII of TinyEmo (arXiv 2410.07062), top-1 accuracy. The numbers have no intervals.
Where a dataset has no published split, their split differs from ours. The statuses are ours.
EmotionROI and Emotion6 are the same 1,980 images, so a model trained on EmotionROI was trained on
the images of Emotion6. The other training data of these models is not available for a comparison.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from tinyemo.evaluation.table import NO_CELL, TRAINED, check_columns

# one row per model; columns: model, params, one per dataset. Numbers are percent, and those of
# datasets that the model was trained on (grey in the paper) end in "g".
TABLE_VIII = Path(__file__).parent / "published.csv"
MODEL_COLUMNS = ["model", "params"]


def _long() -> pd.DataFrame:
    """One row per number of Table VIII."""
    table = pd.read_csv(TABLE_VIII, dtype=str, keep_default_na=False)
    rows = []
    for model in table.to_dict("records"):
        for dataset in table.columns.drop(MODEL_COLUMNS):
            cell = model[dataset]
            if not cell:
                continue
            row = {"run": model["model"], "params": model["params"], "dataset": dataset}
            row["trained_on"] = cell.endswith("g")
            row["accuracy"] = float(cell.removesuffix("g")) / 100
            if dataset == "Emotion6" and model["EmotionROI"].endswith("g"):
                row["status"] = "contaminated"
                row["why"] = "trained on EmotionROI, which has the same images"
            else:
                row["status"] = "unknown"
                row["why"] = "its training data is not available for a comparison"
            rows.append(row)
    return pd.DataFrame(rows)


# columns: run, params, dataset, trained_on, accuracy (a share, not percent), status, why
PUBLISHED: pd.DataFrame = _long()


def published_table(columns: Sequence[str], drawn: Collection[str]) -> pd.DataFrame:
    """The published numbers on the datasets of `columns`; cells like "0.734 contaminated".

    A dash where there is no number. The first column is called "published", so that the table
    cannot be mistaken for one of ours or be appended to it. ValueError: a dataset of
    `drawn` (those that EmoScenes drew) among `columns`.
    """
    check_columns([*PUBLISHED["dataset"].unique(), *columns], drawn)
    marks = PUBLISHED["trained_on"].map({True: TRAINED, False: ""})
    cells = PUBLISHED["accuracy"].map("{:.3f}".format) + marks + " " + PUBLISHED["status"]
    models = PUBLISHED.assign(cell=cells).set_index(["run", "params"])
    wide = models.pivot(columns="dataset", values="cell")
    order = models.index.unique()
    wide = wide.reindex(index=order, columns=list(columns)).fillna(NO_CELL)
    wide = wide.rename_axis(index=["published", "params"], columns=None)
    return wide.reset_index()
