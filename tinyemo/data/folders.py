"""Folders of classes -> records: `<root>/[split/]<class>/.../<file>`, the layout of most image
datasets.

Owns finding the items of such a folder, the ids that items get, and the choice of the label set
from the names of the classes. Takes a folder, gives records. No file is opened here: images stay
paths, and TinyEmo's `.pt` features are read by tinyemo.features.pt_trees.
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
    # folders of WEBEmo
    "cheerfullness": "cheerfulness",
    "irritabilty": "irritability",
    # files of ArtPhoto, columns of Abstract
    "sad": "sadness",
    "content": "contentment",
}


def infer_label_set(words: set[str], source: str | Path) -> str:
    """The smallest label set that holds all `words`; of two equally small ones, Ekman's.

    ValueError names `source` and the words that are not in the label set with most words in common.
    """
    fitting = [name for name, labels in LABEL_SETS.items() if words <= set(labels)]
    if fitting:
        return min(fitting, key=lambda name: len(LABEL_SETS[name]))
    nearest = max(LABEL_SETS, key=lambda name: len(words & set(LABEL_SETS[name])))
    unknown = ", ".join(sorted(words - set(LABEL_SETS[nearest])))
    raise ValueError(
        f"{source}: unknown label {unknown}: expected labels of one label set, "
        f"such as {nearest!r} ({', '.join(LABEL_SETS[nearest])})"
    )


def read_folder(
    root: str | Path,
    dataset: str | None = None,
    label_set: str | None = None,
    suffixes: tuple[str, ...] = IMAGES,
    column: str = "image",
) -> pd.DataFrame:
    """Records of `<root>/[split/]<class>/.../<file>`, sorted by path; without split folders all
    are train.

    `column` receives the absolute paths of the files; ids as in `file_records`. `dataset` defaults
    to the name of the folder, `label_set` to the smallest that holds the names of the classes.
    FileNotFoundError: no such folder. ValueError names a folder without classes, an empty class,
    or an unknown label.
    """
    root = Path(root).expanduser().absolute()
    if not root.is_dir():
        raise FileNotFoundError(
            f"folder not found: {root}: expected [split/]<class>/<file> under it"
        )
    split_folders = [folder for folder in _folders(root) if folder.name in SPLIT_FOLDERS]
    rows = []
    for top in split_folders or [root]:
        split = SPLIT_FOLDERS[top.name] if split_folders else "train"
        classes = _folders(top)
        if not classes:
            raise ValueError(f"{top}: no class folder: expected <class>/<file> under it")
        for folder in classes:
            files = files_under(folder, suffixes)
            if not files:
                raise ValueError(
                    f"{folder}: empty class: expected files that end in {', '.join(suffixes)}"
                )
            for file in files:
                rows.append((file.relative_to(root).as_posix(), split, folder.name))
    return file_records(rows, root, dataset or root.name, label_set, column)


def file_records(
    rows: Iterable[tuple[str, str, str]],
    root: Path,
    dataset: str,
    label_set: str | None = None,
    column: str = "image",
    source: Path | None = None,
) -> pd.DataFrame:
    """Records of (file name below `root`, split, label as it is spelled on disk).

    The id is "dataset/name without suffix"; the suffix stays where two names differ in nothing
    else. ValueError names `source` (by default `root`) and the labels that are not in `label_set`,
    or in no label set if none is given.
    """
    source = source or root
    records = pd.DataFrame(rows, columns=["name", "split", "label"])
    lower = [word.lower() for word in records["label"]]
    records["label"] = [SPELLINGS.get(word, word) for word in lower]
    words = set(records["label"])
    label_set = label_set or infer_label_set(words, source)
    labels = labels_of(label_set)
    if unknown := ", ".join(sorted(words - set(labels))):
        raise ValueError(
            f"{source}: unknown label {unknown}: expected the labels of {label_set!r} "
            f"({', '.join(labels)})"
        )
    names = records.pop("name")
    stems = pd.Series([Path(name).with_suffix("").as_posix() for name in names], dtype=str)
    records["id"] = dataset + "/" + stems.mask(stems.duplicated(keep=False), names)
    records[column] = [str(root / name) for name in names]
    return check_records(records.assign(dataset=dataset, label_set=label_set), source)


def files_under(folder: Path, suffixes: tuple[str, ...] = IMAGES) -> list[Path]:
    """The files below `folder` with these suffixes in upper or lower case, sorted.

    Hidden files are left out: macOS leaves some, such as `._1.jpg`, in archives.
    """
    files = []
    for file in folder.rglob("*"):
        hidden = file.name.startswith(".")
        if file.suffix.lower() in suffixes and not hidden:
            files.append(file)
    return sorted(files)


def _folders(parent: Path) -> list[Path]:
    """The folders in `parent` that are not hidden, sorted."""
    folders = []
    for child in parent.iterdir():
        hidden = child.name.startswith(".")
        if child.is_dir() and not hidden:
            folders.append(child)
    return sorted(folders)
