"""What a notebook file contains: its cells, its code, and what that code reads.

Takes the path of an .ipynb; gives cells, a syntax tree, the notebooks whose runs it reads, the
library files that it imports, and a digest of its code. TINYEMO_NOTEBOOKS moves the folder of
notebooks.
"""

import ast
import json
import os
from pathlib import Path

from tinyemo.code_digest import code_files, tree_digest
from tinyemo.paths import NOTEBOOKS

READS_RUNS = ("input", "members")  # the methods of Run that read the runs of another notebook


def notebook_path(stem: str) -> Path:
    """The file of a notebook, given its stem or a path to an .ipynb."""
    if stem.endswith(".ipynb"):
        return Path(stem).resolve()
    folder = Path(os.environ.get("TINYEMO_NOTEBOOKS") or NOTEBOOKS).resolve()
    return folder / f"{stem}.ipynb"


def read_cells(notebook: Path) -> list[dict]:
    """The cells of an .ipynb, each with its `source` as one string.

    FileNotFoundError: there is no such file. ValueError: it is not a notebook.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no notebook {notebook}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{notebook} is not a notebook: {error}") from None
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def code_of(notebook: Path) -> ast.Module:
    """The code of a notebook as one syntax tree, without the lines of IPython magic."""
    cells = [cell["source"] for cell in read_cells(notebook) if cell["cell_type"] == "code"]
    lines = "\n".join(cells).splitlines()
    return ast.parse("\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))))


def code_digest_of(notebook: Path) -> str:
    """SHA-256 (hex) of the code of a notebook. Its text and its comments do not count."""
    return tree_digest(code_of(notebook))


def library_of(notebook: Path) -> list[Path]:
    """The modules that a notebook imports and those that they import: the code its results need."""
    return code_files(code_of(notebook))


def upstream_of(notebook: Path) -> list[str]:
    """The stems named in `run.input("...")` and `run.members("...")` calls, in name order."""
    stems: set[str] = set()
    for node in ast.walk(code_of(notebook)):
        match node:
            case ast.Call(
                func=ast.Attribute(attr=method), args=[ast.Constant(value=str(stem))]
            ) if method in READS_RUNS:
                stems.add(stem)
    return sorted(stems)
