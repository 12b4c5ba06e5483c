"""Training a MultimodalLM in two stages: first its connector on captions and questions, then it and its language model.

Owns: one stage, resumable, selected on validation loss; and the job that runs both from a JSON file, in one process or
in several:

    python -m tinyemo.training.fit_mm_llm job.json
    accelerate launch --multi_gpu --num_processes 2 -m tinyemo.training.fit_mm_llm job.json     (on a CPU too)

Takes instruction files and a patch source; gives a MultimodalLM, in `<out>/model`, and each stage's history.
"""

import argparse
import hashlib
import json
import math
import subprocess
import sys
import typing
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path

import pandas as pd
import torch
from accelerate import PartialState
from pydantic import TypeAdapter, ValidationError
from torch import nn
from transformers import TrainingArguments

from tinyemo.code_digest import code_digest
from tinyemo.data.instructions import Instruction, read_instructions
from tinyemo.features.encoders import load_image_encoder
from tinyemo.features.patches import CachedPatches, LivePatches, PatchSource
from tinyemo.features.store import FeatureStore
from tinyemo.io import hint_for_unknown, write_atomically
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.training.samples import STREAM, GroupedSampler, Samples
from tinyemo.training.stage_recipes import PRESETS, StageRecipe
from tinyemo.training.stage_trainer import (
    WEIGHTS,
    StageTrainer,
    discard_checkpoints,
    kept_under,
    load_trained,
)


def fit_stage(
    model: MultimodalLM,
    train: Sequence[Instruction],
    validation: Sequence[Instruction],
    source: PatchSource,
    recipe: StageRecipe,
    out: str | Path,
    seed: int = 0,
) -> pd.DataFrame:
    """Train `model` in place, and leave it in evaluation mode.

    `out` gets checkpoints while it trains, a TensorBoard log, weights.safetensors (the trained parameters that were
    selected) and history.csv. A training that was killed goes on from its newest whole checkpoint and gives what an
    undisturbed one gives; a finished one is read back. One of another recipe, seed, data, language model or torch
    version is replaced. With `validation` the weights of the lowest validation loss are kept, else the last.

    Gives one row a step: step, epoch, lr, loss and gradient norm (before clipping) of its batch, validation_loss where
    it was taken, seconds so far. ValueError: a recipe or an instruction that cannot be used.
    """
    out = Path(out)
    if recipe.trains == "lora":
        model.add_lora(recipe.lora_r, recipe.lora_alpha, recipe.lora_dropout, seed)
    model.train_only(recipe.trains)
    samples = Samples(train, source, model.prompts, recipe.drop_stream, seed)
    held_out = Samples(validation, source, model.prompts) if validation else None
    key = _key(model, samples, held_out, recipe, seed)
    if not (_finished(out) == key and kept_under(out / WEIGHTS, key)):
        with torch.random.fork_rng():  # the caller's random state is left alone
            _train(model, samples, held_out, recipe, out, seed, key)
    load_trained(model, out / WEIGHTS)
    model.eval()
    return pd.read_csv(out / "history.csv")


def _train(
    model: MultimodalLM,
    train: Samples,
    validation: Samples | None,
    recipe: StageRecipe,
    out: Path,
    seed: int,
    key: str,
) -> None:
    world = PartialState(cpu=not torch.cuda.is_available()).num_processes
    at_once = max(min(recipe.per_device, recipe.batch // world), 1)
    if recipe.batch % (at_once * world):
        raise ValueError(
            f"a batch of {recipe.batch} cannot be split into {at_once} items for each of "
            f"{world} processes at once: expected a multiple of {at_once * world}"
        )
    steps = recipe.max_steps or recipe.epochs * (len(train) // recipe.batch)
    order = GroupedSampler(train.lengths, recipe.batch, steps, seed)
    evaluations = min(recipe.evaluations, steps) if validation else 0
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=recipe.batch // (at_once * world),
        max_steps=steps,
        learning_rate=recipe.lr,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=math.ceil(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        bf16=recipe.bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=seed,
        logging_steps=1,
        save_strategy="no",  # the trainer decides itself, and saves nothing after the last step
        save_steps=recipe.save_steps,
        save_total_limit=2,  # while one is written the other is whole
        metric_for_best_model="loss",
        greater_is_better=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        average_tokens_across_devices=True,
    )
    main = PartialState().is_main_process
    if main:
        (out / "finished.json").unlink(missing_ok=True)
    trainer = StageTrainer(
        model,
        arguments,
        train,
        order,
        validation,
        [round(steps * (k + 1) / evaluations) for k in range(evaluations)],
        key,
        out.name,
    )
    trainer.fit()
    if main:
        history = _history(trainer.state.log_history, recipe.batch / len(train))
        write_atomically(out / "history.csv", lambda path: history.to_csv(path, index=False))
        finished = json.dumps({"key": key, "processes": world})
        write_atomically(out / "finished.json", lambda path: path.write_text(finished))
        discard_checkpoints(out)
    PartialState().wait_for_everyone()


def _history(logs: list[dict], epochs_a_step: float) -> pd.DataFrame:
    """The Trainer's log as one row a step."""
    rows: dict[int, dict] = {}
    for entry in logs:
        rows.setdefault(entry["step"], {}).update(entry)
    table = pd.DataFrame(rows.values()).rename(
        columns={"learning_rate": "lr", "eval_loss": "validation_loss"}
    )
    table["epoch"] = table["step"] * epochs_a_step
    return table.reindex(
        columns=["step", "epoch", "lr", "loss", "grad_norm", "validation_loss", "seconds"]
    )


def _finished(out: Path) -> str | None:
    try:
        return json.loads((out / "finished.json").read_text())["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(
    model: nn.Module, train: Samples, validation: Samples | None, recipe: StageRecipe, seed: int
) -> str:
    """A hash of all that determines a stage: the recipe, the data, the weights at the start, the code that trains."""
    parts = [
        code_digest("tinyemo.training.multimodal_lm"),
        replace(recipe, save_steps=0),
        seed,
        torch.__version__,
        train.key,
        validation and validation.key,
    ]
    digest = hashlib.sha256(repr(parts).encode())
    for name, value in model.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


@dataclass(frozen=True)
class Job:
    """Both stages, in literals: what a JSON file holds. A stage without a training file is left out."""

    lm: str  # checkpoint of the language model: folder or hub id
    out: str  # gets pretraining/, finetuning/ and model/
    start: str = (
        ""  # folder of a saved MultimodalLM to go on from; empty: `lm` with a new connector
    )
    image_root: str = ""  # folder of the images
    tokenizer: str | None = None  # another checkpoint that it is taken from: OpenELM's is Llama 2's
    template: str | None = None  # name or text of the chat template; None: the tokenizer's own
    connector: str = "mlp2x_gelu"  # a key of models.mm_llm.CONNECTORS
    max_length: int = 2048  # tokens of a record, those of its image included
    preset: str = "small"  # a key of PRESETS
    pretraining: dict = field(
        default_factory=dict
    )  # fields of its StageRecipe that differ from the preset's
    finetuning: dict = field(default_factory=dict)
    pretraining_train: str = ""  # instruction files
    pretraining_validation: str = ""
    finetuning_train: str = ""
    finetuning_validation: str = ""
    validation_items: int = (
        0  # records of each validation file that are used, evenly from all over it; 0: all
    )
    store: str = (
        ""  # feature store that `cache_patches` filled; empty: the tower runs at every step
    )
    encoder: str = ""  # that frozen tower, as `load_image_encoder` names it
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
        job = _checked(cls, values, str(path))
        job.recipes(str(path))
        return job

    def recipes(self, where: str = "job") -> tuple[StageRecipe, StageRecipe]:
        """Pre-training and fine-tuning: the preset's with the job's changes."""
        if self.preset not in PRESETS:
            raise ValueError(
                f"{where}: preset is {self.preset!r}, expected one of {', '.join(PRESETS)}"
            )
        stages = zip(PRESETS[self.preset], ("pretraining", "finetuning"), strict=True)
        return tuple(
            _checked(StageRecipe, asdict(recipe) | getattr(self, name), f"{where}, {name}")
            for recipe, name in stages
        )

    def source(self) -> PatchSource:
        """Where the images' patch tokens come from."""
        if self.store:
            return CachedPatches(FeatureStore.open(self.store))
        return LivePatches(load_image_encoder(self.encoder, self.pretrained), self.image_root)


def fit(job: Job) -> MultimodalLM:
    """Both stages of a job. Done parts are read back, a killed one is resumed. Errors as `fit_stage` and its files'."""

    def read(path: str, most: int = 0) -> list[Instruction]:
        items = list(read_instructions(path)) if path else []
        # not the first: files of photographs are sorted by emotion
        return (
            [items[i * len(items) // most] for i in range(most)] if 0 < most < len(items) else items
        )

    parts = [
        (read(job.pretraining_train), read(job.pretraining_validation, job.validation_items)),
        (read(job.finetuning_train), read(job.finetuning_validation, job.validation_items)),
    ]
    image = next(
        (item.image for pair in parts for part in pair for item in part if item.image), None
    )
    if image is None:
        raise ValueError(
            "no instruction of the job is about an image: expected files of pictures' conversations"
        )
    source = job.source()
    if job.start:
        model = MultimodalLM.load(job.start)
    else:
        model = MultimodalLM.from_lm(
            job.lm,
            {STREAM: Connector(job.connector, source([image])[0].shape[1])},
            tokenizer=job.tokenizer,
            template=job.template,
            max_length=job.max_length,
            seed=job.seed,
        )
    for name, recipe, (train, validation) in zip(
        ("pretraining", "finetuning"), job.recipes(), parts, strict=True
    ):
        if train:
            fit_stage(model, train, validation, source, recipe, Path(job.out, name), job.seed)
    if PartialState().is_main_process:
        model.save(Path(job.out, "model"))
    PartialState().wait_for_everyone()
    return model


def launch(job: Job, processes: int = 1) -> MultimodalLM:
    """`fit` in this process or, through accelerate, in several: one a GPU, or on the CPU where there is none.

    ValueError: a job that cannot be used. RuntimeError: a process of several failed; what it said stands above.
    """
    if processes == 1:
        return fit(job)
    path = Path(job.out, "job.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(
        path, lambda temporary: temporary.write_text(json.dumps(asdict(job), indent=1))
    )
    # --multi_gpu is what makes accelerate start several, on a CPU too: with --cpu it starts one and says nothing
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        f"--num_processes={processes}",
        "--num_machines=1",
        "--main_process_port=0",
        "--mixed_precision=no",
        "--dynamo_backend=no",
        "--multi_gpu",
        "-m",
        "tinyemo.training.multimodal_lm",
        str(path),
    ]
    if subprocess.run(command).returncode:
        raise RuntimeError(
            f"training in {processes} processes failed; run it again to go on from its last checkpoint: "
            f"{' '.join(command)}"
        )
    return MultimodalLM.load(
        Path(job.out, "model"), device="cuda" if torch.cuda.is_available() else "cpu"
    )


def _checked(cls: type, values: object, where: str) -> typing.Any:
    """A dataclass of literals from a mapping. ValueError names the key that is unknown, missing or of another type."""
    if not isinstance(values, dict):
        raise ValueError(
            f"{where}: expected an object of {cls.__name__}'s fields, found {type(values).__name__}"
        )
    kinds = typing.get_type_hints(cls)
    for name in values:
        if name not in kinds:
            raise ValueError(f"{where}: unknown key {name!r}: {hint_for_unknown(name, kinds)}")
    for one in fields(cls):
        if one.name not in values and one.default is one.default_factory is MISSING:
            raise ValueError(f"{where}: key {one.name!r} is missing")
    try:
        for name, value in values.items():
            values = values | {name: TypeAdapter(kinds[name]).validate_python(value, strict=True)}
    except ValidationError:
        kind = getattr(kinds[name], "__name__", kinds[name])
        raise ValueError(f"{where}: {name} is {value!r}, expected {kind}") from None
    return cls(**values)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a multimodal language model in two stages.")
    parser.add_argument("job", help="JSON file with the fields of Job")
    try:
        fit(Job.read(parser.parse_args().job))
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
