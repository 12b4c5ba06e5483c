"""Strict loading of weights: every tensor of a checkpoint is accounted for.

All weights of the project are loaded by one rule. A checkpoint is refused by name if it lacks a
tensor that the model needs, has one that fits nothing, or has one of another shape or kind of
number. Known exceptions are tied weights, heads that the caller names as `unused`, and buffers of
old files that follow from the configuration. A prefix that a wrapper adds to all names (PREFIXES)
is removed if the checkpoint is incomplete with it.

Takes tensors by name and the model, or a local folder; gives the model with its weights.
`load_pretrained` applies the rule to models of transformers, `fitted` and `load_weights` to all
others. The files themselves are found and read by hub.py.
"""

import logging
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinyemo.hub import floating_by_name
from tinyemo.io import first_line

# what DataParallel, torch.compile, peft and LLaVA put in front of the names
PREFIXES = r"(?:module|_orig_mod|base_model\.model|language_model)\."
DERIVED = re.compile(r"(.*\.)?(rotary_emb\.inv_freq|position_ids|(attn|attention)\.masked_bias)")
NOTHING = r"(?!)"  # a pattern that fits no name


@dataclass(frozen=True)
class _Account:
    """What a checkpoint lacks, and what in it fits nothing or does not fit."""

    missing: set[str]
    unknown: set[str]
    misfits: dict[str, str]  # name -> what was found and what was expected

    def refuse(self, source: str | Path, kind: str) -> None:
        """ValueError: something is in the account. `kind` names the model."""
        facts = []
        if self.missing:
            facts.append(f"lacks the tensor {_first_of(self.missing)}, which the model needs")
        if self.misfits:
            name = min(self.misfits)
            facts.append(f"has the tensor {_first_of(self.misfits)} {self.misfits[name]}")
        if self.unknown:
            facts.append(f"has the tensor {_first_of(self.unknown)}, which fits nothing")
        if facts:
            raise ValueError(f"{source}: the checkpoint ({kind}) {', and '.join(facts)}")


def _first_of(names: Iterable[str]) -> str:
    names = sorted(names)
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more)"


def _prefix_patterns(names: Collection[str]) -> list[str]:
    """Patterns that remove one to three PREFIXES; none may make two names one.

    The fewest come first, because a prefix may also belong to the names: `base_model.model.` to
    those of adapters, `language_model.` to those of LLaVA.
    """
    patterns, before = [], set(names)
    for number in (1, 2, 3):
        pattern = f"^(?:{PREFIXES}){{1,{number}}}"
        after = {re.sub(pattern, "", name) for name in names}
        if after == before or len(after) < len(before):
            break
        patterns.append(pattern)
        before = after
    return patterns


def without_prefixes(state: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """`state` under names without one, two or three PREFIXES; empty if no name has one."""
    patterns = _prefix_patterns(state.keys())
    return [{re.sub(one, "", name): value for name, value in state.items()} for one in patterns]


def fitted(
    state: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    source: str | Path,
    kind: str,
    tied: Iterable[tuple[str, str]] = (),
) -> dict[str, Tensor]:
    """The tensors of `state` under the names of `expected`, every one accounted for.

    `tied` are pairs of names that share a tensor: one of both is enough. ValueError names
    `source`, the `kind` of model, and a tensor that is missing, fits nothing, or has another shape
    or kind of number than expected.
    """
    state = {name: value for name, value in state.items() if not DERIVED.fullmatch(name)}
    account = _account_of(state, expected, tied)
    if account.missing:
        for renamed in without_prefixes(state):
            other = _account_of(renamed, expected, tied)
            if len(other.missing) < len(account.missing):
                state, account = renamed, other
    account.refuse(source, kind)
    return state


def _account_of(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], tied: Iterable[tuple[str, str]]
) -> _Account:
    missing = {name for name in expected if name not in state and not DERIVED.fullmatch(name)}
    for pair in tied:
        if missing & set(pair) != set(pair):
            missing -= set(pair)
    return _Account(missing, state.keys() - expected.keys(), _misfits(state, expected))


def _misfits(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, str]:
    """Name -> what was found and expected, of tensors with another shape or kind of number."""
    misfits = {}
    for name in state.keys() & expected.keys():
        found, wanted = state[name], expected[name]
        if found.shape != wanted.shape:
            misfits[name] = f"of shape {tuple(found.shape)}, expected {tuple(wanted.shape)}"
        elif found.is_floating_point() != wanted.is_floating_point():
            misfits[name] = f"of {found.dtype}, expected numbers like {wanted.dtype}"
    return misfits


def refuse_misfits(state: Mapping[str, Tensor], module: nn.Module, source: str | Path) -> None:
    """For libraries that load strictly, but resize or round a tensor that does not fit.

    `state` is what the file `source` holds, `module` was loaded from it. ValueError names a tensor.
    """
    account = _Account(set(), set(), _misfits(state, module.state_dict()))
    account.refuse(source, type(module).__name__)


def load_weights(
    module: nn.Module, state: Mapping[str, Tensor], source: str | Path, kind: str = ""
) -> None:
    """Load `state` into all parameters and buffers of `module`. ValueError as of `fitted`."""
    tied = getattr(module, "all_tied_weights_keys", {}).items()  # of models of transformers
    expected = module.state_dict()
    state = fitted(state, expected, source, kind or type(module).__name__, tied)
    module.load_state_dict(state, strict=False)  # `fitted` is stricter


def load_pretrained(
    model_class: Any,
    folder: Path,
    dtype: torch.dtype | str,
    what: str = "the model",
    unused: str = NOTHING,
) -> Any:
    """A model of transformers from a local folder, in `dtype`, every tensor accounted for.

    `model_class` is a model class or Auto class, `what` names the model in errors. `unused` is a
    pattern for the beginning of the names of tensors that may be missing or left over.

    FileNotFoundError: no weights, or a shard is missing. ValueError: the folder cannot be loaded,
    holds adapters, or the name of a tensor that is missing or does not fit.
    """
    if (folder / "adapter_config.json").is_file():  # transformers would load their base instead
        raise ValueError(
            f"{folder}: it holds adapters (adapter_config.json); expected the weights of a whole "
            "model, into which they are merged"
        )
    is_float = floating_by_name(folder)
    model, account = _from_pretrained(model_class, folder, dtype, what, unused, "")
    for prefix in _prefix_patterns(is_float.keys()) if account.missing else []:
        other = _from_pretrained(model_class, folder, dtype, what, unused, prefix)
        if len(other[1].missing) < len(account.missing):
            model, account = other
    account.misfits.update(_wrong_kinds(model, is_float))
    account.refuse(folder, model.config.model_type)
    return model


def _from_pretrained(
    model_class: Any,
    folder: Path,
    dtype: torch.dtype | str,
    what: str,
    unused: str,
    prefix: str,
) -> tuple[Any, _Account]:
    """The model, and transformers' account of its tensors, whose names are read without `prefix`.

    ValueError: it cannot be loaded.
    """
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)  # transformers would print the account as a table
    try:
        model, found = model_class.from_pretrained(
            folder,
            dtype=dtype,
            key_mapping={prefix: ""} if prefix else None,
            ignore_mismatched_sizes=True,  # they are in the account
            output_loading_info=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    except Exception as error:  # transformers raises any error of its parsers
        raise ValueError(
            f"{folder}: cannot load {what}: {first_line(error).rstrip('. ')}; expected a folder "
            "that transformers wrote, with weights as safetensors or plain tensors"
        ) from error
    finally:
        logger.setLevel(level)
    misfits = {}
    for name, shape, wanted in found["mismatched_keys"]:
        misfits[name] = f"of shape {tuple(shape)}, expected {tuple(wanted)}"
    known = re.compile(unused)
    missing = {name for name in found["missing_keys"] if not known.match(name)}
    unknown = {
        name
        for name in found["unexpected_keys"]
        if not known.match(name) and not DERIVED.fullmatch(name)
    }
    return model, _Account(missing, unknown, misfits)


def _wrong_kinds(model: nn.Module, is_float: Mapping[str, bool]) -> dict[str, str]:
    """Tensors of other numbers than floating-point ones where the model needs these.

    transformers would convert the numbers of a quantised or damaged file without a word.
    """
    wrong = {}
    needed = [name for name, value in model.state_dict().items() if value.is_floating_point()]
    for name in [name for name, is_right in is_float.items() if not is_right]:
        dotted = f".{name}"
        for own in needed:
            if dotted.endswith(f".{own}") or own.endswith(dotted):
                wrong[own] = "of whole numbers, expected floating-point numbers"
    return wrong
