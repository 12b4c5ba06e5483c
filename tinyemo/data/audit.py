"""The audit: which items stand in two places, and what a test number may be trusted for.

Owns: the search for duplicates between parts (a part is one split of one dataset), the verdict on test parts, and
the repair of splits. Takes records (data/records.py) and features, row by row; gives tables of pairs. Four kinds of
evidence:

    files            the same bytes (image, audio, video, face)
    features         the same feature row
    near files       the same picture, saved otherwise: resized, compressed, brighter (a perceptual hash)
    near features    a cosine above a threshold; asked only where the two pictures are not both at hand

Pictures overrule near features: photographs of one motif lie as near to each other as a photograph to its own copy.
Neither sees mirrored, rotated or strongly cropped copies, and the hash of an almost even picture is noise.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pandas as pd
from imagehash import phash

from tinyemo.data.records import FILES, SPLITS, carve_validation
from tinyemo.emotions import labels_of
from tinyemo.io import digests, read_image

COLUMNS = ("kind", "dataset_a", "split_a", "id_a", "dataset_b", "split_b", "id_b", "similarity")

# Thresholds, chosen on data that they are not judged on. EmoScenes of seed 17: copies at half to one and a half times
# the size, as JPEG of quality 80, differ from their source in at most 18 bits; the closest of 8,573 other pictures is
# within 22 bits for 0.1 % of 6,723 test pictures, within 30 for 0.7 %. CLIP ViT-L/14 on Emotion6: of 960,000 pairs of
# different photographs 4 lie above .96, 17 above .95 and 50 above .94.
HASH_BITS = 22  # of HASH_SIDE ** 2
COSINE = 0.96

HASH_SIDE = 16  # a perceptual hash is the signs of the 16 x 16 lowest frequencies of a grey picture
FLAT_UP_TO = 25_000  # feature rows that are all compared; above, with those in the nearest sixteenth of the cells
REDUCED = 64  # principal components of the rows in the cells
BLOCK = 1024  # rows that ask at a time

Pairs = Iterator[
    tuple[np.ndarray, np.ndarray, np.ndarray]
]  # blocks of (a (P,), b (P,), similarity (P,))


def find_duplicates(
    records: pd.DataFrame,
    features: np.ndarray | None = None,
    threshold: float = COSINE,
    images: bool = True,
) -> pd.DataFrame:
    """The items of one part that stand in another: one row an item, kind and other part, its best match there.

    `features` (N, D), array or CPU tensor: row i belongs to row i of the records. `threshold` is the least cosine of
    near features. images=False opens no file: features alone speak. Gives COLUMNS; b is the later of the two splits
    (train, validation, test); similarity is 1 for the same bytes, else the share of equal hash bits or the cosine.
    ValueError: feature rows that do not fit, an image that cannot be read, a record with nothing to compare;
    FileNotFoundError: a missing file.
    """
    pictured = (records["image"] != "").to_numpy() & images
    if features is None and not pictured.all():
        raise ValueError(
            f"record {records['id'].iloc[int(np.argmin(pictured))]!r} has neither features nor an image "
            "to open: expected one of them, or nothing can be compared"
        )
    found = [_identical(records, features, FILES if images else ())]
    if pictured.any():
        hashes = pd.Series(_hashes(records["image"][pictured]), np.flatnonzero(pictured))
        found.append(_matches(records, "near files", hashes, _near_hashes))
    if not pictured.all():
        rows = np.asarray(features, dtype=np.float32)
        found.append(
            _matches(
                records,
                "near features",
                pd.Series(_row_digests(features)),
                lambda entries: _near_features(rows, entries, threshold, pictured),
            )
        )
    found = pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)
    near = found["kind"].str.startswith("near")  # what is identical need not be called near too
    return found[~(near & found.duplicated(["id_a", "id_b"]))].reset_index(drop=True)


def _identical(
    records: pd.DataFrame, features: np.ndarray | None, columns: Sequence[str]
) -> pd.DataFrame:
    found = []
    for column in columns:
        paths = records[column].reset_index(drop=True)
        paths = paths[paths != ""]
        found.append(_matches(records, "files", paths.map(digests(paths)), _equal))
    if features is not None:
        if len(features) != len(records):
            raise ValueError(
                f"{len(features)} feature rows for {len(records)} records: expected one a record"
            )
        found.append(_matches(records, "features", pd.Series(_row_digests(features)), _equal))
    found = pd.concat(
        [part for part in found if len(part)] or [pd.DataFrame(columns=COLUMNS)], ignore_index=True
    )
    return found.drop_duplicates(["kind", "id_a", "id_b"], ignore_index=True)


def _row_digests(features: np.ndarray) -> list[bytes]:
    return [hashlib.sha256(row.tobytes()).digest() for row in np.ascontiguousarray(features)]


def _hashes(paths: Sequence[str]) -> list[bytes]:
    def one(path: str) -> bytes:
        image = read_image(path, mode="L", smallest=256)
        return np.packbits(phash(image, HASH_SIDE).hash).tobytes()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, paths))


def _matches(
    records: pd.DataFrame, kind: str, content: pd.Series, search: Callable[[pd.DataFrame], Pairs]
) -> pd.DataFrame:
    """The best match of every row of `content` (indexed by row number) in every other part, as a table of COLUMNS.

    Equal contents within a part are one entry (row, part, content), and `search` gives pairs of entries of different
    parts: so a thousand copies of one picture ask once and are not a million pairs.
    """
    part = pd.factorize(records["dataset"])[0] + records["split"].map(
        SPLITS.index
    ).to_numpy() * len(records)
    items = pd.DataFrame(
        {"row": content.index, "part": part[content.index], "content": content.to_numpy()}
    )
    entries = items.drop_duplicates(["part", "content"], ignore_index=True)

    def best(pairs: pd.DataFrame) -> pd.DataFrame:
        pairs = pairs.assign(other=entries["part"].to_numpy()[pairs["match"]])
        pairs = pairs.sort_values(
            ["entry", "other", "similarity", "match"], ascending=[True, True, False, True]
        )
        return pairs.drop_duplicates(["entry", "other"])

    found = [
        best(
            pd.DataFrame(
                {"entry": np.r_[a, b], "match": np.r_[b, a], "similarity": np.r_[near, near]}
            )
        )
        for a, b, near in search(entries)
    ]
    items = items.merge(
        entries.reset_index(names="entry")[["entry", "part", "content"]], on=["part", "content"]
    )
    found = items.merge(best(pd.concat(found)), on="entry")
    mine, match = found["row"].to_numpy(), entries["row"].to_numpy()[found["match"]]
    swap = part[mine] > part[match]
    sides = {
        "a": records.iloc[np.where(swap, match, mine)],
        "b": records.iloc[np.where(swap, mine, match)],
    }
    table = pd.DataFrame(
        {
            "kind": kind,
            **{
                f"{name}_{side}": rows[name].to_numpy()
                for side, rows in sides.items()
                for name in ("dataset", "split", "id")
            },
            "similarity": found["similarity"],
        }
    )
    table = table.iloc[
        np.argsort(swap, kind="stable")
    ]  # first what the items of the earlier part found
    return table.drop_duplicates(["id_a", "id_b"], ignore_index=True)


def _equal(entries: pd.DataFrame) -> Pairs:
    places = entries.reset_index(names="place")[["place", "content"]]
    pairs = places.merge(places, on="content").query("place_x < place_y")
    yield pairs["place_x"].to_numpy(), pairs["place_y"].to_numpy(), np.ones(len(pairs))


def _near_hashes(entries: pd.DataFrame) -> Pairs:
    codes = np.frombuffer(b"".join(entries["content"]), np.uint8).reshape(len(entries), -1)
    index = faiss.IndexBinaryFlat(HASH_SIDE**2)
    index.add(codes)
    for a, b, bits in _ask(index, codes, HASH_BITS + 1, entries["part"].to_numpy()):
        yield a, b, 1 - bits / HASH_SIDE**2


def _near_features(
    features: np.ndarray, entries: pd.DataFrame, threshold: float, pictured: np.ndarray
) -> Pairs:
    x, seen = features[entries["row"]], pictured[entries["row"]]
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    if len(x) <= FLAT_UP_TO:
        index = faiss.IndexFlatL2(x.shape[1])
    else:
        cells = int(4 * len(x) ** 0.5)
        index = faiss.index_factory(x.shape[1], f"PCA{min(REDUCED, x.shape[1])},IVF{cells},Flat")
        index.train(x[np.random.default_rng(0).choice(len(x), 39 * cells, replace=False)])
        faiss.extract_index_ivf(index).nprobe = cells // 16
    index.add(x)
    # principal components only shorten distances: within the cells asked no pair above the threshold is lost
    for a, b, _ in _ask(index, x, 2 - 2 * threshold + 1e-4, entries["part"].to_numpy()):
        cosine = np.empty(len(a), np.float32)
        for start in range(0, len(a), 16 * BLOCK):  # a block's candidates may be many
            some = slice(start, start + 16 * BLOCK)
            cosine[some] = np.einsum("nd,nd->n", x[a[some]], x[b[some]])
        good = (cosine >= threshold) & ~(seen[a] & seen[b])
        yield a[good], b[good], cosine[good]


def _ask(
    index: faiss.Index | faiss.IndexBinary, x: np.ndarray, radius: float, part: np.ndarray
) -> Pairs:
    """Pairs of rows of different parts closer than `radius` (squared distance; bits), by blocks.

    The rows of the largest part do not ask: any pair of theirs has a row elsewhere that does.
    """
    asking = np.flatnonzero(part != pd.Series(part).mode()[0])
    for start in range(0, max(len(asking), 1), BLOCK):
        rows = asking[start : start + BLOCK]
        limits, distance, b = index.range_search(x[rows], radius)
        a = np.repeat(rows, np.diff(limits.astype(int)))
        other = part[a] != part[b]
        yield a[other], b[other], distance[other]


def contaminated_ids(
    records: pd.DataFrame, duplicates: pd.DataFrame, trained_on: Sequence[str]
) -> set[str]:
    """Ids of the test items that stand, exactly or nearly, in a training or validation part of `trained_on`.

    Of pairs whose two items are both in the records: what a repair removed contaminates nothing.
    """
    found = duplicates[
        duplicates["dataset_a"].isin(trained_on) & duplicates["id_a"].isin(records["id"])
    ]
    leaked = found["id_b"][(found["split_a"] != "test") & (found["split_b"] == "test")]
    return set(leaked) & set(records["id"])


def verdicts(
    records: pd.DataFrame,
    duplicates: pd.DataFrame,
    trained_on: Sequence[str],
    trained_words: Collection[str],
    known_overlaps: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """What the test parts of the records are worth after training on `trained_on`: one row a dataset.

    `known_overlaps`: dataset -> datasets that share images with it, in either direction. Columns:

        dataset, items         test items
        contaminated, share    how many stand in a training or validation part; NaN where that cannot be counted
        verdict                "contaminated": some do, or an overlap is known. "unknown": none do, but training or
                               validation items of a dataset trained on are not here to compare. Else "clean"
        words, words_trained   label words of its label set, and how many of them were trained on
        why                    the verdict in a sentence
    """
    here = set(records["dataset"][records["split"] != "test"])
    absent = [name for name in trained_on if name not in here]
    missing = f"{', '.join(absent)}: trained on, but not here to compare"
    leaked = contaminated_ids(records, duplicates, trained_on)
    rows = []
    for dataset, test in records[records["split"] == "test"].groupby("dataset", sort=False):
        found, words = int(test["id"].isin(leaked).sum()), labels_of(test["label_set"].iloc[0])
        known = [
            name
            for name in trained_on
            if name in known_overlaps.get(dataset, ()) or dataset in known_overlaps.get(name, ())
        ]
        row = {
            "dataset": dataset,
            "items": len(test),
            "contaminated": found,
            "share": found / len(test),
            "verdict": "clean",
            "words": len(words),
            "words_trained": len(set(words) & set(trained_words)),
            "why": "no test item stands in what was trained on",
        }
        if found:
            row |= {
                "verdict": "contaminated",
                "why": f"{found} of {len(test)} test items stand in what was trained on"
                + (f"; {missing}" if absent else ""),
            }
        elif known:
            row |= {
                "verdict": "contaminated",
                "contaminated": np.nan,
                "share": np.nan,
                "why": f"known to share images with {', '.join(known)}, trained on; no pair of them is found here",
            }
        elif absent:
            row |= {"verdict": "unknown", "contaminated": np.nan, "share": np.nan, "why": missing}
        rows.append(row)
    return pd.DataFrame(rows)


def audit(records: pd.DataFrame, features: np.ndarray | None = None) -> pd.DataFrame:
    """What two splits share to the byte: items with the same file content or feature row, whatever their names.

    The exact kinds of `find_duplicates`, between different splits: one row for every item of the earlier split that
    stands in the later (its first match).
    """
    found = _identical(records, features, FILES)
    return found[found["split_a"] != found["split_b"]].drop_duplicates(
        ["kind", "split_b", "id_a"], ignore_index=True
    )


def audit_verdict(records: pd.DataFrame, duplicates: pd.DataFrame) -> list[str]:
    """The audit in words: a sentence for each pair of splits that share items, or one that none do."""
    sentences = []
    for (a, b), pairs in duplicates.groupby(["split_a", "split_b"]):
        total, shared = int((records["split"] == a).sum()), pairs["id_a"].nunique()
        kinds = " and ".join(sorted(set(pairs["kind"])))
        verb = f"{a} repeats {b}" if shared == total else f"{a} shares items with {b}"
        sentences.append(f"{verb}: {shared} of {total} {a} items have identical {kinds} in {b}")
    return sentences or ["no item of one split is identical to an item of another"]


def repair_splits(
    records: pd.DataFrame, duplicates: pd.DataFrame, validation_fraction: float = 0.1, seed: int = 0
) -> pd.DataFrame:
    """The table without what `audit` found, and with a validation part.

    A repeated item stays where it weighs most: in test rather than validation, in either rather than
    train. If no validation item is left, a seeded stratified fraction of train becomes validation.
    """
    kept = records[~records["id"].isin(duplicates["id_a"])].reset_index(drop=True)
    if (kept["split"] == "validation").any():
        return kept
    return carve_validation(kept, validation_fraction, seed)
