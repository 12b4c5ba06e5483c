"""How long a profile will run and how much disk space it needs, said before it starts.

Takes the steps of a graph; gives sentences. The time of a step is that of its own last run here,
else that of the committed reference run, else the estimate in its parameter file
(`expected: {minutes: 90, gigabytes: 120}`).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tinyemo.paths import made_dir, runs_dir
from tinyemo.runs import manifest
from tinyemo.runs.folder import METRICS
from tinyemo.runs.manifest import seconds_or_minutes
from tinyemo.runs.pages import REFERENCE, source_of
from tinyemo.runs.parameters import read_yaml
from tinyemo.runs.profiles import Profile, Step

GB = 10**9


@dataclass(frozen=True)
class Expected:
    """What one step is expected to need. Unknown minutes are None."""

    minutes: float | None
    source: str  # where the minutes come from
    gigabytes: float


def forecast(profile: Profile, steps: list[Step], stale: set[str]) -> list[str]:
    """Sentences about the steps that will run: how many, how long, how much disk space; or that
    there is none.

    `stale` are the folders of finished steps that are not current. A step also runs where a step
    that it reads does.
    """
    waiting = _to_run(steps, stale)
    if not waiting:
        return [f"{profile.name}: all {len(steps)} runs are there and current, nothing to be done"]
    known = {step.folder: expected(step) for step in waiting}
    minutes = [one.minutes for one in known.values() if one.minutes is not None]
    sources = sorted({one.source for one in known.values() if one.minutes is not None})
    sentences = [f"{profile.name}: {len(waiting)} of {len(steps)} runs to make"]
    if minutes:
        sentences.append(f"expected time: {_hours(sum(minutes))} ({', '.join(sources)})")
    if unknown := [step.name for step in waiting if known[step.folder].minutes is None]:
        sentences.append(f"time not known: {', '.join(unknown)}")
    needed = sum(one.gigabytes for one in known.values())
    if needed:
        sentences.append(_space(needed))
    return sentences


def expected(step: Step) -> Expected:
    """What a step is expected to need. ValueError: `expected` in its file is not as above."""
    file = step.profile.file(step.stem)
    estimate = read_yaml(file).get("expected", {})
    keys = {"minutes", "gigabytes"}
    if not isinstance(estimate, dict) or not estimate.keys() <= keys:
        raise ValueError(f"{file}, expected: {estimate!r}, expected {{minutes: N, gigabytes: N}}")
    gigabytes = estimate.get("gigabytes", 0)
    own = manifest.read(runs_dir() / step.folder)
    if own.get("status") == "done" and "seconds" in own:
        return Expected(own["seconds"] / 60, "measured here", gigabytes)
    reference = REFERENCE / step.profile.name / step.stem
    if not step.swept and (reference / "source.json").exists():
        source = source_of(reference)
        return Expected(source["seconds"] / 60, f"measured on {source['device']}", gigabytes)
    return Expected(estimate.get("minutes"), "estimated", gigabytes)


def _to_run(steps: list[Step], stale: set[str]) -> list[Step]:
    """The steps without a current result, and those that read one of them."""
    waiting: dict[str, Step] = {}
    before = -1
    while len(waiting) != before:
        before = len(waiting)
        for step in steps:
            missing = not (runs_dir() / step.folder / METRICS).exists()
            if missing or step.folder in stale or waiting.keys() & set(step.upstream):
                waiting[step.folder] = step
    return list(waiting.values())


def step_lines(steps: list[Step], stale: set[str]) -> dict[str, str]:
    """Folder -> what is printed when its step begins: its number, its name, its expected time."""
    waiting = _to_run(steps, stale)
    lines = {}
    for number, step in enumerate(waiting, 1):
        minutes = expected(step).minutes
        time = "time not known" if minutes is None else f"about {seconds_or_minutes(minutes)}"
        lines[step.folder] = f"{number:>2} of {len(waiting)}  {step.name:<24} {time}"
    return lines


def _hours(minutes: float) -> str:
    if minutes < 90:
        return f"about {max(1, round(minutes))} min"
    return f"about {minutes / 60:.1f} h"


def _space(needed: float) -> str:
    """How much disk space is needed, and how much is free where runs and made data are."""
    free = {}
    for place in (runs_dir(), made_dir()):
        existing = next(path for path in [place, *place.parents] if path.exists())
        free[existing] = shutil.disk_usage(existing).free / GB
    least: Path = min(free, key=lambda place: free[place])
    enough = "" if free[least] >= needed else ": not enough"
    return f"disk space: about {needed:.0f} GB; free in {least}: {free[least]:.0f} GB{enough}"
