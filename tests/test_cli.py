"""The command line: its subcommands, exit codes and messages."""

import os
import subprocess
import sys

import pytest
from conftest import write_notebook

from tinyemo.cli import main
from tinyemo.paths import ROOT

COMMANDS = ("run", "status", "plan", "results", "check", "streams")


def call(*arguments):
    """A command in its own process."""
    line = [sys.executable, *arguments]
    return subprocess.run(line, cwd=ROOT, env=os.environ, text=True, capture_output=True)


def test_help_names_the_subcommands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["run"], "the following arguments are required: stem"),
        (["run", "one", "-p", "lr"], "'lr' is not a parameter: expected key=value"),
        (["results", "--pages", "--check"], "not allowed with argument"),
        (["runs"], "invalid choice: 'runs'"),
    ],
)
def test_a_wrong_command_line_has_exit_code_2(capsys, arguments, words):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "no-such-profile"], "no profile 'no-such-profile'"),
        (["results", "no-such-profile"], "no profile 'no-such-profile'"),
        (["results", "smoke", "--commit"], "name a profile that was run"),
        (["check", "no-such-file.json"], "no-such-file.json"),
    ],
)
def test_what_is_missing_is_one_sentence_with_exit_code_1(bench, capsys, arguments, words):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_status_lists_the_runs_of_a_profile(bench, capsys):
    notebook = write_notebook(bench / "notebooks" / "one.ipynb", 'profile = "smoke"  # folder')
    (bench / "tiny" / "one.yaml").write_text("unknown: 1\n")
    assert main(["run", str(notebook), "--profile", str(bench / "tiny")]) == 2
    capsys.readouterr()
    assert main(["status", "--profile", "tiny"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:3] == ["tiny", "one", "refused"]
    assert main(["status", "--profile", "smoke"]) == 0
    assert capsys.readouterr().out == ""


def test_the_older_spelling_runs_a_notebook_too(bench):
    for module in (["-m", "tinyemo.run"], ["-m", "tinyemo.cli", "run"]):
        refused = call(*module, "two", "--profile", str(bench / "tiny"))
        assert refused.returncode == 2
        assert refused.stderr == "profile tiny has no two.yaml: it runs no notebook\n"
