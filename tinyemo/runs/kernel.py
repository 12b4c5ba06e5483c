"""The process that executes a notebook: this interpreter, this checkout, folders of its own.

Takes a notebook, the file for its executed copy, parameter values and environment variables; runs
the notebook through papermill. Kernels that are installed on the machine are never asked: one of
them may be called `python3` and belong to another environment. Nothing that a person keeps for
interactive work runs in the kernel either: start-up files of Python and IPython, and settings of
IPython. The kernel needs no home folder that can be written.
"""

import importlib.metadata
import json
import logging
import os
import site
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

from tinyemo.paths import ROOT

NOT_INHERITED = (
    "PYTHONSTARTUP",  # a file that IPython would run before the first cell
    "PYTHONSAFEPATH",  # with it, ipykernel removes the first folder of PYTHONPATH
)


def execute(notebook: Path, executed: Path, values: dict, variables: dict[str, str]) -> None:
    """Execute a notebook with parameter values; `executed` is its copy with outputs.

    `variables` are set in the kernel's environment. Errors are those of papermill and nbclient.
    """
    import papermill

    # papermill also warns about parameters; the checks of tinyemo.runs.parameters are stricter
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="tinyemo-") as own:
        with _environment(_variables(own) | variables):  # the kernel inherits it
            papermill.execute_notebook(
                _escaped(notebook),
                _escaped(executed),
                values,
                progress_bar=sys.stderr.isatty(),
                kernel_name="python3",  # only a name: `_kernel_class` says what is started
                language="python",
                kernel_manager_class=_kernel_class(),
                start_timeout=180,
                # of the kernel, which logs errors of its own shutdown in runs without any fault
                extra_arguments=["--log-level=CRITICAL"],
            )


def _escaped(path: Path) -> str:
    """A path for papermill, which takes `{name}` in a path for the value of a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _kernel_class() -> type:
    """A kernel manager of jupyter_client that starts this interpreter, and looks for no other."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = KernelSpec(argv=command, display_name="Python 3", language="python")

    class ThisInterpreter(AsyncKernelManager):
        kernel_spec = spec

    return ThisInterpreter


def _variables(own: str) -> dict[str, str]:
    """This checkout first on the path of imports; jupyter's and IPython's files in `own`."""
    others = os.environ.get("PYTHONPATH")
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT), others] if others else [str(ROOT)]),
        "JUPYTER_RUNTIME_DIR": own,
        "IPYTHONDIR": own,
    }


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables, and leave the environment as it was."""
    before = dict(os.environ)
    os.environ.update(variables)
    for name in NOT_INHERITED:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def other_installation() -> Path | None:
    """The checkout that is installed in this interpreter, if it is not the one that runs.

    PYTHONPATH or the current folder can come before an installation.
    """
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    for found in importlib.metadata.distributions(name="tinyemo", path=folders):
        about = json.loads(found.read_text("direct_url.json") or "{}")
        address = urlparse(about.get("url", ""))
        if address.scheme == "file":
            installed = Path(unquote(address.path)).resolve()
            return installed if installed != ROOT else None
    return None
