"""The parameters of a notebook: what its `parameters` cell declares, and values checked against that.

Takes a notebook, YAML files and `key=value` pairs; gives plain Python values, or one sentence saying which
parameter is wrong and what was expected. Nothing here starts a kernel.

The cell tagged `parameters` holds assignments of literals only, each with a `# help` comment:

    profile = "smoke"        # which folder of params/ this is
    seeds = [0, 1, 2]        # list[int], read off the default
    limit: int | None = None # a default of None needs its type said

Types are int, float, str, bool, list, dict, `list[T]`, `T | None`. An int is good enough for a float; a bool
is no int.

A parameter file holds `name: value` lines, and may hold two keys that are its profile's (tinyemo.runs.profiles):

    base: scenes             # the profile whose runs this notebook reads where this profile has none
    sweep:                   # run it once with the file's own values and once with each combination of these;
      - {loss: [nt_xent, info_nce], layers: [1, 2]}      # one mapping alone needs no list around it
"""

import ast
import io
import itertools
import json
import tokenize
import types
import typing
from dataclasses import dataclass
from pathlib import Path

import yaml

from tinyemo.io import hint_for_unknown

PROFILE_KEYS = ("base", "sweep")
_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell."""

    name: str
    kind: typing.Any  # a type, list[T] or a union
    default: typing.Any
    help: str


def read_cells(notebook: Path) -> list[dict]:
    """The cells of an .ipynb, each with its `source` as one string. FileNotFoundError, ValueError."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except FileNotFoundError:
        raise FileNotFoundError(f"no notebook {notebook}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{notebook} is not a notebook: {error}") from None
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def declared(notebook: Path) -> dict[str, Parameter]:
    """What a notebook's parameters cell declares, in order. ValueError names the notebook and the line."""
    tagged = [
        c for c in read_cells(notebook) if "parameters" in c.get("metadata", {}).get("tags", [])
    ]
    if len(tagged) != 1:
        raise ValueError(
            f"{notebook.name} needs exactly one cell tagged `parameters`, it has {len(tagged)}"
        )
    source = tagged[0]["source"]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
    parameters = {}
    for statement in ast.parse(source).body:
        line = ast.get_source_segment(source, statement)
        try:
            name, kind, default = _assignment(statement)
        except ValueError as error:
            raise ValueError(f"{notebook.name}, parameters cell, `{line}`: {error}") from None
        text = comments.get(statement.end_lineno) or comments.get(statement.lineno, "")
        parameters[name] = Parameter(name, kind, default, text)
    return parameters


def _assignment(statement: ast.stmt) -> tuple[str, typing.Any, typing.Any]:
    """Name, type and default of one line of the cell."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            annotation = None
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if value:
            pass
        case _:
            raise ValueError("expected `name = literal` or `name: type = literal`")
    try:
        default = ast.literal_eval(value)
    except ValueError:
        raise ValueError("expected a literal: a derived value would keep its default") from None
    if annotation is None:
        return name, _kind_of(default), default
    kind = _kind(annotation)
    try:
        return name, kind, fit(default, kind)
    except TypeError:
        raise ValueError(f"the default is no {ast.unparse(annotation)}") from None


def _kind(annotation: ast.expr) -> typing.Any:
    """The type an annotation means, without evaluating code."""
    match annotation:
        case ast.Name(id=name) if name in _TYPES:
            return _TYPES[name]
        case ast.Constant(value=None):
            return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return typing.Union[_kind(left), _kind(right)]  # noqa: UP007 (None has no | before 3.14)
        case ast.Subscript(value=ast.Name(id="list"), slice=element):
            return list[_kind(element)]
    known = ", ".join(_TYPES)
    raise ValueError(
        f"unknown type {ast.unparse(annotation)}: expected {known}, list[T] or T | None"
    )


def _written(kind: typing.Any) -> str:
    """A type as a parameters cell writes it."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " | ".join(_written(alternative) for alternative in typing.get_args(kind))
    if kind is type(None):
        return "None"
    return kind.__name__ if kind in _TYPES.values() else str(kind)


def _kind_of(default: typing.Any) -> typing.Any:
    """The type of an unannotated default; a list of one type says its elements' type."""
    if type(default) not in _TYPES.values():
        raise ValueError(
            "the default says no type YAML knows: write one, as in `name: int | None = None`"
        )
    elements = {type(element) for element in default} if isinstance(default, list) else set()
    if elements == {int, float}:
        return list[float]
    return list[elements.pop()] if len(elements) == 1 else type(default)


def fit(value: typing.Any, kind: typing.Any, numbers_as_text: bool = False) -> typing.Any:
    """The value as this type (an int becomes a float where a float is due). TypeError if it is none.

    With `numbers_as_text`, "1e-4" is a float too: YAML reads it as a string.
    """
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        for alternative in typing.get_args(kind):
            try:
                return fit(value, alternative, numbers_as_text)
            except TypeError:
                continue
        raise TypeError
    if typing.get_origin(kind) is list and isinstance(value, list):
        return [fit(element, typing.get_args(kind)[0], numbers_as_text) for element in value]
    if kind is float and (type(value) is int or (numbers_as_text and isinstance(value, str))):
        try:
            return float(value)
        except ValueError:
            raise TypeError from None
    if type(value) is kind:  # type(), because a bool is an int to isinstance
        return value
    raise TypeError


def parse(text: str, kind: typing.Any) -> typing.Any:
    """The text after `key=` on a command line, as this type. TypeError if it is none."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        for alternative in sorted(
            typing.get_args(kind), key=lambda k: k is str
        ):  # any text is a str: last
            try:
                return parse(text, alternative)
            except TypeError:
                continue
        raise TypeError
    if kind is str:
        return text
    if kind is type(None) and text.lower() in ("none", "null"):
        return None
    try:
        return (
            kind(text)
            if kind in (int, float)
            else fit(yaml.safe_load(text), kind, numbers_as_text=True)
        )
    except (ValueError, yaml.YAMLError):
        raise TypeError from None


def read_file(path: Path, parameters: dict[str, Parameter]) -> dict[str, typing.Any]:
    """The values of a YAML file, checked. ValueError: one sentence that names the file and the key."""
    values = {name: value for name, value in read_yaml(path).items() if name not in PROFILE_KEYS}
    return {
        name: _checked(name, value, parameters, str(path), fit) for name, value in values.items()
    }


def read_sweep(path: Path, parameters: dict[str, Parameter]) -> list[dict[str, typing.Any]]:
    """What each run of a file's `sweep` changes of the file's own values, checked, each once.

    The first is {}, the file's own values, whether the sweep names them or not. ValueError as above.
    """
    own = {name: parameter.default for name, parameter in parameters.items()} | read_file(
        path, parameters
    )
    grids = read_yaml(path).get("sweep", [])
    settings: list[dict] = [{}]
    for grid in grids if isinstance(grids, list) else [grids]:
        if not isinstance(grid, dict) or not all(
            isinstance(values, list) for values in grid.values()
        ):
            raise ValueError(f"{path}, sweep: {grid!r}, expected `name: [value, ...]`")
        axes = [
            [(name, _checked(name, value, parameters, f"{path}, sweep", fit)) for value in values]
            for name, values in sorted(grid.items())
        ]
        for combination in itertools.product(*axes):
            changes = {name: value for name, value in combination if value != own[name]}
            if changes not in settings:
                settings.append(changes)
    return settings


def read_yaml(path: Path) -> dict[str, typing.Any]:
    """The mapping that a YAML file holds, unchecked. ValueError names the file."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected `name: value` lines, found {type(values).__name__}")
    return values


def read_pairs(pairs: dict[str, str], parameters: dict[str, Parameter]) -> dict[str, typing.Any]:
    """The values of `key=value` pairs of a command line, checked. ValueError: one sentence."""
    return {
        name: _checked(name, text, parameters, "command line", parse)
        for name, text in pairs.items()
    }


def _checked(name: str, value, parameters: dict[str, Parameter], where: str, convert) -> typing.Any:
    if name not in parameters:
        hint = hint_for_unknown(name, parameters)
        raise ValueError(f"{where}: unknown parameter {name!r}: {hint}")
    try:
        return convert(value, parameters[name].kind)
    except TypeError:
        expected = _written(parameters[name].kind)
        hint = ""
        if isinstance(value, str) and convert is fit and "float" in expected:
            hint = " (YAML reads 1e-4 as a string: write 1.0e-4)"
        raise ValueError(
            f"{where}: parameter {name} is {value!r}, expected {expected}{hint}"
        ) from None
