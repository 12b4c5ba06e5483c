"""A dataset of conversations, whatever its format -> Conversations; and the file of its table.

Owns the choice of the reader by what a folder or file holds, and reading and writing the utterance
table (parquet). The formats are those of iemocap.py, meld.py, conversations.py and clip_folder.py.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.data.clip_folder import utterances_of_folder
from tinyemo.data.conversations import read_utterances_csv
from tinyemo.data.iemocap import read_iemocap
from tinyemo.data.meld import read_meld
from tinyemo.data.text_files import read_parquet
from tinyemo.data.utterances import VOTES, Conversations, check_utterances
from tinyemo.io import write_atomically

READERS = {
    "iemocap": read_iemocap,
    "meld": read_meld,
    "csv": read_utterances_csv,
    "clips": utterances_of_folder,
}
# What only this dataset has, in the folder or one level below it. The last pattern of IEMOCAP is
# the folder of a single session: its reader says what it expects instead.
MARKS = {
    "iemocap": ("Session[1-5]/dialog", "*/Session[1-5]/dialog", "dialog/EmoEvaluation"),
    "meld": ("*_sent_emo.csv", "*/*_sent_emo.csv"),
}
EXPECTED = (
    "a folder of clips, a CSV with one row per utterance, the tree of IEMOCAP (with Session1) or "
    "the folder of MELD (with train_sent_emo.csv)"
)


def read_conversations(source: str | Path, kind: str = "") -> Conversations:
    """The utterances of `source`, by the reader `kind` of READERS; "" = see `kind_of`.

    FileNotFoundError or ValueError: nothing that is known, or an error of the reader.
    """
    if kind and kind not in READERS:
        raise ValueError(f"unknown kind of source {kind!r}: expected one of {', '.join(READERS)}")
    found = kind or kind_of(source)
    try:
        return READERS[found](source)
    except ValueError as error:
        if kind or found != "clips":
            raise
        raise ValueError(f"{error}. The source may be {EXPECTED}") from error


def kind_of(source: str | Path) -> str:
    """The kind of READERS that fits what `source` holds: a folder without known marks is "clips".

    FileNotFoundError: no such file or folder. ValueError: a file that is no CSV.
    """
    path = Path(source).expanduser()
    if path.is_file():
        if path.suffix.lower() == ".csv":
            return "csv"
        raise ValueError(f"{path}: a file that is no CSV; expected {EXPECTED}")
    if not path.is_dir():
        raise FileNotFoundError(f"not found: {path}; expected {EXPECTED}")
    for kind, patterns in MARKS.items():
        if any(next(path.glob(pattern), None) for pattern in patterns):
            return kind
    return "clips"


def write_utterances(utterances: pd.DataFrame, path: str | Path) -> Path:
    """Check the table and write it to `path` (parquet), whole or not at all."""
    utterances = check_utterances(utterances, path)
    return write_atomically(path, lambda file: utterances.to_parquet(file, index=False))


def read_utterances(path: str | Path) -> pd.DataFrame:
    """Read and check a table of `write_utterances`. Errors name the file, as in `read_records`."""
    utterances = read_parquet(path, "utterances")
    for column in VOTES:
        if column in utterances:
            utterances[column] = [_lists(votes) for votes in utterances[column]]
    return check_utterances(utterances, path)


def _lists(votes: object) -> object:
    """The votes of an utterance as lists; parquet gives arrays. Another cell stays as it is."""
    return [_lists(one) for one in votes] if isinstance(votes, np.ndarray) else votes
