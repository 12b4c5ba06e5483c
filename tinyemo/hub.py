"""Finding, reading and loading the files of a checkpoint: tensors only, every one accounted for.

Takes a checkpoint (a folder, or a hub id such as "apple/OpenELM-270M-Instruct") and file patterns;
gives a local folder, tensors, and models. From the hub only the files asked for are downloaded.
Weights are read as safetensors or with `torch.load(weights_only=True)`: a file that would run code
is refused.

All weights of the project are loaded by one rule. A checkpoint is refused by name if it lacks a
tensor that the model needs, has one that fits nothing, or has one of another shape or kind of
number. Known exceptions are tied weights, heads that the caller names as `unused`, and buffers of
old files that follow from the configuration. A prefix that a wrapper adds to all names (PREFIXES)
is removed if the checkpoint is incomplete with it. `load_pretrained` applies the rule to models of
transformers, `fitted` and `load_weights` to all others.
"""

import json
import logging
import pickle
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from tinyemo.io import first_line

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# in the order in which transformers looks for them; each may be in several shards
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
SHARD = re.compile(r".*-(\d+)-of-(\d+)\.\w+")
# what DataParallel, torch.compile, peft and LLaVA put in front of the names
PREFIXES = r"(?:module|_orig_mod|base_model\.model|language_model)\."
DERIVED = re.compile(r"(.*\.)?(rotary_emb\.inv_freq|position_ids|(attn|attention)\.masked_bias)")
NOTHING = r"(?!)"  # a pattern that fits no name


def local_folder(checkpoint: str | Path, patterns: list[str]) -> Path:
    """The local folder of a checkpoint; for a hub id, files that match `patterns` are downloaded.

    FileNotFoundError: no such folder, or the hub has no such repository, refuses access or cannot
    be reached.
    """
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return folder
    if not HUB_ID.fullmatch(str(checkpoint)):
        raise FileNotFoundError(
            f"{checkpoint}: no such folder; expected a checkpoint folder or a hub id (owner/name)"
        )
    try:
        return Path(snapshot_download(str(checkpoint), allow_patterns=patterns))
    except OSError as error:  # unknown or gated id, no connection
        raise FileNotFoundError(
            f"{checkpoint}: neither a folder here nor a repository that could be downloaded from "
            f"the hub ({type(error).__name__}); download it where there is access and pass its "
            "folder"
        ) from error


@contextmanager
def safetensors_errors(path: str | Path) -> Iterator[None]:
    """Within the block, an error of the safetensors library becomes a sentence that names the file.

    FileNotFoundError: no such file. ValueError: damaged, or it lacks a tensor that was asked for.
    """
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such weight file") from None
    except SafetensorError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, on the CPU. Errors as of `safetensors_errors`."""
    with safetensors_errors(path):
        return load_file(path)


def safetensors_metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty where the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def read_bin(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a `.bin` state dict by name, memory-mapped on the CPU.

    FileNotFoundError: no such file. ValueError: pickled code, a damaged file, or no dict of
    tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such weight file") from None
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path}: holds pickled code or is damaged; expected a state dict of tensors only"
        ) from error
    except Exception as error:  # the unpickler raises many kinds of errors for damaged files
        raise ValueError(f"{path}: damaged; expected a state dict of tensors") from error
    if not (
        isinstance(state, dict) and state and all(isinstance(v, Tensor) for v in state.values())
    ):
        raise ValueError(f"{path}: expected a state dict of named tensors")
    return state


def _is_zip(path: str | Path) -> bool:
    """Whether torch wrote the file in its zip format, which can be memory-mapped."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


# --- the weight files of a folder ----------------------------------------------------------------


def weight_files(folder: Path) -> list[Path]:
    """The weight files of a checkpoint: one, or all of its shards.

    FileNotFoundError: there is none, or a shard is missing. ValueError: a damaged index.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return [folder / name]
        shards = _shards(folder, name)
        for shard in shards:
            if not shard.is_file():
                raise FileNotFoundError(
                    f"{shard}: a shard of the checkpoint is missing; put it beside the others "
                    f"({len(shards)} are expected)"
                )
        if shards:
            return shards
    raise FileNotFoundError(
        f"{folder}: no weights in it; expected model*.safetensors or pytorch_model*.bin"
    )


def _shards(folder: Path, name: str) -> list[Path]:
    """All shards that the weight file `name` should have, by its index or by their own names."""
    index = folder / f"{name}.index.json"
    if index.is_file():
        return [folder / shard for shard in sorted(set(read_index(index).values()))]
    stem, _, suffix = name.rpartition(".")
    found = [SHARD.fullmatch(file.name) for file in folder.glob(f"{stem}-*.{suffix}")]
    name_of = {int(match[1]): match.string for match in found if match}
    total = max((int(match[2]) for match in found if match), default=0)
    numbers = range(1, total + 1)
    return [folder / name_of.get(i, f"{stem}-{i:05}-of-{total:05}.{suffix}") for i in numbers]


def read_index(index: Path) -> dict[str, str]:
    """The index of shards: tensor -> file. ValueError: it is no such JSON."""
    try:
        weight_map = json.loads(index.read_text("utf-8"))["weight_map"]
        return {str(name): str(file) for name, file in weight_map.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index}: expected JSON with a weight_map of tensor to file") from error


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder by name, on the CPU. Errors as of `weight_files` and the readers."""
    state: dict[str, Tensor] = {}
    for file in weight_files(folder):
        state |= read_safetensors(file) if file.suffix == ".safetensors" else read_bin(file)
    return state


def _names_and_kinds(folder: Path) -> dict[str, bool]:
    """Tensor name -> whether it holds floating-point numbers. Of safetensors, headers are read."""
    kinds: dict[str, bool] = {}
    for file in weight_files(folder):
        if file.suffix != ".safetensors":
            kinds |= {name: value.is_floating_point() for name, value in read_bin(file).items()}
            continue
        with safetensors_errors(file), safe_open(file, framework="pt") as opened:
            for name in opened.keys():
                kinds[name] = "F" in opened.get_slice(name).get_dtype()  # F32, BF16, F8_E4M3
    return kinds


# --- strict loading ------------------------------------------------------------------------------


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
    is_float = _names_and_kinds(folder)
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
