"""What a profile would run on: the runs of its sweeps, and what its parameters name that is not on this machine.

    python -m tinyemo.runs.plan PROFILE [--pairs "k=v ..."]      `make plan` calls it after Snakemake's dry run

Takes a profile; prints sentences. Datasets and features have to be put in place; checkpoints and encoders that are
neither on the disk nor in the hub's cache are downloaded by the run that reads them.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.file_download import repo_folder_name

from tinyemo.data.photos import PHOTO_SETS
from tinyemo.hub import HUB_ID
from tinyemo.paths import data_dir, locate
from tinyemo.runs.parameters import declared, read_file, read_pairs
from tinyemo.runs.profiles import Profile, Step, graph, notebook_path, pairs_of

FOLDERS = ("features_root", "images")  # parameters that name a folder, or nothing
CHECKPOINTS = (
    "anchors",
    "lm",
    "tokenizer",
    "projector",
)  # those that name a folder, a file, a hub id, or nothing
TEACHERS = ("pretraining_teacher", "finetuning_teacher", "quality_teacher")  # see data/teachers.py


def lacking(values: dict) -> Iterator[str]:
    """A sentence for each thing that a notebook's parameter values name and this machine does not have."""
    root = locate(values["root"]) if values.get("root") else data_dir()
    for name in (
        [] if values.get("features_root") else values.get("datasets", [])
    ):  # features stand for images
        if name in PHOTO_SETS and not (folder := root / PHOTO_SETS[name].folder).is_dir():
            yield f"{name} is missing: no folder {folder}; how to get it: {PHOTO_SETS[name].get}"
    for key in FOLDERS:
        if values.get(key) and not locate(values[key]).is_dir():
            yield f"{key} is missing: no folder {values[key]}, nor one under {data_dir()}"
    for key in CHECKPOINTS:
        yield from _lacking_checkpoint(key, values.get(key, ""))
    for key in TEACHERS:
        if key in values and (key != "quality_teacher" or values.get("quality_share")):
            yield from _lacking_teacher(key, values[key])
    encoder, weights = values.get("encoder_name", ""), values.get("pretrained", "")
    if (
        encoder
        and not encoder.startswith("local-dir:")
        and not (weights and Path(weights).exists())
    ):
        if not (repository := _repository(encoder, weights)):
            yield f"encoder_name {encoder} is no published encoder with weights {weights!r}"
        elif not _cached(repository):
            yield f"encoder_name {encoder} ({repository}) is not in the hub's cache: it will be downloaded"


def _lacking_checkpoint(key: str, name: str) -> Iterator[str]:
    """A sentence if `name` is a hub id of which nothing is here."""
    if HUB_ID.fullmatch(name) and not locate(name).exists() and not _cached(name):
        yield f"{key} {name} is neither a folder here nor in the hub's cache: it will be downloaded"


def _lacking_teacher(key: str, name: str) -> Iterator[str]:
    """A sentence if the teacher called `name` could not write yet, or never will."""
    from tinyemo.emoreason.teachers import load_teacher  # takes a second: only where one is named

    kind, _, what = name.partition(":")
    if kind == "api" and what:
        if not os.environ.get("OPENAI_BASE_URL"):
            yield f"{key} {name} needs a server: set OPENAI_BASE_URL, and OPENAI_API_KEY if it wants a key"
    elif kind == "local" and what:
        if HUB_ID.fullmatch(what):
            yield from _lacking_checkpoint(key, what)
        elif not locate(what).is_dir():
            yield f"{key} is missing: no folder {what}, nor one under {data_dir()}"
    else:
        try:
            load_teacher(name, seed=0)
        except ValueError as error:
            yield f"{key}: {error}"


def _cached(repository: str) -> bool:
    """Whether the hub's cache holds files of a repository."""
    folder = Path(HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")
    return any(folder.glob("snapshots/*/*"))


def _repository(encoder: str, pretrained: str) -> str:
    """The hub's repository of a published encoder's weights; empty if there is none."""
    if encoder.startswith("hf-hub:"):
        return encoder.removeprefix("hf-hub:")
    from open_clip.pretrained import (
        get_pretrained_cfg,  # these two take seconds: only where an encoder is named
    )

    from tinyemo.features.encoders import ENCODERS

    weights = pretrained or ENCODERS.get(encoder, ("",))[0]
    return (
        weights
        if HUB_ID.fullmatch(weights)
        else get_pretrained_cfg(encoder, weights).get("hf_hub", "").strip("/")
    )


def values_of(step: Step) -> dict:
    """The parameter values of a run, as the runner would give them to its notebook."""
    known = declared(notebook_path(step.stem))
    given = read_file(step.profile.file(step.stem), known) | read_pairs(step.pairs, known)
    return {name: parameter.default for name, parameter in known.items()} | given


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m tinyemo.runs.plan", description="What a profile would run on."
    )
    parser.add_argument("profile")
    parser.add_argument(
        "--pairs", default="", help="the key=value pairs the runs would be made with"
    )
    options = parser.parse_args(arguments)
    try:
        profile = Profile.find(options.profile)
        steps = graph(profile, pairs_of(options.pairs))
        for stem in sorted({step.stem for step in steps if step.swept}):
            print(f"{stem}, {len(members := profile.members(stem))} members: {'; '.join(members)}")
        found = {
            f"{step.stem}: {sentence}": None
            for step in steps
            for sentence in lacking(values_of(step))
        }
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(found) or "nothing is missing here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
