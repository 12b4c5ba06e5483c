"""Which code a result rests on, and a digest of that code.

Takes module names or a syntax tree; gives the files of this repository that they import, and one hash of them.

The hash is taken over syntax trees without docstrings, and comments are no part of a syntax tree. So it changes
when behaviour can change, and stays when only words about the code change. Data files that lie beside a module and
are named in it (YAML tables, prompt texts) count with their full content.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

from tinyemo.paths import ROOT

PACKAGES = ("tinyemo", "emoscenes")
# Code that starts runs and keeps their records. No result depends on it.
MACHINERY = {
    *(ROOT / "tinyemo" / "runs").glob("*.py"),
    ROOT / "tinyemo" / "run.py",
    ROOT / "tinyemo" / "cli.py",
}
DATA_SUFFIXES = (".yaml", ".json", ".jsonl", ".csv", ".txt", ".html")


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 (hex) of the named modules and of all code of this repository that they import.

    ValueError: a name that is not a module of this repository.
    """
    start = set()
    for module in modules:
        files = _module_files(module)
        if not files:
            raise ValueError(f"{module} is not a module of {', '.join(PACKAGES)}")
        start |= files
    return digest_of_files(_with_imports(start))


def code_files(tree: ast.Module) -> list[Path]:
    """The Python files of this repository that a syntax tree imports, and those that they import, sorted."""
    return sorted(_with_imports(_imported(tree)))


def digest_of_files(files: list[Path] | set[Path]) -> str:
    """SHA-256 (hex) of Python files, by their path in the repository and their syntax tree."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.relative_to(ROOT).as_posix()} {file_digest(file)}\n".encode())
    return digest.hexdigest()


def source_digest(source: str) -> str:
    """SHA-256 (hex) of Python source without its docstrings and comments."""
    return hashlib.sha256(ast.dump(_without_docstrings(ast.parse(source))).encode()).hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 (hex) of one Python file without docstrings and comments, and of the data files that it names."""
    return _file_digest(file, file.stat().st_mtime_ns)


@cache
def _file_digest(file: Path, modified: int) -> str:
    source = file.read_text(encoding="utf-8")
    digest = hashlib.sha256(source_digest(source).encode())
    for data in _named_data(ast.parse(source), file.parent):
        digest.update(data.name.encode() + data.read_bytes())
    return digest.hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree itself, its docstrings taken out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
    return tree


def _named_data(tree: ast.Module, folder: Path) -> list[Path]:
    """Data files in `folder` whose names stand in the tree as strings, sorted."""
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = {text for text in strings if text.endswith(DATA_SUFFIXES) and "\n" not in text}
    return sorted(folder / name for name in names if (folder / name).is_file())


def _with_imports(files: set[Path]) -> set[Path]:
    """The files and all that they import, directly or not, without MACHINERY."""
    found: set[Path] = set()
    waiting = set(files)
    while waiting := waiting - found - MACHINERY:
        found |= waiting
        waiting = set().union(
            *(_imports_of_file(file, file.stat().st_mtime_ns) for file in waiting)
        )
    return found


@cache
def _imports_of_file(file: Path, modified: int) -> frozenset[Path]:
    return frozenset(_imported(ast.parse(file.read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> set[Path]:
    """Files of this repository that a syntax tree imports itself, their packages' `__init__.py` included."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return set().union(*(_module_files(name) for name in names))


def _module_files(name: str) -> set[Path]:
    """The file of a module of this repository and the `__init__.py` of its packages; empty for others."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return set()
    files = set()
    for depth in range(1, len(parts) + 1):
        base = ROOT.joinpath(*parts[:depth])
        files |= {file for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists()}
    return files
