"""Random folder trees: every file becomes a record or is counted, with the split and label of its
place; a tree that is no dataset is refused in one sentence."""

import io
import os
import re
import tempfile
from collections import Counter
from pathlib import Path, PurePosixPath

from fuzzing import examples, refusal
from hypothesis import event, given
from hypothesis import strategies as st
from PIL import Image

from tinyemo.data.folders import read_folder
from tinyemo.data.left_out import LeftOut

# written by hand, not taken from the library
SPLITS = {"train": "train", "Training": "train", "val": "validation", "VALID": "validation"}
SPLITS |= {"dev": "validation", "Test": "test", "testing": "test"}
CLASSES = ["joy", "fear", "anger", "surprise", "my own", "eval-like"]
STRANGE = ["Joy", "FEAR", "sad ", "my_own"]  # alike, or with white space at the end
OTHERS = ["__MACOSX", ".cache", "extra"]
FILES = ["a.png", "b.JPG", "c.webp", "d", "e.pth", "notes.txt", ".DS_Store", "Thumbs.db", "._f.jpg"]
FILES += ["g.png", "h.jfif", "lost.csv"]
TEXT = ("notes.txt", "lost.csv", ".DS_Store", "Thumbs.db", "._f.jpg")
SYSTEM = ("__MACOSX", ".cache", ".DS_Store", "Thumbs.db", "._f.jpg")
SOME_SPLITS = st.sampled_from([*SPLITS, "eval", "Evaluation"])
TOP = st.sampled_from([*SPLITS, "eval", *CLASSES, *OTHERS])
CLASS = st.sampled_from([*CLASSES, *CLASSES, *STRANGE])


@st.composite
def trees(draw) -> set[str]:
    """Paths of files: datasets with or without splits, with some files at any other place."""
    has_splits = draw(st.booleans())
    places = []
    classes = draw(st.lists(CLASS, min_size=1, max_size=3, unique=True))
    if has_splits:
        for split in draw(st.lists(SOME_SPLITS, min_size=1, max_size=3, unique=True)):
            places += [f"{split}/{name}" for name in classes]
    else:
        places = classes
    found = set()
    for place in places:
        names = draw(st.lists(st.sampled_from(FILES), min_size=1, max_size=3))
        found |= {f"{place}/{name}" for name in names}
    if draw(st.integers(0, 3)):  # in three of four cases
        return found
    parts = st.lists(st.one_of(TOP, CLASS), max_size=3)
    elsewhere = draw(st.lists(st.tuples(parts, st.sampled_from(FILES)), min_size=1, max_size=3))
    return found | {"/".join([*folders, name]) for folders, name in elsewhere}


def write(root: Path, tree: set[str]) -> None:
    content = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(content, "PNG")
    for name in tree:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"text" if file.name in TEXT else content.getvalue())


def splits_in(names: set[str]) -> dict[str, str]:
    """Folder -> split. The evaluation part is the test part if there is no other."""
    found = {name: SPLITS[name] for name in names if name in SPLITS}
    rest = "validation" if "test" in found.values() else "test"
    return found | {name: rest for name in names if name.lower() in ("eval", "evaluation")}


def is_system(path: PurePosixPath) -> bool:
    return any(part in SYSTEM for part in path.parts)


def is_picture(path: PurePosixPath) -> bool:
    return path.name not in TEXT


class Expected:
    """What a tree means, found without the library."""

    def __init__(self, tree: set[str]):
        self.all = [PurePosixPath(name) for name in sorted(tree)]  # also those of the system
        self.files = [file for file in self.all if not is_system(file)]
        self.splits = splits_in({file.parts[0] for file in self.all if len(file.parts) > 1})
        self.depth = 2 if self.splits else 1  # folders above a picture, at least
        self.class_folders = self._class_folders()
        self.records = {}
        for file in self.files:
            place = "/".join(file.parts[: self.depth])
            if is_picture(file) and place in self.class_folders and len(file.parts) > self.depth:
                split = self.splits[file.parts[0]] if self.splits else "train"
                self.records[str(file)] = split, file.parts[self.depth - 1]

    def _class_folders(self) -> set[str]:
        found = set()
        for file in self.all:
            place = file.parts[: self.depth]
            is_whole = len(file.parts) > self.depth and not set(place) & set(SYSTEM)
            if is_whole and (not self.splits or place[0] in self.splits):
                found.add("/".join(place))
        return found

    @property
    def counted(self) -> int:
        """The files that are neither records nor of the system, and must be counted."""
        return len(self.files) - len(self.records)

    def is_valid(self) -> bool:
        split_folders = set(self.splits)
        with_classes = {place.split("/")[0] for place in self.class_folders}
        if not self.class_folders or (self.splits and with_classes != split_folders):
            return False
        if max(Counter(self.splits.values()).values(), default=1) > 1:
            return False
        used = {"/".join(PurePosixPath(name).parts[: self.depth]) for name in self.records}
        if used != self.class_folders:  # a class without a picture
            return False
        labels = {label for _, label in self.records.values()}
        plain = {re.sub("[ _]", "", label.lower()) for label in labels}
        if len(plain) < len(labels) or "sad " in labels:
            return False
        return bool(self.splits) or not self._split_inside()

    def _split_inside(self) -> bool:
        """Whether a folder in a class folder has the name of a split."""
        inside = [file for file in self.all if len(file.parts) > 2 and file.parts[0] not in SYSTEM]
        return bool(splits_in({file.parts[1] for file in inside}))


@examples(500)
@given(tree=trees())
def test_every_file_of_a_tree_is_used_or_counted_or_the_tree_is_refused(tree):
    expected = Expected(tree)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "data")
        root.mkdir()
        write(root, tree)
        left_out, found = LeftOut(), []
        sentence = refusal(lambda: found.append(read_folder(root, left_out=left_out)), root)
    event("refused" if sentence else f"read, {len(expected.splits)} splits")
    assert (sentence is None) == expected.is_valid(), sentence
    if sentence:
        return
    records = found[0]
    names = [os.path.relpath(image, root) for image in records["image"]]
    read = dict(zip(names, zip(records["split"], records["label"], strict=True), strict=True))
    wanted = {name: (split, label.lower()) for name, (split, label) in expected.records.items()}
    assert read == wanted and records["id"].is_unique
    table = left_out.table()
    is_file = ~table["reason"].str.contains("hidden, or left|folder without|link to")
    assert table.loc[is_file, "items"].sum() == expected.counted
