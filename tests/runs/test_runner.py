"""The runner: refusals, failures, the files it leaves, and resuming after a kill."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from conftest import write_notebook
from matplotlib.figure import Figure

from tinyemo.paths import ROOT
from tinyemo.runs import manifest, runner
from tinyemo.runs.folder import MissingRun, Run, start_run
from tinyemo.runs.inputs import inputs_of
from tinyemo.runs.parameters import declared, read_pairs
from tinyemo.runs.profiles import run_name

PARAMETERS = """\
profile = "tiny"          # which folder of params/
lr = 0.1                  # learning rate
steps = 3                 # how many
seeds = [0, 1]            # one run per seed
limit: int | None = None  # use fewer
mixed: float | str = "a"  # a number or a word
careful = False           # a switch
"""
START = "from tinyemo.runs import start_run\nrun = start_run('one', profile)"
# a small training loop: one file per step, no step is done twice, the result depends on all of them
WORK = """\
import os, time
for step in range(steps):
    file = run.out / f"step{step}"
    if not file.exists():
        time.sleep(float(os.environ.get("PAUSE", 0)))
        file.write_text(str(lr * step))
    else:
        print("kept", step)
"""
TROUBLE = "exec(os.environ.get('TROUBLE', ''))"
RECORD = """\
if not os.environ.get("SILENT"):
    total = sum(float((run.out / f"step{step}").read_text()) for step in range(steps))
    run.record({"total": total, "n": len(seeds), "hash_seed": os.environ.get("PYTHONHASHSEED", "")})
"""


@pytest.fixture
def one(bench):
    """A profile `tiny` of one notebook."""
    write_notebook(bench / "notebooks" / "one.ipynb", PARAMETERS, START, WORK, TROUBLE, RECORD)
    (bench / "tiny" / "one.yaml").write_text("profile: tiny\nsteps: 4\n")
    return bench


def command(bench, *options):
    return [
        sys.executable,
        "-m",
        "tinyemo.cli",
        "run",
        "one",
        "--profile",
        str(bench / "tiny"),
        *options,
    ]


def call(bench, *options, **env):
    line = command(bench, *options)
    return subprocess.run(line, env=os.environ | env, text=True, capture_output=True, timeout=300)


def load(path):
    return json.loads(path.read_text())


def test_a_run_writes_metrics_notebook_and_a_correct_manifest(one):
    done = call(one, "-p", "lr=1e-1", "-p", "limit=5")
    assert done.returncode == 0, done.stderr
    (out,) = (one / "runs").glob("tiny+*/one")
    assert load(out / "metrics.json") == {"total": pytest.approx(0.6), "n": 2, "hash_seed": "0"}
    record = load(out / "manifest.json")
    assert record["status"] == "done" and record["seconds"] > 0 and record["peak_memory_mb"] > 20
    assert record["parameters"] == {
        "profile": "tiny",
        "lr": 0.1,
        "steps": 4,
        "seeds": [0, 1],
        "limit": 5,
        "mixed": "a",
        "careful": False,
    }
    assert record["versions"]["torch"] and record["device"]
    for name, entry in record["outputs"].items():
        content = (out / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert {"metrics.json", "notebook.ipynb", "step3"} <= set(record["outputs"])
    # the folder is named after the pairs: another notebook with the same pairs uses the same folder
    assert run_name("tiny", {"limit": "5", "lr": "1e-1"}) == out.parent.name


@pytest.mark.parametrize(
    ("trouble", "code", "status", "words"),
    [
        ("raise ValueError('odd shape')", 4, "failed", "cell 3 (exec(os.environ"),
        ("os.kill(os.getpid(), 9)", 5, "kernel died", "the kernel died in cell 3"),
        (
            "open('/dev/full', 'w', 1).write('x\\n')",
            7,
            "failed",
            "cannot write: OSError: [Errno 28]",
        ),
        (
            "run.input('before')",
            3,
            "failed",
            "run before first: tinyemo run before --profile tiny",
        ),
        ("os.environ['SILENT'] = '1'", 6, "failed", "no metrics.json"),
    ],
)
def test_each_failure_has_an_exit_code_a_sentence_and_a_manifest(one, trouble, code, status, words):
    out = one / "runs" / "tiny" / "one"
    out.mkdir(parents=True)
    (out / "metrics.json").write_text("{}")  # of an older run: it must not count as success
    (out / "step0").write_text("0.0")
    failed = call(one, TROUBLE=trouble)
    assert failed.returncode == code, failed.stderr
    # ipykernel may log a traceback of its own when it is shut down; the runner never prints one
    assert words in failed.stderr.splitlines()[-1] and 'tinyemo/run.py"' not in failed.stderr
    record = load(out / "manifest.json")
    assert record["status"] == status and words in record["error"]["sentence"]
    assert not (out / "metrics.json").exists()
    assert (
        "kept" in (out / "notebook.ipynb").read_text()
    )  # the cells that ran used the checkpoint of the old run
    assert not [path for path in out.rglob(".*")], "a partial file was left"


@pytest.mark.parametrize(
    ("yaml", "pairs", "words"),
    [
        ("learning_rate: 1.0", {}, "one.yaml: unknown parameter 'learning_rate'"),
        ("stepz: 1", {}, "did you mean steps?"),
        (
            "lr: 1e-4",
            {},
            "lr is '1e-4', expected float (YAML reads 1e-4 as a string: write 1.0e-4)",
        ),
        ("steps: true", {}, "steps is True, expected int"),
        ("steps: 2.0", {}, "steps is 2.0, expected int"),
        ("seeds: 3", {}, "seeds is 3, expected list[int]"),
        ("profile: other", {}, "profile is 'other', expected 'tiny'"),
        ("lr: [", {}, "one.yaml is not YAML"),
        ("- lr", {}, "expected `name: value` lines, found list"),
        ("", {"stepz": "1"}, "command line: unknown parameter 'stepz': did you mean steps?"),
        ("", {"steps": "1.5"}, "command line: parameter steps is '1.5', expected int"),
        ("", {"seeds": "[0, x]"}, "parameter seeds is '[0, x]', expected list[int]"),
        ("", {"careful": "1"}, "parameter careful is '1', expected bool"),
        ("", {"limit": "few"}, "parameter limit is 'few', expected int | None"),
    ],
)
def test_bad_parameters_are_refused_before_a_kernel_starts(one, capsys, yaml, pairs, words):
    (one / "tiny" / "one.yaml").write_text(yaml)
    out = one / "out"
    assert runner.run_notebook(one / "notebooks" / "one.ipynb", str(one / "tiny"), pairs, out) == 2
    sentence = capsys.readouterr().err.strip()
    assert words in sentence and "\n" not in sentence
    assert load(out / "manifest.json")["status"] == "refused"
    assert load(out / "manifest.json")["error"]["sentence"] == sentence
    assert not (out / "notebook.ipynb").exists()


def test_a_refusal_does_not_change_a_finished_run(one, capsys):
    out = one / "out"
    out.mkdir()
    (out / "metrics.json").write_text("{}")
    (out / "manifest.json").write_text('{"status": "done"}')
    assert (
        runner.run_notebook(one / "notebooks" / "one.ipynb", str(one / "tiny"), {"x": "1"}, out)
        == 2
    )
    assert load(out / "manifest.json") == {"status": "done"} and (out / "metrics.json").exists()


def test_unknown_notebooks_and_profiles_are_refused_in_one_sentence(one, capsys):
    assert runner.run_notebook(one / "two.ipynb", str(one / "tiny"), {}) == 2
    assert capsys.readouterr().err == "profile tiny has no two.yaml: it runs one\n"
    (one / "tiny" / "two.yaml").write_text("")
    assert runner.run_notebook(one / "two.ipynb", str(one / "tiny"), {}) == 2
    assert "no notebook" in capsys.readouterr().err
    assert runner.run_notebook(one / "notebooks" / "one.ipynb", "no-such-profile", {}) == 2
    assert "no profile 'no-such-profile'" in capsys.readouterr().err


def test_values_of_the_command_line_get_their_declared_types(one):
    known = declared(one / "notebooks" / "one.ipynb")
    for name, text, value in [
        ("lr", "1e-4", 1e-4),
        ("lr", "3", 3.0),
        ("steps", "7", 7),
        ("seeds", "[2]", [2]),
        ("limit", "4", 4),
        ("limit", "none", None),
        ("mixed", "2", 2.0),
        ("mixed", "b", "b"),
        ("careful", "true", True),
        ("profile", "1", "1"),
    ]:
        read = read_pairs({name: text}, known)[name]
        assert read == value and type(read) is type(value)
    assert known["lr"].help == "learning rate"


def test_a_folder_that_cannot_be_written_is_reported_in_one_sentence(one, monkeypatch, capsys):
    (one / "file").write_text("in the way")
    notebook = one / "notebooks" / "one.ipynb"
    assert runner.run_notebook(notebook, str(one / "tiny"), {}, one / "file" / "out") == 7
    assert "cannot be written" in capsys.readouterr().err

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest.os, "replace", full)
    assert runner.run_notebook(notebook, str(one / "tiny"), {}, one / "out") == 7
    assert "No space left on device" in capsys.readouterr().err
    assert not list((one / "out").iterdir()), "a partial file was left"


def test_a_run_leaves_the_environment_of_its_process_as_it_was(one):
    before = dict(os.environ)
    notebook = one / "notebooks" / "one.ipynb"
    assert runner.run_notebook(notebook, str(one / "tiny"), {}, one / "out") == 0
    assert dict(os.environ) == before


def test_after_kill_9_the_same_command_resumes_with_an_equal_result(one):
    assert call(one, "--out", str(one / "undisturbed")).returncode == 0
    out = one / "runs" / "tiny" / "one"
    process = subprocess.Popen(
        command(one), env=os.environ | {"PAUSE": "1.5"}, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: (out / "step1").exists())
    process.send_signal(signal.SIGKILL)
    process.wait()
    listing = [sys.executable, "-m", "tinyemo.cli", "status"]
    assert "killed" in subprocess.run(listing, text=True, capture_output=True, check=True).stdout
    assert not (out / "metrics.json").exists()
    assert call(one).returncode == 0
    assert "kept 1" in (out / "notebook.ipynb").read_text()
    assert load(out / "metrics.json") == load(one / "undisturbed" / "metrics.json")


def test_a_second_call_waits_until_the_first_has_ended(one):
    first = subprocess.Popen(command(one), env=os.environ | {"PAUSE": "0.8"})
    out = one / "runs" / "tiny" / "one"
    wait_for(lambda: (out / "step0").exists())
    second = call(one)
    assert first.wait() == 0 and second.returncode == 0
    assert f"process {first.pid} writes {out}: waiting" in second.stderr


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition was not met in time"
        time.sleep(0.05)


def test_inputs_are_taken_from_the_folder_beside_the_run_then_from_the_profile(bench):
    here = Run("b", "tiny", bench / "runs" / "tiny+1" / "b")
    here.out.mkdir(parents=True)
    folders = [bench / "runs" / "tiny" / "a", bench / "runs" / "tiny+1" / "a"]
    for folder in folders:
        folder.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="run a first: tinyemo run a --profile tiny"):
        here.input("a")  # a folder without metrics.json is not a run
    for folder in folders:
        (folder / "metrics.json").write_text("{}")
        assert here.input("a") == folder
    assert load(here.out / "manifest.json")["inputs"]["run a"]["path"] == "$HERE/../a"


def test_paths_in_parameters_are_inputs_but_the_profile_is_not(bench):
    for name in ("tiny", "photos"):
        (bench / "data" / name).mkdir(parents=True)
    notebook = write_notebook(bench / "notebooks" / "one.ipynb", PARAMETERS)
    inputs = inputs_of(notebook, {"profile": "tiny", "images": "photos", "lr": 0.1})
    assert set(inputs) == {"notebook", "library", "images"} and inputs["images"]["path"].endswith(
        "data/photos"
    )


def test_metrics_are_flat_and_finite(bench):
    here = start_run("b", "tiny")
    here.record({"acc": np.float32(0.5), "n": np.int64(3), "best": "svm", "bayes": None})
    assert load(here.out / "metrics.json") == {"acc": 0.5, "n": 3, "best": "svm", "bayes": None}
    for metrics, words in [
        ({"a": float("nan")}, "metric a is nan"),
        ({"a": {"b": 1}}, "metric a is a dict"),
    ]:
        with pytest.raises(ValueError, match=words):
            here.record(metrics)
    assert load(here.out / "metrics.json")["n"] == 3


def test_figures_are_small_and_tables_are_read_back_unchanged(bench):
    here = Run("b", "tiny", bench)
    figure = Figure(figsize=(8, 8))
    figure.subplots().imshow(
        np.random.default_rng(0).random((600, 600, 3))
    )  # PNG cannot compress noise
    assert here.save_figure(figure, "noise").stat().st_size < 250_000
    table = pd.DataFrame({"model": ["projector", "svm"], "accuracy": [0.75, 0.7]})
    pd.testing.assert_frame_equal(pd.read_csv(here.save_table(table, "accuracy")), table)


@pytest.mark.parametrize("how", ["papermill", "nbval"])
def test_a_notebook_started_by_hand_keeps_its_own_manifest(one, how):
    notebook, values = one / "notebooks" / "one.ipynb", one / "tiny" / "one.yaml"
    line = {
        "papermill": f"papermill {notebook} by_hand.ipynb -f {values} -k python3 --language python",
        "nbval": f"pytest -p no:cacheprovider --nbval-lax --nbval-current-env {notebook}",
    }[how]
    finished = one / "runs" / "tiny" / "one" / "metrics.json"
    finished.parent.mkdir(parents=True)
    finished.write_text("{}")
    out = one / "runs" / "lab" / "one"
    options = {"cwd": notebook.parent, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    done = subprocess.run(
        [sys.executable, "-m", *line.split()], **options, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = (
        4 if how == "papermill" else 3
    )  # nbval passes no parameters, so the cell's defaults are used
    assert load(out / "metrics.json")["total"] == pytest.approx(
        sum(0.1 * step for step in range(steps))
    )
    record = load(out / "manifest.json")
    assert (
        record["by_hand"] and record["status"] == "done" and record["parameters"]["steps"] == steps
    )
    assert finished.read_text() == "{}", "the run of the profile is not touched"


def test_a_run_by_hand_reads_others_by_hand_first_and_loses_no_result(bench):
    for home, value in (("tiny", 1), ("lab", 2)):
        folder = bench / "runs" / home / "a"
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({"n": value}))
    here = start_run("b", "tiny")
    assert here.input("a") == bench / "runs" / "lab" / "a"
    shutil.rmtree(bench / "runs" / "lab" / "a")
    assert here.input("a") == bench / "runs" / "tiny" / "a"
    with pytest.raises(MissingRun, match="open and run that notebook too"):
        start_run("b", "made_up").input("c")
    here.record({"n": 1})
    again = start_run("b", "tiny")  # the notebook is started again, and interrupted
    assert load(again.out / "metrics.json") == {"n": 1}


def test_importing_the_command_line_and_the_runner_is_cheap():
    code = (
        "import sys, tinyemo.cli, tinyemo.runs.runner; heavy = {'torch', 'papermill', 'pandas'}; "
    )
    code += "print(sorted(heavy & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert done.stdout == "[]\n"
