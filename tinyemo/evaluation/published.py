"""Accuracies that others published, kept apart from ours: a table of their own, marked as published.

Source: Table VIII of TinyEmo (arXiv 2410.07062), top-1 %; grey cells (trained on the dataset) end in "g". They have
no intervals, and their splits are not ours where a dataset has no published one. The verdicts are ours: EmotionROI and
Emotion6 are the same 1,980 images, so a model trained on EmotionROI has seen Emotion6; whatever else these models were
trained on is not here to compare.
"""

from collections.abc import Sequence

import pandas as pd

from tinyemo.evaluation.table import NO_CELL, TRAINED, check_columns

_DATASETS = (
    "EmotionROI",
    "EmoSet",
    "WEBEmo",
    "Emotion6",
    "FI",
    "ArtPhoto",
    "Abstract",
    "UnbiasedEmo",
)
_TABLE_VIII = (  # model, parameters, a number each dataset
    ("CLIP ViT-B/32", "0.15B", "42.17  -      11.25  46.53 49.97 -     -     -"),
    ("CLIP-E cross-entropy", "0.16B", "-      -      40.65g 58.39 -     -     -     -"),
    ("CLIP-E contrastive", "0.16B", "43.18  -      34.68g 51.71 38.07 -     -     -"),
    ("LLaVA", "", "46.46  44.03  12.55  49.44 56.04 36.25 19.54 -"),
    ("BLIP-2", "", "50.51  46.79  20.10  50.00 57.72 36.25 28.57 -"),
    ("InstructBLIP", "", "46.13  42.20  12.80  46.11 37.97 26.25 21.42 -"),
    ("S2-VER", "", "-      -      -      54.00 51.80 -     -     78.70"),
    ("EmoVIT", "7.91B", "53.87  83.36g 21.12  57.81 68.09 44.90 32.34 74.72"),
    (
        "TinyEmo-700M (3 syn., NT-Xent)",
        "0.70B",
        "71.72g 82.67g 35.77g 73.40 64.16 39.83 28.32 82.40",
    ),
    ("TinyEmo-880M", "0.88B", "67.68g 83.45g 40.14g 70.37 60.47 41.19 27.88 76.29"),
    ("TinyEmo-1.53B (3 syn.)", "1.53B", "71.04g 83.92g 39.65g 76.09 63.19 40.94 27.43 71.00"),
    ("TinyEmo-3.21B", "3.21B", "70.54g 83.82g 41.41g 77.27 63.10 40.20 36.73 64.11"),
)


def _long() -> pd.DataFrame:
    rows = []
    for model, params, line in _TABLE_VIII:
        cells = dict(zip(_DATASETS, line.split(), strict=True))
        for dataset, cell in cells.items():
            if cell != "-":
                seen = dataset == "Emotion6" and cells["EmotionROI"].endswith("g")
                rows.append(
                    {
                        "run": model,
                        "params": params,
                        "dataset": dataset,
                        "trained_on": cell.endswith("g"),
                        "accuracy": float(cell.removesuffix("g")) / 100,
                        "verdict": "contaminated" if seen else "unknown",
                        "why": "trained on EmotionROI, which has the same images"
                        if seen
                        else "its training data is not here to compare",
                    }
                )
    return pd.DataFrame(rows)


# a row each number of Table VIII: run, params, dataset, trained_on, accuracy (share, not %), verdict, why
PUBLISHED: pd.DataFrame = _long()


def published_table(columns: Sequence[str]) -> pd.DataFrame:
    """The published rows on the datasets of `columns`: cells like "0.734 contaminated"; a dash where there is none.

    The first column is called "published", so that the table cannot be taken for, or appended to, one of ours.
    ValueError: a dataset of the embedded world.
    """
    check_columns([*_DATASETS, *columns])
    cell = PUBLISHED["accuracy"].map("{:.3f}".format) + PUBLISHED["trained_on"].map(
        {True: TRAINED, False: ""}
    )
    wide = PUBLISHED.assign(cell=cell + " " + PUBLISHED["verdict"]).pivot(
        index=["run", "params"], columns="dataset", values="cell"
    )
    wide = wide.reindex(index=[row[:2] for row in _TABLE_VIII], columns=list(columns)).fillna(
        NO_CELL
    )
    return wide.rename_axis(index=["published", "params"], columns=None).reset_index()
