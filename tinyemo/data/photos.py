"""Eight published photo datasets -> records.

Owns how each dataset is laid out on disk, and what must be known before it is used: licence, where
to get it, its grounding texts, and the datasets that share its images (photos.yaml). Takes a
dataset's folder, gives records with absolute image paths. Shares of annotators become p_<label>,
valence and arousal become attr_valence and attr_arousal (1 to 9). Splits are the published ones;
where none is published, a seeded stratified one. No image is opened here:
`datasets.readable_images` finds broken files.

Sources: Emotion6, Peng et al. 2015; EmotionROI, Peng et al. 2016; WEBEmo and UnbiasedEmo, Panda et
al. 2018; EmoSet, Yang et al. 2023; FI, You et al. 2016; ArtPhoto and Abstract, Machajdik and
Hanbury 2010.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tinyemo.data.file_tree import (
    NAMED_PICTURES,
    PICTURES,
    files_under,
    folders_in,
    reason_against,
)
from tinyemo.data.file_walk import is_system_name, walk
from tinyemo.data.folders import file_records, read_folder
from tinyemo.data.labels import SPELLINGS
from tinyemo.data.left_out import LeftOut
from tinyemo.data.records import seeded_split
from tinyemo.data.split_names import SPLIT_WORDS
from tinyemo.data.text_files import (
    AbsentDataset,
    check_some_listed,
    read_json,
    read_table,
    read_text,
)
from tinyemo.emotions import labels_of


@dataclass(frozen=True)
class PhotoSet:
    """What is known of a dataset before its files are read; photos.yaml explains the fields."""

    name: str
    label_set: str
    folder: str
    licence: str
    get: str
    templates: tuple[str, ...] = ("word",)
    shares_images_with: tuple[str, ...] = ()
    test_share: float = 0.0


def _load_photo_sets() -> dict[str, PhotoSet]:
    known = yaml.safe_load(Path(__file__).with_name("photos.yaml").read_text("utf-8"))
    sets = {}
    for name, fields in known.items():
        for key in ("templates", "shares_images_with"):
            if key in fields:
                fields[key] = tuple(fields[key])
        sets[name] = PhotoSet(name, **fields)
    return sets


PHOTO_SETS = _load_photo_sets()


def read_photos(
    name: str, root: str | Path, seed: int = 0, left_out: LeftOut | None = None
) -> pd.DataFrame:
    """Records of the dataset `name` of PHOTO_SETS, whose files are in `root` or in a folder in it.

    `seed` is used only where no split is published. `left_out` counts what is passed over. A single
    missing image stays in the records: `datasets.readable_images` reports it.

    ValueError: an unknown name, or a file whose content does not fit the layout, with file and
    line. AbsentDataset: the dataset or all of its images are missing. FileNotFoundError: another
    file of it is missing. Both say how to get the dataset.
    """
    if name not in PHOTO_SETS:
        raise ValueError(f"unknown dataset {name!r}: expected one of {', '.join(PHOTO_SETS)}")
    photo_set = PHOTO_SETS[name]
    try:
        records = READERS[name](Path(root).expanduser().absolute(), left_out or LeftOut())
    except FileNotFoundError as error:
        raise type(error)(f"{error}; how to get {name}: {photo_set.get}") from error
    if photo_set.test_share:
        fractions = {"train": 1 - photo_set.test_share, "test": photo_set.test_share}
        records = records.assign(split=seeded_split(records, fractions, seed))
    return records


def _inside(root: Path, name: str) -> Path:
    """`name` in `root`, or in a folder that an archive put around it, or `root` itself if it has
    this name.
    """
    around = [place for place in root.glob(f"*/{name}") if not is_system_name(place.parent.name)]
    places = [root / name, *sorted(around)]
    if root.name == name:
        places.append(root)
    for place in places:
        if place.exists():
            return place
    raise AbsentDataset(f"not found: {root / name}")


def _count_unlisted(
    top: Path, pictures: Iterable[str], others: Iterable[str], left_out: LeftOut
) -> None:
    """Count what is below `top` besides the `pictures` and `others` that the lists name."""
    known = set(map(os.path.normpath, (*pictures, *others)))
    for name, entry in walk(top, left_out.add):
        if name not in known:
            reason = reason_against(entry, PICTURES)
            left_out.add(reason or "picture that no list names", entry.path)


def _count_beside(top: Path, root: Path, left_out: LeftOut) -> None:
    """Count the pictures in the folders beside `top`, of which alone the dataset is read."""
    if top == root:  # the folders beside it are other datasets
        return
    for folder in folders_in(top.parent, LeftOut()):
        if folder != top:
            pictures = [folder / name for name in files_under(folder, NAMED_PICTURES, LeftOut())]
            left_out.add_all("picture in a folder beside the one that is read", pictures)


# ---- Emotion6

# the columns of Emotion6's ground truth
SCORES = ("valence", "arousal", *labels_of("ekman"), "neutral")


def _emotion6(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """images/<class>/<file>; the class is the word that the image was searched with.

    With ground_truth.txt, the annotators' shares over the six emotions are renormalised without
    neutral, and neutral becomes attr_neutral.
    """
    images = _inside(root, "images")
    _count_beside(images, root, left_out)
    records = read_folder(images, "Emotion6", "ekman", left_out=left_out)
    truth = next(iter(sorted(images.parent.glob("*ground_truth*.txt"))), None)
    if truth is None:
        return records
    scores, lines = _ground_truth(truth)
    names = [Path(image).relative_to(images).as_posix().lower() for image in records["image"]]
    missing = scores.index.difference(names).tolist()
    if missing:
        rows = [(name, "train", name.split("/")[0]) for name in missing]
        places = [f"{truth}: line {lines[name]}" for name in missing]
        lost = file_records(rows, images, "Emotion6", "ekman", truth, places.__getitem__)
        records = pd.concat([records, lost], ignore_index=True)
        names += missing
    absent = [name for name in names if name not in scores.index]
    if absent:
        raise ValueError(
            f"{truth}: no line for {absent[0]}: expected one per image, {len(absent)} are missing"
        )
    scores = scores.loc[names].reset_index(drop=True)
    six = scores[list(labels_of("ekman"))]  # (N, 6)
    total = six.sum(axis=1)
    shares = six.div(total.where(total > 0), axis=0)  # empty where all annotators chose neutral
    others = scores[["valence", "arousal", "neutral"]].add_prefix("attr_")
    return pd.concat([records, shares.add_prefix("p_"), others], axis=1)


def _ground_truth(path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Emotion6's scores by lower-case "class/file", and the line of each.

    The file has a header that names SCORES in any form and order, then one line per image.
    """
    header, *lines = read_text(path).splitlines() or [""]
    columns = [word for word in re.findall(r"[a-z]+", header.lower()) if word in SCORES]
    if sorted(columns) != sorted(SCORES):
        raise ValueError(
            f"{path}: line 1: expected a header that names {', '.join(SCORES)}, got {header!r}"
        )
    rows, numbers = {}, {}
    for number, line in enumerate(lines, 2):
        name, *cells = line.replace(",", " ").split() or [""]
        if not name:
            continue
        row = _scores_of(cells, columns)
        if row is None:
            raise ValueError(
                f"{path}: line {number}: expected a file, valence and arousal from 1 to 9 and "
                f"{len(SCORES) - 2} shares that sum to 1, got {line!r}"
            )
        rows[name.lower()], numbers[name.lower()] = row, number
    return pd.DataFrame.from_dict(rows, orient="index", columns=SCORES), numbers


def _scores_of(cells: list[str], columns: list[str]) -> dict[str, float] | None:
    """One line's scores by column; None if they are not numbers in their ranges."""
    try:
        row = dict(zip(columns, map(float, cells), strict=True))
    except ValueError:
        return None
    ratings = [row[name] for name in SCORES[:2]]
    shares = [row[name] for name in SCORES[2:]]
    rated = all(1 <= rating <= 9 for rating in ratings)
    shared = min(shares) >= 0 and abs(sum(shares) - 1) < 0.01
    return row if rated and shared else None


# ---- EmotionROI, WEBEmo, FI, ArtPhoto, UnbiasedEmo: the label is in the path


def _emotion_roi(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """images/<class>/<file>; lists training_testing_split/{training,testing}.txt of class/file."""
    lists = _inside(root, "training_testing_split")
    images = lists.parent / "images"
    rows, places = [], []
    for split in ("training", "testing"):
        path = lists / f"{split}.txt"
        lines = [line.strip() for line in read_text(path).splitlines()]
        listed = {number: line for number, line in enumerate(lines, 1) if line}
        check_some_listed([images / name for name in listed.values()], path)
        rows += [(name, SPLIT_WORDS[split], name.split("/")[0]) for name in listed.values()]
        places += [f"{path}: line {number}" for number in listed]
    _count_unlisted(images, [name for name, _, _ in rows], (), left_out)
    _count_beside(images, root, left_out)
    return file_records(rows, images, "EmotionROI", "ekman", lists, places.__getitem__)


def _webemo(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """{train,validation,test}/<class>/<file>"""
    top = _inside(root, "train").parent
    return read_folder(top, "WEBEmo", "parrott", left_out=left_out)


def _fi(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """emotion_dataset/<class>/<file>"""
    top = _inside(root, "emotion_dataset")
    _count_beside(top, root, left_out)
    return read_folder(top, "FI", "mikels", left_out=left_out)


def _artphoto(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """testImages_artphoto/<class>_<number>.jpg"""
    folder = _inside(root, "testImages_artphoto")
    _count_beside(folder, root, left_out)
    rows = []
    for name in files_under(folder, PICTURES, left_out):
        rows.append((name, "test", Path(name).name.split("_")[0]))
    return file_records(rows, folder, "ArtPhoto", "mikels")


def _unbiasedemo(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """images/<class>/<keyword>/<file>"""
    top = _inside(root, "images")
    _count_beside(top, root, left_out)
    records = read_folder(top, "UnbiasedEmo", "unbiasedemo", left_out=left_out)
    return records.assign(split="test")


# ---- EmoSet


def _emoset(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """{train,val,test}.json: lists of [label, (id,) image, annotation].

    The annotations give attributes, if they are there: attr_scene (text, "" if absent);
    attr_object, attr_human_action, attr_facial_expression (lists of words); attr_brightness,
    attr_colorfulness (0 to 1, NaN if absent).
    """
    root = _inside(root, "train.json").parent
    rows, annotations, places = [], [], []
    for split in ("train", "val", "test"):
        path = root / f"{split}.json"
        listed = read_json(path, list)
        for number, entry in enumerate(listed):
            texts = isinstance(entry, list) and all(isinstance(item, str) for item in entry)
            if not texts or len(entry) not in (3, 4):
                raise ValueError(
                    f"{path}: record {number}: expected [label, image, annotation] or "
                    f"[label, id, image, annotation], got {entry!r}"
                )
        check_some_listed([root / entry[-2] for entry in listed], path)
        rows += [(entry[-2], SPLIT_WORDS[split], entry[0]) for entry in listed]
        annotations += [entry[-1] for entry in listed]
        places += [(path, number) for number in range(len(listed))]

    def place_of(row: int) -> str:
        path, number = places[row]
        return f"{path}: record {number}"

    lists = [f"{split}.json" for split in ("train", "val", "test")]
    _count_unlisted(root, [name for name, _, _ in rows], [*annotations, *lists], left_out)
    records = file_records(rows, root, "EmoSet", "mikels", root, place_of)
    if not (root / "annotation").is_dir():
        return records
    attributes = pd.DataFrame([_emoset_attributes(root / name) for name in annotations])
    return pd.concat([records, attributes], axis=1)


def _emoset_attributes(path: Path) -> dict[str, object]:
    """The attr_ columns of one annotation file."""
    annotation = read_json(path, dict)
    attributes: dict[str, object] = {"attr_scene": str(annotation.get("scene", ""))}
    for name in ("object", "human_action", "facial_expression"):
        words = annotation.get(name, [])
        attributes[f"attr_{name}"] = [words] if isinstance(words, str) else list(words)
    try:
        for name in ("brightness", "colorfulness"):
            attributes[f"attr_{name}"] = float(annotation.get(name, np.nan))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: brightness and colorfulness: expected numbers ({error})"
        ) from error
    return attributes


# ---- Abstract


def _abstract(root: Path, left_out: LeftOut) -> pd.DataFrame:
    """testImages_abstract/ABSTRACT_groundTruth.csv: quoted names, and votes for each emotion.

    The label is the emotion with most votes; paintings without a single winner are left out (228
    of 280 stay). attr_votes is the number of votes.
    """
    folder = _inside(root, "testImages_abstract")
    _count_beside(folder, root, left_out)
    path = folder / "ABSTRACT_groundTruth.csv"
    table = read_table(path, dtype=str, header=0)
    _, *words = [column.strip("' ").lower() for column in table]
    labels = [SPELLINGS.get(word, word) for word in words]
    if sorted(labels) != sorted(labels_of("mikels")):
        raise ValueError(
            f"{path}: header: expected {', '.join(labels_of('mikels'))}, got {', '.join(words)}"
        )
    votes = table.iloc[:, 1:].apply(pd.to_numeric, errors="coerce").set_axis(labels, axis=1)
    bad = (votes.isna() | (votes < 0)).any(axis=1)
    if bad.any():
        raise ValueError(
            f"{path}: row {int(np.argmax(bad)) + 1}: expected an image and {len(labels)} counts "
            f"of votes, got {', '.join(table[bad].iloc[0].astype(str))}"
        )
    winners = votes.eq(votes.max(axis=1), axis=0).sum(axis=1)
    clear = winners == 1
    votes = votes[clear].reset_index(drop=True)  # (N, 8)
    listed = table.iloc[:, 0].str.strip("' ")
    left_out.add_all("no emotion has the most votes", listed[~clear].tolist())
    _count_unlisted(folder, listed, [path.name], left_out)
    files = listed[clear].reset_index(drop=True)
    check_some_listed([folder / name for name in files], path)
    rows = [(file, "test", label) for file, label in zip(files, votes.idxmax(axis=1), strict=True)]
    places = [f"{path}: row {row + 1}" for row in np.flatnonzero(clear)]
    records = file_records(rows, folder, "Abstract", "mikels", path, places.__getitem__)
    total = votes.sum(axis=1)
    shares = votes.div(total, axis=0).add_prefix("p_")
    return pd.concat([records, shares], axis=1).assign(attr_votes=total)


READERS: dict[str, Callable[[Path, LeftOut], pd.DataFrame]] = {
    "Emotion6": _emotion6,
    "EmotionROI": _emotion_roi,
    "WEBEmo": _webemo,
    "EmoSet": _emoset,
    "FI": _fi,
    "ArtPhoto": _artphoto,
    "Abstract": _abstract,
    "UnbiasedEmo": _unbiasedemo,
}
