"""Paths as people have them: braces, a home or a checkout that cannot be written, long texts."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import write_notebook

from tinyemo import paths
from tinyemo.paths import ROOT
from tinyemo.runs.inputs import named_paths
from tinyemo.runs.plan import lacking
from tinyemo.runs.profiles import Profile, member_name, run_name

PARAMETERS = 'profile = "tiny"  # folder of params\nnote = ""  # any text'
FIRST = """\
from tinyemo.runs import start_run
run = start_run("a_first", profile)
run.record({"note": note})
"""
SECOND = """\
from tinyemo.runs import start_run
run = start_run("b_second", profile)
run.record({"members": len(run.members("a_first"))})
"""


@pytest.fixture
def checkout(tmp_path):
    """Copies the code into a folder of a given name, with a profile `tiny` of two notebooks."""

    def copy(name):
        top = tmp_path / name
        for package in ("tinyemo", "emoscenes"):
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, top / package, ignore=without)
        for file in ("Makefile", "Snakefile"):
            shutil.copy(ROOT / file, top / file)
        for stem, code in (("a_first", FIRST), ("b_second", SECOND)):
            write_notebook(top / "notebooks" / f"{stem}.ipynb", PARAMETERS, code)
            file = top / "params" / "tiny" / f"{stem}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("profile: tiny\n")
        return top

    return copy


def reproduce(checkout, *before, profile="tiny", **variables):
    """`make reproduce` in a checkout, under a command that comes before it."""
    line = [*before, "make", "--no-print-directory", "-o", ".venv/made", "reproduce"]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TINYEMO_")}
    return subprocess.run(
        [*line, f"PY={sys.executable}", f"PROFILE={profile}", "THREADS=1"],
        cwd=checkout,
        env=inherited | variables,
        text=True,
        capture_output=True,
        timeout=300,
    )


def test_braces_in_every_path_are_no_wildcards(checkout, tmp_path):
    top = checkout("check{out} $HOME 'x'")
    shutil.copytree(top / "params" / "tiny", tmp_path / "pro{file}")
    for file in (tmp_path / "pro{file}").glob("*.yaml"):
        file.write_text("sweep: {note: ['{a}" + "long " * 60 + "']}\n")
    results = tmp_path / "results {1}"
    done = reproduce(top, profile=tmp_path / "pro{file}", TINYEMO_RESULTS=str(results))
    assert done.returncode == 0, done.stderr[-3000:]
    (second,) = results.glob("*/b_second/metrics.json")
    assert json.loads(second.read_text()) == {"members": 2}
    notes = [json.loads(path.read_text())["note"] for path in results.glob("*/a_f*/metrics.json")]
    assert sorted(notes) == ["", "{a}" + "long " * 60]


def test_a_checkout_and_a_home_that_cannot_be_written_are_left_alone(checkout, tmp_path):
    top, results, home = checkout("read-only"), tmp_path / "results", tmp_path / "home"
    before = []
    if os.geteuid() == 0:  # the superuser writes where modes forbid it, unless this right is taken
        if not shutil.which("setpriv"):
            pytest.skip("the superuser can write everywhere, and there is no setpriv")
        before = ["setpriv", "--bounding-set=-dac_override"]
    home.mkdir()
    subprocess.run(["chmod", "-R", "a-w", top, home], check=True)
    done = reproduce(top, *before, TINYEMO_RESULTS=str(results), HOME=str(home))
    subprocess.run(["chmod", "-R", "u+w", top, home], check=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (results / "tiny" / "b_second" / "metrics.json").exists()
    assert "cannot" not in done.stderr and "Failed" not in done.stderr
    assert not list(home.iterdir()) and not list(top.rglob(".snakemake"))


def test_made_data_go_to_the_results_where_the_data_folder_cannot_be_written(bench, monkeypatch):
    assert paths.made_dir() == bench / "data"  # it does not exist yet, but can be made
    monkeypatch.setattr(paths.os, "access", lambda path, mode: path != bench)
    assert paths.made_dir() == bench / "runs" / ".data"


@pytest.mark.parametrize("text", ["x" * 300, "~20 pictures per class", "a/" * 3000, "two\nlines"])
def test_a_text_is_not_taken_for_a_file_name(bench, text):
    assert named_paths({"note": text, "teacher": f"local:{text}"}) == {}
    assert paths.locate(text) == type(bench)(text)
    assert len(list(lacking({"features_root": text}))) == 1
    with pytest.raises(FileNotFoundError, match="no profile"):
        Profile.find(text)


def test_only_names_of_runs_that_were_too_long_have_changed():
    assert member_name("12", {"loss": "nt_xent", "note": "a/b"}) == "12+loss=nt_xent,note=a%2Fb"
    long, other = (member_name("12", {"note": "ü" * 300 + end}) for end in "ab")
    assert len(long) == len(other) == 200 and long != other
    assert run_name("smoke", {}) == "smoke" and run_name("a{b}", {}) == "a%7Bb%7D"
