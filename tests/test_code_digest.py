"""The digest of code: it follows imports, and changes with statements and data but not with
words."""

import ast
from pathlib import Path

import pytest

from tinyemo import code_digest as module
from tinyemo.code_digest import code_digest, code_files, tree_digest
from tinyemo.paths import ROOT

TRAINER = '''"""Trains."""
from emoscenes import phrases
from tinyemo import losses


def step(x):
    """One step."""
    return losses.loss(x)  # down the gradient
'''
FILES = {
    "tinyemo/__init__.py": "",
    "tinyemo/trainer.py": TRAINER,
    "tinyemo/losses.py": "def loss(x):\n    return x * 2\n",
    "tinyemo/unrelated.py": "A = 1\n",
    "tinyemo/runs/__init__.py": "",
    "tinyemo/runs/folder.py": "import tinyemo.unrelated\n",
    "emoscenes/__init__.py": "",
    "emoscenes/phrases.py": "TABLE = 'phrases.yaml'\n",
    "emoscenes/text/phrases.yaml": "joy: [glad]\n",
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A small repository with both packages, in which code_digest looks for modules."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget():
    """Clear what a process keeps, as a new process would begin."""
    for name in dir(module):
        if hasattr(getattr(module, name), "cache_clear"):
            getattr(module, name).cache_clear()


def digest_after(repository, file, content):
    (repository / file).write_text(content)
    forget()
    return code_digest("tinyemo.trainer")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# down the gradient", "# another comment"),
        ('"""Trains."""', '"""Another docstring of the module."""'),
        ('    """One step."""\n', ""),
        ("    return", "\n    return"),
    ],
)
def test_comments_docstrings_and_blank_lines_do_not_count(repository, old, new):
    before = code_digest("tinyemo.trainer")
    assert old in TRAINER
    assert digest_after(repository, "tinyemo/trainer.py", TRAINER.replace(old, new)) == before


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tinyemo/trainer.py", TRAINER.replace("losses.loss(x)", "-losses.loss(x)")),
        ("tinyemo/losses.py", "def loss(x):\n    return x * 3\n"),
        ("emoscenes/phrases.py", "TABLE = 'phrases.yaml'\nMORE = 1\n"),
        ("emoscenes/text/phrases.yaml", "joy: [happy]\n"),
    ],
)
def test_statements_and_data_of_both_packages_count(repository, file, content):
    before = code_digest("tinyemo.trainer")
    assert digest_after(repository, file, content) != before


@pytest.mark.parametrize("file", ["tinyemo/unrelated.py", "tinyemo/runs/folder.py"])
def test_modules_that_are_not_imported_or_only_start_runs_do_not_count(repository, file):
    (repository / "tinyemo/trainer.py").write_text(TRAINER + "import tinyemo.runs.folder\n")
    forget()
    before = code_digest("tinyemo.trainer")
    (repository / file).write_text("CHANGED = True\n")
    forget()
    assert code_digest("tinyemo.trainer") == before


def test_a_pattern_stands_for_all_files_of_the_folder(repository):
    code = "from pathlib import Path\n\nTABLES = Path(__file__).parent.glob('text/*.yaml')\n"
    before = digest_after(repository, "emoscenes/phrases.py", code)
    assert digest_after(repository, "emoscenes/text/more.yaml", "fear: [afraid]\n") != before


def test_the_module_of_digests_does_not_itself_name_data(repository):
    real = Path(module.__file__).read_text(encoding="utf-8")
    before = digest_after(repository, "tinyemo/trainer.py", real)
    assert digest_after(repository, "tinyemo/new.yaml", "a: 1\n") == before


def test_a_string_that_is_not_a_docstring_counts():
    first, second = (ast.parse(f"x = 1\n'{text}'\n") for text in ("one", "two"))
    assert tree_digest(first) != tree_digest(second)


def test_a_name_that_is_no_module_is_refused():
    with pytest.raises(ValueError, match="tinyemo.trainings is not a module of tinyemo or emosc"):
        code_digest("tinyemo.trainings")
    with pytest.raises(ValueError, match="numpy is not a module"):
        code_digest("numpy")


def test_imports_are_followed_through_both_packages():
    files = code_files(ast.parse("from emoscenes.toy_models import train_clip"))
    names = {file.relative_to(ROOT).as_posix() for file in files}
    assert {"emoscenes/toy_models.py", "tinyemo/training/loop.py", "tinyemo/io.py"} <= names
    assert not any(name.startswith("tinyemo/runs/") for name in names)


def digested_modules():
    """The module names that some code of the packages passes to code_digest."""
    names = set()
    for package in module.PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "code_digest":
                    names |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return names


def test_the_keys_of_trainings_and_features_contain_the_digest_of_their_code():
    made_by = {
        "tinyemo.training.projector",
        "tinyemo.training.multimodal_lm",
        "emoscenes.toy_models",
        "tinyemo.features.extract",
        "tinyemo.features.pt_trees",
    }
    assert made_by <= digested_modules()
    for name in digested_modules():
        assert len(code_digest(name)) == 64  # raises if a module was renamed
