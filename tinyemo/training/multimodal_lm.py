"""Trains one stage of a MultimodalLM: resumable, and selected on the validation loss.

Takes a model, training items (of instructions or of conversations) and a StageRecipe; trains the
model in place and gives its learning curve. training/multimodal_job.py runs both stages of an
image model from a JSON file.
"""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from accelerate import PartialState
from torch import nn
from transformers import TrainingArguments

from tinyemo.code_digest import code_digest
from tinyemo.io import write_atomically
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.training.multimodal_recipes import StageRecipe
from tinyemo.training.multimodal_samples import GroupedSampler, TrainingItems
from tinyemo.training.multimodal_trainer import (
    WEIGHTS,
    StageTrainer,
    delete_checkpoints,
    has_weights_of,
    load_trained,
)

FINISHED = "finished.json"  # in a stage's folder, once it is done: its key
HISTORY_COLUMNS = ["step", "epoch", "lr", "loss", "grad_norm", "validation_loss", "seconds"]


def fit_stage(
    model: MultimodalLM,
    train: TrainingItems,
    validation: TrainingItems | None,
    recipe: StageRecipe,
    out: str | Path,
    seed: int = 0,
) -> pd.DataFrame:
    """Train `model` in place; afterwards it is in evaluation mode.

    The folder `out` gets checkpoints during the training, a TensorBoard log, weights.safetensors
    (the selected trained parameters) and history.csv. A training that was killed continues from its
    newest complete checkpoint and gives the same result as one without interruption. A finished
    training is read back. A training of another recipe, seed, data, language model, code or torch
    version is replaced. With `validation` the weights with the lowest validation loss are kept,
    else the last ones.

    Returns one row per step: step, epoch, lr, loss and gradient norm (before clipping) of its
    batch, validation_loss where it was computed, and seconds so far. ValueError: a recipe that
    cannot be used.
    """
    out = Path(out)
    if recipe.trains == "lora":
        model.add_lora(
            recipe.lora_r, recipe.lora_alpha, recipe.lora_dropout, seed, recipe.lora_modules
        )
    model.train_only(recipe.trains)
    key = _key(model, train, validation, recipe, seed)
    is_done = _finished_key(out) == key and has_weights_of(out / WEIGHTS, key)
    if not is_done:
        with torch.random.fork_rng():  # keep the caller's random state
            _train(model, train, validation, recipe, out, seed, key)
    load_trained(model, out / WEIGHTS)
    model.eval()
    return pd.read_csv(out / "history.csv")


def _train(
    model: MultimodalLM,
    train: TrainingItems,
    validation: TrainingItems | None,
    recipe: StageRecipe,
    out: Path,
    seed: int,
    key: str,
) -> None:
    processes = PartialState(cpu=not torch.cuda.is_available()).num_processes
    steps = recipe.max_steps or recipe.epochs * (len(train) // recipe.batch)
    arguments = _arguments(recipe, out, seed, steps, processes)
    order = GroupedSampler(train.lengths, recipe.batch, steps, seed)
    evaluations = min(recipe.evaluations, steps) if validation else 0
    evaluate_at = [round(steps * (k + 1) / evaluations) for k in range(evaluations)]
    is_main = PartialState().is_main_process
    if is_main:
        (out / FINISHED).unlink(missing_ok=True)
    trainer = StageTrainer(
        model, arguments, train, order, validation, evaluate_at, key, out.name, recipe.focal
    )
    trainer.fit()
    if is_main:
        history = _history(trainer.state.log_history, recipe.batch / len(train))
        write_atomically(out / "history.csv", lambda path: history.to_csv(path, index=False))
        finished = json.dumps({"key": key, "processes": processes})
        write_atomically(out / FINISHED, lambda path: path.write_text(finished))
        delete_checkpoints(out)
    PartialState().wait_for_everyone()


def _arguments(
    recipe: StageRecipe, out: Path, seed: int, steps: int, processes: int
) -> TrainingArguments:
    """The recipe as transformers' arguments. ValueError: a batch that cannot be split evenly."""
    per_device = max(min(recipe.per_device, recipe.batch // processes), 1)
    if recipe.batch % (per_device * processes):
        raise ValueError(
            f"a batch of {recipe.batch} cannot be split into {per_device} items for each of "
            f"{processes} processes at once: expected a multiple of {per_device * processes}"
        )
    return TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=per_device,
        per_device_eval_batch_size=per_device,
        gradient_accumulation_steps=recipe.batch // (per_device * processes),
        max_steps=steps,
        learning_rate=recipe.lr,
        lr_scheduler_type=recipe.schedule,
        lr_scheduler_kwargs=recipe.schedule_options,
        warmup_steps=math.ceil(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        bf16=recipe.bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=seed,
        logging_steps=1,
        save_strategy="no",  # StageTrainer decides when to save
        save_steps=recipe.save_steps,
        save_total_limit=2,  # while one checkpoint is written, another one is complete
        metric_for_best_model="loss",
        greater_is_better=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        average_tokens_across_devices=True,
    )


def _history(logs: list[dict], epochs_per_step: float) -> pd.DataFrame:
    """The Trainer's log as one row per step."""
    rows: dict[int, dict] = {}
    for entry in logs:  # training and validation of a step have entries of their own
        rows.setdefault(entry["step"], {}).update(entry)
    names = {"learning_rate": "lr", "eval_loss": "validation_loss"}
    table = pd.DataFrame(rows.values()).rename(columns=names)
    table["epoch"] = table["step"] * epochs_per_step
    return table.reindex(columns=HISTORY_COLUMNS)


def _finished_key(out: Path) -> str | None:
    """The key of the finished training in `out`, None if there is none."""
    try:
        return json.loads((out / FINISHED).read_text())["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(
    model: nn.Module,
    train: TrainingItems,
    validation: TrainingItems | None,
    recipe: StageRecipe,
    seed: int,
) -> str:
    """A hash of all that determines a stage: recipe, data, starting weights, the training code."""
    parts = [
        code_digest("tinyemo.training.multimodal_lm"),
        replace(recipe, save_steps=0),  # how often it is saved changes nothing
        seed,
        torch.__version__,
        train.key,
        validation and validation.key,
    ]
    digest = hashlib.sha256(repr(parts).encode())
    for name, value in model.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        raw = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
        digest.update(raw.numpy())
    return digest.hexdigest()
