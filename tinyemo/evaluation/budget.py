"""What was each arm of a comparison trained with: updates, pictures, labels and votes.

A projector with a language model that explains its label is compared with a language model that
does both. Takes the tables that the trainings wrote; gives one row per part of an arm, and the sum
of each arm. All trainings count, those that only chose a setting too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

ARMS = {"projector": ("projector", "connector", "conditioned"), "alone": ("connector", "alone")}
_ADDED = ["trainings", "tried", "updates", "items_seen", "seconds"]


@dataclass(frozen=True)
class Part:
    """What one part of an arm was trained with, over all its trainings."""

    part: str  # one of those in ARMS
    trainings: int  # that are used
    tried: int  # further trainings, which only chose a setting
    updates: int  # optimiser steps
    items_seen: int  # an image of two texts is two items, and counts once in each epoch
    images: int  # different ones
    labels_per_image: float  # that a text explains or a probe predicts
    votes_per_image: int  # of annotators: as the target, or to choose the labels
    seconds: float  # NaN: unknown


def projector_part(
    histories: Sequence[pd.DataFrame], infos: Sequence[Mapping], train_items: int, votes: int
) -> Part:
    """The trainings of a projector.

    For each training, `histories` has the learning curve of the first round and `infos` what the
    saved projector says of itself: its recipe, the epochs and items of the second round.
    `train_items` is the number of items of the first round. If the recipe does not refit, there is
    no second round. `votes`: annotators of each item; the shares of their votes are the target.
    """
    updates = seen = images = 0
    for history, info in zip(histories, infos, strict=True):
        batch = info["recipe"]["batch_size"]
        steps = len(history) * (train_items // batch)
        if info["recipe"]["refit"]:
            steps += info["epochs"] * (info["items"] // batch)
        updates += steps
        seen += steps * batch
        images = max(images, info["items"])
    return Part("projector", len(infos), 0, updates, seen, images, 0.0, votes, float("nan"))


def language_model_part(
    name: str, trainings: pd.DataFrame, about: pd.DataFrame, votes: int = 0
) -> Part:
    """The trainings of one stage of a language model.

    `trainings` is a table of `fit_trainings`; `about` has one row per instruction record that it
    is trained on: id (beginning with the image's id, before "#") and label ("" where the text is
    about none). `votes`: annotators whose votes chose the labels.
    """
    records = about.assign(image=about["id"].str.partition("#")[0])
    images = records["image"].nunique()
    labelled = records.loc[records["label"] != "", ["image", "label"]]
    labels = len(labelled.drop_duplicates()) / images
    used = int(trainings["chosen"].sum())
    updates, seen = int(trainings["steps"].sum()), int(trainings["items seen"].sum())
    seconds = float(trainings["seconds"].sum())
    tried = len(trainings) - used
    return Part(name, used, tried, updates, seen, images, labels, votes, seconds)


def training_budget(parts: Sequence[Part]) -> pd.DataFrame:
    """One row per arm and part, with the columns of Part, and one row "sum" per arm.

    Images, labels and votes of the sum are the largest of the parts, because the parts share their
    images. The seconds of a sum are those that are known.
    """
    by_name = {part.part: asdict(part) for part in parts}
    tables = []
    for arm, names in ARMS.items():
        table = pd.DataFrame([by_name[name] for name in names])
        total = table.drop(columns="part").max()
        total[_ADDED] = table[_ADDED].sum()
        total["part"] = "sum"
        table.loc[len(table)] = total
        tables.append(table.assign(arm=arm))
    budget = pd.concat(tables, ignore_index=True)
    budget.insert(0, "arm", budget.pop("arm"))
    return budget.astype({name: int for name in _ADDED[:-1]} | {"images": int})
