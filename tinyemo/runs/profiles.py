"""A profile: a folder of `<notebook stem>.yaml` files, and the graph of runs that its notebooks
form.

Takes a profile's name (a folder under params/) or a path to such a folder. Gives its notebooks, its
runs, and the edges between them. An edge comes from a `run.input("...")` or `run.members("...")`
call in a notebook's code. The `sweep` of a parameter file makes several runs of one notebook. Its
`base` names the profile whose runs are used where this profile has none.
"""

import hashlib
import json
import shlex
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tinyemo.io import hint_for_unknown
from tinyemo.paths import PARAMS, exists
from tinyemo.runs.notebooks import notebook_path, upstream_of
from tinyemo.runs.parameters import (
    Parameter,
    declared,
    read_file,
    read_pairs,
    read_sweep,
    read_yaml,
)

LONGEST_NAME = 200  # characters; file systems allow 255 bytes


@dataclass(frozen=True)
class Profile:
    """A named folder of parameter files."""

    name: str
    folder: Path

    @classmethod
    def find(cls, profile: str) -> "Profile":
        """By name under params/, or by path. FileNotFoundError lists the profiles that exist."""
        places = [PARAMS / profile, Path(profile)]
        folder = next((place for place in places if exists(place) and place.is_dir()), None)
        if not folder:
            folders = [path for path in PARAMS.rglob("*") if path.is_dir()]
            known = ", ".join(sorted(str(path.relative_to(PARAMS)) for path in folders))
            raise FileNotFoundError(
                f"no profile {profile!r}: expected a folder, or one of params/: {known}"
            )
        folder = folder.resolve()
        inside = folder.is_relative_to(PARAMS) and folder != PARAMS
        return cls(str(folder.relative_to(PARAMS)) if inside else folder.name, folder)

    @property
    def argument(self) -> str:
        """What `find` takes: the name of a folder under params/, the path of any other."""
        return self.name if self.folder == PARAMS / self.name else str(self.folder)

    @property
    def stems(self) -> list[str]:
        """The notebooks that it runs, in name order."""
        return sorted(file.stem for file in self.folder.glob("*.yaml"))

    def file(self, stem: str) -> Path:
        """The parameter file of a notebook. FileNotFoundError names the notebooks that have one."""
        path = self.folder / f"{stem}.yaml"
        if not path.exists():
            stems = ", ".join(self.stems)
            raise FileNotFoundError(
                f"profile {self.name} has no {path.name}: it runs {stems or 'no notebook'}"
            )
        return path

    def source(self, stem: str, other: str) -> "Profile":
        """The profile whose run of notebook `other` the notebook `stem` reads: this one or its
        base."""
        if other in self.stems or stem not in self.stems:
            return self
        base = read_yaml(self.file(stem)).get("base")
        return Profile.find(base) if base else self

    def members(self, stem: str) -> dict[str, dict[str, str]]:
        """What each run of a notebook changes of its parameter file: label -> `key=value` pairs.

        The first is "default", which changes nothing. It is the only one unless the file has a
        `sweep`.
        """
        settings = read_sweep(self.file(stem), declared(notebook_path(stem)))
        members = {}
        for changes in settings:
            pairs = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in changes.items()
            }
            label = ", ".join(f"{name}={text}" for name, text in pairs.items())
            members[label or "default"] = pairs
        return members

    def pairs_for(self, stem: str, pairs: dict[str, str]) -> dict[str, str]:
        """Those of a command line's pairs that a notebook declares. ValueError if no notebook
        does."""
        names = self.parameters()
        for name in pairs:
            if not any(name in known for known in names.values()):
                raise ValueError(f"no notebook of profile {self.name} has a parameter {name!r}")
        return {name: text for name, text in pairs.items() if name in names[stem]}

    def parameters(self) -> dict[str, dict[str, Parameter]]:
        """What each of its notebooks declares."""
        return {stem: declared(notebook_path(stem)) for stem in self.stems}


def pairs_of(text: str) -> dict[str, str]:
    """`lr=1e-4 "name=two words"` as a dictionary. ValueError names the word that is not a pair."""
    pairs = shlex.split(text)
    for pair in pairs:
        if "=" not in pair:
            raise ValueError(f"{pair!r} is not a parameter: expected key=value")
    return dict(pair.split("=", 1) for pair in pairs)


def stems_of(text: str) -> list[str]:
    """The notebooks that `ONLY=` names, with spaces or commas between them."""
    return text.replace(",", " ").split()


def run_name(profile: str, pairs: dict[str, str]) -> str:
    """The folder of a profile's runs: its name, and a hash of the command line's pairs if there are
    any. (Snakemake takes braces in a name of a file for a wildcard.)"""
    name = profile.replace("{", "%7B").replace("}", "%7D")
    return f"{name}+{_short_hash(repr(sorted(pairs.items())))}" if pairs else name


def member_name(stem: str, changes: dict[str, str]) -> str:
    """The folder of a run within its profile's: the stem, and what a sweep changes for this run."""
    if not changes:
        return stem
    text = ",".join(f"{name}={value}" for name, value in changes.items())
    name = f"{stem}+{quote(text, safe='=,')}"
    if len(name) > LONGEST_NAME:
        return f"{name[: LONGEST_NAME - 9]}-{_short_hash(text)}"
    return name


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Step:
    """One run of a graph."""

    profile: Profile
    stem: str
    home: str  # the folder of the profile's runs, under runs_dir()
    name: str  # the run's folder in it
    pairs: dict[str, str]  # what the runner gets in addition to the parameter file
    upstream: list[str]  # the folders of the runs that it reads, under runs_dir()
    swept: bool  # one of several runs of a sweep

    @property
    def folder(self) -> str:
        return f"{self.home}/{self.name}"

    def values(self) -> dict[str, typing.Any]:
        """The parameter values of the run, as the runner gives them to the notebook."""
        known = declared(notebook_path(self.stem))
        values = {name: parameter.default for name, parameter in known.items()}
        if "profile" in known:
            values["profile"] = self.profile.name
        file = self.profile.file(self.stem)
        return values | read_file(file, known) | read_pairs(self.pairs, known)


def graph(profile: Profile, pairs: dict[str, str], only: Sequence[str] = ()) -> list[Step]:
    """The runs of a profile under a command line's pairs, and those of its bases that they read,
    each once. With `only`, the runs of these notebooks and all that they need.

    ValueError: a pair that no notebook declares, or one that the profile sweeps; a notebook of
    `only` that the profile does not run.
    """
    for stem in only:
        if stem not in profile.stems:
            hint = hint_for_unknown(stem, profile.stems)
            raise ValueError(f"profile {profile.name} has no notebook {stem!r}: {hint}")
    steps: list[Step] = []
    waiting = [(profile, stem, pairs) for stem in profile.stems]
    for owner, stem, given in waiting:  # the list grows while it is read
        taken, members = owner.pairs_for(stem, given), owner.members(stem)
        _refuse_swept(owner, stem, taken, members)
        upstream: list[str] = []
        for other in upstream_of(notebook_path(stem)):
            source = owner.source(stem, other)
            if other not in source.stems:
                continue  # the notebook itself reports a run that it needs and does not find
            other_pairs = given if source == owner else {}
            if (source, other, other_pairs) not in waiting:
                waiting.append((source, other, other_pairs))
            home = run_name(source.name, other_pairs)
            changes_of_members = source.members(other).values()
            upstream += [f"{home}/{member_name(other, changes)}" for changes in changes_of_members]
        for changes in members.values():
            home, name = run_name(owner.name, given), member_name(stem, changes)
            swept = len(members) > 1
            steps.append(Step(owner, stem, home, name, taken | changes, upstream, swept))
    if not only:
        return steps
    kept: set[str] = set()
    searched = [step for step in steps if step.profile == profile and step.stem in only]
    for step in searched:  # the list grows while it is read
        kept.add(step.folder)
        searched += [one for one in steps if one.folder in set(step.upstream) - kept]
    return [step for step in steps if step.folder in kept]


def _refuse_swept(
    profile: Profile, stem: str, pairs: dict[str, str], members: dict[str, dict[str, str]]
) -> None:
    """ValueError if a pair of the command line is one that the profile sweeps."""
    swept = {name for changes in members.values() for name in changes}
    for name in pairs:
        if name in swept:
            raise ValueError(
                f"profile {profile.name} sweeps the parameter {name!r} of {stem}: change it there"
            )
