"""One notebook as a run: parameters, profiles, manifest, run folder, reference results."""

from tinyemo.runs.folder import Run, start_run

__all__ = ["Run", "start_run"]
