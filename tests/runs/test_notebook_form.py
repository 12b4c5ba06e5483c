"""The form of the notebooks and of the parameter files."""

import ast
import json
import re
import subprocess
import sys

import pytest

from tinyemo.emotions import TEMPLATES
from tinyemo.evaluation.conversation_study import STUDIES
from tinyemo.models.conversation_prompt import TEXT_AS
from tinyemo.paths import NOTEBOOKS, PARAMS, ROOT
from tinyemo.runs.notebooks import read_cells, upstream_of
from tinyemo.runs.parameters import PROFILE_KEYS, declared, read_file
from tinyemo.runs.profiles import Profile
from tinyemo.training import multimodal_recipes, projector_recipes
from tinyemo.training.conversation_samples import EXPONENTS

NOTEBOOK_FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
PARAMETER_FILES = sorted(PARAMS.rglob("*.yaml"))
MOST_LINES = 30  # of a code cell, blank lines not counted
notebooks = pytest.mark.parametrize("notebook", NOTEBOOK_FILES, ids=lambda path: path.stem)


def code_of(notebook):
    return [cell["source"] for cell in read_cells(notebook) if cell["cell_type"] == "code"]


def text_of(notebook):
    return "\n".join(
        cell["source"] for cell in read_cells(notebook) if cell["cell_type"] == "markdown"
    )


def test_notebooks_and_parameter_files_exist():
    assert NOTEBOOK_FILES and PARAMETER_FILES


@pytest.mark.parametrize(
    "file", PARAMETER_FILES, ids=lambda path: path.relative_to(PARAMS).as_posix()
)
def test_a_parameter_file_matches_its_notebook_and_names_its_profile(file):
    notebook = NOTEBOOKS / f"{file.stem}.ipynb"
    assert notebook.exists()
    values = read_file(file, declared(notebook))
    name = Profile.find(str(file.parent)).name
    assert values.get("profile", "smoke") == name, (
        f"papermill -f {file} would call itself another profile"
    )
    assert "default" in Profile.find(name).members(file.stem), (
        "the values of a sweep are checked too"
    )


@notebooks
def test_the_parameters_cell_comes_first_and_explains_each_parameter(notebook):
    known = declared(notebook)  # raises unless there is exactly one such cell, of literals
    first = next(iter(known.values()))
    assert (first.name, first.default) == ("profile", "smoke")
    assert not [name for name, parameter in known.items() if len(parameter.help) < 5], (
        "each parameter needs a # help"
    )
    assert not set(known) & set(PROFILE_KEYS), "what a parameter file says to its profile"
    first_code = next(cell for cell in read_cells(notebook) if cell["cell_type"] == "code")
    assert "parameters" in first_code["metadata"]["tags"], (
        "the parameters come before any other code"
    )


# the tables of the library whose names a parameter takes
NAMES = {
    ("02_projector_training", "preset"): projector_recipes.PRESETS,
    ("10_zero_shot_table", "preset"): projector_recipes.PRESETS,
    ("11_unseen_classes", "preset"): projector_recipes.PRESETS,
    ("15_bias_in_collections", "preset"): projector_recipes.PRESETS,
    ("04_mm_llm_finetuning", "preset"): multimodal_recipes.PRESETS,
    ("02_projector_training", "template"): TEMPLATES,
    ("05_evaluation", "template"): TEMPLATES,
    ("07_multimodal_iemocap", "text_as"): TEXT_AS,
    ("07_multimodal_iemocap", "balance"): EXPONENTS,
    ("07_multimodal_iemocap", "study"): STUDIES,
}


@pytest.mark.parametrize(("stem", "name"), NAMES)
def test_the_choices_in_a_help_are_the_names_that_the_library_knows(stem, name):
    parameter = declared(NOTEBOOKS / f"{stem}.ipynb")[name]
    assert sorted(parameter.choices) == sorted(NAMES[stem, name])


@notebooks
def test_the_defaults_are_the_smoke_profile(notebook):
    file = PARAMS / "smoke" / f"{notebook.stem}.yaml"
    assert file.exists()
    known = declared(notebook)
    assert read_file(file, known) == {name: known[name].default for name in read_file(file, known)}


@notebooks
def test_a_notebook_has_a_title_short_cells_and_no_classes(notebook):
    code = code_of(notebook)
    own = [cell for cell in code if not cell.startswith('profile = "')]  # without the parameters
    lengths = [len([line for line in cell.splitlines() if line.strip()]) for cell in own]
    assert max(lengths) <= MOST_LINES, "lines of the longest code cell"
    tree = ast.parse("\n".join(code))
    assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert text_of(notebook).lstrip().startswith("# ")
    starts = re.findall(r"start_run\(\s*[\"'](\w+)[\"']", "\n".join(code))
    assert starts == [notebook.stem], "start_run names this notebook"
    assert "run.record(" in code[-1]


@notebooks
def test_a_notebook_is_stored_without_outputs(notebook):
    cells = [c for c in json.loads(notebook.read_text())["cells"] if c["cell_type"] == "code"]
    kept = [c for c in cells if "keep_output" not in c["metadata"].get("tags", [])]
    assert not [c["source"] for c in kept if c["outputs"] or c["execution_count"]]


def test_saving_in_jupyterlab_changes_nothing_that_git_sees(tmp_path):
    made = (ROOT / "Makefile").read_text()
    keys = re.search(r"foreach key,([\w ]+),", made)[1].split()
    extra = " ".join(f"metadata.language_info.{key}" for key in keys)
    stored = NOTEBOOK_FILES[0].read_text(encoding="utf-8")
    saved = json.loads(stored)
    # as JupyterLab 4 writes it with ipykernel
    saved["metadata"]["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    saved["metadata"]["language_info"] = {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.12.1",
    }
    copy = tmp_path / "copy.ipynb"
    copy.write_text(json.dumps(saved, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "nbstripout", "--keep-id", "--extra-keys", extra, str(copy)]
    subprocess.run(command, check=True)
    assert copy.read_text(encoding="utf-8") == stored


@notebooks
def test_links_in_a_notebook_lead_to_files(notebook):
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text_of(notebook)):
        if not re.match(r"https?:|attachment:|mailto:", link):
            assert (notebook.parent / link).exists(), link
        elif "/blob/main/" in link:  # the badge opens a notebook of this repository
            assert (ROOT / link.partition("/blob/main/")[2]).exists(), link


@notebooks
def test_a_notebook_reads_only_runs_of_earlier_notebooks(notebook):
    stems = [path.stem for path in NOTEBOOK_FILES]
    for stem in upstream_of(notebook):
        assert stem in stems and stem < notebook.stem
