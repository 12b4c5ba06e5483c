"""The parameters of a notebook: what its `parameters` cell declares, and values checked against
that.

Takes a notebook, YAML files and `key=value` pairs. Gives plain Python values, or one sentence that
names the wrong parameter and what was expected. Nothing here starts a kernel.

The cell tagged `parameters` holds assignments of literals only, each with a `# help` comment:

    profile = "smoke"        # which folder of params/ this is
    seeds = [0, 1, 2]        # list[int], inferred from the default
    limit: int | None = None # the type of a default of None has to be written

A help that says "20 or more" forbids smaller numbers. One that says "one of a, b or c" (for a list,
"some of a, b or c") forbids all other values but the default. The types are int, float, str, bool,
list, dict, `list[T]` and `T | None`. pydantic checks them in its strict mode: an int is accepted
for a float, but a bool is not accepted for an int.

A parameter file holds `name: value` lines. It may also hold three keys for its profile
(tinyemo.runs.profiles, tinyemo.runs.forecast):

    base: scenes    # the profile whose runs this notebook reads where this profile has none
    sweep:          # one run with the file's own values, and one for each combination of these
      - {loss: [nt_xent, info_nce], layers: [1, 2]}   # a single mapping needs no list around it
    expected: {minutes: 90, gigabytes: 120}   # estimates, until a run has been measured
"""

import ast
import io
import itertools
import re
import tokenize
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from tinyemo.io import hint_for_unknown
from tinyemo.runs.notebooks import read_cells

PROFILE_KEYS = ("base", "sweep", "expected")
_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell."""

    name: str
    kind: typing.Any  # a type, list[T] or a union
    default: typing.Any
    help: str

    @property
    def least(self) -> int | None:
        """The smallest value that is allowed: N where the help says "N or more"."""
        found = re.search(r"\b(\d+) or more\b", self.help)
        return int(found[1]) if found else None

    @property
    def choices(self) -> list[str]:
        """The values that the help lists after "one of" or "some of"; empty: any value."""
        found = re.search(r"\b(?:one|some) of ((?:[\w.-]+, )*[\w.-]+ or [\w.-]+)", self.help)
        return re.split(", | or ", found[1]) if found else []


# ---- what a notebook declares


def declared(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook declares, in order. ValueError names the notebook and the
    line."""
    cells = read_cells(notebook)
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(
            f"{notebook.name}: found {len(tagged)} cells tagged `parameters`, expected exactly one"
        )
    source = tagged[0]["source"]
    comments = _comments(source)
    parameters = {}
    for statement in ast.parse(source).body:
        try:
            name, kind, default = _assignment(statement)
        except ValueError as error:
            line = ast.get_source_segment(source, statement)
            raise ValueError(f"{notebook.name}, parameters cell, `{line}`: {error}") from None
        lines = range(statement.lineno, statement.end_lineno + 1)
        texts = [comments[line] for line in lines if line in comments]
        parameters[name] = Parameter(name, kind, default, " ".join(texts))
    return parameters


def _comments(source: str) -> dict[int, str]:
    """The comments of some code, by line number."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


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
        raise ValueError(
            "expected a literal: a computed value would not change with the parameters in it"
        ) from None
    if annotation is None:
        return name, _kind_of(default), default
    kind = _kind(annotation)
    try:
        return name, kind, fit(default, kind)
    except ValueError:
        raise ValueError(f"the default is not of type {ast.unparse(annotation)}") from None


def _kind(annotation: ast.expr) -> typing.Any:
    """The type that an annotation means, without evaluating code."""
    match annotation:
        case ast.Name(id=name) if name in _TYPES:
            return _TYPES[name]
        case ast.Constant(value=None):
            return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            # typing.Union, because None has no `|` before Python 3.14
            return typing.Union[_kind(left), _kind(right)]  # noqa: UP007
        case ast.Subscript(value=ast.Name(id="list"), slice=element):
            return list[_kind(element)]
    known = ", ".join(_TYPES)
    raise ValueError(
        f"unknown type {ast.unparse(annotation)}: expected {known}, list[T] or T | None"
    )


def _kind_of(default: typing.Any) -> typing.Any:
    """The type of a default without annotation; a list of one type gives the type of its
    elements."""
    if type(default) not in _TYPES.values():
        raise ValueError(
            "no type can be inferred from the default: write one, as in `name: int | None = None`"
        )
    elements = {type(element) for element in default} if isinstance(default, list) else set()
    if elements == {int, float}:
        return list[float]
    return list[elements.pop()] if len(elements) == 1 else type(default)


def _written(kind: typing.Any) -> str:
    """A type as a parameters cell writes it."""
    if _is_union(kind):
        return " | ".join(map(_written, typing.get_args(kind)))
    if kind is type(None):
        return "None"
    return kind.__name__ if kind in _TYPES.values() else str(kind)


def _is_union(kind: typing.Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


# ---- values


def fit(value: typing.Any, kind: typing.Any) -> typing.Any:
    """The value as this type; an int becomes a float where a float is expected. Else ValueError."""
    return TypeAdapter(kind).validate_python(value, strict=True)


def parse(text: str, kind: typing.Any) -> typing.Any:
    """The text after `key=` on a command line, as this type. ValueError if it has another one."""
    if _is_union(kind):
        return _parse_as_one_of(text, typing.get_args(kind))
    if kind is str:
        return text
    if kind is type(None) and text.lower() in ("none", "null"):
        return None
    if kind in (int, float):
        return kind(text)
    try:
        value = yaml.load(text, _CommandLineLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from None
    return fit(value, kind)


def _parse_as_one_of(text: str, kinds: tuple) -> typing.Any:
    for kind in sorted(kinds, key=lambda kind: kind is str):  # any text is a str: try it last
        try:
            return parse(text, kind)
        except ValueError:
            continue
    raise ValueError(f"{text!r} has none of the types that are allowed here")


class _CommandLineLoader(yaml.SafeLoader):
    """YAML in which 1e-4 is a float, as in Python. YAML 1.1 requires 1.0e-4."""


_CommandLineLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


# ---- files and command lines


def read_file(path: Path, parameters: dict[str, Parameter]) -> dict[str, typing.Any]:
    """The values of a YAML file, checked. ValueError: one sentence that names the file and the
    key."""
    values = {name: value for name, value in read_yaml(path).items() if name not in PROFILE_KEYS}
    return {
        name: _checked(name, value, parameters, str(path), fit) for name, value in values.items()
    }


def read_pairs(pairs: dict[str, str], parameters: dict[str, Parameter]) -> dict[str, typing.Any]:
    """The values of `key=value` pairs of a command line, checked. ValueError: one sentence."""
    return {
        name: _checked(name, text, parameters, "command line", parse)
        for name, text in pairs.items()
    }


def read_sweep(path: Path, parameters: dict[str, Parameter]) -> list[dict[str, typing.Any]]:
    """The changes that each run of a file's `sweep` makes to the file's own values, each once.

    The values are checked. The first entry is {}: the file's own values, whether or not the sweep
    names them. ValueError: one sentence that names the file and the key.
    """
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    own = defaults | read_file(path, parameters)
    grids = read_yaml(path).get("sweep", [])
    settings: list[dict] = [{}]
    for grid in grids if isinstance(grids, list) else [grids]:
        for combination in _combinations(grid, path, parameters):
            changes = {name: value for name, value in combination if value != own[name]}
            if changes not in settings:
                settings.append(changes)
    return settings


def _combinations(
    grid: typing.Any, path: Path, parameters: dict[str, Parameter]
) -> typing.Iterator[tuple[tuple[str, typing.Any], ...]]:
    """The combinations of one mapping `name -> values` of a sweep, as (name, value) pairs."""
    is_grid = isinstance(grid, dict) and all(isinstance(values, list) for values in grid.values())
    if not is_grid:
        raise ValueError(f"{path}, sweep: {grid!r}, expected `name: [value, ...]`")
    axes = []
    for name, values in sorted(grid.items()):
        where = f"{path}, sweep"
        axes.append([(name, _checked(name, value, parameters, where, fit)) for value in values])
    return itertools.product(*axes)


def read_yaml(path: Path) -> dict[str, typing.Any]:
    """The mapping that a YAML file holds, unchecked. ValueError names the file."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected `name: value` lines, found {type(values).__name__}")
    return values


def _checked(
    name: str, value: typing.Any, parameters: dict[str, Parameter], where: str, convert: Callable
) -> typing.Any:
    """`convert(value, kind)` with the declared kind. ValueError names the place, the parameter and
    what was expected."""
    if name not in parameters:
        hint = hint_for_unknown(name, parameters)
        raise ValueError(f"{where}: unknown parameter {name!r}: {hint}")
    try:
        converted = convert(value, parameters[name].kind)
    except ValueError:
        expected = _written(parameters[name].kind)
        hint = ""
        if isinstance(value, str) and convert is fit and "float" in expected:
            hint = " (YAML reads 1e-4 as a string: write 1.0e-4)"
        raise ValueError(
            f"{where}: parameter {name} is {value!r}, expected {expected}{hint}"
        ) from None
    least = parameters[name].least
    if least is not None and isinstance(converted, int | float) and converted < least:
        raise ValueError(f"{where}: parameter {name} is {converted}, expected {least} or more")
    _check_choices(converted, parameters[name], where)
    return converted


def _check_choices(value: typing.Any, parameter: Parameter, where: str) -> None:
    if not parameter.choices or value == parameter.default:
        return
    for one in value if isinstance(value, list) else [value]:
        if one not in parameter.choices:
            raise ValueError(
                f"{where}: parameter {parameter.name} is {one!r}, expected one of "
                f"{', '.join(parameter.choices)}"
            )
