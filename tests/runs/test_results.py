"""Results: the tidy table, the pages, stale runs, and a reference that agrees with its runs."""

import json

import pandas as pd
import pytest
from conftest import write_notebook

from tinyemo.cli import main
from tinyemo.runs import inputs, manifest, pages, results
from tinyemo.runs.folder import start_run
from tinyemo.runs.inputs import inputs_of

PARAMETERS = 'profile = "smoke"  # folder of params\nfeatures = ""  # where they are\n'
CODE = "from tinyemo.emotions import LABEL_SETS\n"
BLOCK = "Text.\n\n<!-- results:tiny/one/accuracy -->\nold\n<!-- /results -->\n\nMore text.\n"


@pytest.fixture
def finished(bench, monkeypatch):
    """A finished run of notebook `one` in profile `tiny`, and a README that shows its table."""
    for module in (results, pages):
        monkeypatch.setattr(module, "REFERENCE", bench / "results" / "reference")
    for module in (inputs, manifest, pages):
        monkeypatch.setattr(module, "ROOT", bench)
    monkeypatch.setattr(
        manifest, "git_state", lambda: {"commit": "0123456789abcdef", "clean": True}
    )
    notebook = write_notebook(bench / "notebooks" / "one.ipynb", PARAMETERS, CODE)
    run = start_run("one", "tiny")
    table = pd.DataFrame({"model": ["projector", "svm"], "accuracy": [0.75049, 1.0], "n": [3, 4]})
    run.save_table(table, "accuracy")
    run.record({"acc": 0.75, "acc_sd": 0.01, "acc_low": 0.7, "acc_high": 0.8, "n": 416})
    elsewhere = bench.parent / "features-of-this-machine"
    elsewhere.mkdir(exist_ok=True)
    manifest.write(
        run.out,
        parameters={"profile": "tiny", "features": str(elsewhere)},
        overrides={"features": str(elsewhere)},
        inputs=inputs_of(notebook, {"features": str(elsewhere)}),
    )
    (bench / "README.md").write_text(BLOCK)
    return run.out


def refer(folder):
    """Copy a run to the reference, write the pages, and return the reference folder."""
    target = results.commit(folder)
    for path, text in pages.pages().items():
        path.write_text(text)
    return target


def test_the_table_has_one_row_per_metric_with_spread_and_origin(finished):
    table = pages.tidy([finished])
    assert table["metric"].tolist() == ["acc", "n"]
    first = table.iloc[0].to_dict()
    assert [first[name] for name in ("value", "sd", "low", "high")] == [0.75, 0.01, 0.7, 0.8]
    origin = [first[name] for name in ("profile", "notebook", "commit", "tree")]
    assert origin == ["tiny", "one", "0123456", "clean"]
    assert first["run"] == json.loads((finished / "manifest.json").read_text())["key"]


def test_numbers_have_three_decimals_and_counts_have_none():
    table = pd.DataFrame(
        {"model": ["a|b", "c"], "score": [1, 2e-5], "n": [3, None], "none": [None, 0.5]}
    )
    assert pages.markdown(table).splitlines() == [
        "| model |   score |   n |  none |",
        "| ----- | ------: | --: | ----: |",
        "| a\\|b  |   1.000 |   3 |       |",
        "| c     | 2.0e-05 |     | 0.500 |",
    ]
    mixed = pd.DataFrame({"value": [0.75, 416, 2.0]}, dtype=object)
    assert [line.strip("| ") for line in pages.markdown(mixed).splitlines()[2:]] == [
        "0.750",
        "416",
        "2",
    ]


def test_a_reference_agrees_with_its_run_and_names_no_local_folder(finished, capsys):
    target = refer(finished)
    assert results.problems() == []
    source = json.loads((target / "source.json").read_text())
    assert source["command"].endswith(
        "tinyemo run one --profile tiny -p features=features-of-this-machine"
    )
    assert (source["commit"], source["clean"]) == ("0123456789abcdef", True)
    assert set(source["files"]) == {"metrics.json", "tables/accuracy.csv"}
    readme = (pages.ROOT / "README.md").read_text()
    assert readme.startswith("Text.") and readme.endswith("More text.\n") and "old" not in readme
    assert "| projector |    0.750 |   3 |" in readme
    assert f"run {source['key']}, commit 0123456 (clean tree)" in readme
    page = (pages.ROOT / "results" / "README.md").read_text()
    for text in (readme, page, json.dumps(source)):
        assert str(finished.parents[2]) not in text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "results/reference/tiny/one/tables/accuracy.csv",
            "accuracy.csv is not what its source.json",
        ),
        (
            "results/reference/tiny/one/metrics.json",
            "metrics.json is not what its source.json recorded",
        ),
        ("results/README.md", "results/README.md differs from results/reference"),
        ("README.md", "README.md differs from results/reference"),
    ],
)
def test_a_number_changed_by_hand_is_found(finished, file, words):
    refer(finished)
    path = pages.ROOT / file
    path.write_text(path.read_text().replace("0.75", "0.95"))
    assert words in "\n".join(results.problems())
    assert main(["results", "--check"]) == 1


def test_unknown_missing_and_large_files_are_found(finished):
    target = refer(finished)
    (target.parents[1] / "stray.csv").write_text("a\n1\n")
    (target / "figures").mkdir()
    (target / "figures" / "big.png").write_bytes(b"0" * 250_000)
    (target / "metrics.json").unlink()
    found = "\n".join(results.problems())
    assert "stray.csv has no source.json beside it" in found
    assert "big.png has 250000 bytes" in found and "figures/big.png is not what" in found
    assert "metrics.json is not what its source.json recorded" in found


def test_a_number_changed_together_with_its_hash_is_found_if_the_run_is_here(finished):
    target = refer(finished)
    (target / "metrics.json").write_text('{"acc": 0.99}\n')
    source = json.loads((target / "source.json").read_text())
    source["files"]["metrics.json"] = manifest.file_digest(target / "metrics.json")
    (target / "source.json").write_text(json.dumps(source))
    assert f"metrics.json is not what run {source['key']} wrote" in "\n".join(results.problems())


def test_stale_runs_are_named_and_not_committed(finished, capsys):
    refer(finished)
    assert results.stale_references() == []
    write_notebook(pages.ROOT / "notebooks" / "one.ipynb", PARAMETERS, CODE + "# changed\n")
    assert results.stale_references() == []  # a comment changes no result
    write_notebook(pages.ROOT / "notebooks" / "one.ipynb", PARAMETERS, CODE + "print(1)\n")
    assert results.stale_references() == [
        "results/reference/tiny/one is stale: notebook changed since"
    ]
    results.print_runs([finished])
    assert "lab/one: stale: notebook changed since" in capsys.readouterr().out
    with pytest.raises(ValueError, match="stale"):
        results.commit(finished)


def test_a_run_that_is_not_done_is_not_committed(finished):
    manifest.write(finished, status="failed")
    with pytest.raises(ValueError, match="failed, expected a run that is done"):
        results.commit(finished)


def test_the_committed_results_have_no_problems():
    assert results.problems() == []
