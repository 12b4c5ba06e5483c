"""What readers pass over, counted by reason: nothing disappears quietly.

Owns the counts, the table that notebooks show, and the sentences of the log. Every reader of
tinyemo.data adds what it leaves out, cannot fill, or changes.
"""

import logging
from collections.abc import Sequence

import pandas as pd

LOG = logging.getLogger(__name__)


class LeftOut:
    """Counts, by reason, what a reader leaves out or cannot fill."""

    def __init__(self) -> None:
        self._rows: dict[str, list] = {}  # reason -> [reason, items, first example]

    def add(self, reason: str, example: object, items: int = 1) -> None:
        """Count `items` more under `reason`; the first example of a reason is kept."""
        row = self._rows.setdefault(reason, [reason, 0, printable(str(example))])
        row[1] += items

    def add_all(self, reason: str, examples: Sequence[object]) -> None:
        """Count every element of `examples` under `reason`; nothing for an empty sequence."""
        if len(examples):
            self.add(reason, examples[0], len(examples))

    def add_from(self, dataset: str, other: "LeftOut") -> None:
        """Count what `other` holds under "<dataset>: <reason>"."""
        for reason, items, example in other._rows.values():
            self.add(f"{dataset}: {reason}", example, items)

    def log(self) -> None:
        """One warning per reason."""
        for reason, items, example in self._rows.values():
            LOG.warning("%s: %d, such as %s", reason, items, example)

    def table(self) -> pd.DataFrame:
        """Columns reason, items, example; one row per reason, in order of appearance."""
        return pd.DataFrame(list(self._rows.values()), columns=["reason", "items", "example"])


def without_ids(left_out: pd.DataFrame) -> pd.DataFrame:
    """A table of LeftOut without its examples: ids of licensed corpora must not be published."""
    return left_out.drop(columns="example")


def printable(name: str) -> str:
    """The name; bytes that are not UTF-8, as in names from old archives, as "\\\\udcfc"."""
    return name.encode("utf-8", "backslashreplace").decode()
