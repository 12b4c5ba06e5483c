"""Lookalikes: for each picture, those of another part that may show the same, best first.

Takes thumbnails (data/thumbnails.py); gives candidates for `registration.agreement`: pairs of
pictures with a first guess of how one lies in the other. A picture is
described by its thumbnail at 8 x 8 pixels: a unit vector with mean 0, so that brightness and
contrast do not matter. Views are described too: four crops at the corners on both sides, so that a
crop of one picture is near a view of the other, and all turns and reflections of one side.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import faiss
import numpy as np

from tinyemo.data.thumbnails import SIDE, Thumbnails

GRID = 8  # a description is the GRID x GRID picture
CROP = 0.94  # side of the cropped views, of that of the picture
CUT = SIDE * (1 - CROP)
CORNERS = [(0.0, 0.0), (0.0, CUT), (CUT, 0.0), (CUT, CUT)]
TURNS = 8  # the turns by 90 degrees, each also mirrored
VIEWS = 5  # the whole and the crops
FLAT_UP_TO = 20_000  # up to so many descriptions all are compared; above, 1/SEARCHED of the cells
SEARCHED = 16


@dataclass(frozen=True, eq=False)
class Part:
    """Thumbnails of one part, indexed for the search."""

    rows: np.ndarray  # (F,) their rows in the Thumbnails
    wholes: faiss.Index  # F descriptions
    views: faiss.Index  # F * VIEWS: the whole and the four crops of each


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of pictures, sorted by the first picture, then by falling similarity."""

    query: np.ndarray  # (P,) pictures
    found: np.ndarray  # (P,) pictures of the other part
    query_row: np.ndarray  # (P,) their thumbnails
    found_row: np.ndarray  # (P,)
    turn: np.ndarray  # (P,) the number of the query's turn, see `turned`
    view: np.ndarray  # (P,) 0: both whole; 1 to 4: crop of the found one; 5 to 8: of the query
    cosine: np.ndarray  # (P,)


def turned(pixels: np.ndarray, number: int) -> np.ndarray:
    """A picture (H, W), turned by `number` times 90 degrees, mirrored before if number > 3."""
    mirrored = pixels[:, ::-1] if number > 3 else pixels
    return np.ascontiguousarray(np.rot90(mirrored, number % 4))


def view_map(view: int) -> np.ndarray:
    """(3, 3) the map from the turned query's pixels to those of the found picture."""
    if view == 0:
        return np.eye(3)
    x, y = CORNERS[(view - 1) % 4]
    crop = np.array([[CROP, 0, x], [0, CROP, y], [0, 0, 1.0]])
    return crop if view <= 4 else np.linalg.inv(crop)


def describe(thumbnails: Thumbnails) -> np.ndarray:
    """(F, VIEWS, GRID ** 2) float32: the descriptions of each thumbnail, whole and cropped."""
    with ThreadPoolExecutor() as pool:
        described = list(pool.map(_views, thumbnails.pixels))
    return np.stack(described)


def index_part(described: np.ndarray, rows: np.ndarray) -> Part:
    """The index of some thumbnails."""
    own = described[rows]
    return Part(rows, _index(own[:, 0]), _index(own.reshape(-1, GRID**2)))


def search_part(
    described: np.ndarray,
    picture: np.ndarray,
    rows: np.ndarray,
    part: Part,
    per_view: int,
    least: float,
) -> Candidates:
    """The candidates of the thumbnails `rows` (Q,) in a part: each pair of pictures once, by its
    best view.

    `picture` (F,) is that of the Thumbnails. Of each view of a query, the `per_view` most similar
    ones are taken, if their cosine is at least `least`.
    """
    flat = described[rows].reshape(len(rows), -1)
    views = flat[:, TURNED].reshape(len(rows), TURNS, VIEWS, GRID**2)
    whole = np.ascontiguousarray(views[:, :, 0]).reshape(-1, GRID**2)
    cropped = np.ascontiguousarray(views[:, :, 1:]).reshape(-1, GRID**2)

    cosine, place = part.views.search(whole, min(per_view, part.views.ntotal))  # (Q * TURNS, k)
    number = np.repeat(np.arange(len(whole)), place.shape[1])
    query, turn = np.divmod(number, TURNS)
    found, view = np.divmod(place.ravel(), VIEWS)
    by_found = np.stack([query, found, turn, view])

    other_cosine, place = part.wholes.search(cropped, min(per_view, part.wholes.ntotal))
    number = np.repeat(np.arange(len(cropped)), place.shape[1])
    query, turn = np.divmod(number // (VIEWS - 1), TURNS)
    view = VIEWS + number % (VIEWS - 1)
    by_query = np.stack([query, place.ravel(), turn, view])

    query, found, turn, view = np.concatenate([by_found, by_query], axis=1)
    cosine = np.concatenate([cosine.ravel(), other_cosine.ravel()])
    good = (cosine >= least) & (found >= 0)  # a search of cells gives -1 where it finds too few
    rows_of = rows[query[good]], part.rows[found[good]]
    return best_of_pairs(picture, *rows_of, turn[good], view[good], cosine[good])


def best_of_pairs(
    picture: np.ndarray,
    query_row: np.ndarray,
    found_row: np.ndarray,
    turn: np.ndarray,
    view: np.ndarray,
    cosine: np.ndarray,
) -> Candidates:
    """Candidates with each pair of pictures once: the thumbnails and the view of largest cosine."""
    query, found = picture[query_row], picture[found_row]
    order = np.lexsort((found, -cosine, query))
    pairs = np.stack([query[order], found[order]], axis=1)
    _, first = np.unique(pairs, axis=0, return_index=True)
    kept = order[np.sort(first)]
    columns = query_row[kept], found_row[kept], turn[kept], view[kept], cosine[kept]
    return Candidates(query[kept], found[kept], *columns)


def _views(pixels: np.ndarray) -> np.ndarray:
    """(VIEWS, GRID ** 2) float32: the descriptions of the picture and of its four crops."""
    described = [cv2.resize(pixels, (GRID, GRID), interpolation=cv2.INTER_AREA)]
    for x, y in CORNERS:
        crop = np.float32([[CROP, 0, x], [0, CROP, y]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cropped = cv2.warpAffine(pixels, crop, (SIDE, SIDE), flags=how)
        described.append(cv2.resize(cropped, (GRID, GRID), interpolation=cv2.INTER_AREA))
    rows = np.stack(described).reshape(VIEWS, -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, 1e-6)


def _turned_places() -> np.ndarray:
    """(TURNS, VIEWS * GRID ** 2): where each number of a turned picture's descriptions is in those
    of the picture.

    The crop at a corner of a turned picture is the turned crop at another corner.
    """
    places = np.arange(VIEWS * GRID**2).reshape(VIEWS, GRID, GRID)
    corner = np.array([[0, 2], [1, 3]])  # the number in CORNERS by [y, x]
    tables = []
    for number in range(TURNS):
        before = turned(corner, number)
        views = [turned(places[0], number)]
        for x, y in ((0, 0), (0, 1), (1, 0), (1, 1)):
            views.append(turned(places[1 + before[y, x]], number))
        tables.append(np.stack(views).ravel())
    return np.stack(tables)


TURNED = _turned_places()


def _index(rows: np.ndarray) -> faiss.Index:
    """An index of unit rows by their dot product: exact up to FLAT_UP_TO rows, above it a search of
    a part of the cells.
    """
    rows = np.ascontiguousarray(rows)
    if len(rows) <= FLAT_UP_TO:
        index = faiss.IndexFlatIP(rows.shape[1])
    else:
        cells = int(len(rows) ** 0.5)
        kind = f"IVF{cells},Flat"
        index = faiss.index_factory(rows.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).choice(len(rows), 40 * cells, replace=False)
        index.train(rows[sample])
        index.nprobe = cells // SEARCHED
    index.add(rows)
    return index
