"""Results: runs as tables, the committed reference, and the check that both agree.

    tinyemo results [PROFILE] [--pairs "k=v ..."]         print metrics, name stale runs
    tinyemo results PROFILE [--pairs "k=v ..."] --commit  copy small files to results/reference/
    tinyemo results --pages                               write the generated pages again
    tinyemo results --check                               fail if committed files were changed

Takes run folders (manifest.json, metrics.json, tables/*.csv, figures/*.png). A reference run is
results/reference/<profile>/<notebook>/ with a source.json: profile, notebook, command, run key,
commit, clean or not, hashes of the inputs and of every copied file. tinyemo.runs.pages makes the
pages from these.
"""

import re
import shutil
from pathlib import Path

import pandas as pd

from tinyemo.paths import runs_dir
from tinyemo.runs import manifest
from tinyemo.runs.folder import FIGURE_BYTES, METRICS
from tinyemo.runs.inputs import changed
from tinyemo.runs.pages import PAGE, REFERENCE, markdown, pages, references, source_of, tidy
from tinyemo.runs.profiles import Profile, graph, pairs_of, run_name, stems_of

SMALL = re.compile(r"metrics\.json|tables/.*\.csv|figures/.*\.png")  # what is copied of a run
HEADLINES = ("accuracy.csv", "zero_shot.csv", "ablations.csv")  # the main tables of a profile
COPIED = "profile notebook key commit clean started seconds device versions".split()
OWN_INPUTS = ("notebook", "library", "parameter file")  # the inputs that every checkout has


def find_runs(name: str | None = None) -> list[Path]:
    """Run folders of a profile (or of all) that have a manifest, in name order."""
    home = runs_dir() / name if name else runs_dir()
    return sorted(path.parent for path in home.rglob(manifest.NAME))


def without_members(folders: list[Path]) -> list[Path]:
    """The folders of runs that are no members of a sweep.

    The notebook that reads the members of a sweep has tables about them.
    """
    return [folder for folder in folders if "+" not in folder.name]


# ---- `tinyemo results`


def print_or_write(
    profile: str | None, pairs: str = "", commit_runs: bool = False, write_pages: bool = False
) -> None:
    """Print a profile's runs, or copy them to the reference, or only write the pages again.

    ValueError: there is no run to copy. FileNotFoundError: there is no such profile, or the table
    of a block is missing.
    """
    name = run_name(Profile.find(profile).name, pairs_of(pairs)) if profile else None
    if commit_runs:
        folders = find_runs(name)
        if not profile or not folders:
            place = runs_dir() / (name or "")
            raise ValueError(f"no runs in {place}: name a profile that was run")
        for folder in without_members(folders):
            print(manifest.shown(commit(folder)))
    if commit_runs or write_pages:
        for path, text in pages().items():
            path.write_text(text, encoding="utf-8")
    else:
        print_runs(find_runs(name))
    if not (profile or commit_runs or write_pages):
        for folder in find_runs():
            if (state := manifest.state(folder)) != "done":
                print(f"{folder.relative_to(runs_dir()).as_posix()}: {state}")


def print_runs(folders: list[Path]) -> None:
    """Print the runs that are stale, then the main tables, or all metrics if there are none."""
    for folder in folders:
        name, state = folder.relative_to(runs_dir()).as_posix(), manifest.state(folder)
        names = changed(manifest.read(folder), folder) if state == "done" else []
        if names:
            print(f"{name}: stale: {', '.join(names)} changed since")
    done = [folder for folder in without_members(folders) if (folder / METRICS).exists()]
    headlines = [folder / "tables" / table for folder in done for table in HEADLINES]
    present = [path for path in headlines if path.exists()]
    for path in present:
        run = path.parents[1].relative_to(runs_dir()).as_posix()
        print(f"\n{run}: {path.stem}\n{markdown(pd.read_csv(path))}")
    if not present:
        print(markdown(tidy(done)) if done else "no finished runs")
    elif done:
        print(f"\nfigures, tables and all metrics: {manifest.shown(done[0].parent)}/<notebook>/")


def print_unfinished(profile: str, pairs: str = "", only: str = "") -> None:
    """Print a sentence for each run of a profile that has no result: why, or what it waits for."""
    steps = graph(Profile.find(profile), pairs_of(pairs), stems_of(only))
    unmade = [step for step in steps if not (runs_dir() / step.folder / METRICS).exists()]
    folders = {step.folder for step in unmade}
    if unmade:
        print(f"\nnot made: {len(unmade)} of {len(steps)} runs")
    for step in unmade:
        folder = runs_dir() / step.folder
        error = manifest.read(folder).get("error") or {}
        why = manifest.state(folder) if manifest.read(folder) else "not started"
        if waits := ", ".join(sorted(folders & set(step.upstream))):
            why = f"not started, needs {waits}"
        elif error.get("sentence"):
            why += f": {error['sentence']}"
        print(f"{step.folder}: {why}")


def print_check() -> int:
    """Print stale references and problems of the committed results; exit code 1 if there is a
    problem."""
    found = problems()
    print("\n".join([*stale_references(), *found, f"check-results: {len(found)} problems"]))
    return 1 if found else 0


# ---- the reference


def commit(folder: Path) -> Path:
    """Copy the metrics, tables and figures of a finished run to the reference.

    ValueError: the run is not done, or is stale, or has a file that is too large.
    """
    run = manifest.read(folder)
    if manifest.state(folder) != "done":
        raise ValueError(f"{folder}: {manifest.state(folder)}, expected a run that is done")
    if names := changed(run, folder):
        raise ValueError(f"{folder}: stale ({', '.join(names)} changed since): run it again first")
    copied = {name: file for name, file in run["outputs"].items() if SMALL.fullmatch(name)}
    for name, file in copied.items():
        if file["bytes"] >= FIGURE_BYTES:
            raise ValueError(
                f"{folder / name} has {file['bytes']} bytes, expected under {FIGURE_BYTES}"
            )
    target = REFERENCE / run["profile"] / run["notebook"]
    shutil.rmtree(target, ignore_errors=True)
    for name in copied:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target / name)
    manifest.write_json(target / "source.json", _source(folder, run, copied))
    return target


def _source(folder: Path, run: dict, copied: dict[str, dict]) -> dict:
    """The source.json of a reference. It keeps only the last part of paths outside the checkout."""
    recorded = [entry["path"] for entry in run["inputs"].values()]
    outside = {path for path in recorded if Path(path).is_absolute()}
    inputs = {
        _portable(name, outside): {
            "path": _portable(entry["path"], outside),
            "sha256": entry["sha256"],
        }
        for name, entry in run["inputs"].items()
    }
    return {key: run.get(key) for key in COPIED} | {
        "command": manifest.command(folder, lambda value: _portable(value, outside)),
        "parameters": _portable(run["parameters"], outside),
        "inputs": inputs,
        "files": {name: file["sha256"] for name, file in copied.items()},
    }


def _portable(value: object, outside: set[str]) -> object:
    """The value, with the paths of one machine cut to their last part, also inside lists and
    dicts."""
    if isinstance(value, list):
        return [_portable(element, outside) for element in value]
    if isinstance(value, dict):
        return {name: _portable(element, outside) for name, element in value.items()}
    if not isinstance(value, str):
        return value
    if value and str(Path(value).resolve()) in outside:
        return Path(value).name
    for path in outside:  # inside a text: `local:/folder` or `datasets: /folder/own.csv`
        value = value.replace(path, Path(path).name)
    return value


def problems() -> list[str]:
    """What is wrong with the committed results, one sentence each; empty if nothing is."""
    found = _stray_and_large_files()
    done = [run for run in map(manifest.read, find_runs()) if run.get("status") == "done"]
    runs = {run.get("key"): run for run in done}
    for folder in references():
        found += _changed_files(folder, runs)
    try:
        expected = pages()
    except FileNotFoundError as error:
        return [*found, str(error)]
    for path, text in expected.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            shown = manifest.shown(path)
            found.append(f"{shown} differs from results/reference: write it with --pages")
    return found


def _stray_and_large_files() -> list[str]:
    found, known = [], references()
    for path in sorted(file for file in REFERENCE.rglob("*") if file.is_file()):
        size = path.stat().st_size
        if size >= FIGURE_BYTES:
            found.append(f"{manifest.shown(path)} has {size} bytes, expected under {FIGURE_BYTES}")
        if not any(path.is_relative_to(folder) for folder in known):
            found.append(f"{manifest.shown(path)} has no source.json beside it")
    return found


def _changed_files(folder: Path, runs: dict[str, dict]) -> list[str]:
    """The files of a reference that differ from its source.json, or from its run if that is still
    here."""
    source, here = source_of(folder), manifest.shown(folder)
    recorded = source["files"]
    outputs = manifest.outputs_of(folder)
    now = {
        name: file["sha256"]
        for name, file in outputs.items()
        if name not in ("source.json", PAGE)  # a page is compared with what it should be
    }
    names = sorted(now.keys() | recorded.keys())
    differ = [name for name in names if now.get(name) != recorded.get(name)]
    found = [f"{here}/{name} is not what its source.json recorded" for name in differ]
    run = runs.get(source["key"], {})
    if run.get("started") == source["started"]:
        for name, digest in recorded.items():
            if run["outputs"].get(name, {}).get("sha256") != digest:
                found.append(f"{here}/{name} is not what run {source['key']} wrote")
    return found


def stale_references() -> list[str]:
    """Reference runs whose notebook, parameters or library have changed since, one sentence
    each."""
    sentences = []
    for folder in references():
        inputs = source_of(folder)["inputs"]
        own = {name: entry for name, entry in inputs.items() if name in OWN_INPUTS}
        if names := changed({"inputs": own}):
            sentences.append(f"{manifest.shown(folder)} is stale: {', '.join(names)} changed since")
    return sentences
