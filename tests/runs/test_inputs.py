"""The inputs of a run: files that parameters name anywhere, the folders of datasets, what
changed."""

import pytest
from conftest import write_notebook

from tinyemo.data.photos import PHOTO_SETS
from tinyemo.runs import inputs, manifest
from tinyemo.runs.inputs import changed, inputs_of, named_paths, stale_inputs

PARAMETERS = 'profile = "smoke"  # folder of params\ndatasets = ["own.csv"]  # what to read\n'


@pytest.fixture
def data(bench):
    """A data folder with a CSV that lists an image, a folder of classes, and one published
    dataset."""
    folder = bench / "data"
    published = folder / PHOTO_SETS["FI"].folder
    for path in (folder / "images", folder / "classes" / "joy", published):
        path.mkdir(parents=True)
    (folder / "own.csv").write_text("image,label\nimages/a.jpg,joy\n")
    for file in (folder / "images/a.jpg", folder / "classes/joy/b.jpg", published / "c.jpg"):
        file.write_bytes(b"12345")
    return folder


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"images": "classes", "lr": 0.1}, ["images"]),
        ({"datasets": ["own.csv", "scenes-ekman"]}, ["datasets: own.csv"]),
        ({"sets": {"first": ["classes"]}}, ["sets: classes"]),
        ({"teacher": "local:classes"}, ["teacher"]),
        ({"datasets": ["FI", "EmoSet"], "root": ""}, ["datasets: FI"]),
        ({"profile": "classes", "text": "", "words": "x" * 5000}, []),
    ],
)
def test_files_that_parameters_name_are_found_anywhere_in_the_value(data, parameters, names):
    assert list(named_paths(parameters)) == names


def test_the_folder_of_published_datasets_is_taken_from_root(data, tmp_path):
    folder = tmp_path / "elsewhere" / PHOTO_SETS["EmoSet"].folder
    folder.mkdir(parents=True)
    found = named_paths({"datasets": ["EmoSet"], "root": str(tmp_path / "elsewhere")})
    assert found["datasets: EmoSet"] == folder


@pytest.fixture
def record(data, bench, monkeypatch):
    """The manifest of a finished run on own.csv, a folder of classes and a published dataset."""
    monkeypatch.setattr(manifest, "ROOT", bench)
    monkeypatch.setattr(inputs, "ROOT", bench)
    notebook = write_notebook(bench / "notebooks" / "one.ipynb", PARAMETERS, "x = 1\n")
    values = {"profile": "tiny", "datasets": ["own.csv", "classes", "FI"]}
    file = bench / "tiny" / "one.yaml"
    file.write_text("datasets: [own.csv, classes, FI]  # three\n")
    out = bench / "runs" / "tiny" / "one"
    out.mkdir(parents=True)
    recorded = inputs_of(notebook, values, file)
    return manifest.write(out, status="done", parameters=values, inputs=recorded)


def test_nothing_has_changed_right_after_a_run(record, bench):
    assert changed(record) == []
    assert stale_inputs(bench / "runs/tiny/one", record["parameters"]) == []
    assert len(record["inputs"]) == 6


@pytest.mark.parametrize(
    ("file", "content", "names"),
    [
        ("data/own.csv", "image,label\nimages/a.jpg,fear\n", ["datasets: own.csv"]),
        ("data/images/a.jpg", "another size", ["datasets: own.csv"]),
        ("data/classes/joy/new.jpg", "12345", ["datasets: classes"]),
        (f"data/{PHOTO_SETS['FI'].folder}/c.jpg", "another size", ["datasets: FI"]),
        ("tiny/one.yaml", "datasets: [own.csv]\n", ["parameter file"]),
        ("tiny/one.yaml", "# a comment\ndatasets: [own.csv, classes, FI]\n", []),
        ("data/unrelated.csv", "image,label\n", []),
    ],
)
def test_a_changed_file_is_named(record, bench, file, content, names):
    (bench / file).write_text(content)
    assert changed(record) == names


def test_code_of_the_notebook_counts_and_its_text_does_not(record, bench):
    notebook = bench / "notebooks" / "one.ipynb"
    write_notebook(notebook, PARAMETERS + "# a comment\n", "x = 1  # a comment\n")
    assert changed(record) == []
    write_notebook(notebook, PARAMETERS, "x = 2\n")
    assert changed(record) == ["notebook"]


def test_a_dataset_that_appears_after_the_run_makes_it_stale(record, bench):
    values = record["parameters"] | {"datasets": ["own.csv", "classes", "FI", "EmoSet"]}
    content = manifest.write(bench / "runs/tiny/one", parameters=values)
    assert changed(content) == []
    (bench / "data" / PHOTO_SETS["EmoSet"].folder).mkdir()
    assert changed(content) == ["datasets: EmoSet"]


def test_other_parameter_values_make_a_run_stale(record, bench):
    folder = bench / "runs/tiny/one"
    assert stale_inputs(folder, record["parameters"] | {"datasets": []}) == ["parameters"]
    assert stale_inputs(bench / "runs/tiny/none", {}) == []
    manifest.write(folder, status="failed")
    assert stale_inputs(folder, {}) == []
