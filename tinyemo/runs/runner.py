"""Runs one notebook, strictly, and leaves a run folder: notebook.ipynb, manifest.json, metrics.json, ...

    python -m tinyemo.run STEM [--profile P] [-p key=value ...] [--out DIR]
    python -m tinyemo.run --status [--profile P]

STEM is a notebook's name (02_projector_training) or a path to an .ipynb. Parameters come from the notebook's
own defaults, then params/<profile>/<STEM>.yaml, then `-p`; all are checked before a kernel starts. The run
folder is --out, or <runs>/<profile>/<STEM>, or with -p <runs>/<profile>+<hash of the pairs>/<STEM>. A rerun
keeps what lies in the folder (shards, checkpoints: their keys say what may be reused) but metrics.json; it
waits for a process that is still writing there.

Exit codes; each has its sentence on stderr and its status in the manifest:
    0    metrics.json is written                         done
    2    unknown notebook or profile, bad parameter      refused: a finished run in the folder stays as it is
    3    the run of another notebook is missing          failed
    4    a cell failed                                   failed
    5    the kernel died, or did not start               kernel died
    6    the notebook ended without metrics.json         failed
    7    the run folder cannot be written, a full disk   failed, if that can still be written
    130  interrupted (Ctrl-C, SIGTERM)                   interrupted

Inside a notebook, `start_run` gives its run folder and its inputs, whoever started it: this runner, bare
papermill, JupyterLab or nbval. Only `main` imports papermill: this module is cheap to import.
"""

import argparse
import logging
import os
import resource
import shlex
import signal
import sys
import time
from pathlib import Path

from tinyemo.paths import runs_dir
from tinyemo.runs import manifest, parameters
from tinyemo.runs.folder import METRICS, OUT, Run, start_run
from tinyemo.runs.profiles import Profile, notebook_path, pairs_of, run_name

__all__ = ["Run", "main", "start_run"]

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "TQDM_MININTERVAL": "5",
    # threads that spin while they wait cost nothing on an idle machine, but made training on two cores beside
    # one busy process four times slower (3.8 s instead of 0.9 s a batch of the small CLIP)
    "OMP_WAIT_POLICY": "PASSIVE",
}
CANNOT_WRITE = (
    "PermissionError",
    "[Errno 28]",
    "[Errno 30]",
    "[Errno 122]",
)  # no space, read-only, quota


class Stopped(Exception):
    """A run that ended without result: exit code, sentence, status and fields for the manifest."""

    def __init__(self, code: int, sentence: str, status: str = "failed", **error):
        super().__init__(sentence)
        self.code, self.status, self.error = code, status, {**error, "sentence": sentence}


def run_notebook(
    notebook: Path, profile: str, pairs: dict[str, str], out: Path | None = None
) -> int:
    """Run one notebook and give the exit code; see the module's table."""
    folder = None
    try:
        found = Profile.find(profile)
        file = found.file(notebook.stem)
        folder = out or runs_dir() / run_name(found.name, pairs) / notebook.stem
        declared = parameters.declared(notebook)
        values = {"profile": found.name} if "profile" in declared else {}
        overrides = parameters.read_file(file, declared) | parameters.read_pairs(pairs, declared)
        if overrides.get("profile", found.name) != found.name:
            given = overrides["profile"]
            raise ValueError(
                f"{file}: profile is {given!r}, expected {found.name!r}: --profile sets it"
            )
    except (ValueError, FileNotFoundError) as error:
        return _refuse(folder, str(error), notebook.stem, profile)
    about = {"notebook": notebook.stem, "profile": found.name, "overrides": pairs}
    about["parameters"] = {name: p.default for name, p in declared.items()} | values | overrides
    started = False
    try:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        _wait(folder)
        (folder / METRICS).unlink(missing_ok=True)
        inputs = manifest.inputs_of(notebook, about["parameters"], **{"parameter file": file})
        manifest.begin(folder, **about, inputs=inputs)
        started = True
        _execute(notebook, folder, values | overrides)
        manifest.finish(
            folder, "done", peak_memory_mb=manifest.peak_memory_mb(resource.RUSAGE_CHILDREN)
        )
    except (Stopped, OSError, KeyboardInterrupt) as problem:
        return _report(problem, folder, started)
    print(f"{notebook.stem}: done, {folder / METRICS}")
    return 0


def _wait(folder: Path) -> None:
    """Until no other runner writes to the folder: one that outlived its kill goes on for a while. A notebook
    open in JupyterLab is not waited for: its kernel lives as long as its window."""
    said = False
    while manifest.state(folder) == "running" and not (other := manifest.read(folder)).get(
        "by_hand"
    ):
        if not said:
            print(f"process {other['pid']} writes {folder}: waiting for it to end", file=sys.stderr)
        said = True
        time.sleep(0.5)


def _execute(notebook: Path, folder: Path, values: dict) -> None:
    """The notebook through papermill, into the folder. Raises Stopped unless it ends with metrics.json."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    logging.getLogger("papermill").setLevel(
        logging.ERROR
    )  # its warnings about parameters: ours are stricter
    running, saved = folder / ".running.ipynb", folder / "notebook.ipynb"
    options = {"kernel_name": "python3", "language": "python", "start_timeout": 180}
    options["extra_arguments"] = ["--log-level=ERROR"]  # the kernel's own chatter
    os.environ.update(ENVIRONMENT | {OUT: str(folder)})  # the kernel inherits them
    try:
        papermill.execute_notebook(
            notebook, running, values, progress_bar=sys.stderr.isatty(), **options
        )
    except papermill.PapermillExecutionError as error:
        raise _failed_cell(notebook, error, saved) from None
    except DeadKernelError:
        cell, source = _last_cell(notebook, running)
        sentence = (
            f"{notebook.stem}: the kernel died in cell {cell} ({source}): killed, or out of memory; "
            f"the same command resumes; see {saved}"
        )
        raise Stopped(5, sentence, "kernel died", cell=cell, source=source) from None
    except OSError:
        raise
    except (
        Exception
    ) as error:  # no kernel, no answer from it: jupyter has no common class for these
        raise Stopped(
            5, f"{notebook.stem}: the kernel did not start: {error}", "kernel died"
        ) from None
    finally:
        if running.exists():
            os.replace(running, saved)
    if not (folder / METRICS).exists():
        raise Stopped(
            6, f"{notebook.stem}: no {METRICS}: its last cell must call run.record; see {saved}"
        )


def _failed_cell(notebook: Path, error, saved: Path) -> Stopped:
    """Which cell failed and how, from papermill's error."""
    cell, source = _position(notebook, error.source)
    exception = f"{error.ename}: {error.evalue}"
    about = {"cell": cell, "source": source, "exception": exception}
    if error.ename == "MissingRun":
        return Stopped(3, f"{notebook.stem}: {error.evalue}", **about)
    code, verb = (
        (7, "cannot write") if any(mark in exception for mark in CANNOT_WRITE) else (4, "failed")
    )
    return Stopped(
        code, f"{notebook.stem}: cell {cell} ({source}) {verb}: {exception}; see {saved}", **about
    )


def _position(notebook: Path, source: str) -> tuple[int | None, str]:
    """Where a cell stands in the notebook as it lies in the repository (injected cells don't count)."""
    first = next((line for line in source.splitlines() if line.strip()), "")
    sources = [c["source"] for c in parameters.read_cells(notebook)]
    return (sources.index(source) if source in sources else None), first


def _last_cell(notebook: Path, running: Path) -> tuple[int | None, str]:
    """The cell a dead kernel was in: the last one papermill has given a start time."""
    begun = [
        cell["source"]
        for cell in parameters.read_cells(running)
        if cell["cell_type"] == "code" and cell["metadata"].get("papermill", {}).get("start_time")
    ]
    return _position(notebook, begun[-1]) if begun else (None, "before the first cell")


def _refuse(folder: Path | None, sentence: str, stem: str, profile: str) -> int:
    """Exit code 2: say why, and leave a manifest where no finished run would lose its own."""
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
    """Say what stopped a run, close its manifest, and give the exit code."""
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
    """One line a run: profile, notebook, status, when, how long."""
    for path in sorted(runs_dir().rglob(manifest.NAME)):
        name = path.parent.parent.relative_to(runs_dir()).as_posix()
        if profile is None or name.split("+")[0] == profile:
            run = manifest.read(path.parent)
            seconds = f"{run['seconds']:8.1f} s" if "seconds" in run else " " * 10
            state, started = manifest.state(path.parent), run.get("started", "")
            print(f"{name:28} {path.parent.name:24} {state:12} {started} {seconds}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tinyemo.run", description="Run one notebook.")
    parser.add_argument("stem", nargs="?", help="a notebook's name, or a path to an .ipynb")
    parser.add_argument(
        "--profile", help="a folder under params/, or a path to one (default: smoke)"
    )
    parser.add_argument("-p", dest="pairs", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, help="the run folder")
    parser.add_argument("--status", action="store_true", help="list the runs and how they ended")
    options = parser.parse_args(arguments)
    if options.status:
        print_status(options.profile)
        return 0
    if not options.stem:
        parser.error("which notebook? give its name, such as 02_projector_training")
    try:
        pairs = pairs_of(shlex.join(options.pairs))
    except ValueError as error:
        parser.error(str(error))
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # a scheduler's stop is an interrupt too
    return run_notebook(notebook_path(options.stem), options.profile or "smoke", pairs, options.out)


if __name__ == "__main__":
    sys.exit(main())
