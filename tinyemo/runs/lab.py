"""Starts JupyterLab for the notebooks: `make lab`, or `python -m tinyemo.runs.lab [OPTION ...]`.

Its kernels have the environment of `tinyemo run`, so that cells take the same time and give the
same numbers. It opens at the root of the checkout, so that figures and reports can be opened too.
Options are JupyterLab's own.
"""

import os
import sys

from tinyemo.paths import ROOT
from tinyemo.runs.runner import ENVIRONMENT

FIRST = "README.md"  # what is opened


def main() -> None:
    os.environ.update(ENVIRONMENT)
    place = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    command = [sys.executable, "-m", "jupyterlab", *place, *sys.argv[1:]]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
