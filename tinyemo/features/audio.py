"""Speech encoders: the sound of an utterance -> one vector.

Owns loading HuBERT, WavLM and wav2vec2 checkpoints of transformers, and pooling their frames over
time; and openSMILE's acoustic features as an optional extra. Takes a local folder or a hub id, or
"opensmile:eGeMAPSv02"; gives an AudioEncoder or an OpenSmileEncoder.

A vector is the mean over time of the last layer, or of the mean of the last `layers` layers. The
features of MER2023 that Emotion-LLaMA uses (HL-UTT) are the sum of the last four; `layers=4` gives
a quarter of it.

openSMILE is free for research and private use only (audEERING's licence); the package is not
installed with tinyemo.

Sources: HuBERT (arXiv:2106.07447), WavLM (arXiv:2110.13900), wav2vec 2.0 (arXiv:2006.11477),
GeMAPS (Eyben et al. 2016).
"""

import hashlib
import importlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from tinyemo.features.media import MissingStream, read_audio
from tinyemo.features.pretrained import config_facts, content_key, load_frozen, read_json

KINDS = ("hubert", "wavlm", "wav2vec2")
# heads, the quantiser of pretraining, and the embedding of masked frames
UNUSED = (
    r"(.*\.)?(masked_spec_embed$|lm_head\.|classifier\.|projector\.|layer_weights$|final_proj\.|"
    r"label_embs_concat$|quantizer\.|project_hid\.|project_q\.|adapter\.)"
)
LONGEST = 30  # seconds; attention needs memory with the square of the duration
BUDGET = 120  # seconds of sound in one batch, padding included
OPENSMILE = "opensmile:"


@dataclass(frozen=True, eq=False)
class AudioEncoder:
    """A frozen speech encoder; `load_audio_encoder` loads one."""

    name: str
    model: PreTrainedModel
    rate: int  # samples per second
    normalise: bool  # each utterance to mean 0 and variance 1
    layers: int = 1  # how many of the last layers are averaged
    batch_size: int = 16

    @property
    def width(self) -> int:
        """D of a vector."""
        return self.model.config.hidden_size

    @cached_property
    def key(self) -> str:
        """Hash of weights, configuration, preprocessing, and what is pooled."""
        facts = [config_facts(self.model), self.rate, self.normalise, self.layers, LONGEST]
        return content_key(facts, self.model, UNUSED)

    @property
    def shortest(self) -> int:
        """The number of samples that give one frame; 400 (0.025 s) in published models."""
        samples = 1
        config = self.model.config
        layers = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        for kernel, stride in reversed(layers):
            samples = (samples - 1) * stride + kernel
        return samples

    def read(self, source: str) -> np.ndarray:
        """The sound (samples,) float32 of a path or media fragment.

        MissingStream: as of `read_audio`, or the sound is digital silence, or shorter than a frame.
        """
        samples = read_sound(source, self.rate)
        if len(samples) < self.shortest:
            raise MissingStream(
                "too short",
                f"{source}: the sound has {len(samples)} samples at {self.rate} Hz; {self.name} "
                f"needs at least {self.shortest}",
            )
        return samples

    @torch.inference_mode()
    def encode(self, sounds: list[np.ndarray]) -> Tensor:
        """n sounds, each (samples,) at `rate` -> (n, D) float32 on the CPU.

        A sound longer than LONGEST is encoded in equal pieces; its vector is the mean over all
        frames. The vector of a sound does not depend on the others.
        """
        sums = torch.zeros(len(sounds), self.width)
        frames = torch.zeros(len(sounds))
        pieces = []  # (row, samples)
        for row, samples in enumerate(sounds):
            number = math.ceil(len(samples) / (LONGEST * self.rate))
            for piece in np.array_split(self._normalised(samples), number):
                pieces.append((row, piece))
        for batch in self._batches(pieces):
            rows = torch.tensor([row for row, _ in batch])
            totals, counts = self._frame_sums([samples for _, samples in batch])
            sums.index_add_(0, rows, totals)
            frames.index_add_(0, rows, counts)
        return sums / frames[:, None]

    def _normalised(self, samples: np.ndarray) -> np.ndarray:
        """As the published feature extractors do it."""
        if not self.normalise:
            return samples
        return (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)

    def _batches(
        self, pieces: list[tuple[int, np.ndarray]]
    ) -> Iterator[list[tuple[int, np.ndarray]]]:
        """Pieces of similar length together, the longest first.

        A model with group norm over time (wav2vec2-base, HuBERT-base) would see the padding, so
        its batches hold pieces of equal length only.
        """
        padded = self.model.config.feat_extract_norm == "layer"
        batch: list[tuple[int, np.ndarray]] = []
        for piece in sorted(pieces, key=lambda item: -len(item[1])):
            longest = len(batch[0][1]) if batch else len(piece[1])
            full = longest * (len(batch) + 1) > BUDGET * self.rate
            if batch and (full or not (padded or len(piece[1]) == longest)):
                yield batch
                batch = []
            batch.append(piece)
        if batch:
            yield batch

    def _frame_sums(self, sounds: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        """n sounds, the longest first -> sums over their frames (n, D), numbers of frames (n,)."""
        samples = torch.zeros(len(sounds), len(sounds[0]))
        mask = torch.zeros(samples.shape, dtype=torch.long)
        for row, sound in enumerate(sounds):
            samples[row, : len(sound)] = torch.from_numpy(np.ascontiguousarray(sound))
            mask[row, : len(sound)] = 1
        needs_mask = len(sounds[-1]) < len(sounds[0])
        device = self.model.device
        out = self.model(
            samples.to(device),
            attention_mask=mask.to(device) if needs_mask else None,
            output_hidden_states=self.layers > 1,
        )
        states = [out.last_hidden_state]  # (n, T, D) each
        if self.layers > 1:
            # transformers 5 gives the last state twice: here without the last norm of large models
            states += out.hidden_states[-self.layers : -1]
        hidden = torch.stack(states).mean(dim=0)
        counts = torch.tensor([self._frames_of(len(sound)) for sound in sounds])
        inside = torch.arange(hidden.shape[1]) < counts[:, None]  # (n, T)
        totals = (hidden.float().cpu() * inside[..., None]).sum(dim=1)
        return totals, counts.float()

    def _frames_of(self, samples: int) -> int:
        """How many frames the convolutions make of so many samples."""
        config = self.model.config
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1
        return samples


def read_sound(source: str, rate: int) -> np.ndarray:
    """As `read_audio`. MissingStream also where every sample is zero: a track that was muted."""
    samples = read_audio(source, rate)
    if not samples.any():
        raise MissingStream("silence", f"{source}: every sample of the sound is zero")
    return samples


def load_audio_encoder(
    checkpoint: str | Path, layers: int = 1, device: str | None = None
) -> "AudioEncoder | OpenSmileEncoder":
    """Load a speech encoder from a local folder or a hub id, or "opensmile:<feature set>".

    `layers` is how many of the last layers are averaged. FileNotFoundError, ValueError or
    ModuleNotFoundError says what is missing or does not fit.
    """
    if str(checkpoint).startswith(OPENSMILE):
        return _load_opensmile(str(checkpoint))
    folder, model = load_frozen(checkpoint, KINDS, UNUSED, device)
    if not 1 <= layers <= model.config.num_hidden_layers:
        raise ValueError(
            f"layers={layers}: expected 1 to {model.config.num_hidden_layers}, the number of "
            f"layers of {checkpoint}"
        )
    settings = read_json(folder / "preprocessor_config.json")
    try:
        rate, normalise = int(settings["sampling_rate"]), bool(settings["do_normalize"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / 'preprocessor_config.json'}: expected sampling_rate and do_normalize"
        ) from error
    return AudioEncoder(str(checkpoint), model, rate, normalise, layers)


# ---- openSMILE


@dataclass(frozen=True, eq=False)
class OpenSmileEncoder:
    """Functionals of openSMILE, such as the 88 of eGeMAPSv02, as they are (not standardised)."""

    name: str
    smile: object = field(repr=False)  # opensmile.Smile
    version: str
    rate: int = 16000
    batch_size: int = 16

    @property
    def width(self) -> int:
        """D of a vector: the number of functionals."""
        return len(self.smile.feature_names)

    @property
    def key(self) -> str:
        """Hash of the feature set, the rate and the version of the package."""
        facts = [self.name, self.version, self.rate, *self.smile.feature_names]
        return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()

    def read(self, source: str) -> np.ndarray:
        """As AudioEncoder.read."""
        return read_sound(source, self.rate)

    def encode(self, sounds: list[np.ndarray]) -> Tensor:
        """n sounds, each (samples,) at `rate` -> (n, D) float32."""
        tables = [self.smile.process_signal(samples, self.rate) for samples in sounds]
        rows = [table.to_numpy(np.float32)[0] for table in tables]
        return torch.from_numpy(np.stack(rows))


def _load_opensmile(name: str) -> OpenSmileEncoder:
    try:
        opensmile = importlib.import_module("opensmile")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{name} needs the package opensmile, which is not installed: pip install opensmile "
            "(its licence allows research and private use only)"
        ) from error
    chosen = name.removeprefix(OPENSMILE)
    sets = {each.name: each for each in opensmile.FeatureSet}
    if chosen not in sets:
        raise ValueError(
            f"{name}: unknown feature set; expected {OPENSMILE} and one of {', '.join(sets)}"
        )
    smile = opensmile.Smile(sets[chosen], opensmile.FeatureLevel.Functionals)
    return OpenSmileEncoder(name, smile, opensmile.__version__)
