"""The frame of the project: dependencies, committed files, the shape and imports of modules."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import pairwise

import pytest
import yaml

import tinyemo
from tinyemo import torchvision_shim
from tinyemo.paths import NOTEBOOKS, ROOT

# names under which packages are imported, where they differ
IMPORTED_AS = {
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "open_clip_torch": "open_clip",
    "opencv-python-headless": "cv2",
    "faiss-cpu": "faiss",
    "rouge-score": "rouge_score",
    "concept-erasure": "concept_erasure",
}
PACKAGES = ("tinyemo", "emoscenes")
LIBRARY = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0]


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies(*extras):
    requirements = list(project()["dependencies"])
    for extra in extras:
        requirements += project()["optional-dependencies"][extra]
    return [name_of(requirement) for requirement in requirements]


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


# ---- dependencies


def test_environment_yml_lists_what_pyproject_lists_and_who_needs_it():
    content = (ROOT / "environment.yml").read_text()
    entries = yaml.safe_load(content)["dependencies"]
    pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    assert pip[:2] == ["-c constraints.txt", "-e ."]
    assert sorted(pip[2:]) == sorted(dependencies("notebooks", "test"))
    known = {path.name[:2] for path in NOTEBOOKS.glob("*.ipynb")}
    for name in pip[2:]:
        comment = re.search(rf"- {re.escape(name)}  # ([^:\n]+)", content)
        assert comment, f"{name} has no comment"
        assert comment[1] in ("tests", "predict") or set(comment[1].split()) <= known


def test_constraints_pin_every_dependency():
    text = (ROOT / "constraints.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    exact = re.compile(r"[\w.-]+==[\w.]+")
    assert all(exact.fullmatch(line) for line in lines), "exact, portable versions only"
    pinned = {plain(line.split("==")[0]) for line in lines}
    assert {plain(name) for name in dependencies("notebooks", "test")} <= pinned
    # the wheel of torchvision needs exactly this torch
    assert {"torch==2.13.0", "torchvision==0.28.0"} <= set(lines)


def test_the_library_imports_only_what_the_package_depends_on():
    installed = {IMPORTED_AS.get(name, name) for name in dependencies()}
    allowed = installed | sys.stdlib_module_names | set(PACKAGES)
    # what only a run of a notebook needs: papermill, and what it and the kernel depend on
    of_runs = {
        "runner.py": {"papermill", "nbclient"},
        "kernel.py": {"papermill", "jupyter_client"},
    }
    for file in LIBRARY:
        packages = {name.split(".")[0] for name, _ in imported_names(file)}
        assert packages <= allowed | of_runs.get(file.name, set()), file


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
def test_the_torchvision_work_around_is_used_only_where_builds_differ(
    monkeypatch, torch, torchvision, expected
):
    version_files = {"torch": torch, "torchvision": torchvision}
    monkeypatch.setattr(torchvision_shim, "_version_file", version_files.get)
    monkeypatch.setattr(sys, "modules", {})
    assert torchvision_shim.install() is expected
    assert ("torchvision._meta_registrations" in sys.modules) is expected


def test_torchvision_can_be_imported_after_tinyemo():
    code = "import tinyemo, torch; from torchvision.transforms.functional import hflip; "
    code += "print(hflip(torch.arange(2).view(1, 1, 2)).tolist())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[[[1, 0]]]\n", done.stderr


# ---- committed files


def test_no_committed_file_is_large_or_names_a_folder_of_one_machine():
    outside = re.compile(r"/home/\w+/|/roo[t]/|/Users/\w+/|\.\./share[d]")
    shipped = [path for path in tracked_files() if path.is_relative_to(ROOT / "emoscenes/weights")]
    assert sum(path.stat().st_size for path in shipped) < 16_000_000
    for path in tracked_files():
        assert path in shipped or path.stat().st_size < 250_000, path
        if path.suffix not in (".png", ".jpg", ".safetensors") and path != ROOT / ".ci" / "run":
            found = outside.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path}: {found}"


@pytest.mark.parametrize("page", ["README.md", "docs", "emoscenes", "benchmarks", "results"])
def test_links_in_the_pages_lead_to_files(page):
    path = ROOT / page
    for file in [path] if path.is_file() else sorted(path.rglob("*.md")):
        text = file.read_text()
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            exists = link.startswith("http") or (file.parent / link).exists()
            assert exists, f"{file}: {link}"


def test_make_targets_that_the_pages_name_exist():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"^make ([a-z][\w-]*)", page.read_text(), re.MULTILINE):
            assert target in targets, f"{page}: make {target}"


def test_the_version_is_written_in_one_place():
    assert "version" in project()["dynamic"] and re.fullmatch(r"\d+\.\d+\.\d+", tinyemo.__version__)


# ---- the shape of modules

MOST_NODES = 15  # syntax-tree nodes per statement, docstrings not counted
MOST_LINES = 500  # a guide: a longer module usually has two subjects
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def shown(file):
    return file.relative_to(ROOT).as_posix()


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def nodes_per_statement(file):
    nodes = list(ast.walk(without_docstrings(ast.parse(file.read_text()))))
    statements = sum(isinstance(node, ast.stmt) for node in nodes)
    return len(nodes) / max(statements, 1)


def test_modules_begin_with_a_docstring():
    lacking = []
    for file in LIBRARY:
        content = file.read_text()
        if content.strip() and not ast.get_docstring(ast.parse(content)):
            lacking.append(shown(file))
    assert lacking == []


def test_modules_are_short():
    lengths = {shown(file): len(file.read_text().splitlines()) for file in LIBRARY}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_modules_are_not_dense():
    measured = {shown(file): round(nodes_per_statement(file), 1) for file in LIBRARY}
    assert {name: nodes for name, nodes in measured.items() if nodes > MOST_NODES} == {}


def test_no_line_of_the_library_is_longer_than_100_characters():
    long_lines = [
        f"{shown(file)}:{number}"
        for file in LIBRARY
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if len(line) > 100
    ]
    assert long_lines == []


# ---- the direction of imports

# Each layer may import itself and the layers before it.
LAYERS = [
    {"paths", "code_digest", "torchvision_shim", "emotions", "emotion_words", "pixels", "io"}
    | {"hub", "strict_loading", "losses", "plots"},
    {"data"},
    {"features"},
    {"models"},
    {"training"},
    {"emoreason"},
    {"evaluation"},
    {"bias"},
    {"classify", "explain", "converse", "predict", "cli", "demo", "run", "runs"},
]
LAYER_OF = {name: number for number, layer in enumerate(LAYERS) for name in layer}
MAY_IMPORT_RUNS = {"tinyemo.cli", "tinyemo.run"} | {
    f"tinyemo.predict.{name}" for name in ("profile_bundle", "pack_weights")
}
MAY_IMPORT_EMOSCENES = {"tinyemo.predict.pack_weights", "tinyemo.emoreason.teachers"}
FOR_EMOSCENES = (
    "emotions",
    "emotion_words",
    "io",
    "paths",
    "code_digest",
    "data",
    "emoreason.requests",
)
FOR_TOY_MODELS = (*FOR_EMOSCENES, "models", "training")


def module_name(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in LIBRARY}


def imported_names(file):
    """(name, whether inside a function) of everything that a file imports."""
    tree = ast.parse(file.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: relative imports are not followed by code_digest"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield (submodule if submodule in MODULES else node.module), id(node) in inside


def arrows():
    """(importing module, imported module, whether inside a function) within both packages."""
    for name, file in MODULES.items():
        for imported, inside in imported_names(file):
            if imported in MODULES:
                yield name, imported, inside


ARROWS = sorted(set(arrows()))


def room(module):
    """The part of a package that a module belongs to: `data` for tinyemo.data.records."""
    return module.split(".")[1] if "." in module else ""


def is_below(module, names, package="tinyemo"):
    return any(f"{module}.".startswith(f"{package}.{name}.") for name in names)


def test_every_room_of_tinyemo_has_a_layer():
    rooms = {room(name) for name in MODULES if name.startswith("tinyemo.")}
    assert rooms <= LAYER_OF.keys()


def test_imports_go_from_higher_to_lower_layers():
    # tinyemo/__init__.py installs two work-arounds before anything else is imported
    within = [
        (importer, imported)
        for importer, imported, _ in ARROWS
        if importer.startswith("tinyemo.") and imported.startswith("tinyemo.")
    ]
    upward = [(a, b) for a, b in within if LAYER_OF[room(a)] < LAYER_OF[room(b)]]
    assert upward == []


def test_only_the_command_line_imports_runs():
    importers = {a for a, b, _ in ARROWS if room(b) == "runs" and room(a) != "runs"}
    assert importers <= MAY_IMPORT_RUNS


def test_only_few_modules_of_tinyemo_import_emoscenes():
    importers = {
        (a, inside)
        for a, b, inside in ARROWS
        if b.startswith("emoscenes") and a.startswith("tinyemo")
    }
    unexpected = {a for a, _ in importers if a not in MAY_IMPORT_EMOSCENES and room(a) != "demo"}
    assert unexpected == set()
    assert ("tinyemo.emoreason.teachers", False) not in importers, "inside a function only"


def test_emoscenes_imports_only_what_it_may():
    unexpected = []
    for importer, imported, _ in ARROWS:
        if importer.startswith("emoscenes") and imported.startswith("tinyemo"):
            allowed = FOR_TOY_MODELS if importer == "emoscenes.toy_models" else FOR_EMOSCENES
            if not is_below(imported, allowed):
                unexpected.append((importer, imported))
    assert unexpected == []


def circle_in(edges):
    """Nodes that form a circle, in order; empty if there is none."""
    following = {}
    for start, end in edges:
        following.setdefault(start, set()).add(end)
    finished = set()

    def visit(node, path):
        if node in path:
            return [*path[path.index(node) :], node]
        if node in finished:
            return []
        for after in sorted(following.get(node, ())):
            if circle := visit(after, [*path, node]):
                return circle
        finished.add(node)
        return []

    for node in sorted(following):
        if circle := visit(node, []):
            return circle
    return []


def test_a_circle_is_found():
    assert circle_in([("a", "b"), ("b", "c")]) == []
    circle = circle_in([("a", "b"), ("b", "c"), ("c", "b")])
    assert set(pairwise(circle)) == {("b", "c"), ("c", "b")}


def test_no_modules_import_each_other_in_a_circle():
    assert circle_in([(a, b) for a, b, _ in ARROWS]) == []


def test_no_rooms_import_each_other_in_a_circle():
    edges = {
        (room(a), room(b))
        for a, b, _ in ARROWS
        if a.startswith("tinyemo.") and b.startswith("tinyemo.") and room(a) != room(b)
    }
    assert circle_in(edges) == []


def test_no_test_file_imports_another_test_file():
    importing = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        names = {name for name, _ in imported_names(file)}
        importing += [f"{shown(file)}: {name}" for name in names if name.startswith("test_")]
    assert importing == []
