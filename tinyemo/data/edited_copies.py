"""Edited copies: pictures of one part that are in another part, changed.

Takes thumbnails (data/thumbnails.py) and the part of each picture; gives pairs of pictures with
their agreement. Found are copies that were made smaller, compressed, blurred, brighter or grey,
mirrored, turned, cropped by up to a tenth, with a border, the bars of a letterbox or a watermark,
and two of these together. benchmarks/audit_pictures.py measures how many of each kind.

Lookalikes (data/lookalikes.py) propose pairs: 40 small descriptions of each picture, of the whole
and of four crops, turned and mirrored. A registration of the pixels (data/registration.py) decides
about each. On patches of photographs, at least 98 % of the copies of each kind are proposed, so
features are not needed to propose more.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np

from tinyemo.data.lookalikes import (
    Candidates,
    Part,
    best_of_pairs,
    describe,
    index_part,
    search_part,
    turned,
    view_map,
)
from tinyemo.data.registration import agreement
from tinyemo.data.thumbnails import Thumbnails

# Chosen on EmoScenes of seeds 5 and 7, photo-like pictures of seed 5 and patches of photographs;
# the benchmark measures other seeds and photographs.
AGREEMENT = 0.978  # the least agreement of copies
LEAST_COSINE = 0.75  # of candidates
MISSES = 3  # so many candidates of a picture may be no copies before the search ends
PER_VIEW = 4  # candidates of each view
BLOCK = 512  # pictures per search

# blocks of (picture a (P,), picture b (P,), agreement (P,))
Pairs = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


def edited_copies(thumbnails: Thumbnails, part: np.ndarray) -> Pairs:
    """Pairs of pictures of different parts that show the same.

    `part` (N,) is the number of each picture's part; pictures with a negative one are left out.
    Every picture is looked for in the parts of smaller numbers.
    """
    described = describe(thumbnails)
    part_of_row = part[thumbnails.picture]  # (F,)
    numbers = np.unique(part[part >= 0])
    earlier: list[Part] = []
    for number in numbers:
        pictures = np.flatnonzero(part == number)
        for start in range(0, len(pictures) if earlier else 0, BLOCK):
            yield _copies(thumbnails, described, pictures[start : start + BLOCK], earlier, PER_VIEW)
        if number != numbers[-1]:
            earlier.append(index_part(described, np.flatnonzero(part_of_row == number)))


def _copies(
    thumbnails: Thumbnails,
    described: np.ndarray,
    pictures: np.ndarray,
    earlier: list[Part],
    per_view: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(queries, found pictures, agreements) of the copies of `pictures` in the earlier parts."""
    rows = np.flatnonzero(np.isin(thumbnails.picture, pictures))
    tables = [
        search_part(described, thumbnails.picture, rows, part, per_view, LEAST_COSINE)
        for part in earlier
    ]
    found = _together(thumbnails, tables)
    groups = [list(group) for _, group in groupby(range(len(found.query)), found.query.__getitem__)]
    with ThreadPoolExecutor() as pool:  # OpenCV releases Python's global lock
        verified = list(pool.map(lambda group: _verified(thumbnails, found, group), groups))
    kept = [pair for pairs in verified for pair in pairs]
    places = np.array([place for place, _ in kept], int)
    a, b = found.query[places], found.found[places]
    values = np.array([value for _, value in kept], np.float32)

    # where as many copies are found as were searched for, there may be more
    largest = max(len(part.rows) for part in earlier)
    asked, copies = np.unique(a, return_counts=True)
    again = asked[copies >= per_view]
    if len(again) and per_view < largest:
        more = _copies(thumbnails, described, again, earlier, 8 * per_view)
        rest = ~np.isin(a, again)
        a, b, values = (
            np.concatenate([old[rest], new]) for old, new in zip((a, b, values), more, strict=True)
        )
    return a, b, values


def _together(thumbnails: Thumbnails, tables: list[Candidates]) -> Candidates:
    """The candidates in several parts as one table, sorted."""
    names = ("query_row", "found_row", "turn", "view", "cosine")
    columns = [np.concatenate([getattr(table, name) for table in tables]) for name in names]
    return best_of_pairs(thumbnails.picture, *columns)


def _verified(
    thumbnails: Thumbnails, found: Candidates, group: list[int]
) -> list[tuple[int, float]]:
    """(place in `found`, agreement) of the copies among the candidates of one picture."""
    copies, misses = [], 0
    for place in group:
        value = _agreement(thumbnails, found, place)
        if value >= AGREEMENT:
            copies.append((place, value))
        else:
            misses += 1
        if misses == MISSES:
            break
    return copies


def _agreement(thumbnails: Thumbnails, found: Candidates, place: int) -> float:
    query, other, turn = found.query_row[place], found.found_row[place], int(found.turn[place])
    return agreement(
        thumbnails.pixels[other],
        turned(thumbnails.pixels[query], turn),
        view_map(int(found.view[place])),
        thumbnails.clipped_mask(other),
        turned(thumbnails.clipped_mask(query), turn),
    )
