"""Attribute values of records as a matrix: what every detector of this room asks about.

Takes records with attr_ columns (words, lists of words, numbers), gives one 0/1 column a value. Numbers become
thirds of their own distribution. EmoSet has some 950 values on 118,000 items, so the matrix is sparse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

LEVELS = ("low", "middle", "high")  # of a number
FEW = 5  # different numbers at most that are values of their own, such as ratings


@dataclass(frozen=True, eq=False)
class AttributeValues:
    """V attribute values of N items: column j says which items show `values[j]` of `attributes[j]`."""

    attributes: tuple[str, ...]  # (V,)
    values: tuple[str, ...]  # (V,)
    present: sparse.csc_array  # (N, V) float32 of 0 and 1

    @property
    def names(self) -> list[str]:
        """(V,) "attribute: value", as findings name them."""
        return [f"{a}: {v}" for a, v in zip(self.attributes, self.values, strict=True)]

    @property
    def counts(self) -> np.ndarray:
        """(V,) int64: how many items show a value."""
        return np.diff(self.present.indptr).astype(np.int64)

    def rows(self, rows: np.ndarray) -> "AttributeValues":
        """The same values for some of the items, by position or mask."""
        return AttributeValues(self.attributes, self.values, self.present.tocsr()[rows].tocsc())

    def only(self, columns: Sequence[int] | np.ndarray) -> "AttributeValues":
        """Some of the values, by position."""
        chosen = np.asarray(columns, dtype=int)
        return AttributeValues(
            *(
                tuple(np.array(names, dtype=object)[chosen])
                for names in (self.attributes, self.values)
            ),
            self.present[:, chosen],
        )

    def of(self, name: str) -> np.ndarray:
        """(N,) bool: which items show the value called "attribute: value". ValueError: no such value."""
        if name not in self.names:
            raise ValueError(
                f"no attribute value {name!r}: expected one of {', '.join(self.names[:8])} ..."
            )
        return self.present[:, [self.names.index(name)]].toarray()[:, 0] > 0


def attribute_values(records: pd.DataFrame, min_items: int = 20) -> AttributeValues:
    """The values of all attr_ columns that `min_items` items show and as many do not.

    Empty texts, empty lists and NaN mean that an item shows no value of that attribute. ValueError: no attr_
    column with such a value.
    """
    names, columns = [], []
    for column in [name for name in records if name.startswith("attr_")]:
        shown = _shown(records[column]).explode().dropna()
        codes, values = pd.factorize(shown, sort=True)
        matrix = sparse.coo_array(
            (np.ones(len(codes), np.float32), (shown.index, codes)),
            shape=(len(records), len(values)),
        ).tocsc()
        matrix.data[:] = 1  # a word named twice of one item is still there once
        names += [(column.removeprefix("attr_"), str(value)) for value in values]
        columns.append(matrix)
    if columns:
        present = sparse.hstack(columns, format="csc")
        counts = np.diff(present.indptr)
        kept = np.flatnonzero((counts >= min_items) & (len(records) - counts >= min_items))
        if len(kept):
            attributes, values = zip(*(names[j] for j in kept), strict=True)
            return AttributeValues(attributes, values, sparse.csc_array(present[:, kept]))
    raise ValueError(
        f"no attribute to analyse: expected attr_<name> columns with a value that {min_items} items show "
        "and as many do not"
    )


def _shown(column: pd.Series) -> pd.Series:
    """What each item shows of an attribute: a list of words, by position."""
    column = column.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > FEW:
        numbers = column.to_numpy(dtype=float)
        edges = np.unique(np.nanquantile(numbers, [1 / 3, 2 / 3]))
        edges = edges[edges < np.nanmax(numbers)]  # of many equal numbers some thirds have no items
        names = {0: ("all",), 1: (LEVELS[0], LEVELS[-1]), 2: LEVELS}[len(edges)]
        level = pd.Series(np.array(names)[np.searchsorted(edges, numbers)], dtype=object)
        return level.where(column.notna()).map(
            lambda value: [value] if isinstance(value, str) else []
        )
    return column.map(_words)


def _words(value: object) -> list[str]:
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return [word for one in value for word in _words(one)]
    if pd.isna(value) or value == "":
        return []
    # one missing number turns a column of whole ones into floats: 1.0 stays the value "1"
    return [str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)]
