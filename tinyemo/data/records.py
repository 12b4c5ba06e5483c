"""Records: one table for every dataset, and the splits that its numbers depend on.

Owns the columns and their checks, reading and writing (parquet), seeded splits, and the map from
Parrott's labels to the coarser label sets. Takes and gives pandas tables with one row per item:

    id                         unique and stable: "dataset/relative stem"
    dataset, split             split is train, validation or test
    label, label_set           label is a word of tinyemo.emotions.labels_of(label_set)
    image, audio, video, face  paths; "" where there is none
    text                       the text itself; "" where there is none
    group                      never divided by a split (scene family, dialogue); "" = no group
    speaker, dialogue, turn    conversations; turn counts from 0
    origin                     "EmoScenes" = drawn by this project; "" = not stated
    fold                       the part of a cross-validation in which the item is tested; "" = none
    p_<label>                  optional: share of annotators who chose the label; a row sums to 1
    attr_<name>                optional attributes; lists are allowed
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.emotions import (
    CONVERSATION_LABEL_SETS,
    FROM_PARROTT,
    GROUPS,
    LABEL_SETS,
    OWN,
    is_label_set,
    labels_of,
)
from tinyemo.io import write_atomically
from tinyemo.paths import portable, resolved

# In rising order of importance: an item found in two splits stays in the later
# (audit.repair_splits).
SPLITS = ("train", "validation", "test")
REQUIRED = ("id", "dataset", "split", "label", "label_set")
FILES = ("image", "audio", "video", "face")
DRAWN = "EmoScenes"  # `origin` of items that this project draws; a name of a dataset says nothing
OPTIONAL = {
    **dict.fromkeys((*FILES, "text", "group", "speaker", "dialogue", "origin", "fold"), ""),
    "turn": 0,
}


def check_records(
    records: pd.DataFrame,
    source: str | Path = "records",
    place_of: Callable[[int], str] | None = None,
) -> pd.DataFrame:
    """The table with every optional column added, rows numbered from 0.

    ValueError names `source`, the row (counted from 1), the column and what was expected: a
    missing, unknown or empty column, a repeated id, a split or label that does not exist,
    annotators' shares that are not one distribution over the labels of the row's label set (a row
    without any shares is allowed). `place_of` gives the name of a row where it is not "<source>:
    row <number from 1>".
    """
    place_of = place_of or (lambda row: f"{source}: row {row + 1}")
    records = records.reset_index(drop=True)
    _check_columns(records, source)
    absent = {name: value for name, value in OPTIONAL.items() if name not in records}
    records = records.assign(**absent)

    def refuse(bad: pd.Series, column: str, expected: str) -> None:
        """ValueError about the first row where `bad` holds."""
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"{place_of(row)} (id {records['id'][row]!r}), column {column!r}: "
                f"got {records[column][row]!r}, expected {expected}"
            )

    for column in (*REQUIRED, *OPTIONAL):
        kind, expected = (int, "a whole number") if column == "turn" else (str, "text")
        right = [isinstance(value, kind) for value in records[column]]
        refuse(~pd.Series(right, index=records.index, dtype=bool), column, expected)
    for column in REQUIRED:
        refuse(records[column] == "", column, "something other than empty text")
    refuse(records["id"].duplicated(), "id", "an id that no earlier row has")
    refuse(~records["split"].isin(SPLITS), "split", f"one of {', '.join(SPLITS)}")
    known = [name for name in records["label_set"].unique() if is_label_set(name)]
    expected = ", ".join([*LABEL_SETS, *CONVERSATION_LABEL_SETS, f"{OWN}first, second"])
    refuse(~records["label_set"].isin(known), "label_set", f"one of {expected}")
    for label_set in sorted(set(records["label_set"])):
        words = labels_of(label_set)
        strange = (records["label_set"] == label_set) & ~records["label"].isin(words)
        refuse(strange, "label", f"one of {', '.join(words)} ({label_set})")
    _check_shares(records, place_of)
    return records


def _check_columns(records: pd.DataFrame, source: str | Path) -> None:
    """ValueError about the first column that is missing or unknown."""
    for column in REQUIRED:
        if column not in records:
            raise ValueError(
                f"{source}: column {column!r} is missing: expected {', '.join(REQUIRED)}"
            )
    for column in records.columns.difference([*REQUIRED, *OPTIONAL]):
        if not column.startswith(("p_", "attr_")):
            raise ValueError(
                f"{source}: unknown column {column!r}: expected {', '.join(REQUIRED)}, "
                f"{', '.join(OPTIONAL)}, p_<label> or attr_<name>"
            )


def _check_shares(records: pd.DataFrame, place_of: Callable[[int], str]) -> None:
    """ValueError unless the p_ columns hold one distribution per row, over its label set."""
    columns = [column for column in records if column.startswith("p_")]
    if not columns or records.empty:
        return
    numbers = records[columns].apply(pd.to_numeric, errors="coerce").astype(float)
    no_number = numbers.isna() & records[columns].notna()
    for column in columns:
        if no_number[column].any():
            row = int(np.argmax(no_number[column]))
            found = records[column][row]
            raise ValueError(
                f"{place_of(row)}, column {column!r}: got {found!r}, expected a number"
            )
    shares = numbers.to_numpy()  # (N, columns)
    for label_set, rows in records.groupby("label_set").indices.items():
        own = np.isin(columns, [f"p_{label}" for label in labels_of(label_set)])
        inside, outside = shares[rows][:, own], shares[rows][:, ~own]
        sums_to_one = np.abs(inside.sum(axis=1) - 1) < 1e-3
        distribution = (inside >= 0).all(axis=1) & sums_to_one
        empty = np.isnan(inside).all(axis=1)
        nothing_outside = (np.isnan(outside) | (outside == 0)).all(axis=1)
        good = (distribution | empty) & nothing_outside
        if not good.all():
            row = int(rows[np.argmin(good)])
            raise ValueError(
                f"{place_of(row)} (id {records['id'][row]!r}), columns p_<label>: expected "
                f"shares >= 0 of the labels of {label_set!r} that sum to 1, or all empty, and no "
                "share of another label"
            )


def drawn_datasets(records: pd.DataFrame) -> list[str]:
    """The datasets of which all items are drawn by this project."""
    is_drawn = records["origin"].eq(DRAWN).groupby(records["dataset"], sort=False).all()
    return is_drawn.index[is_drawn].tolist()


def write_records(records: pd.DataFrame, path: str | Path) -> Path:
    """Check the table and write it to `path` (parquet), whole or not at all.

    Paths in the same results or in the data folder are stored so that both can be moved.
    """
    records = check_records(records, path)
    for column in FILES:
        records[column] = portable(records[column], Path(path).parent)
    return write_atomically(path, lambda temporary: records.to_parquet(temporary, index=False))


def read_records(path: str | Path) -> pd.DataFrame:
    """Read and check a table of `write_records`. FileNotFoundError or ValueError names the file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"records not found: expected a parquet table at {path}")
    try:
        records = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable parquet table: {error}") from error
    records = check_records(records, path)
    for column in FILES:
        stored = records[column].tolist()
        if "$" in "".join(stored):  # else there is nothing to do, which is found quickly
            records[column] = resolved(stored, Path(path).parent)
    return records


def seeded_split(
    records: pd.DataFrame,
    fractions: dict[str, float],
    seed: int,
    stratify: str = "label",
    group: str = "group",
) -> pd.Series:
    """A split for each row, by seed: `fractions` of the items of each value of `stratify`.

    Groups are kept whole. The result depends on the seed and on the items, not on the order of the
    rows. A group counts under its most frequent label. Within a label, groups go in random order
    (large ones first) to the split that lacks most. What is still lacking is carried over to the
    next label, so that the totals hold where labels are rare. ValueError if the fractions are not
    shares of train, validation and test that sum to 1.
    """
    splits, shares = list(fractions), np.array(list(fractions.values()))
    known = bool(splits) and set(splits) <= set(SPLITS)
    if not known or shares.min() < 0 or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            f"fractions {fractions}: expected shares of {', '.join(SPLITS)} that sum to 1"
        )
    rng = np.random.default_rng(seed)
    # an item without a group is a group of its own
    alone = records[group] == ""
    key = ("group:" + records[group]).where(~alone, "item:" + records["id"])
    counts = pd.crosstab(key, records[stratify])  # (groups, values), both sorted by name
    size, value_of = counts.sum(axis=1), counts.idxmax(axis=1)
    lack = np.zeros(len(shares))  # items that each split still needs
    split_of_group = {}
    for value in counts.columns:
        groups = size[value_of == value]
        groups = groups.iloc[rng.permutation(len(groups))]
        groups = groups.sort_values(ascending=False, kind="stable")
        lack += shares * groups.sum()
        for name, items in groups.items():
            most = int(np.argmax(np.where(shares > 0, lack, -np.inf)))
            split_of_group[name] = splits[most]
            lack[most] -= items
    return key.map(split_of_group).rename("split")


def carve_validation(records: pd.DataFrame, fraction: float, seed: int) -> pd.DataFrame:
    """The table with a seeded, stratified `fraction` of train renamed validation, groups kept
    whole.

    ValueError if the table has validation items already, or too few training items for two parts.
    """
    present = int((records["split"] == "validation").sum())
    if present:
        raise ValueError(
            f"the records already hold {present} validation items: expected none before a share of "
            "train becomes validation"
        )
    train = records[records["split"] == "train"]
    split = seeded_split(train, {"train": 1 - fraction, "validation": fraction}, seed)
    if set(split) != {"train", "validation"}:
        raise ValueError(
            f"cannot take a share of {fraction} of {len(train)} training items for validation: "
            "one of the two parts would be empty"
        )
    return records.assign(split=split.reindex(records.index).fillna(records["split"]))


def relabel(records: pd.DataFrame, label_set: str) -> pd.DataFrame:
    """Parrott's 25 labels -> `label_set`, by `emotions.FROM_PARROTT`.

    Items whose label has no counterpart there (confusion, lust) are dropped. The p_ columns are
    summed by group and renormalised over the labels that have a counterpart. An item whose
    annotators all chose labels without one is dropped too: it has no distribution left. ValueError
    if an item is not labelled with Parrott's labels.
    """
    if label_set not in FROM_PARROTT:
        raise ValueError(
            f"no map from Parrott's labels to {label_set!r}: expected one of "
            f"{', '.join(FROM_PARROTT)}"
        )
    strange = records["label_set"] != "parrott"
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"row {row + 1} (id {records['id'].iloc[row]!r}): label set is "
            f"{records['label_set'].iloc[row]!r}, expected 'parrott'"
        )
    if label_set == "parrott":
        return records.reset_index(drop=True)
    mapped = records["label"].map(FROM_PARROTT[label_set])
    columns = [column for column in records if column.startswith("p_")]
    out = records.drop(columns=columns).assign(label=mapped, label_set=label_set)
    if columns:
        sums = _summed_by_group(records, label_set)  # (N, C)
        total = sums.sum(axis=1)
        given = records[columns].notna().any(axis=1)  # a row without shares stays without
        out = pd.concat([out, sums.div(total.where(total > 0), axis=0)], axis=1)
        mapped = mapped.where((total > 0) | ~given)
    return out[mapped.notna()].reset_index(drop=True)


def _summed_by_group(records: pd.DataFrame, label_set: str) -> pd.DataFrame:
    """Shares of the labels of `label_set` (N, C): sums over the Parrott labels under each."""
    sums = {}
    for coarse, members in GROUPS[label_set].items():
        shares = records.reindex(columns=[f"p_{label}" for label in members])
        sums[f"p_{coarse}"] = shares.sum(axis=1)
    return pd.DataFrame(sums)
