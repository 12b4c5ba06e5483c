"""Random CSV files of a user: the records are the rows that were written, or one sentence names the
file, and the row where one row is wrong."""

import csv
import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fuzzing import examples, refusal
from hypothesis import event, given
from hypothesis import strategies as st

from tinyemo.data.datasets import read_csv

LABELS = ["joy", "fear", "anger", "sadness"]
SPLITS = {"train": "train", "Training": "train", "val": "validation", "TEST": "test", "": "train"}
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8)
NAMES = st.text("abcdeé_- ", min_size=1, max_size=6).map(str.strip).filter(bool)
SEPARATORS = [";", "\t", "|"]
# a fault of a cell -> what it becomes
CELL_FAULTS = {
    "image": [""],
    "label": ["", "joy ", " fear  x", "Joy\u00a0"],
    "split": ["holdout", "tes"],
    "p_joy": ["many", "-0.2", "nan?", "1.5"],
}
FILE_FAULTS = ["separator", "header", "column", "longer row", "latin-1", "empty", "only a header"]


@dataclass
class Table:
    """A CSV as it is written, and what is wrong with it."""

    header: list[str]
    rows: list[dict[str, str]]
    fault: str = ""  # one of FILE_FAULTS, or the column of a wrong cell
    row: int = 0  # of the fault, from 1

    def text(self, separator: str = ",") -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\n")
        writer.writerow(self.header)
        for row in self.rows:
            writer.writerow([row[column] for column in self.header])
        return out.getvalue()


@st.composite
def tables(draw) -> Table:
    """Files without a fault."""
    extra = draw(st.lists(st.sampled_from(["split", "text", "group", "attr_place"]), unique=True))
    if draw(st.booleans()):
        extra += ["p_joy", "p_fear"]
    header = draw(st.permutations(["image", "label", *extra]))
    rows = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=6, unique=True)):
        share = draw(st.integers(0, 4)) / 4
        row = {"image": f"{name}.png", "label": draw(st.sampled_from(["joy", "fear"]))}
        row |= {"split": draw(st.sampled_from(list(SPLITS))), "text": draw(TEXTS).strip()}
        row |= {"group": draw(NAMES), "attr_place": draw(NAMES)}
        rows.append({**row, "p_joy": f"{share:g}", "p_fear": f"{1 - share:g}"})
    return Table(header, rows)


@st.composite
def damaged(draw) -> Table:
    """Files with one fault, of the whole file or of one cell."""
    table = draw(tables())
    columns = [column for column in CELL_FAULTS if column in table.header]
    table.fault = draw(st.sampled_from([*FILE_FAULTS, *columns, *columns]))
    if table.fault in columns:
        table.row = draw(st.integers(1, len(table.rows)))
        value = draw(st.sampled_from(CELL_FAULTS[table.fault]))
        table.rows[table.row - 1][table.fault] = value
    return table


def write(table: Table, folder: Path, separator: str, mark: bool) -> Path:
    text = table.text(separator)
    if table.fault == "header":
        text = text.replace("image", "Image", 1)
    if table.fault == "column":
        text = text.replace("label", "emotion", 1)
    if table.fault == "longer row":
        text = text.rstrip("\n") + ",1,2\n"
    if table.fault == "empty":
        text = ""
    if table.fault == "only a header":
        text = text.split("\n")[0]
    data = text.encode("utf-8-sig" if mark else "utf-8")
    if table.fault == "latin-1":
        data += "é.png,joy\n".encode("latin-1")
    for row in table.rows:
        (folder / (row["image"] or "none")).touch()
    (folder / "own.csv").write_bytes(data)
    return folder / "own.csv"


@examples(250)
@given(table=tables(), mark=st.booleans())
def test_the_records_of_a_whole_csv_are_its_rows(table, mark):
    with tempfile.TemporaryDirectory() as folder:
        records = read_csv(write(table, Path(folder), ",", mark))
    assert [Path(image).name for image in records["image"]] == [row["image"] for row in table.rows]
    event(f"{len(table.header)} columns")
    for column in table.header[:]:
        if column == "image":
            continue
        wanted = [row[column] for row in table.rows]
        if column == "split":
            wanted = [SPLITS[word] for word in wanted]
        if column in ("p_joy", "p_fear"):
            wanted = [float(value) for value in wanted]
        assert records[column].tolist() == wanted, column


@examples(250)
@given(table=damaged(), separator=st.sampled_from(SEPARATORS), mark=st.booleans())
def test_a_fault_of_a_csv_is_one_sentence_with_its_file_and_row(table, separator, mark):
    with tempfile.TemporaryDirectory() as folder:
        path = write(table, Path(folder), separator if table.fault == "separator" else ",", mark)
        sentence = refusal(lambda: read_csv(path), path)
    event(table.fault)
    assert sentence, table.fault
    if table.row:
        assert re.search(rf"\brows? (\d+ and )?{table.row}\b", sentence), sentence
