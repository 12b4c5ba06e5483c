"""Folds: which records are for training, for choosing and for testing, and checks of that.

Takes records (tinyemo.data.records); gives `Fold`s, which hold ids. Two ways to make them:

    leave_one_group_out   one fold per group; for corpora with sessions (IEMOCAP)
    group_k_folds         k folds of whole groups by seed; for corpora without (MELD: dialogues)

`inner_folds` divides the training part of a fold again, in the same way: settings are chosen there
and never on the test part. `check_fold` refuses a fold whose parts share an id, a group, a dialogue
or a person, and weights that were trained on what the fold validates or tests.
"""

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from tinyemo.emotions import labels_of

PARTS = ("train", "validation", "test")
MANY_GROUPS = 20  # more are dialogues and not sessions: each is too small to be a test part


@dataclass(frozen=True, eq=False)
class Fold:
    """Ids of records, in the order of the records; a part may be empty."""

    name: str
    train: np.ndarray  # (n,) of str, dtype object
    validation: np.ndarray
    test: np.ndarray


def leave_one_group_out(
    records: pd.DataFrame, test_groups: Sequence[str] = (), validation: bool = False
) -> list[Fold]:
    """One fold per group, sorted and named by the group: it is tested, and all others are trained.

    With `test_groups` there is one fold, which tests all these groups together. With `validation`,
    the group after the tested one (after the last comes the first) is the validation part instead
    of being trained; without, the validation part is empty.

    ValueError: a record without a group, an unknown test group, or too few groups.
    """
    groups = _groups(records)
    names = sorted(set(groups))
    unknown = [name for name in test_groups if name not in names]
    if unknown:
        raise ValueError(f"unknown test group {unknown[0]!r}: expected some of {', '.join(names)}")
    folds = []
    for tested in [tuple(test_groups)] if test_groups else [(name,) for name in names]:
        others = [name for name in names if name not in tested]
        if len(others) < 1 + validation:
            raise ValueError(
                f"groups {', '.join(names)}: testing {', '.join(tested)} leaves {len(others)} "
                f"groups, expected at least {1 + validation}"
            )
        later = [name for name in others if name > max(tested)]
        validated = [(later or others)[0]] if validation else []
        part = np.full(len(records), "train", dtype=object)
        part[groups.isin(validated)] = "validation"
        part[groups.isin(tested)] = "test"
        folds.append(_fold("+".join(tested), records["id"], part))
    return folds


def group_k_folds(records: pd.DataFrame, k: int, seed: int) -> list[Fold]:
    """`k` folds of whole groups, by seed; each tests one part and trains the others.

    The parts hold about equally many records of each label (scikit-learn's StratifiedGroupKFold).
    The result depends on the seed and on the records, not on the order of the rows. The validation
    parts are empty. ValueError: a record without a group, or fewer than `k` groups.
    """
    groups = _groups(records)
    if not 2 <= k <= groups.nunique():
        raise ValueError(f"k = {k}: expected 2 to {groups.nunique()}, the number of groups")
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a label with fewer than k records is absent in some parts, which `describe_folds` lists
        warnings.simplefilter("ignore", UserWarning)
        splits = list(splitter.split(records, records["label"], groups))
    folds = []
    for number, (_, tested) in enumerate(splits, 1):
        part = np.full(len(records), "train", dtype=object)
        part[tested] = "test"
        folds.append(_fold(f"fold{number}", records["id"], part))
    return folds


def split_fold(
    records: pd.DataFrame, train: Sequence[str] = ("train",), test: str = "validation"
) -> Fold:
    """The fold of a published split: trains on the splits `train`, tests the split `test`.

    Its name is `test`; its validation part is empty. ValueError: a split without records.
    """
    for split in (*train, test):
        if split not in set(records["split"]):
            raise ValueError(
                f"no record of split {split!r}: expected some of "
                f"{', '.join(sorted(set(records['split'])))}"
            )
    conditions = [records["split"] == test, records["split"].isin(train)]
    return _fold(test, records["id"], np.select(conditions, ["test", "train"], ""))


def inner_folds(
    fold: Fold, records: pd.DataFrame, k: int | None = None, seed: int = 0
) -> list[Fold]:
    """Folds of the training part of `fold`: each validates one part of it and trains the others.

    One fold per group of the training part, or `k` folds by seed (see `group_k_folds`). Their test
    parts are empty. ValueError: fewer than two groups, or fewer than `k`.
    """
    own = records[records["id"].isin(fold.train)]
    divided = leave_one_group_out(own) if k is None else group_k_folds(own, k, seed)
    nothing = fold.test[:0]
    folds = []
    for inner in divided:
        name = f"{fold.name}, inner {inner.name}"
        folds.append(Fold(name, inner.train, inner.test, nothing))
    return folds


def study_folds(
    records: pd.DataFrame,
    test_groups: Sequence[str] = (),
    test_split: str = "validation",
    k: int = 5,
    seed: int = 0,
) -> tuple[list[Fold], int | None]:
    """(the folds that fit the records, the number of inner folds; None: one per group).

    With published splits, one fold tests `test_split`, and trains all splits before it ("train",
    "validation", "test"). Without, a corpus of at most MANY_GROUPS groups is tested group by group
    (or `test_groups` together), and one of more groups in `k` folds. Every fold has a validation
    part. Errors as of the functions above.
    """
    if records["split"].nunique() > 1:
        before = PARTS[: PARTS.index(test_split)]
        fold = split_fold(records, before, test_split)
        return [with_validation(fold, records, k, seed)], k
    if test_groups or records["group"].nunique() <= MANY_GROUPS:
        return leave_one_group_out(records, test_groups, validation=True), None
    folds = group_k_folds(records, k, seed)
    return [with_validation(fold, records, k, seed) for fold in folds], k


def with_validation(fold: Fold, records: pd.DataFrame, k: int, seed: int = 0) -> Fold:
    """The fold with the first of `k` parts of its training part as the validation part."""
    inner = inner_folds(fold, records, k, seed)[0]
    return Fold(fold.name, inner.train, inner.validation, fold.test)


def positions(ids: Sequence[str], all_ids: Sequence[str]) -> np.ndarray:
    """The positions (n,) of `ids` in `all_ids`, which has no repeats.

    ValueError: an id is missing.
    """
    found = pd.Index(all_ids).get_indexer(pd.Index(ids))
    if (found < 0).any():
        raise ValueError(f"id {ids[int(np.argmin(found))]!r} is not among {len(all_ids)} ids")
    return found


def _groups(records: pd.DataFrame) -> pd.Series:
    """The column group. ValueError: no records, or a record without a group."""
    if records.empty:
        raise ValueError("no records: expected some to divide into folds")
    empty = records["group"] == ""
    if empty.any():
        raise ValueError(
            f"record {records['id'][empty].iloc[0]!r} has no group: expected the session or "
            "dialogue that no fold may divide"
        )
    return records["group"]


def _fold(name: str, ids: pd.Series, part: np.ndarray) -> Fold:
    """The fold in which `part` (N,) names the part of each id."""
    values = ids.to_numpy(dtype=object)
    return Fold(name, *(values[part == which] for which in PARTS))


# ---- checks


def check_fold(
    fold: Fold,
    records: pd.DataFrame,
    trained_on: Collection[str] = (),
    speakers_are_persons: bool = True,
) -> None:
    """ValueError unless the parts of a fold are apart, and its starting weights have not seen them.

    Apart means: no id, group, dialogue or speaker is in two parts. Pass `speakers_are_persons`
    False where speakers may recur in every dialogue, as the roles of a series (MELD).

    `trained_on` are the ids that the weights with which the training starts were trained on, such
    as those of another fold's model. None of them, and nothing of their groups, dialogues and
    speakers as far as `records` knows them, may be validated or tested. The message names the
    first overlapping ids and their number.
    """
    table = records.set_index("id")
    parts = {part: list(getattr(fold, part)) for part in PARTS}
    for part, ids in parts.items():
        unknown = [name for name in ids if name not in table.index]
        if unknown:
            raise ValueError(
                f"fold {fold.name!r}: {_listed(unknown)} of {part}: expected ids of the records"
            )
    columns = ["group", "dialogue"]
    if speakers_are_persons:
        columns.append("speaker")
    seen = "the data of the starting weights"
    parts[seen] = list(trained_on)
    pairs = [("train", "validation"), ("train", "test"), ("validation", "test")]
    pairs += [(seen, "validation"), (seen, "test")]
    for one, other in pairs:
        common = set(parts[one])
        shared = [name for name in parts[other] if name in common]
        _refuse(fold, shared, f"the same ids are in {one} and in {other}")
        for column in columns:
            known = [name for name in parts[one] if name in table.index]
            keys = _keys(table, known, column)
            held_out = _keys(table, parts[other], column)
            both = held_out[held_out.isin(keys) & (table.loc[parts[other], column] != "")]
            if len(both):
                value = table.loc[both.index[0], column]
                what = f"{column} {value!r} is in {one} and in {other}"
                _refuse(fold, both.index.tolist(), what)


def _keys(table: pd.DataFrame, ids: list[str], column: str) -> pd.Series:
    """Dataset and value of a column, for each of the ids."""
    rows = table.loc[ids]
    return rows["dataset"] + "\n" + rows[column]


def _refuse(fold: Fold, ids: list[str], what: str) -> None:
    """ValueError if there are any ids."""
    if ids:
        raise ValueError(
            f"fold {fold.name!r}: {what}: {_listed(ids)} overlap; expected parts without common "
            "ids, groups, dialogues and speakers, and weights that have seen neither validation "
            "nor test"
        )


def _listed(ids: list[str]) -> str:
    """ "412 ids ('a', 'b', 'c', ...)" """
    first = ", ".join(repr(str(name)) for name in ids[:3])
    more = ", ..." if len(ids) > 3 else ""
    return f"{len(ids)} ids ({first}{more})"


def describe_folds(folds: Sequence[Fold], records: pd.DataFrame) -> pd.DataFrame:
    """One row per fold and part that is not empty.

    fold, part    part is train, validation or test
    utterances, dialogues    their numbers
    groups        their names, or how many if there are more than five
    absent        the labels of the label set without an utterance in the part; "" = none
    """
    table = records.set_index("id")
    words = labels_of(records["label_set"].iloc[0])
    rows = []
    for fold in folds:
        for part in PARTS:
            own = table.loc[list(getattr(fold, part))]
            if own.empty:
                continue
            groups = sorted(set(own["group"]))
            present = set(own["label"])
            row = {"fold": fold.name, "part": part, "utterances": len(own)}
            row["dialogues"] = own["dialogue"].nunique()
            row["groups"] = ", ".join(groups) if len(groups) <= 5 else str(len(groups))
            row["absent"] = ", ".join(word for word in words if word not in present)
            rows.append(row)
    return pd.DataFrame(rows)


def mark_folds(records: pd.DataFrame, folds: Sequence[Fold]) -> pd.DataFrame:
    """The records with the column fold: the name of the fold in which each is tested, "" = none.

    ValueError: a record that two folds test.
    """
    tested: dict[str, str] = {}
    for fold in folds:
        for name in fold.test:
            if name in tested:
                raise ValueError(
                    f"record {name!r} is tested in the folds {tested[name]!r} and {fold.name!r}: "
                    "expected one"
                )
            tested[name] = fold.name
    return records.assign(fold=[tested.get(name, "") for name in records["id"]])
