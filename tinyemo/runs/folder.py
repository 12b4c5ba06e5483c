"""The run folder as a notebook sees it: where to write, where its inputs lie, how to record the end.

    run = start_run("02_projector_training", profile)
    features = run.input("01_feature_extraction")     # that notebook's run folder
    folders = run.members("10_zero_shot_table")       # those of a swept notebook's runs, by label
    run.save_table(scores, "accuracy"); run.save_figure(figure, "confusion")
    run.record({"test/accuracy": 0.75})               # the last cell: without it the run has not happened

Files are written whole or not at all. Started by `tinyemo.runs.runner`, the manifest is the runner's; started by
hand (JupyterLab, papermill, nbval) `start_run` and `record` keep it themselves.
"""

import io
import math
import numbers
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tinyemo.io import write_atomically
from tinyemo.paths import ROOT, runs_dir
from tinyemo.runs import manifest, parameters
from tinyemo.runs.profiles import Profile, member_name, notebook_path

OUT = "TINYEMO_RUN_OUT"  # set by the runner: the folder of the run this kernel belongs to
METRICS = "metrics.json"
FIGURE_BYTES = 250_000


class MissingRun(FileNotFoundError):
    """The run of another notebook is needed first."""


@dataclass(frozen=True)
class Run:
    """One run of one notebook; `out` is its folder."""

    stem: str
    profile: str
    out: Path

    def input(self, stem: str) -> Path:
        """The folder of another notebook's run: beside this one, the profile's own, its base's. Else MissingRun."""
        own = self._profile()
        source = own.source(self.stem, stem).name if own else self.profile
        return self._read(stem, source, f"python -m tinyemo.run {stem} --profile {source}")

    def members(self, stem: str) -> dict[str, Path]:
        """The folders of all runs of a swept notebook of this profile, by what each changes. Else MissingRun.

        "default" changes nothing; it is the only one of a notebook that is not swept.
        """
        own = self._profile()
        members = own.members(stem) if own else {"default": {}}
        how = f"make reproduce PROFILE={own.folder if own else self.profile}"
        return {
            name: self._read(member_name(stem, changes), self.profile, how)
            for name, changes in members.items()
        }

    def _profile(self) -> Profile | None:
        """The profile whose parameter file this run goes by; None for a run by hand under another name."""
        file = manifest.read(self.out).get("inputs", {}).get("parameter file")
        try:
            return Profile.find(str((ROOT / file["path"]).parent) if file else self.profile)
        except FileNotFoundError:
            return None

    def _read(self, name: str, profile: str, how: str) -> Path:
        """A finished run's folder, written down in the manifest as an input of this run."""
        for folder in (self.out.parent / name, runs_dir() / profile / name):
            if (folder / METRICS).exists():
                inputs = manifest.read(self.out).get("inputs", {})
                manifest.write(
                    self.out, inputs=inputs | {f"run {name}": manifest.run_entry(folder)}
                )
                return folder
        raise MissingRun(f"run {name} first: {how} (no {METRICS} in {manifest.shown(folder)})")

    def record(self, metrics: dict[str, float | str | None]) -> None:
        """Write metrics.json, flat: finite numbers, words, or None where a value is unknown."""
        flat = {name: _scalar(name, value) for name, value in metrics.items()}
        manifest.write(self.out, **manifest.device())
        manifest.write_json(self.out / METRICS, flat)
        if OUT not in os.environ:
            manifest.finish(self.out, "done", peak_memory_mb=manifest.peak_memory_mb())

    def save_figure(self, figure, name: str) -> Path:
        """A matplotlib figure as figures/<name>.png, under 250 KB: fewer colours first, then fewer dots."""
        from PIL import Image

        for dpi in (120, 90, 70, 50):
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
            if buffer.tell() >= FIGURE_BYTES:
                image = Image.open(buffer).convert("RGB").quantize(256)
                image.save(buffer := io.BytesIO(), format="png", optimize=True)
            if buffer.tell() < FIGURE_BYTES:
                return self._write("figures", f"{name}.png", buffer.getvalue())
        raise ValueError(
            f"figure {name} has {buffer.tell()} bytes at 50 dpi, expected under {FIGURE_BYTES}"
        )

    def save_table(self, table, name: str) -> Path:
        """A DataFrame as tables/<name>.csv; its index is kept only if it has a name."""
        text = table.to_csv(
            index=table.index.name is not None, float_format="%.6g", lineterminator="\n"
        )
        return self._write("tables", f"{name}.csv", text.encode())

    def _write(self, folder: str, name: str, content: bytes) -> Path:
        return write_atomically(self.out / folder / name, lambda path: path.write_bytes(content))


def start_run(stem: str, profile: str) -> Run:
    """The run this notebook is part of. By hand, it begins here: metrics.json goes, a manifest starts."""
    if OUT in os.environ:
        return Run(stem, profile, Path(os.environ[OUT]))
    run = Run(stem, profile, runs_dir() / profile / stem)
    run.out.mkdir(parents=True, exist_ok=True)
    (run.out / METRICS).unlink(missing_ok=True)
    values, inputs, notebook = {"profile": profile}, {}, notebook_path(stem)
    if (
        notebook.exists()
    ):  # the values as they stand: whoever works by hand may have changed the cell
        now = vars(sys.modules["__main__"])
        values = {
            name: now.get(name, p.default) for name, p in parameters.declared(notebook).items()
        }
        inputs = manifest.inputs_of(notebook, values)
    about = {
        "notebook": stem,
        "profile": profile,
        "overrides": {},
        "parameters": values,
        "inputs": inputs,
    }
    manifest.begin(run.out, **about, by_hand=True)
    return run


def _scalar(name: str, value) -> float | int | str | bool | None:
    """A metric as JSON knows it (numpy's scalars too). ValueError names the key."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, numbers.Real) and not math.isfinite(value):
        raise ValueError(f"metric {name} is {value}: record None where a value is unknown")
    if value is not None and not isinstance(value, (int, float, str)):
        raise ValueError(f"metric {name} is a {type(value).__name__}, expected a number or a word")
    return value
