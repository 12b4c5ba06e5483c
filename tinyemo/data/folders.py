"""Folders of classes -> records: `<root>/[split/]<class>/.../<file>`, the layout of most image
datasets.

Owns finding the splits and classes of such a folder, and the ids that items get. Takes a folder,
gives records. Images stay paths; file_tree.py says which files are pictures, labels.py which label
a class has, and TinyEmo's `.pt` features are read by tinyemo.features.pt_trees.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.file_tree import PICTURES, Kind, files_under, folders_in
from tinyemo.data.labels import Labelling
from tinyemo.data.left_out import LeftOut, printable
from tinyemo.data.records import check_records
from tinyemo.data.split_names import splits_named


def read_folder(
    root: str | Path,
    dataset: str | None = None,
    label_set: str | Labelling = "",
    kind: Kind = PICTURES,
    left_out: LeftOut | None = None,
) -> pd.DataFrame:
    """Records of `<root>/[split/]<class>/.../<file>`, sorted by path; without split folders all
    are train.

    Split folders are those that `splits_named` knows. The column `image` receives the absolute
    paths of the files; ids as in `file_records`. `dataset` defaults to the name of the folder.
    Without a `label_set`, the names of the classes define it (labels.py). Everything else below
    `root` is counted in `left_out`.

    FileNotFoundError: no such folder. ValueError names a folder without classes, an empty class,
    two folders for one split, a split inside a class, or an unknown label.
    """
    left_out = left_out or LeftOut()
    root = Path(root).expanduser().absolute()
    if not root.is_dir():
        raise FileNotFoundError(
            f"folder not found: {root}: expected [split/]<class>/<file> under it"
        )
    rows = []
    for split, classes in _classes(root, kind, left_out):
        for folder in classes:
            files = files_under(folder, kind, left_out)
            if not files:
                raise ValueError(
                    f"{folder}: empty class: expected files that end in {', '.join(kind.suffixes)}"
                )
            place = folder.relative_to(root).as_posix()
            rows += [(f"{place}/{name}", split, folder.name) for name in files]
    return file_records(rows, root, dataset or root.name, label_set)


def _classes(root: Path, kind: Kind, left_out: LeftOut) -> list[tuple[str, list[Path]]]:
    """(split, its class folders) for each split folder in `root`; without one, all are train."""
    folders = folders_in(root, left_out)
    splits = splits_named(folder.name for folder in folders)
    if not splits:
        _refuse_splits_inside(folders)
        return [("train", _not_empty(root, folders))]
    found: dict[str, Path] = {}
    classes = []
    for folder in folders:
        split = splits.get(folder.name)
        if split is None:
            _count_beside(folder, kind, left_out)
        elif split in found:
            raise ValueError(
                f"{root}: two folders for {split}: {found[split].name} and {folder.name}; "
                "expected one per split"
            )
        else:
            found[split] = folder
            classes.append((split, _not_empty(folder, folders_in(folder, left_out))))
    return classes


def _not_empty(parent: Path, classes: list[Path]) -> list[Path]:
    if not classes:
        raise ValueError(f"{parent}: no class folder: expected <class>/<file> under it")
    return classes


def _refuse_splits_inside(classes: list[Path]) -> None:
    """ValueError names the first split folder inside a class folder: its files would be train."""
    for folder in classes:
        inside = [child.name for child in folders_in(folder, LeftOut())]
        if splits := splits_named(inside):
            raise ValueError(
                f"{folder / next(iter(splits))}: a split folder inside a class folder; expected "
                f"<split>/<class>/<file>, such as {next(iter(splits))}/{folder.name}"
            )


def _count_beside(folder: Path, kind: Kind, left_out: LeftOut) -> None:
    """Count what is in a folder that is no split although there are splits beside it."""
    files = files_under(folder, kind, left_out)
    if files:
        items = [folder / name for name in files]
        left_out.add_all(f"{kind.name} in a folder beside the split folders", items)
    else:
        left_out.add(f"folder without a {kind.name} beside the split folders", folder)


def file_records(
    rows: Iterable[tuple[str, str, str]],
    root: Path,
    dataset: str,
    label_set: str | Labelling = "",
    source: Path | None = None,
    place_of: Callable[[int], str] | None = None,
) -> pd.DataFrame:
    """Records of (file name below `root`, split, label as it is spelled on disk).

    The id is "dataset/name without suffix"; the suffix stays where two names differ in nothing
    else. ValueError names the labels that labels.py refuses, or a file whose name is not in UTF-8,
    and `source` (by default `root`). Where the rows are those of a list, `place_of` gives the list
    and the line of each, which the message names instead.
    """
    source = source or root
    rows = list(rows)
    _check_names(root, [name for name, _, _ in rows])
    records = pd.DataFrame(rows, columns=["name", "split", "label"])
    labelling = label_set if isinstance(label_set, Labelling) else Labelling(label_set)
    records["label"], name = labelling.read(records["label"].tolist(), source, place_of)
    names = records.pop("name")
    records["id"] = dataset + "/" + _short_names(names)
    records["image"] = [str(root / name) for name in names]
    return check_records(records.assign(dataset=dataset, label_set=name), source, place_of)


def _short_names(names: Sequence[str]) -> pd.Series:
    """The names without suffix, but for those that would then be the name of another file."""
    paths = [Path(name) for name in names]
    whole = pd.Series([path.as_posix() for path in paths], dtype=str)  # "./a.png" is "a.png"
    short = pd.Series([path.with_suffix("").as_posix() for path in paths], dtype=str)
    while (again := short.duplicated(keep=False) & (short != whole)).any():
        short = short.mask(again, whole)
    return short


def _check_names(root: Path, names: Iterable[str]) -> None:
    """ValueError names the first file whose name is not text, as in some old archives."""
    for name in (str(root), *names):
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{printable(str(root / name))}: the name is not in UTF-8; expected one that is: "
                "rename the file or folder"
            ) from error
