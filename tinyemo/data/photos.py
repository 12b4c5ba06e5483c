"""Eight public photo datasets, and any CSV -> records.

Owns: how each dataset lies on disk, and what must be known before it is used: licence, where to get it, its
grounding texts, whose images it shares. Takes a dataset's folder, gives records with absolute image paths.
Distributions of annotators become p_<label>, valence and arousal attr_valence and attr_arousal (1 to 9).
Splits are the published ones; where none is published, a seeded stratified one. Any other image folder:
`folders.read_folder`.

Images are only listed here; `sound_images` decodes them all, for collections that hold broken files.

Sources: Emotion6, Peng et al. 2015; EmotionROI, Peng et al. 2016; WEBEmo and UnbiasedEmo, Panda et al. 2018;
EmoSet, Yang et al. 2023; FI, You et al. 2016; ArtPhoto and Abstract, Machajdik and Hanbury 2010.
"""

import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from tinyemo.data.folders import SPELLINGS, SPLIT_FOLDERS, file_records, files_under, read_folder
from tinyemo.data.records import OPTIONAL, check_records, seeded_split
from tinyemo.emotions import labels_of
from tinyemo.io import first_line, read_image

SCORES = (
    "valence",
    "arousal",
    *labels_of("ekman"),
    "neutral",
)  # the columns of Emotion6's ground truth
BROKEN = ("id", "image", "reason")


@dataclass(frozen=True)
class Source:
    """What is known of a dataset before its files are read."""

    name: str
    label_set: str
    folder: str  # its folder below the data folder
    read: Callable[[Path], pd.DataFrame]
    licence: str
    get: str
    templates: tuple[str, ...] = ("word",)  # names of emotions.TEMPLATES
    shares_images_with: tuple[str, ...] = ()
    test_share: float = 0.0  # of a seeded split, where none is published


def read_photos(name: str, root: str | Path, seed: int = 0) -> pd.DataFrame:
    """Records of the dataset `name` of PHOTO_SETS, whose files lie in `root` (or in one folder further down).

    `seed` counts only where no split is published. ValueError: an unknown name, or a file whose content is not
    what the layout says, with file and line; FileNotFoundError: what is missing, and how to get the dataset.
    """
    if name not in PHOTO_SETS:
        raise ValueError(f"unknown dataset {name!r}: expected one of {', '.join(PHOTO_SETS)}")
    source = PHOTO_SETS[name]
    try:
        records = source.read(Path(root).expanduser().absolute())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}; how to get {name}: {source.get}") from error
    if source.test_share:
        fractions = {"train": 1 - source.test_share, "test": source.test_share}
        records = records.assign(split=seeded_split(records, fractions, seed))
    return records


def read_csv(
    path: str | Path, dataset: str | None = None, label_set: str | None = None
) -> pd.DataFrame:
    """Records of a CSV with the columns image, label, and optionally split, p_<label>, attr_<name> or others of
    the records table. Images are relative to the CSV's folder; without a split all are train.

    `dataset` defaults to the file's name, `label_set` to the smallest that holds the labels. FileNotFoundError
    or ValueError names the file, and the row where one is at fault.
    """
    path = Path(path).expanduser().absolute()
    texts = {column: "" for column in OPTIONAL if column != "turn"}
    table = _table(path, dtype=dict.fromkeys(("id", "image", "label", "split", *texts), str))
    for column in ("image", "label"):
        if column not in table:
            raise ValueError(
                f"{path}: column {column!r} is missing: expected image, label[, split, p_..., attr_...]"
            )
        if (empty := table[column].isna()).any():
            raise ValueError(f"{path}: row {int(np.argmax(empty)) + 1}: column {column!r} is empty")
    split = table.get("split", pd.Series("train", index=table.index)).fillna("train")
    split = [SPLIT_FOLDERS.get(word.lower(), word) for word in split]
    _check_listed([path.parent / name for name in table["image"]], path)
    rows = zip(table["image"], split, table["label"], strict=True)
    records = file_records(rows, path.parent, dataset or path.stem, label_set)
    rest = table.drop(columns=["image", "label", "split"], errors="ignore").fillna(texts)
    return check_records(records.assign(**rest), path)


def sound_images(
    records: pd.DataFrame, on_broken: str = "error"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(records whose images can be decoded, report of the others: id, image, reason). Decodes every image.

    With on_broken "error" a broken or missing image is a ValueError that names the first and their number;
    with "skip" they are left out and reported.
    """
    if on_broken not in ("error", "skip"):
        raise ValueError(f"on_broken {on_broken!r}: expected 'error' or 'skip'")
    with ThreadPoolExecutor() as pool:  # decoding leaves Python's lock
        work = tqdm(
            pool.map(_fault, records["image"]), total=len(records), unit="image", desc="decoding"
        )
        reasons = pd.Series(list(work), index=records.index, dtype=str)
    broken = records.assign(reason=reasons).loc[reasons != "", list(BROKEN)].reset_index(drop=True)
    if len(broken) and on_broken == "error":
        raise ValueError(
            f"{len(broken)} of {len(records)} images cannot be read, the first is "
            f"{broken['image'][0]}: {broken['reason'][0]}; on_broken='skip' leaves them out"
        )
    return records[reasons == ""].reset_index(drop=True), broken


def _fault(path: str) -> str:
    """Why an image cannot be decoded to its last row; "" if it can."""
    try:
        read_image(path, smallest=1)
        return ""
    except (FileNotFoundError, ValueError) as error:
        return first_line(error.__cause__)  # without the path, which has its own column


def _inside(root: Path, name: str) -> Path:
    """`name` in `root`, in a folder that an archive wrapped around it, or `root` itself if it is called so."""
    places = [root / name, *sorted(root.glob(f"*/{name}")), *[root] * (root.name == name)]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise FileNotFoundError(f"not found: {root / name}")
    return found


def _text(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(f"not found: {path}")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file in UTF-8: {error}") from error


def _json(path: Path, kind: type) -> list | dict:
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, kind):
        raise ValueError(f"{path}: holds a {type(content).__name__}, expected a {kind.__name__}")
    return content


def _table(path: Path, **options) -> pd.DataFrame:
    """A CSV whose cells are missing only where they are empty ("null" and "None" may be words)."""
    _text(path)
    try:
        return pd.read_csv(
            path,
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
            encoding="utf-8-sig",
            **options,
        )
    except ValueError as error:
        raise ValueError(f"{path}: not readable as CSV: {error}") from error


def _check_listed(files: Sequence[Path], source: Path) -> None:
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{source} lists {missing[0]}, which is not there "
            f"({len(missing)} of its {len(files)} files are missing)"
        )


def _emotion6(root: Path) -> pd.DataFrame:
    """images/<class>/<file>; the class is the word the image was searched with, not the annotators' verdict.
    With ground_truth.txt: their shares over the six renormalised without neutral, which is attr_neutral."""
    images = _inside(root, "images")
    records = read_folder(images, "Emotion6", "ekman")
    truth = next(iter(sorted(images.parent.glob("*ground_truth*.txt"))), None)
    if truth is None:
        return records
    scores = _ground_truth(truth)
    names = [Path(image).relative_to(images).as_posix().lower() for image in records["image"]]
    _check_listed([images / name for name in scores.index.difference(names)], truth)
    if absent := [name for name in names if name not in scores.index]:
        raise ValueError(
            f"{truth}: no line for {absent[0]}: expected one for each image, {len(absent)} are missing"
        )
    scores = scores.loc[names].reset_index(drop=True)
    six = scores[list(labels_of("ekman"))]
    shares = six.div(
        six.sum(axis=1).where(lambda total: total > 0), axis=0
    )  # all neutral: no distribution
    others = scores[["valence", "arousal", "neutral"]].add_prefix("attr_")
    return pd.concat([records, shares.add_prefix("p_"), others], axis=1)


def _ground_truth(path: Path) -> pd.DataFrame:
    """Emotion6's scores by lower-case "class/file": a header that names SCORES in any form, then one line an image."""
    header, *lines = _text(path).splitlines() or [""]
    columns = [word for word in re.findall(r"[a-z]+", header.lower()) if word in SCORES]
    if sorted(columns) != sorted(SCORES):
        raise ValueError(
            f"{path}: line 1: expected a header that names {', '.join(SCORES)}, got {header!r}"
        )
    rows = {}
    for number, line in enumerate(lines, 2):
        name, *cells = line.replace(",", " ").split() or [""]
        if not name:
            continue
        try:
            row = dict(zip(columns, map(float, cells), strict=True))
        except ValueError:
            row = dict.fromkeys(SCORES, np.nan)  # no comparison holds with it
        (valence, arousal), shares = [row[k] for k in SCORES[:2]], [row[k] for k in SCORES[2:]]
        if not (
            1 <= valence <= 9
            and 1 <= arousal <= 9
            and min(shares) >= 0
            and abs(sum(shares) - 1) < 0.01
        ):
            raise ValueError(
                f"{path}: line {number}: expected a file, valence and arousal from 1 to 9 and "
                f"{len(shares)} shares that sum to 1, got {line!r}"
            )
        rows[name.lower()] = row
    return pd.DataFrame.from_dict(rows, orient="index", columns=SCORES)


def _emotion_roi(root: Path) -> pd.DataFrame:
    """images/<class>/<file>, as listed in training_testing_split/{training,testing}.txt, lines class/file."""
    lists = _inside(root, "training_testing_split")
    images, rows = lists.parent / "images", []
    for split in ("training", "testing"):
        listed = [
            line.strip() for line in _text(lists / f"{split}.txt").splitlines() if line.strip()
        ]
        _check_listed([images / name for name in listed], lists / f"{split}.txt")
        rows += [(name, SPLIT_FOLDERS[split], name.split("/")[0]) for name in listed]
    return file_records(rows, images, "EmotionROI", "ekman")


def _webemo(root: Path) -> pd.DataFrame:
    """{train,validation,test}/<class>/<file>"""
    return read_folder(_inside(root, "train").parent, "WEBEmo", "parrott")


def _emoset(root: Path) -> pd.DataFrame:
    """{train,val,test}.json list [label, (id,) image, annotation]; annotations give attributes if they are there:
    attr_scene (text, "" if absent), attr_object, attr_human_action, attr_facial_expression (lists of words),
    attr_brightness, attr_colorfulness (0 to 1, NaN if absent)."""
    root, rows, notes = _inside(root, "train.json").parent, [], []
    for split in ("train", "val", "test"):
        listed = _json(root / f"{split}.json", list)
        for number, entry in enumerate(listed):
            if (
                not isinstance(entry, list)
                or len(entry) not in (3, 4)
                or not all(isinstance(x, str) for x in entry)
            ):
                raise ValueError(
                    f"{root / split}.json: record {number}: expected [label, image, annotation] or "
                    f"[label, id, image, annotation], got {entry!r}"
                )
        _check_listed([root / entry[-2] for entry in listed], root / f"{split}.json")
        rows += [(entry[-2], SPLIT_FOLDERS[split], entry[0]) for entry in listed]
        notes += [root / entry[-1] for entry in listed]
    records = file_records(rows, root, "EmoSet", "mikels")
    if not (root / "annotation").is_dir():
        return records
    return pd.concat([records, pd.DataFrame([_emoset_attributes(note) for note in notes])], axis=1)


def _emoset_attributes(path: Path) -> dict[str, object]:
    note = _json(path, dict)
    lists = {name: note.get(name, []) for name in ("object", "human_action", "facial_expression")}
    lists = {
        name: [words] if isinstance(words, str) else list(words) for name, words in lists.items()
    }
    try:
        numbers = {name: float(note.get(name, np.nan)) for name in ("brightness", "colorfulness")}
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: brightness and colorfulness: expected numbers ({error})"
        ) from error
    return {
        f"attr_{name}": value
        for name, value in {"scene": str(note.get("scene", "")), **lists, **numbers}.items()
    }


def _fi(root: Path) -> pd.DataFrame:
    """emotion_dataset/<class>/<file>"""
    return read_folder(_inside(root, "emotion_dataset"), "FI", "mikels")


def _artphoto(root: Path) -> pd.DataFrame:
    """testImages_artphoto/<class>_<number>.jpg"""
    folder = _inside(root, "testImages_artphoto")
    rows = [
        (file.relative_to(folder).as_posix(), "test", file.name.split("_")[0])
        for file in files_under(folder)
    ]
    return file_records(rows, folder, "ArtPhoto", "mikels")


def _abstract(root: Path) -> pd.DataFrame:
    """testImages_abstract/ABSTRACT_groundTruth.csv: quoted names, votes for each emotion. The label has the most
    votes; paintings without a single winner are left out (228 of 280 stay). attr_votes: how many voted."""
    folder = _inside(root, "testImages_abstract")
    path = folder / "ABSTRACT_groundTruth.csv"
    table = _table(path, dtype=str, header=0)
    names, *words = [column.strip("' ").lower() for column in table]
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
    files = table.iloc[:, 0].str.strip("' ")
    clear = votes.eq(votes.max(axis=1), axis=0).sum(axis=1) == 1
    files, votes = files[clear].reset_index(drop=True), votes[clear].reset_index(drop=True)
    _check_listed([folder / name for name in files], path)
    total = votes.sum(axis=1)
    records = file_records(
        [(name, "test", label) for name, label in zip(files, votes.idxmax(axis=1), strict=True)],
        folder,
        "Abstract",
        "mikels",
    )
    return pd.concat([records, votes.div(total, axis=0).add_prefix("p_")], axis=1).assign(
        attr_votes=total
    )


def _unbiasedemo(root: Path) -> pd.DataFrame:
    """images/<class>/<keyword>/<file>"""
    return read_folder(_inside(root, "images"), "UnbiasedEmo", "unbiasedemo").assign(split="test")


CORNELL = "academic research only; the owners of the images keep their copyright"
NONE = "none stated; made for research, the owners of the images keep their copyright"
PHOTO_SETS: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "Emotion6",
            "ekman",
            "Emotion6",
            _emotion6,
            CORNELL,
            "download Emotion6.zip at http://chenlab.ece.cornell.edu/downloads.html, or ask its first author",
            shares_images_with=("EmotionROI",),
            test_share=0.3,
        ),
        Source(
            "EmotionROI",
            "ekman",
            "EmotionROI",
            _emotion_roi,
            CORNELL + " (as Emotion6, whose images these are)",
            "download EmotionROI.zip at http://chenlab.ece.cornell.edu/downloads.html, or ask its first author",
            shares_images_with=("Emotion6",),
        ),
        Source(
            "WEBEmo",
            "parrott",
            "WEBEmo",
            _webemo,
            NONE,
            "ask the authors through https://rpand002.github.io/emotion.html",
        ),
        Source(
            "EmoSet",
            "mikels",
            "EmoSet-118K",
            _emoset,
            NONE,
            "download EmoSet-118K.zip, linked at https://vcc.tech/EmoSet",
        ),
        Source(
            "FI",
            "mikels",
            "FI",
            _fi,
            NONE,
            "follow 'Emotion dataset' at https://qzyou.github.io",
            test_share=0.2,
        ),
        Source(
            "ArtPhoto",
            "mikels",
            "ArtPhoto",
            _artphoto,
            NONE,
            "download https://www.imageemotion.org/testImages_artphoto.zip",
        ),
        Source(
            "Abstract",
            "mikels",
            "Abstract",
            _abstract,
            NONE,
            "download https://www.imageemotion.org/testImages_abstract.zip",
            templates=("evoking-viewers",),
        ),
        Source(
            "UnbiasedEmo",
            "unbiasedemo",
            "UnbiasedEmo",
            _unbiasedemo,
            NONE,
            "ask the authors through https://rpand002.github.io/emotion.html",
        ),
    )
}
