"""The search for duplicates: items of one part of the data that are also in another part.

A part is one split of one dataset. Takes records (data/records.py) and features, one row per
record; gives tables of pairs (COLUMNS). There are four kinds of evidence:

    files            the same bytes (image, audio, video, face)
    features         the same feature row
    near files       the same picture, edited (data/edited_copies.py)
    near features    a cosine above a threshold; used only where one of the two pictures is missing

Pictures overrule near features: the features of two photographs of one motif can be as similar as
those of a photograph and its copy. With features alone, copies that are mirrored or cropped are
missed. An almost uniform picture has no near copies: nothing in it can be compared.
"""

import hashlib
from collections.abc import Callable, Sequence

import faiss
import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

from tinyemo.data.edited_copies import Pairs, edited_copies
from tinyemo.data.records import FILES, SPLITS
from tinyemo.data.thumbnails import make_thumbnails
from tinyemo.io import digests

COLUMNS = ("kind", "dataset_a", "split_a", "id_a", "dataset_b", "split_b", "id_b", "similarity")

# CLIP ViT-L/14 on Emotion6: of 960,000 pairs of different photographs, 4 have a cosine above .96,
# 17 above .95 and 50 above .94.
COSINE = 0.96

FLAT_UP_TO = 25_000  # up to so many feature rows all pairs are compared; above, 1/16 of the cells
REDUCED = 64  # principal components of the rows in the cells
BLOCK = 1024  # query rows per search


def find_duplicates(
    records: pd.DataFrame,
    features: np.ndarray | None = None,
    threshold: float = COSINE,
    images: bool = True,
) -> pd.DataFrame:
    """The items of one part that are also in another: one row per item, kind and other part, its
    best match.

    `features` (N, D) is an array or CPU tensor; row i belongs to row i of the records. `threshold`
    is the smallest cosine of near features. With images=False no file is opened and only features
    are compared.

    Returns COLUMNS. b is in the later of the two splits (train, validation, test). The similarity
    is 1 for the same bytes, else the agreement of the pictures or the cosine. ValueError: another
    number of feature rows, an image that cannot be read, a record with nothing to compare.
    FileNotFoundError: a missing file.
    """
    pictured = (records["image"] != "").to_numpy() & images  # (N,)
    if features is None and not pictured.all():
        row = int(np.argmin(pictured))
        raise ValueError(
            f"record {records['id'].iloc[row]!r} has neither features nor an "
            "image to open: expected one of them, because nothing else can be compared"
        )
    tables = [identical_items(records, features, FILES if images else ())]
    if pictured.any():
        tables.append(_near_files(records, np.flatnonzero(pictured)))
    if not pictured.all():
        rows = np.asarray(features, dtype=np.float32)

        def search(entries: pd.DataFrame) -> Pairs:
            return _near_features(rows, entries, threshold, pictured)

        contents = pd.Series(_row_digests(features))
        tables.append(_matches(records, "near features", contents, search))
    found = _concat(tables)
    # the identical kinds come first: their pairs are not repeated as near ones
    repeated = found["kind"].str.startswith("near") & found.duplicated(["id_a", "id_b"])
    return found[~repeated].reset_index(drop=True)


def identical_items(
    records: pd.DataFrame, features: np.ndarray | None = None, columns: Sequence[str] = FILES
) -> pd.DataFrame:
    """The exact kinds of `find_duplicates`: the same bytes in a file of `columns`, or the same
    feature row.
    """
    tables = []
    for column in columns:
        paths = records[column].reset_index(drop=True)
        paths = paths[paths != ""]
        tables.append(_matches(records, "files", paths.map(digests(paths)), _equal))
    if features is not None:
        if len(features) != len(records):
            raise ValueError(
                f"{len(features)} feature rows for {len(records)} records: expected one per record"
            )
        contents = pd.Series(_row_digests(features))
        tables.append(_matches(records, "features", contents, _equal))
    found = _concat(tables)
    return found.drop_duplicates(["kind", "id_a", "id_b"], ignore_index=True)


def _concat(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The tables below each other, without the empty ones, which would change the dtypes."""
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(filled, ignore_index=True)


def _row_digests(features: np.ndarray) -> list[bytes]:
    rows = np.ascontiguousarray(features)
    return [hashlib.sha256(row.tobytes()).digest() for row in rows]


def _near_files(records: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The edited copies among the records `rows` (P,), which have pictures."""
    thumbnails = make_thumbnails(records["image"].iloc[rows])
    contents = pd.Series(_row_digests(thumbnails.pixels[: len(rows)]), rows)

    def search(entries: pd.DataFrame) -> Pairs:
        pictures = np.searchsorted(rows, entries["row"])  # (n,) in the thumbnails
        part = np.full(len(rows), -1)  # pictures that are no entries have no part
        part[pictures] = entries["part"]
        entry = np.zeros(len(rows), int)
        entry[pictures] = np.arange(len(entries))
        for a, b, similarity in edited_copies(thumbnails, part):
            yield entry[a], entry[b], similarity

    return _matches(records, "near files", contents, search)


def _matches(
    records: pd.DataFrame, kind: str, content: pd.Series, search: Callable[[pd.DataFrame], Pairs]
) -> pd.DataFrame:
    """The best match of every row of `content` in every other part, as a table of COLUMNS.

    `content` has row numbers of `records` as its index. Equal contents within a part become one
    entry (columns row, part, content), and `search` gives pairs of entries of different parts. So
    a thousand copies of one picture are one query, not a million pairs.
    """
    dataset = pd.factorize(records["dataset"])[0]
    split = records["split"].map(SPLITS.index).to_numpy()
    part = dataset + split * len(records)  # (N,); parts of later splits have larger numbers
    items = pd.DataFrame(
        {"row": content.index, "part": part[content.index], "content": content.to_numpy()}
    )
    entries = items.drop_duplicates(["part", "content"], ignore_index=True)
    entry_part = entries["part"].to_numpy()
    blocks = []
    for a, b, similarity in search(entries):
        both = pd.DataFrame({"entry": np.r_[a, b], "match": np.r_[b, a]})
        both["similarity"] = np.r_[similarity, similarity]
        blocks.append(_best(both, entry_part))
    best = _best(pd.concat(blocks), entry_part)
    numbered = entries.reset_index(names="entry")[["entry", "part", "content"]]
    found = items.merge(numbered, on=["part", "content"]).merge(best, on="entry")
    return _pair_table(records, kind, part, found, entries["row"].to_numpy())


def _best(pairs: pd.DataFrame, entry_part: np.ndarray) -> pd.DataFrame:
    """Of each entry's pairs, the most similar one in each other part; of equal ones, the first."""
    pairs = pairs.assign(other=entry_part[pairs["match"]])
    pairs = pairs.sort_values(
        ["entry", "other", "similarity", "match"], ascending=[True, True, False, True]
    )
    return pairs.drop_duplicates(["entry", "other"])


def _pair_table(
    records: pd.DataFrame, kind: str, part: np.ndarray, found: pd.DataFrame, entry_row: np.ndarray
) -> pd.DataFrame:
    """COLUMNS of the `found` pairs (row, match, similarity); b is the item of the later part."""
    row, match = found["row"].to_numpy(), entry_row[found["match"]]
    swap = part[row] > part[match]
    sides = {"a": np.where(swap, match, row), "b": np.where(swap, row, match)}
    columns: dict[str, object] = {"kind": kind}
    for side, rows in sides.items():
        items = records.iloc[rows]
        for name in ("dataset", "split", "id"):
            columns[f"{name}_{side}"] = items[name].to_numpy()
    columns["similarity"] = found["similarity"]
    table = pd.DataFrame(columns)
    # first the pairs that were found from the item of the earlier part
    table = table.iloc[np.argsort(swap, kind="stable")]
    return table.drop_duplicates(["id_a", "id_b"], ignore_index=True)


def _equal(entries: pd.DataFrame) -> Pairs:
    """Pairs of entries with the same content."""
    places = entries.reset_index(names="place")[["place", "content"]]
    pairs = places.merge(places, on="content").query("place_x < place_y")
    yield pairs["place_x"].to_numpy(), pairs["place_y"].to_numpy(), np.ones(len(pairs))


def _near_features(
    features: np.ndarray, entries: pd.DataFrame, threshold: float, pictured: np.ndarray
) -> Pairs:
    """Pairs of entries with a cosine of at least `threshold`, of which one has no picture."""
    x, has_picture = features[entries["row"]], pictured[entries["row"]]  # (n, D), (n,)
    x = normalize(x)
    index = _feature_index(x)
    # for unit rows the squared distance is 2 - 2 cosine; principal components only shorten
    # distances, so that within the cells that are searched no pair above the threshold is lost
    radius = 2 - 2 * threshold + 1e-4
    for a, b, _ in _pairs_within(index, x, radius, entries["part"].to_numpy()):
        cosine = np.empty(len(a), np.float32)
        for start in range(0, len(a), 16 * BLOCK):  # one block can have many candidates
            some = slice(start, start + 16 * BLOCK)
            cosine[some] = np.einsum("nd,nd->n", x[a[some]], x[b[some]])
        good = (cosine >= threshold) & ~(has_picture[a] & has_picture[b])
        yield a[good], b[good], cosine[good]


def _feature_index(x: np.ndarray) -> faiss.Index:
    """An index of unit rows (n, D): exact up to FLAT_UP_TO rows, above it a search of the nearest
    cells.
    """
    if len(x) <= FLAT_UP_TO:
        index = faiss.IndexFlatL2(x.shape[1])
    else:
        cells = int(4 * len(x) ** 0.5)
        width = min(REDUCED, x.shape[1])
        index = faiss.index_factory(x.shape[1], f"PCA{width},IVF{cells},Flat")
        sample = np.random.default_rng(0).choice(len(x), 39 * cells, replace=False)
        index.train(x[sample])
        faiss.extract_index_ivf(index).nprobe = cells // 16
    index.add(x)
    return index


def _pairs_within(index: faiss.Index, x: np.ndarray, radius: float, part: np.ndarray) -> Pairs:
    """Pairs of rows of different parts closer than `radius` (squared distance), by blocks.

    Rows of the largest part are no queries: every pair of theirs has a row in another part that is
    one.
    """
    queries = np.flatnonzero(part != pd.Series(part).mode()[0])
    for start in range(0, max(len(queries), 1), BLOCK):
        rows = queries[start : start + BLOCK]
        limits, distance, b = index.range_search(x[rows], radius)
        a = np.repeat(rows, np.diff(limits.astype(int)))
        other = part[a] != part[b]
        yield a[other], b[other], distance[other]
