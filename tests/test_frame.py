"""The frame: what is installed, what is committed, and the graph: planned, killed, resumed, left alone."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib

import psutil
import pytest
import yaml
from conftest import make, make_command, write_notebook

import tinyemo
from tinyemo import torchvision_shim
from tinyemo.paths import NOTEBOOKS, ROOT
from tinyemo.runs import profiles
from tinyemo.runs.notebooks import library_of
from tinyemo.runs.profiles import Profile

# names under which packages are imported, where they differ
IMPORTED_AS = {
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "open_clip_torch": "open_clip",
    "faiss-cpu": "faiss",
    "ImageHash": "imagehash",
    "rouge-score": "rouge_score",
    "concept-erasure": "concept_erasure",
}
LIBRARY = sorted((ROOT / "tinyemo").rglob("*.py"))


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0]


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies(*extras):
    lists = [
        project()["dependencies"],
        *(project()["optional-dependencies"][extra] for extra in extras),
    ]
    return [name_of(requirement) for requirements in lists for requirement in requirements]


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


# ---- what is installed


def test_environment_yml_lists_what_pyproject_lists_and_says_who_needs_it():
    content = (ROOT / "environment.yml").read_text()
    pip = next(
        entry["pip"] for entry in yaml.safe_load(content)["dependencies"] if isinstance(entry, dict)
    )
    assert pip[:2] == ["-c constraints.txt", "-e ."]
    assert sorted(pip[2:]) == sorted(dependencies("notebooks", "test"))
    known = {path.name[:2] for path in NOTEBOOKS.glob("*.ipynb")}
    for name in pip[2:]:
        comment = re.search(rf"- {re.escape(name)}  # ([^:\n]+)", content)
        assert comment, f"{name} has no comment"
        assert comment[1] == "tests" or set(comment[1].split()) <= known


def test_constraints_pin_every_dependency():
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), (
        "exact, portable versions only"
    )
    pinned = {plain(line.split("==")[0]) for line in lines}
    assert {plain(name) for name in dependencies("notebooks", "test")} <= pinned
    assert {"torch==2.13.0", "torchvision==0.28.0"} <= set(
        lines
    )  # its wheel wants exactly that torch


def test_the_library_imports_only_what_the_package_depends_on():
    allowed = (
        {IMPORTED_AS.get(name, name) for name in dependencies()}
        | sys.stdlib_module_names
        | {"tinyemo"}
    )
    runner = {"papermill", "nbclient"}  # where notebooks are run
    for file in LIBRARY:
        imported = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
        assert imported <= allowed | (runner if file.name == "run.py" else set()), file


@pytest.mark.parametrize(
    ("torch", "torchvision", "expected"),
    [
        ("cuda: Optional[str] = None\n", "__version__ = '0.28.0+cu130'\n", True),
        ("cuda: Optional[str] = '13.0'\n", "__version__ = '0.28.0+cu130'\n", False),
        ("cuda: Optional[str] = None\n", "__version__ = '0.28.0+cpu'\n", False),
        ("cuda: Optional[str] = None\n", "__version__ = '0.28.0'\n", False),
        ("", "", False),
    ],
)
def test_the_torchvision_work_around_acts_only_where_builds_differ(
    monkeypatch, torch, torchvision, expected
):
    monkeypatch.setattr(
        torchvision_shim, "_version_file", {"torch": torch, "torchvision": torchvision}.get
    )
    monkeypatch.setattr(sys, "modules", {})
    assert torchvision_shim.install() is expected
    assert ("torchvision._meta_registrations" in sys.modules) is expected


def test_torchvision_imports_after_tinyemo():
    code = "import tinyemo, torch; from torchvision.transforms.functional import hflip; "
    code += "print(hflip(torch.arange(2).view(1, 1, 2)).tolist())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[[[1, 0]]]\n", done.stderr


# ---- what is committed


def test_modules_are_short_and_say_what_they_are():
    for file in LIBRARY:
        content = file.read_text()
        assert len(content.splitlines()) <= 400, file
        assert ast.get_docstring(ast.parse(content)) or not content.strip(), (
            f"{file} has no docstring"
        )


def test_nothing_committed_is_large_or_names_a_folder_of_one_machine():
    outside = re.compile(r"/home/\w+/|/roo[t]/|/Users/\w+/|\.\./share[d]")
    for path in tracked_files():
        assert path.stat().st_size < 250_000, path
        if path.suffix not in (".png", ".jpg") and path != ROOT / ".ci" / "run":
            assert not (found := outside.search(path.read_text(encoding="utf-8"))), (
                f"{path}: {found}"
            )


def test_links_in_the_readme_lead_somewhere():
    readme = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", readme):
        assert link.startswith("http") or (ROOT / link).exists(), link
    for target in re.findall(r"^make ([a-z][\w-]*)", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), (
            f"make {target}"
        )


def test_the_version_is_said_once():
    assert "version" in project()["dynamic"] and re.fullmatch(r"\d+\.\d+\.\d+", tinyemo.__version__)


# ---- the graph

PARAMETERS = (
    'profile = "smoke"  # folder of params\nsteps = 6  # how many\npause = 0.0  # seconds a step\n'
)
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
    """A profile `tiny` of two notebooks, the second reading the first."""
    for stem, code in [("a_first", FIRST), ("b_second", SECOND)]:
        write_notebook(bench / "notebooks" / f"{stem}.ipynb", PARAMETERS, code)
        (bench / "tiny" / f"{stem}.yaml").write_text("profile: tiny\n")
    return bench


def metrics(folder):
    return {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(folder.glob("*/metrics.json"))
    }


def test_edges_and_sources_are_read_from_the_notebooks(graph):
    profile = Profile.find(str(graph / "tiny"))
    assert (profile.name, profile.stems) == ("tiny", ["a_first", "b_second"])
    assert {step.folder: step.upstream for step in profiles.graph(profile, {})} == {
        "tiny/a_first": [],
        "tiny/b_second": ["tiny/a_first"],
    }
    library = library_of(graph / "notebooks" / "b_second.ipynb")
    assert {path.name for path in library} == {
        "__init__.py",
        "registration.py",
        "torchvision_shim.py",
        "emotions.py",
    }


def test_make_plans_runs_prints_results_last_and_then_has_nothing_to_do(graph):
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
    assert (
        refused.returncode
        and "no notebook of profile tiny has a parameter 'stepz'" in refused.stderr
    )


@pytest.mark.parametrize("victims", ["the whole tree", "make alone"])
def test_after_kill_9_make_reproduce_resumes_and_ends_as_if_undisturbed(graph, victims):
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
        tree += tree[0].children(recursive=True)  # the kernel too, which has a session of its own
    for victim in tree:
        victim.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = (graph / "runs").glob("tiny+*")
    assert not metrics(folder)
    resumed = make("reproduce", graph / "tiny", "P=pause=0.7")
    assert resumed.returncode == 0, resumed.stderr
    # what an undisturbed run gives, worked out: 0 + 41 + 82 + 22 + 63 + 3, and its double
    assert metrics(folder) == {"a_first": {"total": 211}, "b_second": {"total": 422, "labels": 6}}
    assert (folder / "a_first" / "work").read_text().split() == list("012345"), (
        "no step is done twice"
    )
    assert not [name for name in os.listdir(folder / "a_first") if name.endswith(".part")]
