"""Both training stages of a multimodal LM as one job, described by a JSON file.

First the connector is trained on captions and questions, then it and the language model. Takes
instruction files and a source of patch tokens; gives a MultimodalLM, in `<out>/model`, and the
history of each stage. A job runs in one process or in several:

    python -m tinyemo.training.multimodal_job job.json
    accelerate launch --multi_gpu --num_processes 2 -m tinyemo.training.multimodal_job job.json

The second command starts two processes on a machine without GPUs too.
"""

import argparse
import json
import subprocess
import sys
import typing
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path

import torch
from accelerate import PartialState
from pydantic import TypeAdapter, ValidationError

from tinyemo.data.instructions import Instruction, read_instructions
from tinyemo.features.encoders import load_image_encoder
from tinyemo.features.patches import CachedPatches, LivePatches, PatchSource
from tinyemo.features.store import FeatureStore
from tinyemo.io import hint_for_unknown, write_atomically
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.training.multimodal_lm import fit_stage
from tinyemo.training.multimodal_recipes import PRESETS, StageRecipe
from tinyemo.training.multimodal_samples import STREAM, Samples

STAGES = ("pretraining", "finetuning")


@dataclass(frozen=True)
class Job:
    """Both stages, in values that JSON can hold. A stage without a training file is left out."""

    lm: str  # checkpoint of the language model: folder or hub id
    out: str  # folder that gets pretraining/, finetuning/ and model/
    start: str = ""  # folder of a saved MultimodalLM to start from; empty: `lm`, a new connector
    image_root: str = ""  # folder of the images
    tokenizer: str | None = None  # another checkpoint with the tokenizer: for OpenELM, Llama 2
    template: str | None = None  # name or text of the chat template; None: the tokenizer's own
    connector: str = "mlp2x_gelu"  # a key of models.connectors.CONNECTORS
    max_length: int = 2048  # tokens of a record, with those of its image
    preset: str = "small"  # a key of PRESETS
    # fields of each stage's StageRecipe that differ from the preset
    pretraining: dict = field(default_factory=dict)
    finetuning: dict = field(default_factory=dict)
    pretraining_train: str = ""  # instruction files
    pretraining_validation: str = ""
    finetuning_train: str = ""
    finetuning_validation: str = ""
    # records of each validation file that are used, at even distances; 0: all
    validation_items: int = 0
    store: str = (
        ""  # feature store that `cache_patches` filled; empty: the encoder runs at each step
    )
    encoder: str = ""  # the frozen image encoder, as `load_image_encoder` names it
    pretrained: str | None = None  # its weights
    seed: int = 0

    @classmethod
    def read(cls, path: str | Path) -> "Job":
        """The job of a JSON file. ValueError names the file, the key and what was expected."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise FileNotFoundError(f"no job file {path}") from None
        except ValueError as error:
            raise ValueError(f"{path}: not JSON ({error})") from None
        job = _from_values(cls, values, str(path))
        job.recipes(str(path))
        return job

    def recipes(self, where: str = "job") -> tuple[StageRecipe, StageRecipe]:
        """The recipes of pre-training and fine-tuning: the preset's with the job's changes."""
        if self.preset not in PRESETS:
            raise ValueError(
                f"{where}: preset is {self.preset!r}, expected one of {', '.join(PRESETS)}"
            )
        found = []
        for recipe, stage in zip(PRESETS[self.preset], STAGES, strict=True):
            values = asdict(recipe) | getattr(self, stage)
            found.append(_from_values(StageRecipe, values, f"{where}, {stage}"))
        return tuple(found)

    def source(self) -> PatchSource:
        """Where the patch tokens of the images come from."""
        if self.store:
            return CachedPatches(FeatureStore.open(self.store))
        return LivePatches(load_image_encoder(self.encoder, self.pretrained), self.image_root)


def fit_job(job: Job) -> MultimodalLM:
    """Run both stages of a job. Finished ones are read back, a killed one is resumed.

    Errors as of `fit_stage` and of the files' readers.
    """
    data = {}
    for stage in STAGES:
        train = _read_items(getattr(job, f"{stage}_train"))
        validation = _read_items(getattr(job, f"{stage}_validation"), job.validation_items)
        data[stage] = train, validation
    image = _first_image(data)
    source = job.source()
    if job.start:
        model = MultimodalLM.load(job.start)
    else:
        patches = source([image])[0]  # (T, D)
        model = MultimodalLM.from_lm(
            job.lm,
            {STREAM: Connector(job.connector, patches.shape[1])},
            tokenizer=job.tokenizer,
            template=job.template,
            max_length=job.max_length,
            seed=job.seed,
        )
    for stage, recipe in zip(STAGES, job.recipes(), strict=True):
        train, validation = data[stage]
        if train:
            items = Samples(train, source, model.prompts, recipe.drop_stream, job.seed)
            held_out = Samples(validation, source, model.prompts) if validation else None
            fit_stage(model, items, held_out, recipe, Path(job.out, stage), job.seed)
    if PartialState().is_main_process:
        model.save(Path(job.out, "model"))
    PartialState().wait_for_everyone()
    return model


def _read_items(path: str, most: int = 0) -> list[Instruction]:
    """The records of an instruction file, or `most` of them at even distances (0: all).

    Not the first ones: files of photographs are often sorted by emotion.
    """
    items = list(read_instructions(path)) if path else []
    if 0 < most < len(items):
        return [items[i * len(items) // most] for i in range(most)]
    return items


def _first_image(data: dict[str, tuple[list[Instruction], list[Instruction]]]) -> str:
    """The first image of all records. ValueError: there is none."""
    for parts in data.values():
        for part in parts:
            for item in part:
                if item.image:
                    return item.image
    raise ValueError(
        "no instruction of the job is about an image: expected files of conversations about images"
    )


def launch(job: Job, processes: int = 1) -> MultimodalLM:
    """`fit_job` in this process, or in several through accelerate.

    There is one process per GPU, or several on the CPU if there is no GPU. ValueError: a job that
    cannot be used. RuntimeError: one of several processes failed; its output is above.
    """
    if processes == 1:
        return fit_job(job)
    path = Path(job.out, "job.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(job), indent=1)
    write_atomically(path, lambda temporary: temporary.write_text(text))
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        f"--num_processes={processes}",
        "--num_machines=1",
        "--main_process_port=0",
        "--mixed_precision=no",
        "--dynamo_backend=no",
        # Needed for several processes on a CPU too: with --cpu accelerate starts one, silently.
        "--multi_gpu",
        "-m",
        "tinyemo.training.multimodal_job",
        str(path),
    ]
    if subprocess.run(command).returncode:
        raise RuntimeError(
            f"training in {processes} processes failed; run it again to continue from its last "
            f"checkpoint: {' '.join(command)}"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return MultimodalLM.load(Path(job.out, "model"), device=device)


def _from_values(cls: type, values: object, where: str) -> typing.Any:
    """A dataclass from a mapping of its fields.

    ValueError names the key that is unknown, missing or of another type.
    """
    if not isinstance(values, dict):
        raise ValueError(
            f"{where}: expected an object of {cls.__name__}'s fields, found {type(values).__name__}"
        )
    kinds = typing.get_type_hints(cls)
    for name in values:
        if name not in kinds:
            raise ValueError(f"{where}: unknown key {name!r}: {hint_for_unknown(name, kinds)}")
    for one in fields(cls):
        is_required = one.default is one.default_factory is MISSING
        if is_required and one.name not in values:
            raise ValueError(f"{where}: key {one.name!r} is missing")
    converted = {}
    for name, value in values.items():
        if isinstance(value, list):
            value = tuple(value)  # JSON has no tuples
        try:
            converted[name] = TypeAdapter(kinds[name]).validate_python(value, strict=True)
        except ValidationError:
            kind = getattr(kinds[name], "__name__", kinds[name])
            raise ValueError(f"{where}: {name} is {value!r}, expected {kind}") from None
    return cls(**converted)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a multimodal language model in two stages.")
    parser.add_argument("job", help="JSON file with the fields of Job")
    try:
        fit_job(Job.read(parser.parse_args().job))
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
