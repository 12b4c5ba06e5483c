"""transformers' Trainer for one stage of a MultimodalLM: exact resumption, loss per answer token.

It differs from the stock Trainer in these points:

    data         The whole run is one sequence of (epoch, row) items, so that a resumed run only
                 skips its beginning.
    loss         The sum over the answer tokens of the global batch, divided by their number. So
                 accumulation steps and processes change it only by rounding.
    validation   The mean over answer tokens, independent of the batches. The best weights so far
                 are in WEIGHTS.
    checkpoint   Only the trained parameters; the frozen ones are part of the run's key. Its last
                 file holds the digests of the others. A checkpoint that is incomplete, damaged or
                 of another run is deleted.
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
from tinyemo.strict_loading import fitted
from tinyemo.training.multimodal_samples import GroupedSampler, TrainingItems

WEIGHTS = "weights.safetensors"
SEAL = "whole.json"  # the last file of a checkpoint: the run's key, and the digests of the others


class StageTrainer(Trainer):
    """Trains the parameters of `model` that require a gradient, on `order`'s batches of `train`.

    The validation loss is computed after the steps `evaluate_at`; a checkpoint is written every
    `args.save_steps` steps. `key` identifies the checkpoints of this run. `label` is the text
    of the progress bar. `focal` is the exponent of the focal loss (0: cross-entropy).
    """

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        train: TrainingItems,
        order: GroupedSampler,
        validation: TrainingItems | None,
        evaluate_at: Sequence[int],
        key: str,
        label: str,
        focal: float = 0.0,
    ):
        self.order, self.key, self.focal = order, key, focal
        self.validation = validation
        self.out = Path(args.output_dir)
        # seconds of training before this process, and the time when this process began
        self._seconds, self._start = 0.0, time.perf_counter()
        super().__init__(model, args, data_collator=model.collate, train_dataset=train)
        # makes the Trainer count the answer tokens of the global batch
        self.model_accepts_loss_kwargs = True
        self.remove_callback(PrinterCallback)
        self.add_callback(_Schedule(frozenset(evaluate_at), args.save_steps, label))

    def _get_train_sampler(self, train_dataset: TrainingItems | None = None) -> Sampler:
        return self.order

    def fit(self) -> None:
        """Run all steps that are left, from the newest complete checkpoint on.

        ValueError: the validation loss was never a number, so that no weights were kept.
        """
        if self.args.should_save:
            _delete_unusable_checkpoints(self.out, self.key)
        self.accelerator.wait_for_everyone()
        newest = max(self.out.glob("checkpoint-*"), key=_step_of, default=None)
        if self.is_world_process_zero():
            first_step = _step_of(newest) + 1 if newest else 0
            writer = SummaryWriter(str(self.out / "tensorboard"), purge_step=first_step)
            self.add_callback(TensorBoardCallback(writer))
        self.train(resume_from_checkpoint=str(newest) if newest else None)
        # removes accelerate's wrapper around the model's forward
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        if self.validation is None and self.args.should_save:
            self._keep_weights()
        self.accelerator.wait_for_everyone()
        if not has_weights_of(self.out / WEIGHTS, self.key):
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
        """The batch's part of the loss of the global batch.

        Each process computes its part of the sum. It is multiplied with the number of processes,
        because the gradients are averaged over processes afterwards.
        """
        out = model(**inputs, num_items_in_batch=num_items_in_batch, focal=self.focal)
        return out.loss * self.accelerator.num_processes

    @torch.no_grad()
    def evaluate(self, *args, **kwargs) -> dict[str, float]:
        """The validation loss: the mean over answer tokens."""
        self.model.eval()
        size = self.args.per_device_eval_batch_size
        world, rank = self.args.world_size, self.args.process_index
        # similar lengths together: less padding
        lengths = self.validation.lengths
        rows = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
        total = torch.zeros(2, dtype=torch.float64, device=self.args.device)  # loss, tokens
        for start in range(rank * size, len(rows), world * size):
            keys = [(0, row) for row in rows[start : start + size]]
            samples = self.validation.__getitems__(keys)
            inputs = self._prepare_inputs(self.data_collator(samples))
            total += torch.stack(self.model.answer_nll(inputs))
        loss, tokens = self.accelerator.reduce(total).tolist()
        metrics = {"eval_loss": loss / tokens}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds `seconds` of training so far, without those between a checkpoint and a kill."""
        if self.state.log_history and not self._seconds:
            self._seconds = self.state.log_history[-1].get("seconds", 0.0)
        seconds = self._seconds + time.perf_counter() - self._start
        super().log(logs | {"seconds": seconds}, start_time)

    def _determine_best_metric(self, metrics: dict[str, float], trial: object) -> bool:
        is_best = super()._determine_best_metric(metrics, trial)
        if is_best and self.args.should_save:
            self._keep_weights()
        return is_best

    def _keep_weights(self) -> None:
        about = {"key": self.key, "step": str(self.state.global_step)}
        save_trained(self.model, self.out / WEIGHTS, about)

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        if self.args.should_save:
            save_trained(self.model, Path(output_dir) / WEIGHTS, {"key": self.key})

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        load_trained(self.model, Path(resume_from_checkpoint) / WEIGHTS)

    def _save_checkpoint(self, model: nn.Module, trial: object) -> None:
        super()._save_checkpoint(model, trial)
        # each process writes the state of its own random generators
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder = self.out / f"checkpoint-{self.state.global_step}"
            seal = json.dumps({"key": self.key, "files": _digest_of_files(folder)})
            write_atomically(folder / SEAL, lambda path: path.write_text(seal))


class _Schedule(TrainerCallback):
    """Decides when to evaluate and when to save, and shows a progress bar."""

    def __init__(self, evaluate_at: frozenset[int], save_steps: int, label: str):
        self.evaluate_at, self.save_steps = evaluate_at, save_steps
        self.label = label
        self.bar = None

    def on_train_begin(self, args, state, control, **kwargs):
        self.bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc=self.label,
            disable=not state.is_world_process_zero,
        )

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update()
        step = state.global_step
        control.should_evaluate = step in self.evaluate_at
        control.should_save = step % self.save_steps == 0 and step < state.max_steps

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()


def save_trained(model: nn.Module, path: Path, about: dict[str, str]) -> None:
    """Write the parameters that require a gradient, atomically, with the metadata `about`.

    Tied parameters are written once, under one name.
    """
    tensors = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            tensors[name] = value.detach().cpu().contiguous()
    write_atomically(path, lambda temporary: save_file(tensors, temporary, about))


def load_trained(model: nn.Module, path: Path) -> None:
    """Copy what `save_trained` wrote into the parameters of the same names.

    ValueError names a parameter that the file lacks, or a tensor that does not fit.
    """
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    with torch.no_grad():
        for name, value in fitted(read_safetensors(path), trained, path, "this training").items():
            trained[name].copy_(value)


def has_weights_of(path: Path, key: str) -> bool:
    """Whether a weight file exists, is readable and belongs to the run `key`."""
    return safetensors_metadata(path).get("key") == key


def delete_checkpoints(out: Path) -> None:
    """Delete all checkpoints of a folder: a finished run needs none."""
    for folder in out.glob("checkpoint-*"):
        shutil.rmtree(folder)


def _delete_unusable_checkpoints(out: Path, key: str) -> None:
    """Delete the checkpoints that are incomplete, damaged or of another run."""
    for folder in out.glob("checkpoint-*"):
        try:
            seal = json.loads((folder / SEAL).read_text())
            is_usable = seal == {"key": key, "files": _digest_of_files(folder)}
        except (OSError, ValueError):
            is_usable = False
        if not is_usable:
            shutil.rmtree(folder)
    if not any(out.glob("checkpoint-*")):
        shutil.rmtree(out / "tensorboard", ignore_errors=True)


def _digest_of_files(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of every file of a checkpoint except its seal."""
    paths = sorted(str(path) for path in folder.iterdir() if path.name != SEAL)
    return {Path(path).name: digest for path, digest in digests(paths).items()}


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
