"""What a profile needs: the runs of its sweeps, and the missing files that its parameters name.

Takes a profile; prints sentences (`tinyemo plan`, called by `make plan` after Snakemake's dry run).
Datasets and features have to be put in place by hand. Checkpoints and encoders that are neither on
the disk nor in the hub's cache are downloaded by the run that reads them.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.file_download import repo_folder_name

from tinyemo.data.photos import PHOTO_SETS
from tinyemo.hub import HUB_ID
from tinyemo.paths import data_dir, exists, locate
from tinyemo.runs.profiles import Profile, graph

FOLDERS = (
    "features_root",
    "images",
    "iemocap",
    "meld",
)  # parameters that name a folder, or nothing
# parameters that name a folder, a file, a hub id, or nothing
CHECKPOINTS = ("anchors", "lm", "tokenizer", "projector", "text_encoder", "audio_encoder")
CHECKPOINTS += ("video_encoder", "face_encoder")
# parameters that name a teacher (tinyemo.emoreason.teachers), or a judge behind an API
TEACHERS = ("pretraining_teacher", "finetuning_teacher", "quality_teacher", "judge")


def print_plan(profile: str, pairs: dict[str, str], only: Sequence[str] = ()) -> None:
    """Print the members of each sweep, then what is missing. ValueError, FileNotFoundError: bad
    input."""
    found = Profile.find(profile)
    steps = graph(found, pairs, only)
    for stem in sorted({step.stem for step in steps if step.swept}):
        members = found.members(stem)
        print(f"{stem}, {len(members)} members: {'; '.join(members)}")
    sentences: dict[str, None] = {}  # a dict keeps the order and drops repetitions
    for step in steps:
        sentences |= {f"{step.stem}: {sentence}": None for sentence in lacking(step.values())}
    print("\n".join(sentences) or "nothing is missing here")


def lacking(values: dict) -> Iterator[str]:
    """A sentence for each thing that parameter values name and this machine does not have."""
    yield from _lacking_datasets(values)
    for key in FOLDERS:
        place = locate(values.get(key, ""))
        if values.get(key) and not (exists(place) and place.is_dir()):
            yield f"{key} is missing: no folder {values[key]}, nor one under {data_dir()}"
    for key in CHECKPOINTS:
        yield from _lacking_checkpoint(key, values.get(key, ""))
    for key in TEACHERS:
        if key in values and not _is_optional(key, values):
            yield from _lacking_teacher(key, values[key])
    yield from _lacking_encoder(values.get("encoder_name", ""), values.get("pretrained", ""))


def _is_optional(key: str, values: dict) -> bool:
    """Whether a teacher's parameter is empty where it may be, or names one that gets no request."""
    if key == "quality_teacher" and not values.get("quality_share"):
        return True
    return key in ("quality_teacher", "judge") and not values[key]


def _lacking_datasets(values: dict) -> Iterator[str]:
    """A sentence for each dataset whose folder or file is missing."""
    if values.get("features_root"):  # precomputed features are read instead of the images
        return
    root = locate(values["root"]) if values.get("root") else data_dir()
    own_may_be_named = "root" in values  # other notebooks name datasets of a collection
    for name in values.get("datasets", []):
        if name in PHOTO_SETS and not (root / PHOTO_SETS[name].folder).is_dir():
            folder, how = root / PHOTO_SETS[name].folder, PHOTO_SETS[name].get
            yield f"{name} is missing: no folder {folder}; how to get it: {how}"
        is_own = own_may_be_named and name not in PHOTO_SETS and not name.startswith("scenes-")
        if is_own and not exists(locate(name)):
            yield f"datasets: {name} is missing: no folder or CSV file of this name"


def _lacking_checkpoint(key: str, name: str) -> Iterator[str]:
    """A sentence if `name` is a hub id of which nothing is on this machine."""
    if HUB_ID.fullmatch(name) and not exists(locate(name)) and not _cached(name):
        yield f"{key} {name} is neither a folder here nor in the hub's cache: it will be downloaded"


def _lacking_teacher(key: str, name: str) -> Iterator[str]:
    """A sentence if the teacher `name` does not exist, or if something that it needs is missing."""
    from tinyemo.emoreason.teachers import load_teacher  # takes a second: only if one is named

    kind, _, what = name.partition(":")
    if kind == "api" and what:
        if not os.environ.get("OPENAI_BASE_URL"):
            yield (
                f"{key} {name} needs a server: set OPENAI_BASE_URL, and OPENAI_API_KEY if it "
                "needs a key"
            )
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


def _lacking_encoder(encoder: str, weights: str) -> Iterator[str]:
    """A sentence if an encoder's weights are not on this machine, or do not exist."""
    own = encoder.startswith("local-dir:") or (weights and exists(weights))
    if not encoder or own:
        return
    repository = _repository(encoder, weights)
    if not repository:
        yield f"encoder_name {encoder} is not a published encoder with weights {weights!r}"
    elif not _cached(repository):
        yield (
            f"encoder_name {encoder} ({repository}) is not in the hub's cache: it will be "
            "downloaded"
        )


def _cached(repository: str) -> bool:
    """Whether the hub's cache holds files of a repository."""
    folder = Path(HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")
    return any(folder.glob("snapshots/*/*"))


def _repository(encoder: str, pretrained: str) -> str:
    """The hub's repository of a published encoder's weights; empty if there is none."""
    if encoder.startswith("hf-hub:"):
        return encoder.removeprefix("hf-hub:")
    # these two imports take seconds: only if an encoder is named
    from open_clip.pretrained import get_pretrained_cfg

    from tinyemo.features.encoders import ENCODERS

    weights = pretrained or ENCODERS.get(encoder, ("",))[0]
    if HUB_ID.fullmatch(weights):
        return weights
    return get_pretrained_cfg(encoder, weights).get("hf_hub", "").strip("/")
