"""The run folder as a notebook uses it: where to write, where its inputs are, how to record the
end.

    run = start_run("02_projector_training", profile)
    features = run.input("01_feature_extraction")   # the run folder of that notebook
    folders = run.members("10_zero_shot_table")     # the run folders of a swept notebook, by label
    run.save_table(scores, "accuracy")
    run.save_figure(figure, "confusion")
    run.record({"test/accuracy": 0.75})             # the last cell: without it the run failed

Files are written completely or not at all. If `tinyemo run` started the notebook, it keeps the
manifest. If the notebook was started by hand (JupyterLab, papermill, nbval), `start_run` and
`record` keep it. Such a run has a folder of its own, lab/<notebook stem>, so that it replaces no
run of a profile. It reads the runs by hand of other notebooks first, then those of its profile.
"""

import io
import math
import numbers
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tinyemo.io import read_image, write_atomically
from tinyemo.paths import ROOT, portable, runs_dir
from tinyemo.runs import manifest, parameters
from tinyemo.runs.inputs import entry, inputs_of
from tinyemo.runs.notebooks import notebook_path
from tinyemo.runs.profiles import Profile, member_name

OUT = "TINYEMO_RUN_OUT"  # environment variable, set by the runner: the folder of this kernel's run
METRICS = "metrics.json"
LAB = "lab"  # the folder of all runs that were started by hand
FIGURE_BYTES = 250_000
FIGURE_DPI = (120, 90, 70, 50)  # tried in this order until the figure is small enough


class MissingRun(FileNotFoundError):
    """The run of another notebook is needed first."""


@dataclass(frozen=True)
class Run:
    """One run of one notebook; `out` is its folder."""

    stem: str
    profile: str
    out: Path

    def input(self, stem: str) -> Path:
        """The folder of another notebook's run: beside this run, or of its profile, or of its base.

        MissingRun if there is none.
        """
        own = self._profile()
        source = own.source(self.stem, stem).name if own else self.profile
        command = f"tinyemo run {stem} --profile {source}"
        if not own and manifest.read(self.out).get("by_hand"):
            command = "open and run that notebook too, or name a profile of params/ that was run"
        return self._read(stem, source, command)

    def members(self, stem: str) -> dict[str, Path]:
        """The folders of all runs of a swept notebook of this profile, by what each run changes.

        The run "default" changes nothing. It is the only run of a notebook that is not swept.
        MissingRun if a run is missing.
        """
        own = self._profile()
        members = own.members(stem) if own else {"default": {}}
        command = f"make reproduce PROFILE={own.folder if own else self.profile}"
        return {
            label: self._read(member_name(stem, changes), self.profile, command)
            for label, changes in members.items()
        }

    def _profile(self) -> Profile | None:
        """The profile whose parameter file this run uses; None for a run by hand under another
        name."""
        file = manifest.read(self.out).get("inputs", {}).get("parameter file")
        try:
            return Profile.find(str((ROOT / file["path"]).parent) if file else self.profile)
        except FileNotFoundError:
            return None

    def _read(self, name: str, profile: str, command: str) -> Path:
        """The folder of a finished run, recorded in the manifest as an input of this run."""
        for folder in (self.out.parent / name, runs_dir() / profile / name):
            if (folder / METRICS).exists():
                inputs = manifest.read(self.out).get("inputs", {})
                key = f"run {name}"
                (place,) = portable([folder], self.out)
                inputs[key] = entry(key, folder) | {"path": place}
                manifest.write(self.out, inputs=inputs)
                return folder
        raise MissingRun(f"run {name} first: {command} (no {METRICS} in {manifest.shown(folder)})")

    def record(self, metrics: dict[str, float | str | None]) -> None:
        """Write metrics.json, flat: finite numbers, words, or None where a value is unknown."""
        flat = {name: _scalar(name, value) for name, value in metrics.items()}
        manifest.write(self.out, **manifest.device())
        manifest.write_json(self.out / METRICS, flat)
        if OUT not in os.environ:
            manifest.finish(self.out, "done", peak_memory_mb=manifest.peak_memory_mb())

    def save_figure(self, figure, name: str) -> Path:
        """A matplotlib figure as figures/<name>.png, under 250 KB: first with fewer colours, then
        fewer dots."""
        for dpi in FIGURE_DPI:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
            if buffer.tell() >= FIGURE_BYTES:
                image = read_image(buffer).quantize(256)
                buffer = io.BytesIO()
                image.save(buffer, format="png", optimize=True)
            if buffer.tell() < FIGURE_BYTES:
                return self._write("figures", f"{name}.png", buffer.getvalue())
        raise ValueError(
            f"figure {name} has {buffer.tell()} bytes at {dpi} dpi, expected under {FIGURE_BYTES}"
        )

    def save_table(self, table, name: str) -> Path:
        """A DataFrame as tables/<name>.csv; its index is kept only if it has a name."""
        has_index = table.index.name is not None
        text = table.to_csv(index=has_index, float_format="%.6g", lineterminator="\n")
        return self._write("tables", f"{name}.csv", text.encode())

    def _write(self, folder: str, name: str, content: bytes) -> Path:
        return write_atomically(self.out / folder / name, lambda path: path.write_bytes(content))


def start_run(stem: str, profile: str) -> Run:
    """The run that this notebook is part of.

    A notebook that was started by hand begins its run here: a new manifest starts. An older
    metrics.json stays until `record` replaces it, so that other notebooks can go on reading it.
    """
    if OUT in os.environ:
        run = Run(stem, profile, Path(os.environ[OUT]))
        _check_code(run.out)
        return run
    run = Run(stem, profile, runs_dir() / LAB / stem)
    run.out.mkdir(parents=True, exist_ok=True)
    values, inputs, notebook = {"profile": profile}, {}, notebook_path(stem)
    if notebook.exists():
        # the present values of the variables: in a run by hand, the cell may have been changed
        variables = vars(sys.modules["__main__"])
        declared = parameters.declared(notebook)
        values = {name: variables.get(name, one.default) for name, one in declared.items()}
        inputs = inputs_of(notebook, values, known=manifest.read(run.out).get("inputs"))
    manifest.begin(
        run.out,
        notebook=stem,
        profile=profile,
        overrides={},
        parameters=values,
        inputs=inputs,
        by_hand=True,
    )
    return run


def _check_code(folder: Path) -> None:
    """ImportError if this kernel has other code, or is another Python, than its manifest says."""
    recorded = manifest.read(folder)
    for name, value in (("checkout", str(ROOT)), ("interpreter", sys.executable)):
        if recorded.get(name, value) != value:
            raise ImportError(
                f"the {name} of this kernel is {value}, the run began with {recorded[name]}"
            )


def _scalar(name: str, value) -> float | int | str | bool | None:
    """A metric as a JSON value; numpy's scalars are converted. ValueError names the metric."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, numbers.Real) and not math.isfinite(value):
        raise ValueError(
            f"metric {name} is {value}, expected a finite number, or None where it is unknown"
        )
    if value is not None and not isinstance(value, (int, float, str)):
        raise ValueError(f"metric {name} is a {type(value).__name__}, expected a number or a word")
    return value
