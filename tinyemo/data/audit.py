"""The audit: what the duplicates mean for test results, and how splits are repaired.

Takes records (data/records.py) and the tables of pairs that data/duplicates.py finds; gives the
ids of contaminated test items, a status on each test part, and records without the items that two
splits share.

The search for near copies makes a few errors: it calls different pictures copies. So a test part
with one near copy is not called contaminated at once. The number of its items with near copies is
compared with the number of false alarms that is expected, by a test (`statuses`).
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import poisson

from tinyemo.data.duplicates import identical_items
from tinyemo.data.records import carve_validation
from tinyemo.emotions import labels_of

# Near kinds: the upper 95 % limit of the number of false alarms per pair of different items.
# Pictures: benchmarks/audit_pictures.py, 1 of 5,000 scenes against 5,000; scenes are drawings that
# share most parts, so fewer are expected among photographs. Features: of 960,000 pairs of
# photographs of Emotion6, 4 have a cosine above .96 (CLIP ViT-L/14), so at most 9.2.
FALSE_ALARMS = {"near files": 1.9e-7, "near features": 9.2 / 960_000}
# The expected false alarms explain so many near copies with a smaller probability than this: the
# test part is contaminated.
SIGNIFICANCE = 0.01


def audit(records: pd.DataFrame, features: np.ndarray | None = None) -> pd.DataFrame:
    """The items of one split that are identical to an item of another, whatever their names.

    Identical means the same bytes in a file or the same feature row. The columns are those of
    `duplicates.find_duplicates`, with one row per item of the earlier split (its first match).
    """
    found = identical_items(records, features)
    between = found[found["split_a"] != found["split_b"]]
    return between.drop_duplicates(["kind", "split_b", "id_a"], ignore_index=True)


def audit_sentences(records: pd.DataFrame, duplicates: pd.DataFrame) -> list[str]:
    """The result of `audit` in words: one sentence per pair of splits that share items."""
    sentences = []
    for (a, b), pairs in duplicates.groupby(["split_a", "split_b"]):
        total, shared = int((records["split"] == a).sum()), pairs["id_a"].nunique()
        kinds = " and ".join(sorted(set(pairs["kind"])))
        verb = "is contained in" if shared == total else "shares items with"
        sentences.append(f"{a} {verb} {b}: {shared} of {total} items have identical {kinds}")
    return sentences or ["no item of one split is identical to an item of another"]


def repair_splits(
    records: pd.DataFrame, duplicates: pd.DataFrame, validation_fraction: float = 0.1, seed: int = 0
) -> pd.DataFrame:
    """The records without the repeated items that `duplicates` lists, and with a validation part.

    Of a repeated item, only one copy is kept: the copy in test, otherwise the copy in validation.
    If no validation item is left, a seeded stratified fraction of train becomes validation.
    Near features prove no copy: such items are kept, and `statuses` counts and tests them. So a
    dataset of which only features are given is repaired in the same way by every notebook.
    """
    proven = duplicates[duplicates["kind"] != "near features"]
    kept = records[~records["id"].isin(proven["id_a"])].reset_index(drop=True)
    if (kept["split"] == "validation").any():
        return kept
    return carve_validation(kept, validation_fraction, seed)


def contaminated_ids(
    records: pd.DataFrame, duplicates: pd.DataFrame, trained_on: Sequence[str]
) -> set[str]:
    """Ids of test items that are also, exactly or nearly, in training or validation data of
    `trained_on`.

    Only pairs whose two items are both in the records count: an item that a repair removed
    contaminates nothing.
    """
    trained = duplicates["dataset_a"].isin(trained_on) & duplicates["id_a"].isin(records["id"])
    leak = (duplicates["split_a"] != "test") & (duplicates["split_b"] == "test")
    return set(duplicates["id_b"][trained & leak]) & set(records["id"])


def statuses(
    records: pd.DataFrame,
    duplicates: pd.DataFrame,
    trained_on: Sequence[str],
    trained_words: Collection[str],
    known_overlaps: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """How far the test parts of the records can be trusted after training on `trained_on`.

    `known_overlaps`: dataset -> datasets that share images with it, in either direction. One row
    per dataset with a test part, with the columns:

        dataset, items         number of test items
        contaminated, share    how many have a copy in a training or validation part; NaN where
                               this cannot be counted
        expected_false_alarms  how many false alarms to expect among them, at most: FALSE_ALARMS
                               times the number of pairs of a test item and a trained item
        status                 "contaminated": an item has an identical copy, or an overlap is
                               known, or the number of items with near copies only has a
                               probability below SIGNIFICANCE if all are false alarms (a Poisson
                               number with this mean). "unknown": not so, but data that was trained
                               on is not in the records. "cannot tell": some items have near
                               copies, no more than false alarms explain. "clean": no copy is found
        words, words_trained   label words of its label set, and how many of them were trained on
        why                    the status in a sentence
    """
    is_test = records["split"] == "test"
    present = set(records["dataset"][~is_test])
    absent = [name for name in trained_on if name not in present]
    leaked = contaminated_ids(records, duplicates, trained_on)
    near = duplicates["kind"].isin(list(FALSE_ALARMS))
    identical = contaminated_ids(records, duplicates[~near], trained_on)
    learnt = records[~is_test & records["dataset"].isin(trained_on)]
    rows = []
    for dataset, test in records[is_test].groupby("dataset", sort=False):
        number = int(test["id"].isin(leaked).sum())
        exact = int(test["id"].isin(identical).sum())
        expected = expected_false_alarms(test, learnt)
        overlapping = _overlapping(dataset, trained_on, known_overlaps)
        status, why = _status(exact, number - exact, len(test), expected, overlapping, absent)
        countable = number > 0 or status == "clean"
        words = labels_of(test["label_set"].iloc[0])
        rows.append(
            {
                "dataset": dataset,
                "items": len(test),
                "contaminated": number if countable else np.nan,
                "share": number / len(test) if countable else np.nan,
                "expected_false_alarms": expected,
                "status": status,
                "words": len(words),
                "words_trained": len(set(words) & set(trained_words)),
                "why": why,
            }
        )
    return pd.DataFrame(rows)


def expected_false_alarms(test: pd.DataFrame, learnt: pd.DataFrame) -> float:
    """How many test items the search calls near copies of `learnt` items, at most, if none is.

    Two items with pictures are compared by their pictures, others by their features.
    """
    pictured = int((test["image"] != "").sum()) * int((learnt["image"] != "").sum())
    rest = len(test) * len(learnt) - pictured
    return pictured * FALSE_ALARMS["near files"] + rest * FALSE_ALARMS["near features"]


def _overlapping(
    dataset: str, trained_on: Sequence[str], known_overlaps: Mapping[str, Sequence[str]]
) -> list[str]:
    """The datasets of `trained_on` that are known to share images with `dataset`."""
    found = []
    for name in trained_on:
        listed = name in known_overlaps.get(dataset, ())
        listed_by = dataset in known_overlaps.get(name, ())
        if listed or listed_by:
            found.append(name)
    return found


def _status(
    exact: int,
    near: int,
    total: int,
    expected: float,
    overlapping: Sequence[str],
    absent: Sequence[str],
) -> tuple[str, str]:
    """(status, sentence) on a test part of `total` items: `exact` have an identical copy in
    training data, and `near` others only a near copy, where `expected` false alarms are expected.
    """
    missing = f"{', '.join(absent)}: trained on, but not here to compare"
    number = f"{exact + near} of {total} test items"
    alarms = f"at most {expected:.2g} false alarms are expected"
    by_chance = poisson.sf(near - 1, expected)  # P(at least `near`)
    if exact or (near and by_chance < SIGNIFICANCE):
        why = f"{number} are also in what was trained on"
        if near:
            why += f" ({near} as near copies; {alarms})"
        return "contaminated", f"{why}; {missing}" if absent else why
    if overlapping:
        names = ", ".join(overlapping)
        why = f"known to share images with {names}, trained on"
        return "contaminated", why if near else f"{why}; no pair of them is found here"
    if absent:
        return "unknown", missing
    if near:
        why = f"{number} have near copies in what was trained on; {alarms}, so many by chance"
        return "cannot tell", f"{why} in {100 * by_chance:.2g} % of such searches"
    return "clean", "no test item is also in what was trained on"
