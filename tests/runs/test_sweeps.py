"""Sweeps: the runs of a grid, that they run in parallel and once, and that they are read back."""

import itertools
import json
import os
import subprocess
import sys

import pytest
from conftest import make, write_notebook

from tinyemo.runs import manifest
from tinyemo.runs.parameters import declared, read_file
from tinyemo.runs.profiles import Profile, graph, member_name

MAKER = 'profile = "smoke"  # folder of params\nseed = 1  # any\n'
MAKES = """\
from tinyemo.runs import start_run
run = start_run("a_maker", profile)
run.record({"made": 100 * seed})
"""
SWEPT = """\
profile = "smoke"      # folder of params
loss = "hinge"         # a word
layers = 2             # a number
words = ["plain"]      # a list
pause = 0.0            # seconds
"""
SWEEPS = """\
import json, os, time
from tinyemo.runs import start_run
run = start_run("b_swept", profile)
made = json.loads((run.input("a_maker") / "metrics.json").read_text())["made"]
began = time.time()
time.sleep(pause)
run.record({
    "score": made + layers,
    "words": ",".join(words),
    "loss": loss,
    "began": began,
    "ended": time.time(),
    "threads": os.environ.get("OMP_NUM_THREADS", ""),
})
"""
READS = """\
import json
from tinyemo.runs import start_run
run = start_run("c_table", profile)
folders = run.members("b_swept")
scores = {}
for label, folder in folders.items():
    scores[label] = json.loads((folder / "metrics.json").read_text())["score"]
run.record(scores)
"""
GRID = """\
pause: 1.5
base: {base}
sweep:
  - loss: [hinge, a/b]
    layers: [2, 3]
  - {{layers: [3, 2], loss: [hinge]}}
  - words: [[plain, "two {{words}}"]]
"""


@pytest.fixture
def sweep(bench):
    """A profile `tiny` that sweeps b_swept. The run of a_maker is only in its base, `basis`."""
    for stem, *cells in [
        ("a_maker", MAKER, MAKES),
        ("b_swept", SWEPT, SWEEPS),
        ("c_table", MAKER, READS),
    ]:
        write_notebook(bench / "notebooks" / f"{stem}.ipynb", *cells)
    (bench / "basis").mkdir()
    (bench / "basis" / "a_maker.yaml").write_text("seed: 7\n")
    (bench / "basis" / "c_table.yaml").write_text("")
    (bench / "tiny" / "b_swept.yaml").write_text(GRID.format(base=bench / "basis"))
    (bench / "tiny" / "c_table.yaml").write_text("")
    return bench


def call(sweep, stem):
    """The runner in its own process, because it changes the environment."""
    line = [sys.executable, "-m", "tinyemo.run", stem, "--profile", str(sweep / "tiny")]
    return subprocess.run(line, text=True, capture_output=True)


def metrics(folder):
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(folder.glob("*/metrics.json"))
    }


def test_a_grid_gives_each_combination_once_and_the_own_values_of_the_file(sweep):
    members = Profile.find(str(sweep / "tiny")).members("b_swept")
    # computed by hand: the second mapping adds nothing to the first, the third adds one run
    assert (
        members
        == {
            "default": {},
            "layers=3": {"layers": "3"},
            "loss=a/b": {"loss": "a/b"},
            "layers=3, loss=a/b": {"layers": "3", "loss": "a/b"},
            'words=["plain", "two {words}"]': {"words": '["plain", "two {words}"]'},
        }
        and next(iter(members)) == "default"
    )
    names = [member_name("b_swept", changes) for changes in members.values()]
    assert len(set(names)) == 5 and not any(set(name) & set('/{} "') for name in names)
    assert {"b_swept", "b_swept+layers=3"} <= set(names)


def test_a_file_with_a_sweep_is_read_as_a_parameter_file(sweep):
    known = declared(sweep / "notebooks" / "b_swept.ipynb")
    assert read_file(sweep / "tiny" / "b_swept.yaml", known) == {"pause": 1.5}
    assert Profile.find(str(sweep / "basis")).members("a_maker") == {"default": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sweep: {losss: [a]}", "unknown parameter 'losss': did you mean loss?"),
        ("sweep: {layers: [1, two]}", "sweep: parameter layers is 'two', expected int"),
        ("sweep: {layers: 3}", "expected `name: [value, ...]`"),
        ("sweep: [layers]", "expected `name: [value, ...]`"),
    ],
)
def test_a_wrong_grid_is_refused_in_one_sentence_with_file_and_key(sweep, text, words):
    (sweep / "tiny" / "b_swept.yaml").write_text(text)
    with pytest.raises(ValueError) as caught:
        graph(Profile.find(str(sweep / "tiny")), {})
    assert words in str(caught.value) and "b_swept.yaml" in str(caught.value)


def test_the_graph_holds_the_members_and_the_base_runs_that_they_read(sweep):
    steps = {step.folder: step for step in graph(Profile.find(str(sweep / "tiny")), {})}
    swept = [folder for folder in steps if folder.startswith("tiny/b_swept")]
    assert set(steps) == {*swept, "tiny/c_table", "basis/a_maker"} and len(swept) == 5
    assert all(
        steps[folder].upstream == ["basis/a_maker"] and steps[folder].swept for folder in swept
    )
    assert (
        sorted(steps["tiny/c_table"].upstream) == sorted(swept) and not steps["tiny/c_table"].swept
    )
    # pairs of the command line apply to the sweep, not to the runs of its base
    paired = {
        step.folder: step for step in graph(Profile.find(str(sweep / "tiny")), {"pause": "0"})
    }
    assert "basis/a_maker" in paired and len(paired) == 7
    assert not [folder for folder in paired if folder.startswith("tiny/")]
    with pytest.raises(ValueError, match="profile tiny sweeps the parameter 'loss' of b_swept"):
        graph(Profile.find(str(sweep / "tiny")), {"loss": "x"})


def test_a_missing_run_is_named_with_the_command_that_makes_it(sweep):
    lacking = {stem: call(sweep, stem) for stem in ("b_swept", "c_table")}
    assert {done.returncode for done in lacking.values()} == {3}
    assert "run a_maker first: tinyemo run a_maker --profile basis" in lacking["b_swept"].stderr
    assert (
        f"run b_swept first: make reproduce PROFILE={sweep / 'tiny'}" in lacking["c_table"].stderr
    )


SMALLER = """\
pause: 2.0
base: {base}
sweep: [{{layers: [3]}}, {{loss: [a/b], words: [[plain, "two {{words}}"]]}}]
"""


def test_make_runs_each_member_once_in_parallel_and_the_table_reads_the_grid(sweep):
    file, both = sweep / "tiny" / "b_swept.yaml", 'loss=a/b, words=["plain", "two {words}"]'
    file.write_text(SMALLER.format(base=sweep / "basis"))
    planned = make("plan", sweep / "tiny")
    assert planned.returncode == 0, planned.stderr
    assert f"b_swept, 3 members: default; layers=3; {both}" in planned.stdout
    assert not (sweep / "runs" / "tiny").exists()

    done = make("reproduce", sweep / "tiny")
    assert done.returncode == 0, done.stderr
    found = metrics(sweep / "runs" / "tiny")
    assert metrics(sweep / "runs" / "basis") == {"a_maker": {"made": 700}}, (
        "the run that is needed, and no other run of the base"
    )
    assert found.pop("c_table") == {"default": 702, "layers=3": 703, both: 702}
    settings = {(one["score"], one["loss"], one["words"], one["threads"]) for one in found.values()}
    assert settings == {
        (702, "hinge", "plain", "1"),
        (703, "hinge", "plain", "1"),
        (702, "a/b", "plain,two {words}", "1"),
    }
    if os.cpu_count() > 1:
        spans = [(one["began"], one["ended"]) for one in found.values()]
        assert any(a[0] < b[1] and b[0] < a[1] for a, b in itertools.combinations(spans, 2)), (
            "no two ran in parallel"
        )
    inputs = manifest.read(sweep / "runs" / "tiny" / "c_table")["inputs"]
    assert len([name for name in inputs if name.startswith("run b_swept")]) == 3
    again = make("reproduce", sweep / "tiny")
    assert again.returncode == 0 and "nothing to be done" in again.stdout + again.stderr

    # runs that the grid no longer names stay on the disk, but the table does not read them
    file.write_text(f"base: {sweep / 'basis'}\nsweep: {{layers: [3]}}\n")
    assert call(sweep, "c_table").returncode == 0
    assert metrics(sweep / "runs" / "tiny")["c_table"] == {"default": 702, "layers=3": 703}
