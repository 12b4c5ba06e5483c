"""Batches: what can run runs, one notebook can be the target, and what is needed is said first."""

import json
from types import SimpleNamespace

import pytest
from conftest import make, write_notebook

from tinyemo.bias.references import MIN_REFERENCES
from tinyemo.bias.vocabulary import MIN_CONTROLS
from tinyemo.cli import main
from tinyemo.paths import NOTEBOOKS
from tinyemo.runs import forecast, runner
from tinyemo.runs.parameters import declared
from tinyemo.runs.profiles import Profile, graph

BEGIN = "from tinyemo.runs import start_run\n"


@pytest.fixture
def batch(bench):
    """A profile: `a` needs a dataset; `b` reads `a`, `d` reads `c`; `a` and `b` know `data`."""
    notebooks = {
        "a": (
            'data = "EmoSet"  # a dataset',
            "if data == 'EmoSet':\n    raise OSError('no EmoSet')",
        ),
        "b": ('data = "EmoSet"  # a dataset', "run.input('a')"),
        "c": ("steps = 2  # help: how many; 2 or more", ""),
        "d": ("more = 1.5  # help: not a whole number; 1 or more", "run.input('c')"),
    }
    for stem, (parameter, code) in notebooks.items():
        cells = [
            'profile = "tiny"  # folder\n' + parameter,
            f"{BEGIN}run = start_run('{stem}', profile)",
        ]
        write_notebook(
            bench / "notebooks" / f"{stem}.ipynb", *cells, code, "run.record({'done': 1})"
        )
        (bench / "tiny" / f"{stem}.yaml").write_text("profile: tiny\n")
    return bench


def finished(batch):
    return sorted(path.parent.name for path in (batch / "runs").glob("*/*/metrics.json"))


def test_what_can_run_runs_and_the_rest_is_listed_last_with_its_reason(batch):
    done = make("reproduce", batch / "tiny")
    assert done.returncode != 0 and finished(batch) == ["c", "d"]
    last = done.stdout.strip().splitlines()[-3:]
    assert last[0] == "not made: 2 of 4 runs"
    assert last[1].startswith("tiny/a: failed: a: cell 2") and "no EmoSet" in last[1]
    assert last[2] == "tiny/b: not started, needs tiny/a"
    first = [line for line in done.stderr.splitlines() if line.startswith("tiny: 4 of 4 runs")]
    assert first == ["tiny: 4 of 4 runs to make"]


def test_one_notebook_can_be_the_target(batch, capsys):
    done = make("reproduce", batch / "tiny", "ONLY=d")
    assert done.returncode == 0 and finished(batch) == ["c", "d"]
    assert "not made" not in done.stdout
    assert main(["plan", str(batch / "tiny"), "--only", "e"]) == 1
    assert (
        capsys.readouterr().err == "profile tiny has no notebook 'e': expected one of a, b, c, d\n"
    )


def test_only_keeps_what_a_notebook_needs_also_of_the_base():
    everything = graph(Profile.find("paper-880m"), {})
    assert {step.stem for step in everything} >= {"09_dataset_collection", "10_zero_shot_table"}
    steps = graph(Profile.find("paper-700m"), {}, ["10_zero_shot_table"])
    assert [step.stem for step in steps] == ["09_dataset_collection", "10_zero_shot_table"]
    both = graph(Profile.find("paper-700m"), {}, ["09_dataset_collection", "04_mm_llm_finetuning"])
    assert {step.stem[:2] for step in both} == {"03", "04", "09"}


def test_a_pair_of_another_notebook_chooses_the_set_of_runs(batch, capsys):
    profile = str(batch / "tiny")
    pair = {"data": "FI"}
    assert runner.run_notebook(batch / "notebooks" / "a.ipynb", profile, pair) == 0
    assert runner.run_notebook(batch / "notebooks" / "c.ipynb", profile, pair) == 0
    assert runner.run_notebook(batch / "notebooks" / "d.ipynb", profile, pair) == 0
    (home,) = (batch / "runs").iterdir()
    assert home.name.startswith("tiny+") and finished(batch) == ["a", "c", "d"]
    content = json.loads((home / "d" / "manifest.json").read_text())
    assert content["inputs"]["run c"]["path"] == "$HERE/../c"
    assert "data" not in content["parameters"] and content["overrides"] == pair
    capsys.readouterr()
    assert runner.run_notebook(batch / "notebooks" / "d.ipynb", profile, {"date": "FI"}) == 2
    assert capsys.readouterr().err == (
        "command line: unknown parameter 'date': expected one of profile, more\n"
    )


@pytest.mark.parametrize(
    ("stem", "pair", "words"),
    [
        ("c", {"steps": "1"}, "command line: parameter steps is 1, expected 2 or more"),
        ("d", {"more": "0.5"}, "command line: parameter more is 0.5, expected 1 or more"),
    ],
)
def test_a_number_that_is_too_small_is_refused_before_a_kernel_starts(
    batch, capsys, stem, pair, words
):
    notebook = batch / "notebooks" / f"{stem}.ipynb"
    assert runner.run_notebook(notebook, str(batch / "tiny"), pair, batch / "out") == 2
    assert capsys.readouterr().err.strip() == words
    assert not (batch / "out" / "notebook.ipynb").exists()


@pytest.mark.parametrize("stem", ["06_bias_analysis", "15_bias_in_collections"])
def test_the_bias_notebooks_refuse_as_few_as_their_methods_do(stem):
    known = declared(NOTEBOOKS / f"{stem}.ipynb")
    assert known["controls"].least == MIN_CONTROLS
    assert known["references"].least == MIN_REFERENCES


def test_time_and_disk_space_are_said_before_a_run(batch, monkeypatch):
    profile = Profile.find(str(batch / "tiny"))
    (batch / "tiny" / "a.yaml").write_text("expected: {minutes: 200, gigabytes: 120}\n")
    measured = batch / "runs" / "tiny" / "c"
    measured.mkdir(parents=True)
    (measured / "manifest.json").write_text(json.dumps({"status": "done", "seconds": 600}))
    usage = SimpleNamespace(free=50e9)
    monkeypatch.setattr(forecast.shutil, "disk_usage", lambda place: usage)
    steps = graph(profile, {})
    assert forecast.forecast(profile, steps, set()) == [
        "tiny: 4 of 4 runs to make",
        "expected time: about 3.5 h (estimated, measured here)",
        "time not known: b, d",
        f"disk space: about 120 GB; free in {batch / 'runs'}: 50 GB: not enough",
    ]
    for step in steps:
        (batch / "runs" / step.folder).mkdir(parents=True, exist_ok=True)
        (batch / "runs" / step.folder / "metrics.json").write_text("{}")
    (sentence,) = forecast.forecast(profile, steps, set())
    assert "nothing to be done" in sentence
    again = forecast.forecast(profile, steps, {"tiny/c"})
    assert again[0] == "tiny: 2 of 4 runs to make"  # c, and d, which reads it


@pytest.mark.parametrize("estimate", ["5", "[1, 2]", "{hours: 3}"])
def test_an_estimate_of_another_form_is_refused_with_its_file(batch, estimate):
    (batch / "tiny" / "a.yaml").write_text(f"expected: {estimate}\n")
    profile = Profile.find(str(batch / "tiny"))
    with pytest.raises(ValueError, match="a.yaml, expected: .*, expected {minutes: N"):
        forecast.forecast(profile, graph(profile, {}), set())


def test_a_committed_run_tells_the_time_and_the_patches_of_the_paper_their_space(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path))
    (step,) = graph(Profile.find("scenes"), {}, ["00_start_here"])
    known = forecast.expected(step)
    assert known.minutes > 1 and known.source.startswith("measured on ")
    paper = {step.stem: step for step in graph(Profile.find("paper-700m"), {})}
    assert forecast.expected(paper["04_mm_llm_finetuning"]).gigabytes == 120


def test_the_time_of_the_first_run_of_smoke_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path))
    profile = Profile.find("smoke")
    steps = graph(profile, {})
    sentences = forecast.forecast(profile, steps, set())
    assert sentences[0] == f"smoke: {len(steps)} of {len(steps)} runs to make"
    assert sentences[1].startswith("expected time: about ")
    assert not any("time not known" in sentence for sentence in sentences)
