"""Shared fixtures: no internet, real data, tiny notebooks, and one run of the smoke graph."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import fuzzing  # noqa: F401 (it registers the profiles of hypothesis)
import pytest
import torch

from tinyemo.paths import ROOT

os.environ.update(
    HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1", MPLBACKEND="Agg"
)
THREADS = torch.get_num_threads()
for inherited in ("TINYEMO_RUN_OUT", "TINYEMO_NOTEBOOKS"):  # the tests set these themselves
    os.environ.pop(inherited, None)


@pytest.fixture(autouse=True)
def threads_as_they_were():
    """A test must leave the number of threads unchanged: sums depend on it in the last bit."""
    yield
    left = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    assert left == THREADS, f"torch computed with {THREADS} threads before, and with {left} after"


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data; the test is skipped where there is none."""
    folder = os.environ.get("TINYEMO_TEST_DATA")
    if not folder:
        pytest.skip("TINYEMO_TEST_DATA names no folder of real data")
    return Path(folder)


def make_command(target: str, profile, *options: str) -> list[str]:
    """`make reproduce` or `make plan` as a user calls it, with the Python that runs the tests."""
    quiet = ["make", "--no-print-directory", "-o", ".venv/made"]
    return [*quiet, target, f"PY={sys.executable}", f"PROFILE={profile}", *options]


def make(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(make_command(*arguments), cwd=ROOT, text=True, capture_output=True)


def pytest_collection_modifyitems(items):
    """Tests that read the smoke runs come last: the runs are made while the others are tested."""
    items.sort(key=_needs_smoke)


def _needs_smoke(item: pytest.Item) -> bool:
    return "smoke_results" in item.fixturenames


@pytest.fixture(scope="session", autouse=True)
def smoke_run(request, tmp_path_factory):
    """`make reproduce` in the background, if a test of this session needs its results.

    Most of its steps use one core, so it runs several of them side by side (THREADS=1).
    """
    if not any(map(_needs_smoke, request.session.items)):
        yield None
        return
    folder = tmp_path_factory.mktemp("smoke")
    places = {"TINYEMO_DATA": str(folder / "data"), "TINYEMO_RESULTS": str(folder / "runs")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            make_command("reproduce", "smoke", "THREADS=1"),
            cwd=ROOT,
            env=os.environ | places,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield process, folder
    if process.poll() is None:  # the tests were interrupted
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="session")
def smoke_results(smoke_run) -> Path:
    """The results folder of one `make reproduce`: <folder>/smoke/<notebook>/metrics.json etc."""
    process, folder = smoke_run
    code = process.wait()
    assert code == 0, f"make reproduce failed:\n{(folder / 'log').read_text()[-6000:]}"
    return folder / "runs"


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells, the first of them tagged `parameters`."""
    content = [
        {
            "cell_type": "code",
            "id": f"cell-{i}",
            "metadata": {"tags": [] if i else ["parameters"]},
            "source": cell,
            "outputs": [],
            "execution_count": None,
        }
        for i, cell in enumerate(cells)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Path:
    """A folder for notebooks/, data/, runs/ and a profile tiny/; the environment names it."""
    monkeypatch.setenv("TINYEMO_NOTEBOOKS", str(tmp_path / "notebooks"))
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path / "runs"))
    monkeypatch.setenv("TINYEMO_DATA", str(tmp_path / "data"))
    (tmp_path / "tiny").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server of transformers on this machine, with a small random chat model."""
    from serving import (  # imports transformers, which takes seconds
        Server,
        save_chat_model,
    )

    server = Server(save_chat_model(tmp_path_factory.mktemp("serving") / "chat"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def proxy(server, monkeypatch):
    """A proxy that can answer in place of the server; the environment directs clients to it."""
    from serving import KEY, Proxy

    proxy = Proxy(server.port)
    monkeypatch.setenv("OPENAI_BASE_URL", proxy.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield proxy
    proxy.close()
