"""The graph of a profile: it is planned, run, resumed after a kill, and skipped when it is done."""

import json
import os
import re
import signal
import subprocess
import time

import psutil
import pytest
from conftest import make, make_command, write_notebook

from tinyemo.paths import ROOT
from tinyemo.runs import profiles
from tinyemo.runs.notebooks import library_of
from tinyemo.runs.profiles import Profile

PARAMETERS = """\
profile = "smoke"  # folder of params
steps = 6          # how many
pause = 0.0        # seconds per step
"""
FIRST = """\
import time
from tinyemo.runs import start_run
run = start_run("a_first", profile)
values = []
for step in range(steps):
    file = run.out / f"step{step}"
    if not file.exists():
        time.sleep(pause)
        file.write_text(str((step * 7919) % 101))
        with open(run.out / "work", "a") as log:
            log.write(f"{step}\\n")
    values.append(int(file.read_text()))
run.record({"total": sum(values)})
"""
SECOND = """\
import json
from tinyemo.emotions import LABEL_SETS
from tinyemo.runs import start_run
run = start_run("b_second", profile)
first = json.loads((run.input("a_first") / "metrics.json").read_text())
run.record({"total": first["total"] * 2, "labels": len(LABEL_SETS["ekman"])})
"""


@pytest.fixture
def graph(bench):
    """A profile `tiny` of two notebooks. The second reads the run of the first."""
    for stem, code in [("a_first", FIRST), ("b_second", SECOND)]:
        write_notebook(bench / "notebooks" / f"{stem}.ipynb", PARAMETERS, code)
        (bench / "tiny" / f"{stem}.yaml").write_text("profile: tiny\n")
    return bench


def metrics(folder):
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(folder.glob("*/metrics.json"))
    }


def test_edges_and_library_files_are_read_from_the_notebooks(graph):
    profile = Profile.find(str(graph / "tiny"))
    assert (profile.name, profile.stems) == ("tiny", ["a_first", "b_second"])
    assert {step.folder: step.upstream for step in profiles.graph(profile, {})} == {
        "tiny/a_first": [],
        "tiny/b_second": ["tiny/a_first"],
    }
    library = library_of(graph / "notebooks" / "b_second.ipynb")
    assert {path.name for path in library} == {
        "__init__.py",
        "openelm_registration.py",
        "torchvision_shim.py",
        "emotions.py",
    }


def test_make_plans_and_runs_prints_results_last_and_runs_nothing_twice(graph):
    planned = make("plan", graph / "tiny")
    assert planned.returncode == 0, planned.stderr
    assert "run_b_second" in planned.stdout + planned.stderr and not metrics(
        graph / "runs" / "tiny"
    )
    first = make("reproduce", graph / "tiny", "P=steps=3")
    assert first.returncode == 0, first.stderr
    (folder,) = (graph / "runs").glob("tiny+*")
    assert metrics(folder) == {"a_first": {"total": 123}, "b_second": {"total": 246, "labels": 6}}
    last = first.stdout.strip().splitlines()[-1]
    assert re.match(
        r"\| tiny +\| b_second +\| \w{10} +\| \w{7} +\| \w+ +\| labels +\| +6 \|", last
    ), last
    again = make("reproduce", graph / "tiny", "P=steps=3")
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr
    refused = make("reproduce", graph / "tiny", "P=stepz=3")
    assert refused.returncode
    assert "no notebook of profile tiny has a parameter 'stepz'" in refused.stderr
    assert refused.stderr.count("stepz") == 1 and "File" not in refused.stderr, "one sentence"


@pytest.mark.parametrize("victims", ["the whole tree", "make alone"])
def test_after_kill_9_make_reproduce_resumes_with_an_equal_result(graph, victims):
    process = subprocess.Popen(
        make_command("reproduce", graph / "tiny", "P=pause=0.7"),
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 120
    while not list((graph / "runs").glob("*/a_first/step1")):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    tree = [psutil.Process(process.pid)]
    if victims == "the whole tree":
        tree += tree[0].children(recursive=True)  # including the kernel, which has its own session
    for victim in tree:
        victim.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = (graph / "runs").glob("tiny+*")
    assert not metrics(folder)
    resumed = make("reproduce", graph / "tiny", "P=pause=0.7")
    assert resumed.returncode == 0, resumed.stderr
    # the result of an undisturbed run, computed by hand: 0 + 41 + 82 + 22 + 63 + 3, and its double
    assert metrics(folder) == {"a_first": {"total": 211}, "b_second": {"total": 422, "labels": 6}}
    assert (folder / "a_first" / "work").read_text().split() == list("012345"), (
        "a step was done twice"
    )
    assert not [name for name in os.listdir(folder / "a_first") if name.endswith(".part")]
