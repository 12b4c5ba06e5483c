"""The digest of the code that a result depends on.

Owns two questions: which files of this repository does some code import, and which hash do these
files have. Takes module names, or a syntax tree of code that is no module (a notebook). Gives
paths and SHA-256 digests.

A digest is taken over syntax trees without docstrings, and comments are not part of a syntax
tree. So it changes when the behaviour of the code can change, and stays the same when only the
text about the code changes. Data files of the packages that a module names (YAML tables, prompt
texts) count with their content.

A process keeps the digests that it computed first, as it keeps the modules that it imported first.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

from tinyemo.paths import ROOT

PACKAGES = ("tinyemo", "emoscenes")
# These modules start runs and record them. No result depends on them, so they are never followed.
RUN_MODULES = ("tinyemo/runs/", "tinyemo/run.py", "tinyemo/cli.py")
# Ends of names, without the dot: with it, this module would itself name all of these files.
DATA_KINDS = ("yaml", "json", "jsonl", "csv", "txt", "html")


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 (hex) of the named modules and of all code of this repository that they import.

    ValueError: a name that is not a module of this repository.
    """
    files: set[Path] = set()
    for module in modules:
        base = ROOT.joinpath(*module.split("."))
        exists = base.with_suffix(".py").exists() or (base / "__init__.py").exists()
        if module.split(".")[0] not in PACKAGES or not exists:
            raise ValueError(f"{module} is not a module of {' or '.join(PACKAGES)}")
        files |= _module_files(module)
    return digest_of_files(_with_imports(files))


def code_files(tree: ast.Module) -> list[Path]:
    """The Python files of this repository that `tree` imports, directly or through others,
    sorted."""
    return sorted(_with_imports(_imported(tree)))


def digest_of_files(files: list[Path] | set[Path]) -> str:
    """SHA-256 (hex) of Python files: their paths in the repository and their code."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.relative_to(ROOT).as_posix()} {_file_digest(file)}\n".encode())
    return digest.hexdigest()


def tree_digest(tree: ast.Module) -> str:
    """SHA-256 (hex) of a syntax tree without its docstrings; the same in every version of
    Python."""
    return hashlib.sha256(_canonical(tree).encode()).hexdigest()


@cache
def _file_digest(file: Path) -> str:
    """SHA-256 (hex) of the code of one Python file, and of the data files that it names."""
    tree = _parsed(file)
    digest = hashlib.sha256(tree_digest(tree).encode())
    for data in _named_data(tree, file.parent):
        digest.update(data.name.encode() + data.read_bytes())
    return digest.hexdigest()


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def _canonical(value: object) -> str:
    """A syntax tree as text, without docstrings.

    Empty fields are left out: which of them exist depends on the version of Python.
    """
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = dict(ast.iter_fields(value))
    if _has_docstring(value):
        fields["body"] = fields["body"][1:]
    kept = [
        f"{name}={_canonical(field)}" for name, field in fields.items() if field not in (None, [])
    ]
    return f"{type(value).__name__}({','.join(kept)})"


def _has_docstring(node: ast.AST) -> bool:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


def _named_data(tree: ast.Module, folder: Path) -> list[Path]:
    """The data files of the packages that a module in `folder` names in its strings, sorted.

    A file counts if a string ends with its name. A string that is only the end of a name, such as
    the ".yaml" of f"{stem}.yaml" or of a glob, stands for all such files in `folder` and below.
    """
    found: set[Path] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        name = node.value.rpartition("/")[2]
        if not _is_data(name):
            continue
        if name.startswith(("*", ".")):
            found |= {file for file in folder.rglob("*" + name.lstrip("*")) if file.is_file()}
        else:
            found |= _data_files().get(name, set())
    return sorted(found)


def _is_data(name: str) -> bool:
    _, dot, kind = name.rpartition(".")
    return bool(dot) and kind in DATA_KINDS


@cache
def _data_files() -> dict[str, set[Path]]:
    """The data files of the packages by their name."""
    found: dict[str, set[Path]] = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*"):
            if _is_data(file.name):
                found.setdefault(file.name, set()).add(file)
    return found


def _with_imports(files: set[Path]) -> set[Path]:
    """The files and all that they import, directly or not, without the modules that start runs."""
    found: set[Path] = set()
    waiting = _followed(files)
    while waiting:
        found |= waiting
        imported = set().union(*map(_imports_of, waiting))
        waiting = _followed(imported) - found
    return found


@cache
def _imports_of(file: Path) -> set[Path]:
    return _imported(_parsed(file))


def _followed(files: set[Path]) -> set[Path]:
    return {file for file in files if not _starts_runs(file)}


def _starts_runs(file: Path) -> bool:
    return file.relative_to(ROOT).as_posix().startswith(RUN_MODULES)


def _imported(tree: ast.Module) -> set[Path]:
    """The files of this repository that a tree itself imports, with the `__init__.py` of their
    packages."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return set().union(*map(_module_files, names))


@cache
def _module_files(name: str) -> frozenset[Path]:
    """The file of a module of this repository and the `__init__.py` of its packages; empty for
    others."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return frozenset()
    candidates: list[Path] = []
    for depth in range(1, len(parts) + 1):
        base = ROOT.joinpath(*parts[:depth])
        candidates += [base.with_suffix(".py"), base / "__init__.py"]
    return frozenset(file for file in candidates if file.exists())
