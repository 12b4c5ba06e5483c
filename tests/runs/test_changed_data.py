"""Data that arrive or change after a run: the command line says so and runs it again."""

import json
import os
import shutil

import pytest
from conftest import write_notebook

from tinyemo.cli import main
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.runs import content, inputs, manifest
from tinyemo.runs.folder import Run
from tinyemo.runs.inputs import changed, inputs_of

PARAMETERS = """\
profile = "tiny"  # folder of params
datasets = ["own.csv", "pictures", "FI", "EmoSet"]  # what is read
root = ""  # where the published datasets are
"""
RECORDS = """\
from tinyemo.runs import start_run
run = start_run("one", profile)
run.record({"done": 1})
"""


@pytest.fixture
def data(bench):
    """A data folder with a CSV, a folder of classes and FI; EmoSet is missing."""
    folder = bench / "data"
    for name in ("listed/a.jpg", "pictures/joy/b.jpg", f"{PHOTO_SETS['FI'].folder}/joy/c.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12345")
    (folder / "own.csv").write_text("image,label\nlisted/a.jpg,joy\n")
    write_notebook(bench / "notebooks" / "one.ipynb", PARAMETERS, RECORDS)
    (bench / "tiny" / "one.yaml").write_text("profile: tiny\n")
    return folder


def replace(file, text):
    """Other content of the same length, at the same time: as if nothing had happened."""
    before = file.stat()
    assert len(text) == before.st_size
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_data_that_arrive_or_change_make_a_run_stale_and_give_it_another_key(data, bench, capsys):
    profile = str(bench / "tiny")

    def stale():
        capsys.readouterr()
        assert main(["results", profile]) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if "stale" in line]
        return [line.removeprefix("tiny/one: stale: ") for line in lines]

    def run():
        assert main(["run", "one", "--profile", profile]) == 0
        return json.loads((bench / "runs/tiny/one/manifest.json").read_text())["key"]

    keys = [run()]
    assert stale() == []
    arrived = data / PHOTO_SETS["EmoSet"].folder / "joy" / "d.jpg"
    arrived.parent.mkdir(parents=True)
    arrived.write_bytes(b"12345")
    assert stale() == ["datasets: EmoSet changed since"]
    keys.append(run())
    assert stale() == []
    replace(data / PHOTO_SETS["FI"].folder / "joy" / "c.jpg", "54321")
    replace(data / "own.csv", "image,label\nlisted/a.jpg,awe\n")
    replace(data / "pictures" / "joy" / "b.jpg", "54321")
    changes = "datasets: own.csv, datasets: pictures, datasets: FI changed since"
    assert stale() == [changes]
    keys.append(run())
    assert stale() == [] and len(set(keys)) == 3


@pytest.fixture
def recorded(data, bench, monkeypatch):
    """The manifest of a run on these data."""
    monkeypatch.setattr(manifest, "ROOT", bench)
    monkeypatch.setattr(inputs, "ROOT", bench)
    values = {"datasets": ["own.csv", "pictures", "FI"], "root": ""}
    return {
        "parameters": values,
        "inputs": inputs_of(bench / "notebooks" / "one.ipynb", values),
    }


def test_a_picture_that_a_csv_lists_counts_with_its_content(data, recorded):
    replace(data / "listed" / "a.jpg", "54321")
    assert changed(recorded) == ["datasets: own.csv"]


def test_a_linked_folder_counts_and_a_circle_of_links_ends(data, recorded, bench):
    elsewhere = bench / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "e.jpg").write_bytes(b"12345")
    (data / "pictures" / "fear").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(data / "pictures")
    assert changed(recorded) == ["datasets: pictures"]
    recorded["inputs"] = inputs_of(bench / "notebooks/one.ipynb", recorded["parameters"])
    replace(elsewhere / "e.jpg", "54321")
    assert changed(recorded) == ["datasets: pictures"]


def test_a_copy_of_the_data_and_files_of_the_system_change_nothing(data, recorded, monkeypatch):
    (data / "pictures" / ".DS_Store").write_text("as a file manager leaves it")
    (data / "pictures" / "joy" / "Thumbs.db").write_text("another one")
    copy = data.parent / "copy"
    shutil.copytree(data, copy)
    os.utime(copy / "pictures" / "joy" / "b.jpg", ns=(0, 0))
    assert changed(recorded) == []
    monkeypatch.setenv("TINYEMO_DATA", str(copy))
    assert changed(recorded) == []


def test_the_data_that_the_variable_names_now_are_compared(data, recorded, monkeypatch):
    copy = data.parent / "copy"
    shutil.copytree(data, copy)
    (copy / "pictures" / "joy" / "b.jpg").write_text("54321")
    shutil.rmtree(copy / PHOTO_SETS["FI"].folder)
    monkeypatch.setenv("TINYEMO_DATA", str(copy))
    assert changed(recorded) == ["datasets: pictures", "datasets: FI"]


def test_weights_of_a_large_model_count_with_their_end(data, recorded, monkeypatch, bench):
    monkeypatch.setattr(content, "BIG", 100)
    monkeypatch.setattr(content, "END", 10)
    weights = data / "pictures" / "joy" / "model.safetensors"
    weights.write_text("x" * 1000)
    recorded["inputs"] = inputs_of(bench / "notebooks/one.ipynb", recorded["parameters"])
    assert changed(recorded) == []
    replace(weights, "x" * 999 + "y")
    assert changed(recorded) == ["datasets: pictures"]


def test_what_has_not_changed_is_not_read_again(data, recorded, bench, monkeypatch):
    def fail(file):
        raise AssertionError(f"{file} was read")

    monkeypatch.setattr(content, "_content", fail)
    again = inputs_of(
        bench / "notebooks/one.ipynb", recorded["parameters"], known=recorded["inputs"]
    )
    assert again == recorded["inputs"] and changed(recorded) == []


def test_a_copied_run_compares_the_run_beside_it(bench):
    home = bench / "runs" / "tiny"
    for stem in ("a", "b"):
        (home / stem).mkdir(parents=True)
        (home / stem / "metrics.json").write_text("{}")
    notebook = write_notebook(bench / "notebooks" / "b.ipynb", PARAMETERS)
    manifest.write(home / "b", inputs=inputs_of(notebook, {}))
    Run("b", "tiny", home / "b").input("a")
    copy = bench / "copy" / "tiny"
    shutil.copytree(home, copy)
    (home / "a" / "metrics.json").write_text('{"another": 1}')
    assert changed(manifest.read(copy / "b"), copy / "b") == []
    assert changed(manifest.read(home / "b"), home / "b") == ["run a"]
