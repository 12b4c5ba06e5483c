"""What a profile is: a folder of `<notebook stem>.yaml` files, and the graph of runs its notebooks form.

Takes a profile's name (a folder under params/) or a path to such a folder; gives its notebooks, its runs, the
edges between them (read from the `run.input("...")` and `run.members("...")` calls in the notebooks' code) and
the library modules each imports. A parameter file's `sweep` makes several runs of one notebook, its `base`
names the profile that has the runs which this one lacks. TINYEMO_NOTEBOOKS moves the folder of notebooks.
"""

import ast
import hashlib
import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tinyemo.code_digest import code_files
from tinyemo.paths import NOTEBOOKS, PARAMS
from tinyemo.runs.parameters import declared, read_cells, read_sweep, read_yaml

# how a notebook is run has no part in what it computes: a change here makes no result stale


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
            known = ", ".join(
                sorted(str(f.relative_to(PARAMS)) for f in PARAMS.rglob("*") if f.is_dir())
            )
            raise FileNotFoundError(
                f"no profile {profile!r}: expected a folder, or one of params/: {known}"
            )
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

    def source(self, stem: str, other: str) -> "Profile":
        """Whose run of notebook `other` the notebook `stem` reads: its own profile's, else its base's."""
        base = (
            None
            if other in self.stems or stem not in self.stems
            else read_yaml(self.file(stem)).get("base")
        )
        return Profile.find(base) if base else self

    def members(self, stem: str) -> dict[str, dict[str, str]]:
        """What each run of a notebook changes of its parameter file, as pairs, under a label that says so.

        The first is "default", which changes nothing, and the only one unless the file has a `sweep`.
        """
        settings = read_sweep(self.file(stem), declared(notebook_path(stem)))
        members = [
            {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in changes.items()
            }
            for changes in settings
        ]
        return {
            ", ".join(f"{k}={v}" for k, v in pairs.items()) or "default": pairs for pairs in members
        }

    def pairs_for(self, stem: str, pairs: dict[str, str]) -> dict[str, str]:
        """Those of a command line's pairs that a notebook declares. ValueError if no notebook does."""
        names = {other: declared(notebook_path(other)) for other in self.stems}
        if unknown := [
            name for name in pairs if not any(name in known for known in names.values())
        ]:
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


def member_name(stem: str, changes: dict[str, str]) -> str:
    """The folder of a notebook's run in its profile's: the stem, plus what a sweep changes for this one."""
    said = ",".join(f"{name}={text}" for name, text in changes.items())
    return f"{stem}+{quote(said, safe='=,')}" if changes else stem


@dataclass(frozen=True)
class Step:
    """One run of a graph."""

    profile: Profile
    stem: str
    home: str  # the folder of the profile's runs, under runs_dir()
    name: str  # the run's folder in it
    pairs: dict[str, str]  # what the runner is told beside the parameter file
    upstream: list[str]  # the folders of the runs it reads, under runs_dir()
    swept: bool  # one of several that run side by side

    @property
    def folder(self) -> str:
        return f"{self.home}/{self.name}"


def graph(profile: Profile, pairs: dict[str, str]) -> list[Step]:
    """The runs of a profile under a command line's pairs, and those of its bases that they read, each once.

    ValueError: a pair that no notebook declares, or one that the profile sweeps.
    """
    steps: list[Step] = []
    waiting = [(profile, stem, pairs) for stem in profile.stems]
    for whose, stem, given in waiting:  # which grows while it is read
        taken, members, upstream = whose.pairs_for(stem, given), whose.members(stem), []
        if swept := [name for changes in members.values() for name in changes if name in taken]:
            raise ValueError(
                f"profile {whose.name} sweeps the parameter {swept[0]!r} of {stem}: change it there"
            )
        for other in inputs_of(notebook_path(stem)):
            source = whose.source(stem, other)
            if other not in source.stems:
                continue  # the notebook says so if it needs it
            theirs = given if source == whose else {}
            if (need := (source, other, theirs)) not in waiting:
                waiting.append(need)
            home = run_name(source.name, theirs)
            upstream += [
                f"{home}/{member_name(other, changes)}"
                for changes in source.members(other).values()
            ]
        for changes in members.values():
            home, name = run_name(whose.name, given), member_name(stem, changes)
            steps.append(Step(whose, stem, home, name, taken | changes, upstream, len(members) > 1))
    return steps


def _code(notebook: Path) -> ast.Module:
    """A notebook's code as one syntax tree; lines of IPython magic are dropped."""
    cells = [c["source"] for c in read_cells(notebook) if c["cell_type"] == "code"]
    lines = "\n".join(cells).splitlines()
    return ast.parse("\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))))


def inputs_of(notebook: Path) -> list[str]:
    """The stems named in `run.input("...")` and `run.members("...")` calls, in name order."""
    return sorted(
        {
            node.args[0].value
            for node in ast.walk(_code(notebook))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("input", "members")
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        }
    )


def library_of(notebook: Path) -> list[Path]:
    """The modules a notebook imports, and those they import: the code its results rest on."""
    return code_files(_code(notebook))
