"""The kernel of a run: this interpreter and this checkout, whatever else is installed or set."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import make_command, write_notebook

from tinyemo.paths import ROOT
from tinyemo.runs import kernel, runner

PARAMETERS = 'profile = "tiny"  # folder of params'
# where the code of the kernel comes from, and what was put into it before the first cell
TELLS = """\
import os
import sys
import tinyemo
from tinyemo.runs import start_run
run = start_run("tells", profile)
run.record({
    "code": os.path.dirname(os.path.dirname(tinyemo.__file__)),
    "interpreter": sys.executable,
    "started_by": os.environ.get("STARTED_BY", ""),
    "left_by_a_start_file": globals().get("left_by_a_start_file", ""),
})
"""


@pytest.fixture
def tells(bench):
    """A profile `tiny` whose notebook records where its code comes from."""
    write_notebook(bench / "notebooks" / "tells.ipynb", PARAMETERS, TELLS)
    (bench / "tiny" / "tells.yaml").write_text("profile: tiny\n")
    return bench


def run_here(bench):
    """Run the notebook in this process; its metrics."""
    notebook = bench / "notebooks" / "tells.ipynb"
    assert runner.run_notebook(notebook, str(bench / "tiny"), {}, bench / "out") == 0
    return json.loads((bench / "out" / "metrics.json").read_text())


def test_an_installed_kernel_of_the_same_name_is_not_started(tells, monkeypatch):
    code = "import os, runpy; os.environ['STARTED_BY'] = 'another'; "
    code += "runpy.run_module('ipykernel_launcher', run_name='__main__')"
    spec = {"argv": [sys.executable, "-c", code, "-f", "{connection_file}"]}
    spec |= {"display_name": "another environment", "language": "python"}
    folder = tells / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tells / "jupyter"))
    metrics = run_here(tells)
    assert metrics["started_by"] == ""
    assert metrics["interpreter"] == sys.executable
    manifest = json.loads((tells / "out" / "manifest.json").read_text())
    assert manifest["interpreter"] == sys.executable and manifest["checkout"] == str(ROOT)


@pytest.mark.parametrize("whose", ["python", "ipython start-up", "ipython settings"])
def test_start_files_of_a_person_are_not_run(tells, monkeypatch, whose):
    home = tells / "ipython"
    place = {
        "python": tells / "start.py",
        "ipython start-up": home / "profile_default" / "startup" / "10-mine.py",
        "ipython settings": home / "profile_default" / "ipython_config.py",
    }[whose]
    place.parent.mkdir(parents=True, exist_ok=True)
    line = "left_by_a_start_file = 'yes'"
    if whose == "ipython settings":
        line = f"c.InteractiveShellApp.exec_lines = [{line!r}]"
    place.write_text(line)
    if whose == "python":
        monkeypatch.setenv("PYTHONSTARTUP", str(place))
    else:
        monkeypatch.setenv("IPYTHONDIR", str(home))
    assert run_here(tells)["left_by_a_start_file"] == ""


@pytest.fixture
def shadow(tells):
    """A folder with another copy of the package, as PYTHONPATH may name it."""
    folder = tells / "shadow"
    shutil.copytree(
        ROOT / "tinyemo", folder / "tinyemo", ignore=shutil.ignore_patterns("__pycache__")
    )
    return folder


def recorded_by(line, bench, **variables):
    """Run a command line in the checkout; the metrics of the notebook, and what was printed."""
    done = subprocess.run(
        line, cwd=ROOT, env=os.environ | variables, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((bench / "runs" / "tiny" / "tells" / "metrics.json").read_text()), done


def test_pythonpath_does_not_put_another_package_into_the_kernel(tells, shadow):
    line = [sys.executable, "-m", "tinyemo.cli", "run", "tells", "--profile", str(tells / "tiny")]
    metrics, _ = recorded_by(line, tells, PYTHONPATH=str(shadow))
    assert metrics["code"] == str(ROOT)


def test_make_uses_its_own_checkout_even_where_python_leaves_out_the_current_folder(tells, shadow):
    line = make_command("reproduce", tells / "tiny")
    metrics, _ = recorded_by(line, tells, PYTHONPATH=str(shadow), PYTHONSAFEPATH="1")
    assert metrics["code"] == str(ROOT)


def test_a_run_says_that_it_is_not_the_installed_code(tells, monkeypatch, capsys):
    installed = tells / "site" / "tinyemo-0.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tinyemo\nVersion: 0.1.0\n")
    address = (tells / "another checkout").as_uri()
    (installed / "direct_url.json").write_text(json.dumps({"url": address}))
    monkeypatch.setattr(kernel.site, "getsitepackages", lambda: [str(tells / "site")])
    run_here(tells)
    expected = f"this runs the code of {ROOT}, not the installed {tells / 'another checkout'}"
    assert expected in capsys.readouterr().err.splitlines()
    (installed / "direct_url.json").write_text(json.dumps({"url": ROOT.as_uri()}))
    assert kernel.other_installation() is None


def test_a_kernel_with_other_code_than_its_manifest_names_is_refused(tells, monkeypatch):
    out = tells / "out"
    out.mkdir()
    (out / "manifest.json").write_text(json.dumps({"checkout": "/another/checkout"}))
    monkeypatch.setenv("TINYEMO_RUN_OUT", str(out))
    from tinyemo.runs import start_run

    with pytest.raises(ImportError, match=f"is {ROOT}, the run began with /another/checkout"):
        start_run("tells", "tiny")
