"""Records: one table for every dataset, and the splits its numbers depend on.

Owns: the columns and their checks, reading and writing (parquet), seeded splits and the maps between label
sets. Takes and gives pandas tables with one row an item:

    id                         unique and stable: "dataset/relative stem"
    dataset, split             split is train, validation or test
    label, label_set           a word of tinyemo.emotions.LABEL_SETS[label_set]
    image, audio, video, face  paths, text: the text itself; "" where there is none
    group                      what must not cross splits (scene family, dialogue); "" = the item alone
    speaker, dialogue, turn    conversations; turn counts from 0
    p_<label>                  optional: share of annotators who chose the label; a row sums to 1
    attr_<name>                optional attributes; lists are allowed
"""

from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.emotions import FROM_PARROTT, GROUPS, LABEL_SETS, labels_of
from tinyemo.io import write_atomically

SPLITS = (
    "train",
    "validation",
    "test",
)  # in the order in which they gain authority: see audit.repair_splits
REQUIRED = ("id", "dataset", "split", "label", "label_set")
FILES = ("image", "audio", "video", "face")
OPTIONAL = {**dict.fromkeys((*FILES, "text", "group", "speaker", "dialogue"), ""), "turn": 0}


def check_records(records: pd.DataFrame, source: str | Path = "records") -> pd.DataFrame:
    """The table with every optional column present, rows numbered from 0.

    ValueError names `source`, the row, the column and what was expected: a missing, unknown or empty
    column, a repeated id, a split or label that does not exist, annotators' shares that are not one
    distribution over the row's label set (all empty is allowed).
    """
    records = records.reset_index(drop=True)
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
    records = records.assign(
        **{name: value for name, value in OPTIONAL.items() if name not in records}
    )

    def refuse(bad: pd.Series, column: str, expected: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"{source}: row {row} (id {records['id'][row]!r}), column {column!r}: "
                f"got {records[column][row]!r}, expected {expected}"
            )

    for column in (*REQUIRED, *OPTIONAL):
        kind, name = (int, "a whole number") if column == "turn" else (str, "text")
        right = records[column].map(lambda value, kind=kind: isinstance(value, kind))
        refuse(~right.astype(bool), column, name)
    for column in REQUIRED:
        refuse(records[column] == "", column, "something other than empty text")
    refuse(records["id"].duplicated(), "id", "an id that no earlier row has")
    refuse(~records["split"].isin(SPLITS), "split", f"one of {', '.join(SPLITS)}")
    refuse(
        ~records["label_set"].isin(list(LABEL_SETS)), "label_set", f"one of {', '.join(LABEL_SETS)}"
    )
    for label_set, rows in records.groupby("label_set").groups.items():
        words = labels_of(label_set)
        here = records.index.isin(rows)
        refuse(
            here & ~records["label"].isin(words),
            "label",
            f"one of {', '.join(words)} ({label_set})",
        )
    _check_shares(records, source)
    return records


def _check_shares(records: pd.DataFrame, source: str | Path) -> None:
    """ValueError unless the p_ columns hold one distribution a row, over the labels of its label set."""
    columns = [column for column in records if column.startswith("p_")]
    if not columns or records.empty:
        return
    try:
        shares = records[columns].to_numpy(dtype=float, na_value=np.nan)  # (N, columns)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source}: columns p_<label>: expected numbers ({error})") from error
    for label_set, rows in records.groupby("label_set").indices.items():
        own = np.isin(columns, [f"p_{label}" for label in labels_of(label_set)])
        part, others = shares[rows][:, own], shares[rows][:, ~own]
        good = (part >= 0).all(1) & (np.abs(part.sum(1) - 1) < 1e-3) | np.isnan(part).all(1)
        good &= (np.isnan(others) | (others == 0)).all(1)
        if not good.all():
            row = int(rows[np.argmin(good)])
            raise ValueError(
                f"{source}: row {row} (id {records['id'][row]!r}), columns p_<label>: expected "
                f"shares >= 0 over the labels of {label_set!r} that sum to 1, or none at all"
            )


def write_records(records: pd.DataFrame, path: str | Path) -> Path:
    """Check the table and write it to `path` (parquet), whole or not at all."""
    records = check_records(records, path)
    return write_atomically(path, lambda temporary: records.to_parquet(temporary, index=False))


def read_records(path: str | Path) -> pd.DataFrame:
    """Read and check a table of `write_records`. FileNotFoundError or ValueError names the file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"records not found: expected a parquet table at {path}")
    try:
        records = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable parquet table: {error}") from error
    return check_records(records, path)


def seeded_split(
    records: pd.DataFrame,
    fractions: dict[str, float],
    seed: int,
    stratify: str = "label",
    group: str = "group",
) -> pd.Series:
    """A split a row, by seed: `fractions` of the items of each value of `stratify`, groups kept whole.

    Depends on the seed and on the items, not on the order of the rows. A group counts under its most
    frequent label. Within a label, groups go in random order (large ones first) to the split that lacks
    most; the lack is carried over to the next label, so that the totals hold where labels are rare.
    ValueError if the fractions are not shares of train, validation and test that sum to 1.
    """
    shares = list(fractions.values())
    if (
        not set(fractions) <= set(SPLITS)
        or min(shares, default=-1) < 0
        or abs(sum(shares) - 1) > 1e-6
    ):
        raise ValueError(
            f"fractions {fractions}: expected shares of {', '.join(SPLITS)} that sum to 1"
        )
    rng = np.random.default_rng(seed)
    alone = records[group] == ""
    key = ("group:" + records[group]).where(
        ~alone, "item:" + records["id"]
    )  # an item alone is its group
    counts = pd.crosstab(key, records[stratify])  # (groups, strata), both sorted by name
    size, stratum = counts.sum(axis=1), counts.idxmax(axis=1)
    lack, share, chosen = np.zeros(len(shares)), np.array(shares), {}
    for name in counts.columns:
        members = size[stratum == name]
        members = members.iloc[rng.permutation(len(members))].sort_values(
            ascending=False, kind="stable"
        )
        lack += share * members.sum()
        for member, items in members.items():
            best = int(np.argmax(np.where(share > 0, lack, -np.inf)))
            chosen[member] = list(fractions)[best]
            lack[best] -= items
    return key.map(chosen).rename("split")


def carve_validation(records: pd.DataFrame, fraction: float, seed: int) -> pd.DataFrame:
    """The table with a seeded, stratified `fraction` of train renamed validation, groups kept whole.

    ValueError if the table has validation items already or too few training items to give some away.
    """
    present = int((records["split"] == "validation").sum())
    if present:
        raise ValueError(
            f"records already hold {present} validation items: nothing to carve out of train"
        )
    train = records[records["split"] == "train"]
    split = seeded_split(train, {"train": 1 - fraction, "validation": fraction}, seed)
    if set(split) != {"train", "validation"}:
        raise ValueError(
            f"cannot carve a share of {fraction} out of {len(train)} training items: "
            "one of the two parts would be empty"
        )
    return records.assign(split=split.reindex(records.index).fillna(records["split"]))


def relabel(records: pd.DataFrame, label_set: str) -> pd.DataFrame:
    """Parrott's 25 labels -> `label_set` by `emotions.FROM_PARROTT`.

    Items without a place there (confusion, lust) are dropped; p_ columns are summed by group and
    renormalised over what the map covers. An item whose annotators all chose labels without a place
    is dropped too: it has no distribution left. ValueError if an item is not labelled with Parrott's.
    """
    if label_set not in FROM_PARROTT:
        raise ValueError(
            f"no map from Parrott's labels to {label_set!r}: expected one of {', '.join(FROM_PARROTT)}"
        )
    strange = records["label_set"] != "parrott"
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"row {row} (id {records['id'].iloc[row]!r}): label set is "
            f"{records['label_set'].iloc[row]!r}, expected 'parrott'"
        )
    if label_set == "parrott":
        return records.reset_index(drop=True)
    mapped = records["label"].map(FROM_PARROTT[label_set])
    columns = [column for column in records if column.startswith("p_")]
    out = records.drop(columns=columns).assign(label=mapped, label_set=label_set)
    if columns:
        sums = pd.DataFrame(
            {
                f"p_{coarse}": records.reindex(columns=[f"p_{fine}" for fine in fines]).sum(axis=1)
                for coarse, fines in GROUPS[label_set].items()
            }
        )
        total = sums.sum(axis=1)
        given = records[columns].notna().any(axis=1)  # an empty distribution stays empty
        out = pd.concat([out, sums.div(total.where(total > 0), axis=0)], axis=1)
        mapped = mapped.where((total > 0) | ~given)
    return out[mapped.notna()].reset_index(drop=True)
