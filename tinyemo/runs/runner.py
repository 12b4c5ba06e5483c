"""Runs one notebook and leaves a run folder: notebook.ipynb, manifest.json, metrics.json, tables,
figures.

    tinyemo run STEM [--profile P] [-p key=value ...] [--out DIR]
    tinyemo status [--profile P]

STEM is a notebook's name (02_projector_training) or a path to an .ipynb. Parameters come from the
notebook's own defaults, then from params/<profile>/<STEM>.yaml, then from `-p`; all are checked
before a kernel starts. A pair that only other notebooks of the profile declare chooses the set of
runs. The run folder is --out, or <runs>/<profile>/<STEM>, or with -p <runs>/<profile>+<hash of the
pairs>/<STEM>. A rerun removes metrics.json and keeps the other files
in the folder (the keys of shards and checkpoints decide what may be reused). It waits for a process
that is still writing there.

Exit codes. Each has one sentence on stderr and a status in the manifest:
    0    metrics.json is written                         done
    2    unknown notebook or profile, bad parameter      refused; a finished run is not touched
    3    the run of another notebook is missing          failed
    4    a cell failed                                   failed
    5    the kernel died, or did not start               kernel died
    6    the notebook ended without metrics.json         failed
    7    the run folder cannot be written, or disk full  failed, if that can still be written
    130  interrupted (Ctrl-C, SIGTERM)                   interrupted

Inside a notebook, `start_run` gives its run folder and its inputs, whether this runner, papermill,
JupyterLab or nbval started it. Importing this module is cheap: papermill is imported when a
notebook runs.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from tinyemo.paths import ROOT, runs_dir
from tinyemo.runs import kernel, manifest, parameters
from tinyemo.runs.folder import METRICS, OUT
from tinyemo.runs.inputs import inputs_of
from tinyemo.runs.manifest import seconds_or_minutes
from tinyemo.runs.notebooks import notebook_path, read_cells
from tinyemo.runs.profiles import Profile, run_name

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "TQDM_MININTERVAL": "5",
    # By default, threads use the processor while they wait. On an idle machine this costs nothing.
    # Beside one busy process it made training on two cores four times slower (3.8 s instead of
    # 0.9 s per batch of the small CLIP).
    "OMP_WAIT_POLICY": "PASSIVE",
}
STEPS = "TINYEMO_STEPS"  # set by the Snakefile: the file with what is printed about each run
CANNOT_WRITE = (
    "PermissionError",
    "[Errno 28]",  # no space left
    "[Errno 30]",  # read-only file system
    "[Errno 122]",  # quota exceeded
)


class Stopped(Exception):
    """A run that ended without a result: exit code, sentence, status and fields for the
    manifest."""

    def __init__(self, code: int, sentence: str, status: str = "failed", **error):
        super().__init__(sentence)
        self.code, self.status, self.error = code, status, {**error, "sentence": sentence}


def run(stem: str, profile: str, pairs: dict[str, str], out: Path | None = None) -> int:
    """`tinyemo run`: run a notebook and return the exit code. SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run_notebook(notebook_path(stem), profile, pairs, out)


def run_notebook(
    notebook: Path, profile: str, pairs: dict[str, str], out: Path | None = None
) -> int:
    """Run one notebook and return the exit code; see the table at the top of this module."""
    folder = None
    try:
        found = Profile.find(profile)
        file = found.file(notebook.stem)
        folder = out or runs_dir() / run_name(found.name, pairs) / notebook.stem
        declared = parameters.declared(notebook)
        given = _given_values(found, file, declared, pairs)
    except (ValueError, FileNotFoundError) as error:
        return _refuse(folder, str(error), notebook.stem, profile)
    values = {name: parameter.default for name, parameter in declared.items()} | given
    started, begin = False, time.monotonic()
    line = _line_of(folder)
    if line:
        print(f"{line} ... ", end="", flush=True)
    try:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        _wait_for_other_runner(folder)
        (folder / METRICS).unlink(missing_ok=True)
        known = manifest.read(folder).get("inputs")
        manifest.begin(
            folder,
            notebook=notebook.stem,
            profile=found.name,
            overrides=pairs,
            parameters=values,
            inputs=inputs_of(notebook, values, file, known),
        )
        started = True
        if installed := kernel.other_installation():
            print(f"this runs the code of {ROOT}, not the installed {installed}", file=sys.stderr)
        _execute(notebook, folder, given)
        peak = manifest.peak_memory_mb(resource.RUSAGE_CHILDREN)
        manifest.finish(folder, "done", peak_memory_mb=peak)
    except (Stopped, OSError, KeyboardInterrupt) as problem:
        if line:
            print("not done", flush=True)
        return _report(problem, folder, started)
    if line:
        print(f"done in {seconds_or_minutes((time.monotonic() - begin) / 60)}")
    else:
        print(f"{notebook.stem}: done, {folder / METRICS}")
    return 0


def _line_of(folder: Path) -> str:
    """What a batch prints about the run of a folder; "" where it is no part of one."""
    try:
        lines = json.loads(Path(os.environ[STEPS]).read_text(encoding="utf-8"))
        return lines[folder.relative_to(runs_dir()).as_posix()]
    except (KeyError, OSError, ValueError):
        return ""


def _given_values(
    profile: Profile, file: Path, declared: dict[str, parameters.Parameter], pairs: dict[str, str]
) -> dict:
    """The values of the parameter file and of the command line. ValueError: one sentence."""
    # a pair for another notebook of the profile only says which set of runs this one belongs to
    others = profile.parameters() if pairs.keys() - declared.keys() else {}
    known = {name for names in others.values() for name in names}
    own_pairs = {key: text for key, text in pairs.items() if key in declared or key not in known}
    given = parameters.read_file(file, declared) | parameters.read_pairs(own_pairs, declared)
    named = given.get("profile", profile.name)
    if named != profile.name:
        raise ValueError(
            f"{file}: profile is {named!r}, expected {profile.name!r}: --profile sets it"
        )
    own = {"profile": profile.name} if "profile" in declared else {}
    return own | given


def _wait_for_other_runner(folder: Path) -> None:
    """Wait until no other runner writes to the folder.

    A kernel can continue for a while after its runner was killed. A notebook that is open in
    JupyterLab is not waited for, because its kernel runs until the notebook is closed.
    """
    shown = False
    while manifest.state(folder) == "running":
        other = manifest.read(folder)
        if other.get("by_hand"):
            return
        if not shown:
            print(
                f"process {other['pid']} writes {folder}: waiting for it to end",
                file=sys.stderr,
                flush=True,
            )
            shown = True
        time.sleep(0.5)


def _execute(notebook: Path, folder: Path, values: dict) -> None:
    """Run the notebook through papermill, into the folder. Raises Stopped unless it writes
    metrics.json."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    running, saved = folder / ".running.ipynb", folder / "notebook.ipynb"
    try:
        kernel.execute(notebook, running, values, ENVIRONMENT | {OUT: str(folder)})
    except papermill.PapermillExecutionError as error:
        raise _failed_cell(notebook, error, saved) from None
    except DeadKernelError:
        raise _dead_kernel(notebook, running, saved) from None
    except OSError:
        raise
    except Exception as error:  # jupyter has no common class for a kernel that does not start
        sentence = f"{notebook.stem}: the kernel did not start: {error}"
        raise Stopped(5, sentence, "kernel died") from None
    finally:
        if running.exists():
            os.replace(running, saved)
    if not (folder / METRICS).exists():
        sentence = f"{notebook.stem}: no {METRICS}: its last cell must call run.record; see {saved}"
        raise Stopped(6, sentence)


def _failed_cell(notebook: Path, error, saved: Path) -> Stopped:
    """Which cell failed and how, from papermill's error."""
    cell, source = _position(notebook, error.source)
    exception = f"{error.ename}: {error.evalue}"
    about = {"cell": cell, "source": source, "exception": exception}
    if error.ename == "MissingRun":
        return Stopped(3, f"{notebook.stem}: {error.evalue}", **about)
    cannot_write = any(mark in exception for mark in CANNOT_WRITE)
    code, verb = (7, "cannot write") if cannot_write else (4, "failed")
    sentence = f"{notebook.stem}: cell {cell} ({source}) {verb}: {exception}; see {saved}"
    return Stopped(code, sentence, **about)


def _dead_kernel(notebook: Path, running: Path, saved: Path) -> Stopped:
    """Which cell ran when the kernel died: the last one that papermill gave a start time."""
    begun = [
        cell["source"]
        for cell in read_cells(running)
        if cell["cell_type"] == "code" and cell["metadata"].get("papermill", {}).get("start_time")
    ]
    cell, source = _position(notebook, begun[-1]) if begun else (None, "before the first cell")
    sentence = (
        f"{notebook.stem}: the kernel died in cell {cell} ({source}): killed, or out of memory; "
        f"the same command resumes; see {saved}"
    )
    return Stopped(5, sentence, "kernel died", cell=cell, source=source)


def _position(notebook: Path, source: str) -> tuple[int | None, str]:
    """The index of a cell in the original notebook (without injected cells), and the cell's first
    line."""
    first = next((line for line in source.splitlines() if line.strip()), "")
    sources = [cell["source"] for cell in read_cells(notebook)]
    return (sources.index(source) if source in sources else None), first


def _refuse(folder: Path | None, sentence: str, stem: str, profile: str) -> int:
    """Exit code 2: print why, and write a manifest unless one of a finished run is there."""
    print(sentence, file=sys.stderr)
    if folder and not (folder / METRICS).exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            manifest.begin(folder, notebook=stem, profile=profile)
            manifest.finish(folder, "refused", error={"sentence": sentence})
        except OSError as error:
            print(f"{folder} cannot be written: {error}", file=sys.stderr)
    return 2


def _report(problem: Exception | KeyboardInterrupt, folder: Path, started: bool) -> int:
    """Print what stopped a run, close its manifest, and return the exit code."""
    if isinstance(problem, OSError):
        problem = Stopped(7, f"{folder} cannot be written: {problem}")
    elif isinstance(problem, KeyboardInterrupt):
        problem = Stopped(130, f"interrupted; the same command resumes in {folder}", "interrupted")
    print(problem, file=sys.stderr)
    if started:
        try:
            (folder / METRICS).unlink(missing_ok=True)
            peak = manifest.peak_memory_mb(resource.RUSAGE_CHILDREN)
            manifest.finish(folder, problem.status, error=problem.error, peak_memory_mb=peak)
        except OSError as error:
            print(f"{folder}: the manifest cannot be written either: {error}", file=sys.stderr)
    return problem.code


def print_status(profile: str | None) -> None:
    """One line per run: profile, notebook, status, when it started, how long it took."""
    for path in sorted(runs_dir().rglob(manifest.NAME)):
        home = path.parent.parent.relative_to(runs_dir()).as_posix()
        if profile not in (None, home.split("+")[0]):
            continue
        content = manifest.read(path.parent)
        seconds = f"{content['seconds']:8.1f} s" if "seconds" in content else " " * 10
        state, started = manifest.state(path.parent), content.get("started", "")
        print(f"{home:28} {path.parent.name:24} {state:12} {started} {seconds}")
