"""Parameters: the types of a cell, and values of files and command lines checked against them."""

import pytest
from conftest import write_notebook

from tinyemo.runs.parameters import declared, fit, parse, read_file, read_pairs

CELL = """\
lr = 0.1                  # learning rate
steps = 3
seeds = [0, 1]            # one run per seed
rates = [1, 0.5]
limit: int | None = None  # use fewer
mixed: float | str = "a"
careful = False
names: list[str] = []     # names
table = {"a": 1}
long = (
    "text"  # a comment within the statement
)
"""


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "one.ipynb", CELL)


def test_types_are_read_from_defaults_and_annotations(notebook):
    kinds = {name: parameter.kind for name, parameter in declared(notebook).items()}
    assert kinds == {
        "lr": float,
        "steps": int,
        "seeds": list[int],
        "rates": list[float],
        "limit": int | None,
        "mixed": float | str,
        "careful": bool,
        "names": list[str],
        "table": dict,
        "long": str,
    }


def test_comments_are_the_help(notebook):
    known = declared(notebook)
    assert known["lr"].help == "learning rate" and known["steps"].help == ""
    assert known["long"].help == "a comment within the statement"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("a = 1 + n", "expected a literal"),
        ("a = None", "no type can be inferred from the default"),
        ("a: int = 1.5", "the default is not of type int"),
        ("a: tuple = ()", "unknown type tuple: expected int, float, str, bool, list, dict"),
        ("print(1)", "expected `name = literal`"),
    ],
)
def test_a_wrong_cell_is_refused_with_notebook_and_line(tmp_path, cell, words):
    notebook = write_notebook(tmp_path / "one.ipynb", cell)
    with pytest.raises(ValueError, match=r"one.ipynb, parameters cell, `") as error:
        declared(notebook)
    assert words in str(error.value) and cell in str(error.value)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, float, 3.0),
        ([1, 2.5], list[float], [1.0, 2.5]),
        (None, int | None, None),
        ("1e-4", float | str, "1e-4"),
        ({"a": [1]}, dict, {"a": [1]}),
    ],
)
def test_values_that_fit(value, kind, expected):
    assert fit(value, kind) == expected and type(fit(value, kind)) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, int), (True, float), (2.0, int), ("2", int), ([True], list[int]), (1, str), (0, bool)],
)
def test_values_of_another_type_are_refused(value, kind):
    with pytest.raises(ValueError):
        fit(value, kind)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("1e-4", float, 1e-4),
        ("[1e-4, 2]", list[float], [1e-4, 2.0]),
        ("[a, b]", list[str], ["a", "b"]),
        ("none", int | None, None),
        ("4", int | None, 4),
        ("2", float | str, 2.0),
        ("b", float | str, "b"),
        ("null", str, "null"),
        ("true", bool, True),
        ("{a: 1}", dict, {"a": 1}),
    ],
)
def test_texts_of_a_command_line_are_parsed(text, kind, expected):
    assert parse(text, kind) == expected and type(parse(text, kind)) is type(expected)


def test_a_list_written_in_a_file_is_not_parsed_as_text(notebook, tmp_path):
    known = declared(notebook)
    file = tmp_path / "one.yaml"
    file.write_text("rates: [1e-4]\n")
    with pytest.raises(ValueError, match=r"rates is \['1e-4'\], expected list\[float\]"):
        read_file(file, known)
    assert read_pairs({"rates": "[1e-4]"}, known) == {"rates": [1e-4]}


CHOICES = """\
preset = "small"   # recipe: one of small, published or published-lora
template = ""      # one of plain or llava_v1; empty: the tokenizer's own
study = []         # some of a, b or c: what is compared
free = "anything"  # not one of these is checked
"""


def test_listed_choices_are_checked_and_the_default_is_always_allowed(tmp_path):
    known = declared(write_notebook(tmp_path / "one.ipynb", CHOICES))
    assert known["preset"].choices == ["small", "published", "published-lora"]
    good = {"preset": "published-lora", "template": "", "study": "[a, c]", "free": "x"}
    assert read_pairs(good, known) == {**good, "study": ["a", "c"]}
    message = "command line: parameter preset is 'vote', expected one of small, published, "
    with pytest.raises(ValueError, match=message):
        read_pairs({"preset": "vote"}, known)
    with pytest.raises(ValueError, match="parameter study is 'd', expected one of a, b, c"):
        read_pairs({"study": "[a, d]"}, known)
