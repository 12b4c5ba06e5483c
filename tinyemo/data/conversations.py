"""Conversations: from the utterance table to scored records, and the reader of a CSV.

Takes utterance tables (see tinyemo.data.utterances) and gives records with p_<label> columns, and
a table of what was left out by reason. Also owns `read_utterances_csv`, for any CSV with one row
per utterance; the datasets' own formats are read by iemocap.py, meld.py and merr.py.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.fragments import media_part
from tinyemo.data.left_out import LeftOut
from tinyemo.data.records import check_records
from tinyemo.data.repaired_text import (
    numbers_of,
    read_text_table,
    refuse_rows,
    refuse_two_forms,
    required_numbers_of,
)
from tinyemo.data.split_names import EXPECTED, splits_named
from tinyemo.data.text_files import check_listed
from tinyemo.data.utterances import (
    KNOWN_CODES,
    MEDIA,
    NO_MAJORITY,
    VOTES,
    Conversations,
    Votes,
    check_utterances,
    missing_turns,
)
from tinyemo.emotions import CONVERSATION_LABEL_SETS, LABEL_CODES


def vote_shares(votes: Iterable[Votes], label_set: str) -> np.ndarray:
    """Label distributions (N, C), float64, in the order of the label set.

    Each annotator has mass one, shared equally between the codes that he or she chose. Mass on
    codes outside the label set is dropped, and the rest is renormalised. A row is NaN if nothing
    is left.
    """
    labels = CONVERSATION_LABEL_SETS[label_set]
    position = {}
    for code, label in LABEL_CODES[label_set].items():
        position[code] = labels.index(label)
    rows = []
    for annotators in votes:
        mass = np.zeros(len(labels))
        for chosen in map(set, annotators):
            for code in chosen & position.keys():
                mass[position[code]] += 1 / len(chosen)
        rows.append(mass)
    masses = np.array(rows).reshape(-1, len(labels))  # (N, C)
    total = masses.sum(axis=1, keepdims=True)  # (N, 1)
    return masses / np.where(total > 0, total, np.nan)


def label_utterances(utterances: pd.DataFrame, label_set: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(scored records, what was left out: reason, items, example).

    The label is that of the majority code. p_<label> is the annotators' label distribution (see
    `vote_shares`; actors' reports about themselves are not in it), NaN where it is not known. Left
    out are utterances that were not evaluated, have no majority, or have a label outside the set.
    Records that are kept without a distribution, or with one that lacks votes outside the set, are
    counted in the same table; their reasons begin with "kept".

    ValueError: an unknown label set; no utterance with a label of it; or the set of another
    dataset: a single label of it occurs, and most evaluated utterances have other codes.
    """
    codes = _codes_of(label_set)
    left_out = LeftOut()
    labels = utterances["code"].map(codes)
    without = utterances[labels.isna()]
    for code, rows in without.groupby("code", sort=False):
        known_reasons = {"": "not evaluated", NO_MAJORITY: "no majority (xxx)"}
        reason = known_reasons.get(code, f"label outside {label_set}: {code}")
        left_out.add_all(reason, rows["id"].tolist())
    scored = utterances[labels.notna()]
    outside = ~without["code"].isin(["", NO_MAJORITY])
    is_of_another_dataset = labels.nunique() == 1 and outside.sum() > len(scored)
    if scored.empty or is_of_another_dataset:
        found = ", ".join(sorted(set(utterances["code"]) - {""})) or "none"
        number = f"only {len(scored)} utterances have" if len(scored) else "no utterance has"
        raise ValueError(
            f"{number} a label of {label_set!r}: expected codes such as "
            f"{', '.join(codes)}, got {found}"
        )
    records = _records(scored, labels.dropna(), label_set, left_out)
    return records, left_out.table()


def unlabelled_votes(utterances: pd.DataFrame, label_set: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(records of utterances without a majority that have votes in the set, what was left out).

    For comparing predicted distributions with the annotators' (KL divergence). Records need a
    label: it is the one with the largest p_<label>, of equally large ones the first of the label
    set. It is not the truth: accuracy and recall on these records mean nothing. The table may be
    empty.

    ValueError: an unknown label set.
    """
    _codes_of(label_set)
    left_out = LeftOut()
    split = utterances[utterances["code"] == NO_MAJORITY]
    shares = vote_shares(split["votes"], label_set)  # (N, C)
    known = ~np.isnan(shares).any(axis=1)
    left_out.add_all(f"no vote in {label_set}", split["id"][~known].tolist())
    words = np.array(CONVERSATION_LABEL_SETS[label_set], dtype=object)
    largest = shares[known].argmax(axis=1)
    labels = pd.Series(words[largest], index=split.index[known], dtype=str)
    records = _records(split[known], labels, label_set, left_out)
    return records, left_out.table()


def _codes_of(label_set: str) -> dict[str, str]:
    """Code -> label. ValueError: not a label set of conversations."""
    if label_set not in LABEL_CODES:
        raise ValueError(
            f"unknown label set of conversations {label_set!r}: "
            f"expected one of {', '.join(LABEL_CODES)}"
        )
    return LABEL_CODES[label_set]


def _records(
    rows: pd.DataFrame, labels: pd.Series, label_set: str, left_out: LeftOut
) -> pd.DataFrame:
    """Records of utterances with their labels and p_<label> columns."""
    shares = vote_shares(rows["votes"], label_set)  # (N, C)
    columns = [f"p_{label}" for label in CONVERSATION_LABEL_SETS[label_set]]
    distributions = pd.DataFrame(shares, columns=columns, index=rows.index)

    inside = set(LABEL_CODES[label_set])
    outside = [any(set(chosen) - inside for chosen in votes) for votes in rows["votes"]]
    voted = rows["votes"].map(len).to_numpy() > 0
    known = ~np.isnan(shares).any(axis=1)
    cases = {
        "kept without a label distribution: no votes in the files": ~voted,
        f"kept without a label distribution: no vote in {label_set}": voted & ~known,
        f"kept, votes outside {label_set} dropped": np.array(outside, dtype=bool) & known,
    }
    for reason, which in cases.items():
        left_out.add_all(reason, rows["id"][which].tolist())

    kept = rows.drop(columns=["code", *VOTES]).assign(label=labels, label_set=label_set)
    return check_records(pd.concat([kept, distributions], axis=1), "labelled utterances")


# ---- any CSV

CSV_COLUMNS = (
    "dialogue (required), at least one of text, audio, video and face, and optionally id, turn, "
    "speaker, group, split, label, start, end, valence, activation, dominance and votes_<code>"
)
_TEXT_COLUMNS = ("dialogue", "group", "split", "speaker", "text", *MEDIA)
MOST_VOTES = 100_000  # for one code of one utterance; a larger number is no count of annotators
_NUMBER_COLUMNS = ("start", "end", "valence", "activation", "dominance")


def read_utterances_csv(path: str | Path, dataset: str | None = None) -> Conversations:
    """The utterances of a CSV with one row per utterance, in UTF-8 or cp1252.

        dialogue                     required
        text, audio, video, face     at least one; paths (or media fragments) relative to the CSV;
                                     face is video where it is not a column
        label                        the code, as in emotions.LABEL_CODES; empty = not evaluated
        votes_<code>                 how many annotators chose the code; all empty = nobody voted
        turn                         whole numbers that order the dialogue; without it, row order
        speaker, group, split, id    group is the dialogue where it is not given, split is train
        start, end                   seconds; valence, activation, dominance: numbers

    `dataset` defaults to the name of the file. `start` and `end` are information only: the part of
    a file is written as a media fragment. Columns of other names are counted in `left_out`.
    FileNotFoundError: the CSV or a file in it is missing. ValueError names file, row and column.
    """
    path = Path(path).expanduser().absolute()
    table = read_text_table(path)
    given = [column for column in ("text", *MEDIA) if column in table]
    if "dialogue" not in table or not given:
        raise ValueError(
            f"{path}: got the columns {', '.join(table.columns)}; expected {CSV_COLUMNS}"
        )
    if table.empty:
        raise ValueError(f"{path}: no utterance: expected one row per utterance below the header")
    for name in ("dialogue", "id"):
        if name in table:
            refuse_rows(table[name], table[name] == "", path, "something other than an empty cell")
    for name in ("dialogue", "group", "speaker"):
        if name in table:
            refuse_two_forms(table[name], path)
    name = dataset or path.stem
    votes_columns = [column for column in table if column.startswith("votes_")]

    rows = pd.DataFrame({"dataset": name}, index=table.index)
    for column in _TEXT_COLUMNS:
        rows[column] = table.get(column, "")
    for column in _NUMBER_COLUMNS:
        numbers = numbers_of(table[column], path) if column in table else np.nan
        rows[f"attr_{column}"] = numbers
    rows["group"] = rows["group"].where(rows["group"] != "", rows["dialogue"])
    rows["split"] = _splits(table, path)
    rows["code"] = _codes(table, path)
    rows["votes"] = _counted_votes(table[votes_columns], path)
    rows["self_votes"] = [[] for _ in rows.index]
    for column in MEDIA:
        rows[column] = _paths(rows[column], path)
    if "face" not in table:
        rows["face"] = rows["video"]

    number = _turn_numbers(table, path)
    ids = table["id"] if "id" in table else rows["dialogue"] + "/" + number.astype(str)
    rows["id"] = name + "/" + ids.str.removeprefix(name + "/")
    appearance = pd.factorize(rows["dialogue"])[0]
    rows = rows.iloc[np.lexsort([number, appearance])]
    rows["turn"] = rows.groupby("dialogue", sort=False).cumcount()

    left_out = LeftOut()
    for gap, items in missing_turns(rows["dialogue"], number):
        left_out.add("turn number that no row has", gap, items)
    empty = (rows[given] == "").all(axis=1)
    left_out.add_all("no text, audio, video or face", rows["id"][empty].tolist())
    read = {*_TEXT_COLUMNS, *_NUMBER_COLUMNS, *votes_columns, "id", "turn", "label"}
    for column in table.columns.difference(read, sort=False):
        name = column or "(without a name)"
        left_out.add(f"column that is not read: {name}", path, len(table))
    rows_of_file = rows.index + 1
    rows = check_utterances(rows, path, lambda row: f"{path}: row {rows_of_file[row]}")
    return Conversations(rows, left_out.table())


def _splits(table: pd.DataFrame, path: Path) -> pd.Series:
    """train, validation or test for each row. ValueError: another word."""
    if "split" not in table:
        return pd.Series("train", index=table.index)
    words = table["split"].replace("", "train")
    splits = words.map(splits_named(words.unique()))
    refuse_rows(table["split"], splits.isna(), path, f"one of {EXPECTED}")
    return splits


def _codes(table: pd.DataFrame, path: Path) -> pd.Series:
    """The label codes. ValueError: a code of no label set."""
    if "label" not in table:
        return pd.Series("", index=table.index)
    codes = table["label"]
    expected = f"a label code ({', '.join(KNOWN_CODES)}), or an empty cell"
    refuse_rows(codes, ~codes.isin([*KNOWN_CODES, ""]), path, expected)
    return codes


def _counted_votes(counts: pd.DataFrame, path: Path) -> list[Votes]:
    """Columns votes_<code> -> one list per annotator. ValueError: votes that sum to nothing."""
    votes: list[Votes] = [[] for _ in counts.index]
    total = pd.Series(0.0, index=counts.index)
    for column in counts:
        code = column.removeprefix("votes_")
        if code not in KNOWN_CODES:
            raise ValueError(
                f"{path}: column {column!r}: expected votes_<code> with a code of "
                f"{', '.join(KNOWN_CODES)}"
            )
        numbers = numbers_of(counts[column], path, whole=True).fillna(0)
        refuse_rows(counts[column], numbers > MOST_VOTES, path, f"at most {MOST_VOTES} annotators")
        total += numbers
        for annotators, number in zip(votes, numbers, strict=True):
            annotators += [[code] for _ in range(int(number))]
    nothing = (counts != "").any(axis=1) & (total == 0)
    if nothing.any():
        row = int(np.argmax(nothing))
        raise ValueError(
            f"{path}: row {row + 1}: its votes sum to nothing: expected at least one vote in "
            f"{', '.join(counts.columns)}, or empty cells where nobody voted"
        )
    return votes


def _paths(names: pd.Series, path: Path) -> list[str]:
    """Absolute paths, "" for empty cells.

    FileNotFoundError: a file is missing. ValueError: a fragment that cannot be read.
    """
    paths = [str(path.parent / name) if name else "" for name in names]
    row_of: dict[Path, int] = {}
    for row, name in enumerate(paths, 1):
        if not name:
            continue
        try:
            row_of.setdefault(media_part(name).path, row)
        except ValueError as error:
            raise ValueError(f"{path}: row {row}, column {names.name!r}: {error}") from error
    places = [f"row {row}, column {names.name!r}; " for row in row_of.values()]
    check_listed(list(row_of), path, places)
    return paths


def _turn_numbers(table: pd.DataFrame, path: Path) -> pd.Series:
    """Whole numbers that order each dialogue. ValueError: a missing or repeated one."""
    if "turn" not in table:
        return table.groupby("dialogue").cumcount()
    turn = table["turn"]
    numbers = required_numbers_of(turn, path)
    repeated = pd.DataFrame({"dialogue": table["dialogue"], "turn": numbers}).duplicated()
    refuse_rows(turn, repeated, path, "a turn that no earlier row of the dialogue has")
    return numbers
