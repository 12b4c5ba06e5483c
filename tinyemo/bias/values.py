"""Attribute values of records as a sparse 0/1 matrix, the input of all attribute detectors.

Takes: records with attr_<name> columns, which hold words, lists of words or numbers.
Gives: `AttributeValues`, with one 0/1 column per attribute value.

Numbers are replaced by thirds of their own distribution (low, middle, high) and by its two tails
(lowest tenth, highest tenth), because a bias may concern only the brightest pictures. An attribute
in which almost every item shows one of two values (yes, no) has one column, because the other one
would repeat every test with the opposite sign. The matrix is sparse because EmoSet has about 950
values for 118,000 items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

PREFIX = "attr_"  # of the columns that hold attributes
LEVELS = ("low", "middle", "high")  # of a number
TAILS = ("lowest tenth", "highest tenth")  # of a number; a tail is also in a third
TAIL_SHARE = 0.1
MAX_DISTINCT_NUMBERS = 5  # a column with at most this many numbers, such as ratings, keeps them


@dataclass(frozen=True, eq=False)
class AttributeValues:
    """V attribute values of N items: column j marks the items with `values[j]`."""

    attributes: tuple[str, ...]  # (V,)
    values: tuple[str, ...]  # (V,)
    present: sparse.csc_array  # (N, V) float32 of 0 and 1

    @property
    def names(self) -> list[str]:
        """(V,) "attribute: value", as in the column `what` of detector tables."""
        return [f"{a}: {v}" for a, v in zip(self.attributes, self.values, strict=True)]

    @property
    def counts(self) -> np.ndarray:
        """(V,) int64: the number of items that show each value."""
        return np.diff(self.present.indptr).astype(np.int64)

    def rows(self, rows: np.ndarray) -> "AttributeValues":
        """The same values for some of the items, chosen by position or by mask."""
        return AttributeValues(self.attributes, self.values, self.present.tocsr()[rows].tocsc())

    def only(self, columns: Sequence[int] | np.ndarray) -> "AttributeValues":
        """Some of the values, chosen by position, for all items."""
        columns = np.asarray(columns, dtype=int)
        attributes = tuple(np.array(self.attributes, dtype=object)[columns])
        values = tuple(np.array(self.values, dtype=object)[columns])
        return AttributeValues(attributes, values, self.present[:, columns])

    def of(self, name: str) -> np.ndarray:
        """(N,) bool: the items that show the value `name`, given as "attribute: value".

        ValueError: no such value.
        """
        if name not in self.names:
            first_names = ", ".join(self.names[:8])
            raise ValueError(f"no attribute value {name!r}: expected one of {first_names} ...")
        column = self.names.index(name)
        return self.present[:, [column]].toarray()[:, 0] > 0


def attribute_values(records: pd.DataFrame, min_items: int = 20) -> AttributeValues:
    """The values of all attr_ columns that at least `min_items` items show.

    At least as many items must not show the value. If all but fewer than `min_items` items show
    exactly one of two values of an attribute, only the second one in alphabetical order is kept.

    An empty text, an empty list or NaN means that the item shows no value of the attribute.

    ValueError: no attr_ column has such a value.
    """
    names, columns = [], []
    for column in records:
        if column.startswith(PREFIX):
            values, matrix = _value_columns(records[column])
            values, matrix = _without_complements(values, matrix, min_items)
            names += [(column.removeprefix(PREFIX), value) for value in values]
            columns.append(matrix)

    kept = np.zeros(0, dtype=int)
    if columns:
        present = sparse.hstack(columns, format="csc")  # (N, V)
        shown = np.diff(present.indptr)  # (V,) number of items with the value
        not_shown = len(records) - shown
        kept = np.flatnonzero((shown >= min_items) & (not_shown >= min_items))
    if len(kept) == 0:
        raise ValueError(
            f"no attribute to analyse: expected attr_<name> columns with a value that {min_items} "
            "items show and as many do not"
        )
    attributes, values = zip(*(names[j] for j in kept), strict=True)
    return AttributeValues(attributes, values, sparse.csc_array(present[:, kept]))


def risk_difference(shown: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of y over the items that show a value, minus its mean over the other items.

    shown: (N,) bool. y: (N, ...) of 0 and 1, or of probabilities. For a label y of 0 and 1 this is
    the risk difference P(label | value) - P(label | no value).
    """
    return y[shown].mean(axis=0) - y[~shown].mean(axis=0)


def _value_columns(column: pd.Series) -> tuple[list[str], sparse.csc_array]:
    """The sorted values of one attribute, and a 0/1 matrix (N, values): which item shows which."""
    shown = _shown_words(column).explode().dropna()
    codes, values = pd.factorize(shown, sort=True)
    ones = np.ones(len(codes), np.float32)
    matrix = sparse.coo_array((ones, (shown.index, codes)), shape=(len(column), len(values)))
    matrix = matrix.tocsc()
    matrix.data[:] = 1  # an item that names a word twice still counts once
    return [str(value) for value in values], matrix


def _without_complements(
    values: list[str], matrix: sparse.csc_array, min_items: int
) -> tuple[list[str], sparse.csc_array]:
    """Values and columns (N, values) of an attribute, without the first one of complements."""
    items = matrix.shape[0]
    counts = np.diff(matrix.indptr)
    sums = counts[:, None] + counts
    add_up = np.triu(np.abs(sums - items) < min_items, k=1)
    kept = np.ones(len(values), dtype=bool)
    for first, second in np.argwhere(add_up):
        with_one = np.setxor1d(_rows_of(matrix, first), _rows_of(matrix, second))
        if items - len(with_one) < min_items:
            kept[first] = False
    columns = np.flatnonzero(kept)
    return [values[j] for j in columns], matrix[:, columns]


def _rows_of(matrix: sparse.csc_array, column: int) -> np.ndarray:
    """The rows where a column of a 0/1 matrix is 1."""
    return matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]]


def _shown_words(column: pd.Series) -> pd.Series:
    """The words that each item shows of one attribute: one list per item."""
    column = column.reset_index(drop=True)
    is_numeric = pd.api.types.is_numeric_dtype(column)
    if is_numeric and column.nunique() > MAX_DISTINCT_NUMBERS:
        return _levels(column)
    return column.map(_words)


def _levels(column: pd.Series) -> pd.Series:
    """Numbers -> the third, and the tail if any, of each item: a list of names, empty for NaN."""
    numbers = column.to_numpy(dtype=float)
    missing = column.isna().to_numpy()
    edges = np.unique(np.nanquantile(numbers, [1 / 3, 2 / 3]))
    # If many numbers are equal, some thirds have no items. Then there are only two levels, or one.
    edges = edges[edges < np.nanmax(numbers)]
    names = {0: ("all",), 1: (LEVELS[0], LEVELS[-1]), 2: LEVELS}[len(edges)]
    level = np.array(names)[np.searchsorted(edges, numbers)]  # (N,)
    shown = [[str(name)] for name in level]
    lowest, highest = np.nanquantile(numbers, [TAIL_SHARE, 1 - TAIL_SHARE])
    tails = dict(zip(TAILS, (numbers <= lowest, numbers >= highest), strict=True))
    for name, inside in tails.items():
        # Equal numbers at an end may make the tail as large as a third: then it adds nothing.
        if inside[~missing].mean() < 1.5 * TAIL_SHARE:
            for row in np.flatnonzero(inside):
                shown[row].append(name)
    return pd.Series(
        [[] if gone else words for words, gone in zip(shown, missing, strict=True)], dtype=object
    )


def _words(value: object) -> list[str]:
    """The words in one cell of a table, which may be a word, a number, a list or missing."""
    if isinstance(value, (list, tuple, set, np.ndarray)):
        words = []
        for element in value:
            words += _words(element)
        return words
    if pd.isna(value) or value == "":
        return []
    # One missing number turns a column of integers into floats. The value 1.0 keeps the name "1".
    is_whole = isinstance(value, float) and value.is_integer()
    return [str(int(value)) if is_whole else str(value)]
