"""CSV files as people write them: each fault is one sentence with the file, found and expected."""

import numpy as np
import pytest
from PIL import Image

from tinyemo.data.datasets import read_csv, read_datasets, readable_images
from tinyemo.data.left_out import LeftOut

FAULTS = {
    "semicolons": ("image;label\na.png;joy", r"'image;label' \(separated by semicolons\)"),
    "tabs": ("image\tlabel\na.png\tjoy", r"\(separated by tabs\)"),
    "semicolons and commas": ("image;label\na,b.png;joy,\n", "semicolons"),
    "vertical bars": ("image|label\na.png|joy", "vertical bars"),
    "header case": ("Image,Label\na.png,joy", "found 'Image', 'Label' .*expected 'image', 'label'"),
    "header case of one": ("image,LABEL\na.png,joy", "'label' is missing: found 'image', 'LABEL'"),
    "space in the header": ("image ,label\na.png,joy", "'image ' is another name"),
    "other words": ("path,emotion\na.png,joy", "found 'path', 'emotion'; expected 'image'"),
    "no header": ("a.png,joy\na.png,fear", "found 'a.png', 'joy'; expected 'image', 'label'"),
    "only a header": ("image,label\n", "no row: found only the header image, label"),
    "only a header and blank lines": ("\nimage,label\n\n\n", "no row: found only the header"),
    "trailing space in a label": ("image,label\na.png,joy \n", "'joy '"),
    "unknown label": ("image,label,split\na.png,joy,holdout", "'holdout'"),
    "more cells than columns": ("image,label\na.png,joy,3\n", "more cells than the header"),
    "more cells in one row": ("image,label\na.png,joy\na.png,fear,3\n", "not readable as CSV"),
    "fewer cells": ("image,label\na.png\n", "row 1: column 'label' is empty"),
    "an attribute twice": ("image,label,attr_x,attr_x\na.png,joy,1,2", "two columns 'attr_x'"),
    "shares twice": ("image,label,p_joy,p_joy\na.png,joy,1,", "two columns 'p_joy': expected one"),
    "NUL in a text": ("image,label,text\na.png,joy,a\0b", "not a text file in UTF-8: it has NUL"),
    "one image with two labels": ("image,label\na.png,joy\n./a.png,fear", "row 2 .*'own/a.png'"),
    "a turn is empty": (
        "image,label,turn\na.png,joy,1\nb.png,joy,",
        "row 2, column 'turn': got ''",
    ),
    "nothing": ("", "not readable as CSV"),
    "white space": (" \n\n", "not readable as CSV|no row"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_csv_is_one_sentence_about_the_file(tmp_path, name):
    text, message = FAULTS[name]
    (tmp_path / "a.png").touch()
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(ValueError, match=f"own.csv: .*{message}") as caught:
        read_datasets([str(tmp_path / "own.csv")], tmp_path)
    assert "\n" not in str(caught.value) and "class folder" not in str(caught.value)


def test_a_text_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "own.csv").write_bytes("image,label\ncafé.png,joy".encode("latin-1"))
    with pytest.raises(ValueError, match="own.csv: not a text file in UTF-8"):
        read_csv(tmp_path / "own.csv")


@pytest.mark.parametrize("name", ["gone.csv", "GONE.CSV"])
def test_a_missing_csv_is_not_called_a_folder(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="expected a CSV file with the columns") as caught:
        read_datasets([str(tmp_path / name)], tmp_path)
    assert "folder of classes" not in str(caught.value)


def test_labels_of_two_unicode_forms_are_shown(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    text = "image,label\na.png,joie caf\u00e9\nb.png,joie cafe\u0301\n"
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="own.csv: ") as caught:
        read_datasets([str(tmp_path / "own.csv")], tmp_path)
    message = str(caught.value)
    assert r"caf\xe9" in message and r"cafe\u0301" in message


# the columns, the first row, the row with the fault, and what the message says after its place
CELLS = {
    "label of no set": ("", "joy", "joyy", "unknown label joyy: expected the labels of 'ekman'"),
    "another case": ("", "joy", "Joy", "labels 'joy' and 'Joy' differ only by case, spaces or"),
    "two spaces": ("", "sea view", "sea  view", "labels 'sea view' and 'sea  view' differ only"),
    "Unicode form": ("", "caf\u00e9", "cafe\u0301", r"labels 'caf\\xe9' and 'cafe\\u0301' diff"),
    "trailing space": ("", "joy", "fear ", "label 'fear ' has white space at its ends"),
    "invisible": ("", "joy", "fear\u200b", r"label 'fear\\u200b': expected a text without"),
    "comma": ("", "joy", '"a, b"', "label 'a, b': expected a text without a comma"),
    "split": ("split", "joy,train", "joy,holdout", "column 'split': got 'holdout', expected one"),
    "share": (
        "p_joy,p_fear",
        "joy,1,0",
        "joy,much,0",
        "column 'p_joy': got 'much', expected a num",
    ),
    "shares": ("p_joy,p_fear", "joy,1,0", "joy,1,1", "columns p_<label>: expected shares >= 0"),
    "turn": ("turn", "joy,0", "joy,one", "column 'turn': got 'one', expected a whole number"),
    "half a turn": (
        "turn",
        "joy,0",
        "joy,1.5",
        "column 'turn': got '1.5', expected a whole number",
    ),
    "no turn": ("turn", "joy,0", "joy,", "column 'turn': got '', expected a whole number"),
    "id": ("id", "joy,x", "joy,x", "column 'id': got 'x', expected an id that no earlier row has"),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("read", ["alone", "named"])
def test_a_message_about_a_cell_names_the_row(tmp_path, name, read):
    columns, good, bad, message = CELLS[name]
    for number in range(4):
        (tmp_path / f"{number}.png").touch()
    header = ",".join(["image", "label", *filter(None, [columns])])
    other = "," * columns.count(",") + "," if columns else ""
    rows = [header, f"0.png,{good}", f"1.png,{good.split(',')[0]}{other}", f"2.png,{bad}"]
    if columns in ("turn", "id"):
        rows[2] = "1.png,joy,5"
    own = tmp_path / "own.csv"
    own.write_text("\n".join(rows), encoding="utf-8")
    label_set = "ekman" if read == "named" or name == "label of no set" else ""
    with pytest.raises(ValueError, match=rf"own.csv: row 3[ :,].*{message}") as caught:
        read_csv(own, label_set=label_set)
    assert "\n" not in str(caught.value)
    if "differ only" in message:
        assert str(caught.value).endswith(f"(the first of them is in {own}: row 1)")


def test_lines_that_are_too_long_or_no_text_are_numbered(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text('image,label\n\n"a,\nb.png",joy\nb.png,fear,3,4\n')
    with pytest.raises(ValueError, match="own.csv: not readable as CSV: line 5 has 4 cells"):
        read_csv(own)
    own.write_text("image,label\na.png,joy,3\nb.png,joy,3\n")
    with pytest.raises(ValueError, match="own.csv: .*line 2 has 3 cells, more cells than the he"):
        read_csv(own)
    own.write_bytes(b"image,label\na.png,joy\nb.png,fiert\xe9\n")
    with pytest.raises(ValueError, match="own.csv: not a text file in UTF-8: line 3: "):
        read_csv(own)


@pytest.mark.parametrize("word", ["Valid", "dev", "VAL", "validation"])
def test_the_usual_split_words_are_read_in_any_case(tmp_path, word):
    rows = ["image,label,split"]
    for number, split in enumerate(("Training", word, "Testing")):
        (tmp_path / f"{number}.png").touch()
        rows.append(f"{number}.png,joy,{split}")
    (tmp_path / "own.csv").write_text("\n".join(rows))
    assert read_csv(tmp_path / "own.csv")["split"].tolist() == ["train", "validation", "test"]


def test_images_scaled_by_their_own_range_are_counted(tmp_path, caplog):
    rng = np.random.default_rng(0)
    rows = ["image,label,split"]
    for number, kind in enumerate((np.float32, np.float32, np.uint16, np.uint8)):
        pixels = rng.integers(0, 200, (8, 8)).astype(kind)
        Image.fromarray(pixels).save(tmp_path / f"{number}.tif")
        rows.append(f"{number}.tif,joy,test")
    (tmp_path / "own.csv").write_text("\n".join(rows))
    left_out = LeftOut()
    records, _ = read_datasets([str(tmp_path / "own.csv")], tmp_path, left_out=left_out)
    readable, broken = readable_images(records, left_out=left_out)
    assert len(readable) == 4 and broken.empty
    expected = ["own: image scaled by its own minimum and maximum", 2, str(tmp_path / "0.tif")]
    assert left_out.table().to_numpy().tolist() == [expected]
    assert "own: image scaled by its own minimum and maximum: 2, such as" in caplog.text
