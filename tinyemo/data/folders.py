"""Folders of classes -> records: `<root>/[split/]<class>/.../<file>`, the layout of most image datasets.

Owns: finding the items of such a tree, how items get their ids, and the label set that class names speak.
Takes a folder, gives records. What is read from a file is somebody else's subject: images stay paths here;
upstream's `.pt` features go through tinyemo.features.upstream.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from tinyemo.data.records import check_records
from tinyemo.emotions import LABEL_SETS, labels_of

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
SPELLINGS = {
    "cheerfullness": "cheerfulness",
    "irritabilty": "irritability",  # as WEBEmo has them on disk
    "sad": "sadness",
    "content": "contentment",
}  # as ArtPhoto and Abstract have them


def infer_label_set(words: set[str], source: str | Path) -> str:
    """The smallest label set that holds all `words`, Ekman's before UnbiasedEmo's; ValueError names the words
    that fit nowhere."""
    fitting = [name for name, labels in LABEL_SETS.items() if words <= set(labels)]
    if fitting:
        return min(fitting, key=lambda name: len(LABEL_SETS[name]))
    nearest = max(LABEL_SETS, key=lambda name: len(words & set(LABEL_SETS[name])))
    strange = ", ".join(sorted(words - set(LABEL_SETS[nearest])))
    raise ValueError(
        f"{source}: unknown label {strange}: expected class folders named after one label set, "
        f"such as {nearest!r} ({', '.join(LABEL_SETS[nearest])})"
    )


def read_folder(
    root: str | Path,
    dataset: str | None = None,
    label_set: str | None = None,
    suffixes: tuple[str, ...] = IMAGES,
    column: str = "image",
) -> pd.DataFrame:
    """Records of `<root>/[split/]<class>/.../<file>`, sorted by path; without split folders all are train.

    `column` receives the files' absolute paths; ids as in `file_records`. `dataset` defaults to the folder's
    name, `label_set` to the smallest that holds the class names. FileNotFoundError: no such folder;
    ValueError: no class folder, an empty one, or an unknown label, each with its name.
    """
    root = Path(root).expanduser().absolute()
    if not root.is_dir():
        raise FileNotFoundError(
            f"folder not found: {root}: expected [split/]<class>/<file> under it"
        )
    splits = [
        (SPLIT_FOLDERS[name.name], name) for name in _folders(root) if name.name in SPLIT_FOLDERS
    ]
    rows = []
    for split, top in splits or [("train", root)]:
        classes = _folders(top)
        if not classes:
            raise ValueError(f"{top}: no class folder: expected <class>/<file> under it")
        for folder in classes:
            files = files_under(folder, suffixes)
            if not files:
                raise ValueError(
                    f"{folder}: empty class: expected files that end in {', '.join(suffixes)}"
                )
            rows += [(file.relative_to(root).as_posix(), split, folder.name) for file in files]
    return file_records(rows, root, dataset or root.name, label_set, column)


def file_records(
    rows: Iterable[tuple[str, str, str]],
    root: Path,
    dataset: str,
    label_set: str | None = None,
    column: str = "image",
) -> pd.DataFrame:
    """Records of (file name below `root`, split, label as it is spelled on disk).

    id = "dataset/name without ending"; the ending stays where two files differ in nothing else. ValueError
    names labels that are not in `label_set`, or in no set if none is given.
    """
    records = pd.DataFrame(rows, columns=["name", "split", "label"])
    records["label"] = [SPELLINGS.get(word.lower(), word.lower()) for word in records["label"]]
    words = set(records["label"])
    label_set = label_set or infer_label_set(words, root)
    if strange := ", ".join(sorted(words - set(labels_of(label_set)))):
        raise ValueError(
            f"{root}: unknown label {strange}: expected the labels of {label_set!r} "
            f"({', '.join(labels_of(label_set))})"
        )
    names = records.pop("name")
    stems = pd.Series([Path(name).with_suffix("").as_posix() for name in names], dtype=str)
    records["id"] = dataset + "/" + stems.mask(stems.duplicated(keep=False), names)
    records[column] = [str(root / name) for name in names]
    return check_records(records.assign(dataset=dataset, label_set=label_set), root)


def files_under(folder: Path, suffixes: tuple[str, ...] = IMAGES) -> list[Path]:
    """The files below `folder` with these endings in either case, sorted; hidden ones (._1.jpg) are no items."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in suffixes and not file.name.startswith(".")
    )


def _folders(parent: Path) -> list[Path]:
    return sorted(
        child for child in parent.iterdir() if child.is_dir() and not child.name.startswith(".")
    )
