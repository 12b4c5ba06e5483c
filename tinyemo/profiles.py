"""What a profile is: a folder of `<notebook stem>.yaml` files, and the graph its notebooks form.

Takes a profile's name (a folder under params/) or a path to such a folder; gives its notebooks, the edges
between them (read from the `run.input("...")` calls in their code) and the library modules each imports.
TINYEMO_NOTEBOOKS moves the folder of notebooks.
"""

import ast
import hashlib
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from tinyemo.parameters import declared, read_cells
from tinyemo.paths import NOTEBOOKS, PARAMS, ROOT

# how a notebook is run has no part in what it computes: a change here makes no result stale
MACHINERY = {
    ROOT / "tinyemo" / f"{name}.py"
    for name in ("run", "runfolder", "manifest", "parameters", "profiles", "results")
}


def notebook_path(stem: str) -> Path:
    """The file of a notebook, given its stem or a path to an .ipynb."""
    if stem.endswith(".ipynb"):
        return Path(stem).resolve()
    return Path(os.environ.get("TINYEMO_NOTEBOOKS") or NOTEBOOKS).resolve() / f"{stem}.ipynb"


@dataclass(frozen=True)
class Profile:
    """A named folder of parameter files."""

    name: str
    folder: Path

    @classmethod
    def find(cls, profile: str) -> "Profile":
        """By name under params/, or by path. FileNotFoundError lists the profiles that exist."""
        if (PARAMS / profile).is_dir():
            folder = (PARAMS / profile).resolve()
        elif Path(profile).is_dir():
            folder = Path(profile).resolve()
        else:
            known = ", ".join(sorted(str(f.relative_to(PARAMS)) for f in PARAMS.rglob("*") if f.is_dir()))
            raise FileNotFoundError(f"no profile {profile!r}: expected a folder, or one of params/: {known}")
        inside = folder.is_relative_to(PARAMS) and folder != PARAMS
        return cls(str(folder.relative_to(PARAMS)) if inside else folder.name, folder)

    @property
    def stems(self) -> list[str]:
        """The notebooks it runs, in name order."""
        return sorted(file.stem for file in self.folder.glob("*.yaml"))

    def file(self, stem: str) -> Path:
        """The parameter file of a notebook. FileNotFoundError names the notebooks that have one."""
        path = self.folder / f"{stem}.yaml"
        if not path.exists():
            stems = ", ".join(self.stems)
            raise FileNotFoundError(f"profile {self.name} has no {path.name}: it runs {stems}")
        return path

    def upstream(self, stem: str) -> list[str]:
        """The notebooks of this profile whose runs a notebook reads."""
        return [other for other in inputs_of(notebook_path(stem)) if other in self.stems]

    def pairs_for(self, stem: str, pairs: dict[str, str]) -> dict[str, str]:
        """Those of a command line's pairs that a notebook declares. ValueError if no notebook does."""
        names = {other: declared(notebook_path(other)) for other in self.stems}
        if unknown := [name for name in pairs if not any(name in known for known in names.values())]:
            raise ValueError(f"no notebook of profile {self.name} has a parameter {unknown[0]!r}")
        return {name: text for name, text in pairs.items() if name in names[stem]}


def pairs_of(text: str) -> dict[str, str]:
    """`lr=1e-4 "name=two words"` as a dictionary. ValueError names what is no pair."""
    pairs = shlex.split(text)
    if without := [pair for pair in pairs if "=" not in pair]:
        raise ValueError(f"{without[0]!r} is no parameter: expected key=value")
    return dict(pair.split("=", 1) for pair in pairs)


def run_name(profile: str, pairs: dict[str, str]) -> str:
    """The folder of a profile's runs: its name, plus a hash of the command line's pairs if there are any."""
    if not pairs:
        return profile
    return f"{profile}+{hashlib.sha256(repr(sorted(pairs.items())).encode()).hexdigest()[:8]}"


def _code(notebook: Path) -> ast.Module:
    """A notebook's code as one syntax tree; lines of IPython magic are dropped."""
    cells = [c["source"] for c in read_cells(notebook) if c["cell_type"] == "code"]
    lines = "\n".join(cells).splitlines()
    return ast.parse("\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))))


def inputs_of(notebook: Path) -> list[str]:
    """The stems named in `run.input("...")` calls, in name order."""
    return sorted({
        node.args[0].value
        for node in ast.walk(_code(notebook))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "input"
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    })


def library_of(notebook: Path) -> list[Path]:
    """The modules of tinyemo a notebook imports, and those they import: the code its results rest on."""
    found: set[Path] = set()
    waiting = _imports(_code(notebook))
    while waiting := waiting - found - MACHINERY:
        found |= waiting
        waiting = set().union(*(_imports(ast.parse(file.read_text(encoding="utf-8"))) for file in waiting))
    return sorted(found)


def _imports(tree: ast.Module) -> set[Path]:
    """Files of tinyemo that a syntax tree imports, the packages on the way included."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    files = set()
    for parts in (name.split(".") for name in names if name.split(".")[0] == "tinyemo"):
        for depth in range(1, len(parts) + 1):
            base = ROOT.joinpath(*parts[:depth])
            files |= {file for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists()}
    return files
