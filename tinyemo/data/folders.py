"""Folders of classes -> records: `<root>/[split/]<class>/<file>`, the layout of most image datasets.

Owns: finding the items of such a tree and the label set its class names speak. Takes a folder, gives
records. What is read from a file is somebody else's subject: images stay paths here; upstream's `.pt`
features go through tinyemo.features.upstream.
"""

from pathlib import Path

import pandas as pd

from tinyemo.data.records import check_records
from tinyemo.emotions import LABEL_SETS, labels_of

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SPLIT_FOLDERS = {"train": "train", "training": "train", "val": "validation", "validation": "validation",
                 "test": "test", "testing": "test"}
SPELLINGS = {"cheerfullness": "cheerfulness", "irritabilty": "irritability"}  # as WEBEmo has them on disk


def infer_label_set(words: set[str], source: str | Path) -> str:
    """The smallest label set that holds all `words`; ValueError names the words that fit nowhere."""
    fitting = [name for name, labels in LABEL_SETS.items() if words <= set(labels)]
    if fitting:
        return min(fitting, key=lambda name: len(LABEL_SETS[name]))
    nearest = max(LABEL_SETS, key=lambda name: len(words & set(LABEL_SETS[name])))
    strange = ", ".join(sorted(words - set(LABEL_SETS[nearest])))
    raise ValueError(f"{source}: unknown label {strange}: expected class folders named after one label set, "
                     f"such as {nearest!r} ({', '.join(LABEL_SETS[nearest])})")


def read_folder(root: str | Path, dataset: str | None = None, label_set: str | None = None,
                suffixes: tuple[str, ...] = IMAGES, column: str = "image") -> pd.DataFrame:
    """Records of `<root>/[split/]<class>/<file>`, sorted by path; without split folders all are train.

    `column` receives the files' absolute paths; id = "dataset/[split/]class/stem". `dataset` defaults to
    the folder's name, `label_set` to the smallest that holds the class names. FileNotFoundError: no such
    folder; ValueError: no class folder, an empty one, or an unknown label, each with its name.
    """
    root = Path(root).expanduser().absolute()
    if not root.is_dir():
        raise FileNotFoundError(f"folder not found: {root}: expected [split/]<class>/<file> under it")
    dataset = dataset or root.name
    splits = [(SPLIT_FOLDERS[name.name], name) for name in _folders(root) if name.name in SPLIT_FOLDERS]
    rows = []
    for split, top in splits or [("train", root)]:
        classes = _folders(top)
        if not classes:
            raise ValueError(f"{top}: no class folder: expected <class>/<file> under it")
        for folder in classes:
            files = sorted(file for file in folder.iterdir() if file.suffix.lower() in suffixes)
            if not files:
                raise ValueError(f"{folder}: empty class: expected files that end in {', '.join(suffixes)}")
            label = SPELLINGS.get(folder.name, folder.name)
            for file in files:
                stem = file.relative_to(root).with_suffix("").as_posix()
                rows.append((f"{dataset}/{stem}", split, label, str(file)))
    records = pd.DataFrame(rows, columns=["id", "split", "label", column])
    words = set(records["label"])
    label_set = label_set or infer_label_set(words, root)
    if strange := ", ".join(sorted(words - set(labels_of(label_set)))):
        raise ValueError(f"{root}: unknown label {strange}: expected the labels of {label_set!r} "
                         f"({', '.join(labels_of(label_set))})")
    return check_records(records.assign(dataset=dataset, label_set=label_set), root)


def _folders(parent: Path) -> list[Path]:
    return sorted(child for child in parent.iterdir() if child.is_dir() and not child.name.startswith("."))
