"""transformers' Trainer for one stage of a MultimodalLM: exact resumption, losses by token, checked checkpoints.

What differs from the stock Trainer, and why:

    data         the whole run is one sequence of (epoch, row) items, so that resuming is skipping its beginning
    loss         the sum over the answer tokens of the global batch, divided by their number: accumulation steps and
                 processes change it by rounding alone
    validation   the mean over answer tokens, whatever the batches; the best weights so far stand in WEIGHTS
    checkpoint   the trained parameters alone (what is frozen is known by the run's key), sealed at the end with the
                 digests of its files: an unsealed, damaged or foreign one is deleted and not resumed from
"""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import Sampler
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.integrations import TensorBoardCallback

from tinyemo.hub import read_safetensors, safetensors_metadata
from tinyemo.io import digests, write_atomically
from tinyemo.models.prompt import IGNORED
from tinyemo.training.samples import GroupedSampler, Samples

WEIGHTS, SEAL = "weights.safetensors", "whole.json"


class StageTrainer(Trainer):
    """Trains the parameters of `model` that require a gradient, over `order`'s batches of `train`.

    `evaluate_at` are the steps after which the validation loss is taken; a checkpoint is written after every
    `save_steps` of the arguments. `key` tells this run's checkpoints from any other's.
    """

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        train: Samples,
        order: GroupedSampler,
        validation: Samples | None,
        evaluate_at: Sequence[int],
        key: str,
        label: str,
    ):
        self.order, self.key, self.out = order, key, Path(args.output_dir)
        self.validation, self._seconds, self._since = validation, 0.0, time.perf_counter()
        super().__init__(model, args, data_collator=model.collate, train_dataset=train)
        self.model_accepts_loss_kwargs = (
            True  # that is: have the answer tokens of the global batch counted
        )
        self.remove_callback(PrinterCallback)
        self.add_callback(_Flow(frozenset(evaluate_at), args.save_steps, label))

    def _get_train_sampler(self, train_dataset: Samples | None = None) -> Sampler:
        return self.order

    def fit(self) -> None:
        """All steps that are left, from the newest whole checkpoint on."""
        if self.args.should_save:
            _discard(self.out, self.key)
        self.accelerator.wait_for_everyone()
        newest = max(self.out.glob("checkpoint-*"), key=_step, default=None)
        if self.is_world_process_zero():
            writer = SummaryWriter(
                str(self.out / "tensorboard"), purge_step=_step(newest) + 1 if newest else 0
            )
            self.add_callback(TensorBoardCallback(writer))
        self.train(resume_from_checkpoint=str(newest) if newest else None)
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)  # its forward as it was
        if self.validation is None and self.args.should_save:
            self._keep()
        self.accelerator.wait_for_everyone()
        if not kept_under(self.out / WEIGHTS, self.key):
            raise ValueError(
                f"{self.out}: the validation loss was never a number: train at a lower rate"
            )

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Tensor:
        # every process adds its part of the sum, and the gradients' mean over processes is taken afterwards
        return (
            model(**inputs, num_items_in_batch=num_items_in_batch).loss
            * self.accelerator.num_processes
        )

    @torch.no_grad()
    def evaluate(self, *args, **kwargs) -> dict[str, float]:
        """Validation loss, the mean over answer tokens."""
        self.model.eval()
        size, world, rank = (
            self.args.per_device_eval_batch_size,
            self.args.world_size,
            self.args.process_index,
        )
        rows = sorted(
            range(len(self.validation)), key=self.validation.lengths.__getitem__, reverse=True
        )
        total = torch.zeros(2, dtype=torch.float64, device=self.args.device)  # loss, tokens
        for start in range(rank * size, len(rows), world * size):
            samples = self.validation.__getitems__([(0, row) for row in rows[start : start + size]])
            inputs = self._prepare_inputs(self.data_collator(samples))
            loss = self.model(**inputs, num_items_in_batch=1).loss  # their sum
            total += torch.stack([loss, (inputs["labels"] != IGNORED).sum()])
        loss, tokens = self.accelerator.reduce(total).tolist()
        metrics = {"eval_loss": loss / tokens}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )  # done with it
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """`seconds`: of training so far; those between the last checkpoint and a kill are not known any more."""
        if self.state.log_history and not self._seconds:
            self._seconds = self.state.log_history[-1].get("seconds", 0.0)
        super().log(
            logs | {"seconds": self._seconds + time.perf_counter() - self._since}, start_time
        )

    def _determine_best_metric(self, metrics: dict[str, float], trial: object) -> bool:
        better = super()._determine_best_metric(metrics, trial)
        if better and self.args.should_save:
            self._keep()
        return better

    def _keep(self) -> None:
        save_trained(
            self.model, self.out / WEIGHTS, {"key": self.key, "step": str(self.state.global_step)}
        )

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        if self.args.should_save:
            save_trained(self.model, Path(output_dir) / WEIGHTS, {"key": self.key})

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        load_trained(self.model, Path(resume_from_checkpoint) / WEIGHTS)

    def _save_checkpoint(self, model: nn.Module, trial: object) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()  # each process writes the state of its own generators
        if self.args.should_save:
            folder = self.out / f"checkpoint-{self.state.global_step}"
            seal = json.dumps({"key": self.key, "files": _files(folder)})
            write_atomically(folder / SEAL, lambda path: path.write_text(seal))


class _Flow(TrainerCallback):
    """When to evaluate and to save, and a progress bar that a log can take."""

    def __init__(self, evaluate_at: frozenset[int], save_steps: int, label: str):
        self.evaluate_at, self.save_steps, self.label, self.bar = (
            evaluate_at,
            save_steps,
            label,
            None,
        )

    def on_train_begin(self, args, state, control, **kwargs):
        self.bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc=self.label,
            disable=not state.is_world_process_zero,
        )

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update()
        control.should_evaluate = state.global_step in self.evaluate_at
        control.should_save = (
            state.global_step % self.save_steps == 0 and state.global_step < state.max_steps
        )

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()


def save_trained(model: nn.Module, path: Path, about: dict[str, str]) -> None:
    """The parameters that require a gradient, each once (tied ones have one name), whole or not at all."""
    tensors = {
        name: value.detach().cpu().contiguous()
        for name, value in model.named_parameters()
        if value.requires_grad
    }
    write_atomically(path, lambda temporary: save_file(tensors, temporary, about))


def load_trained(model: nn.Module, path: Path) -> None:
    """Copy what `save_trained` wrote into the parameters of the same names."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in read_safetensors(path).items():
            parameters[name].copy_(value)


def kept_under(path: Path, key: str) -> bool:
    """Whether a weights file is there, readable and that of the run `key`."""
    return safetensors_metadata(path).get("key") == key


def discard_checkpoints(out: Path) -> None:
    """Delete the checkpoints of a folder: a finished run needs none."""
    for folder in out.glob("checkpoint-*"):
        shutil.rmtree(folder)


def _discard(out: Path, key: str) -> None:
    """Delete what this run cannot go on from: checkpoints that are unsealed, damaged or of another run."""
    for folder in out.glob("checkpoint-*"):
        try:
            seal = json.loads((folder / SEAL).read_text())
            whole = seal == {"key": key, "files": _files(folder)}
        except (OSError, ValueError):
            whole = False
        if not whole:
            shutil.rmtree(folder)
    if not any(out.glob("checkpoint-*")):
        shutil.rmtree(out / "tensorboard", ignore_errors=True)


def _files(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of every file of a checkpoint but its seal."""
    paths = sorted(str(path) for path in folder.iterdir() if path.name != SEAL)
    return {Path(path).name: digest for path, digest in digests(paths).items()}


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
