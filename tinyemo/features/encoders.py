"""Frozen image encoders: images -> pooled features and patch tokens, in one pass.

Owns loading an open_clip model, published or trained here, or a plain vision transformer of timm
(DINOv2); reading and preprocessing one image; and the key that hashes all that the features depend
on. Takes open_clip and timm names, "hf-hub:<id>" or "local-dir:<folder>" (open_clip_config.json
and weights). Gives an ImageEncoder.

Pooled features are those of `encode_image`, projected and not normalised, as TinyEmo stores them;
for DINOv2, the class token after the last norm. Patch tokens come from the layer before the last,
as in LLaVA.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import open_clip
import timm
import torch
from open_clip.factory import load_state_dict as read_open_clip_weights
from open_clip.pretrained import get_pretrained_cfg
from open_clip.timm_model import TimmModel
from open_clip.transform import MaybeConvertMode
from PIL import Image
from timm.data import create_transform
from timm.models import load_state_dict as read_timm_weights
from timm.models.vision_transformer import checkpoint_filter_fn
from torch import Tensor, nn
from torch.nn.functional import normalize
from torchvision.transforms import Compose

from tinyemo.hub import local_folder
from tinyemo.io import first_line, read_image
from tinyemo.strict_loading import load_weights, refuse_misfits

# TinyEmo's encoders: name in open_clip or timm -> (weights, width of the pooled feature).
# TinyEmo's code uses the DINOv2-L with registers.
ENCODERS: dict[str, tuple[str, int]] = {
    "ViT-L-14": ("openai", 768),
    "ViT-L-14-336": ("openai", 768),
    "ViT-B-16": ("openai", 512),
    "ViT-SO400M-14-SigLIP-384": ("webli", 1152),
    "vit_large_patch14_reg4_dinov2.lvd142m": ("timm/vit_large_patch14_reg4_dinov2.lvd142m", 1024),
    "vit_large_patch14_dinov2.lvd142m": ("timm/vit_large_patch14_dinov2.lvd142m", 1024),
}

# the weights in a folder that open_clip wrote, in the order in which it looks for them
OWN_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)


@dataclass(frozen=True, eq=False)
class ImageEncoder:
    """A frozen encoder in evaluation mode; `load_image_encoder` loads one."""

    name: str
    model: nn.Module  # an open_clip model, or only its `visual`
    preprocess: Callable[[Image.Image], Tensor]  # RGB image -> (3, H, W) float32
    # embed_dim, and what else defines the network: open_clip's configuration, or timm's name
    config: dict
    device: torch.device
    dtype: torch.dtype  # of the computation; weights stay float32
    layer: int = -2  # a ViT's block or a ResNet's stage, whose output the patch tokens are

    @property
    def width(self) -> int:
        """D of the pooled feature."""
        return self.config["embed_dim"]

    @property
    def has_text(self) -> bool:
        """Whether there is a text tower: CLIP and SigLIP have one, DINOv2 has none."""
        return hasattr(self.model, "encode_text")

    @cached_property
    def key(self) -> str:
        """Hash of what the features depend on besides the image.

        That is weights, architecture, layer, dtype and preprocessing.
        """
        state = hashlib.sha256()
        facts = [self.config, self.layer, str(self.dtype), repr(self.preprocess)]
        state.update(json.dumps(facts, sort_keys=True).encode())
        for name, tensor in sorted(self.model.visual.state_dict().items()):
            state.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            state.update(
                tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
            )
        return state.hexdigest()

    def _autocast(self):
        lower = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype) if lower else nullcontext()

    @torch.inference_mode()
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) preprocessed -> pooled (B, D) float32, patch tokens (B, T, D') on the
        device.

        T is H/14 * W/14 for a ViT/14, and H/16 * W/16 for the third stage of a ResNet; tokens are
        in order of rows.
        """
        with self._autocast():
            # with the last layer, because open_clip 3.3 stops its ResNet after the highest index
            out = self.model.visual.forward_intermediates(
                images.to(self.device, non_blocking=True),
                indices=[self.layer, -1],
                output_fmt="NCHW",
            )
        patch_map = out["image_intermediates"][0]  # (B, D', rows, columns)
        return out["image_features"].float(), patch_map.flatten(2).transpose(1, 2)

    @torch.inference_mode()
    def encode_text(self, texts: list[str]) -> Tensor:
        """n texts -> (n, D) float32 on the CPU, in the space of the pooled features, not
        normalised.

        ValueError: the encoder has no text tower.
        """
        if not self.has_text:
            raise ValueError(
                f"the image encoder {self.name} has no text tower; expected one of CLIP or SigLIP"
            )
        with _one_sentence(f"the tokenizer of {self.name}", self.name):
            tokens = open_clip.get_tokenizer(self.name)(texts)
        with self._autocast():
            parts = [self.model.encode_text(part.to(self.device)) for part in tokens.split(256)]
        return torch.cat(parts).float().cpu()

    @torch.inference_mode()
    def classify(self, pooled: Tensor, anchors: Tensor) -> Tensor:
        """Zero-shot probabilities (N, C) float32 of pooled features (N, D) against text anchors
        (C, D).

        Cosines are multiplied by the scale of the towers' training (100 for OpenAI's CLIP).
        SigLIP's bias is left out, because it is the same for all classes.
        """
        cosines = normalize(pooled.float().cpu(), dim=1) @ normalize(anchors.float(), dim=1).T
        return torch.softmax(self.model.logit_scale.exp().item() * cosines, dim=1)


def read_pixels(
    source: str | Path | Image.Image, preprocess: Callable[[Image.Image], Tensor]
) -> Tensor:
    """One image (a path or a PIL image), decoded and preprocessed for an encoder: (3, H, W)
    float32.

    FileNotFoundError or ValueError names an image that is missing, damaged or cannot be
    preprocessed.
    """
    image = read_image(source)
    try:
        return preprocess(image)
    except Exception as error:  # torchvision raises several kinds, for instance for extreme shapes
        raise ValueError(
            f"cannot preprocess the image {source} of {image.width} x {image.height} pixels: "
            f"{first_line(error)}"
        ) from error


def load_image_encoder(
    name: str,
    pretrained: str | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    layer: int = -2,
) -> ImageEncoder:
    """Load an encoder by its `name` (see above) and `pretrained`, a tag of open_clip or a weights
    file.

    `pretrained` is known for the names of ENCODERS and ignored for "hf-hub:" and "local-dir:". For
    a name of timm it is a hub id or folder with model.safetensors, or a weights file (timm's or
    Meta's). Tags trained with QuickGELU (OpenAI's) get it whatever the name; for a weights file it
    must be in the name ("ViT-L-14-quickgelu"). Defaults: CUDA if there is one, with float16;
    float32 on a CPU.

    FileNotFoundError or ValueError says what was looked for and how to get it.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    dtype = dtype or (torch.float16 if device.type == "cuda" else torch.float32)
    pretrained = pretrained or ENCODERS.get(name, ("",))[0]
    load = _load_timm if timm.is_model(name) else _load_open_clip
    name, model, preprocess, config = load(name, pretrained)
    # convolutions are faster in this memory format and give the same values
    model = model.eval().to(device, memory_format=torch.channels_last)
    return ImageEncoder(name, model, preprocess, config, device, dtype, layer)


def _load_open_clip(name: str, pretrained: str) -> tuple[str, nn.Module, Callable, dict]:
    """(name, model, preprocessing, configuration) of a model of open_clip."""
    source, quick = name, False
    if name.startswith("local-dir:"):
        folder = Path(name.removeprefix("local-dir:")).expanduser()
        name = f"local-dir:{folder}"
        if not (folder / "open_clip_config.json").is_file():
            raise FileNotFoundError(
                f"image encoder not found: expected {folder}/open_clip_config.json and "
                "weights beside it, as open_clip saves them"
            )
    elif not name.startswith("hf-hub:"):
        source = pretrained
        tag = get_pretrained_cfg(name, pretrained)
        if open_clip.get_model_config(name) is None or not (tag or Path(pretrained).is_file()):
            raise ValueError(
                f"unknown image encoder {name!r} with weights {pretrained!r}: expected a name "
                "of open_clip.list_models() with one of its tags or a weights file, a name of "
                "timm.list_models(), 'hf-hub:<id>' or 'local-dir:<folder>'"
            )
        quick = bool(tag.get("quick_gelu"))
    weights = pretrained or "of its own"
    with _one_sentence(f"the image encoder {name} with weights {weights}", source):
        model, preprocess = open_clip.create_model_from_pretrained(
            name, pretrained or None, force_quick_gelu=quick, weights_only=True
        )
        config = open_clip.get_model_config(name)
        _refuse_misfits(model, source)
    config["quick_gelu"] = quick or config.get("quick_gelu", False)
    return name, model, preprocess, config


def _refuse_misfits(model: nn.Module, source: str) -> None:
    """ValueError: open_clip resized or rounded a tensor of a file or a "local-dir:" folder."""
    file = Path(source.removeprefix("local-dir:")).expanduser()
    if file.is_dir():
        file = next((file / name for name in OWN_FILES if (file / name).is_file()), file)
    if not file.is_file() or file.suffix in (".npz", ".npy"):  # arrays under other names
        return
    state = read_open_clip_weights(str(file))
    # a scale that is stored as one row is the same scale
    state = {name: value for name, value in state.items() if value.numel() > 1}
    refuse_misfits(state, model, file)


def _load_timm(name: str, pretrained: str) -> tuple[str, nn.Module, Callable, dict]:
    """A vision transformer of timm at TinyEmo's 224 px; the pooled feature is its class token."""
    size = 224
    if not pretrained:
        raise ValueError(
            f"image encoder {name!r} without weights: expected a hub id or folder that has "
            "model.safetensors, or a weights file, as `pretrained`"
        )
    file = Path(pretrained).expanduser()
    if not file.is_file():
        file = local_folder(pretrained, ["model.safetensors"]) / "model.safetensors"
    with _one_sentence(f"the image encoder {name} with weights {file}", str(file)):
        visual = TimmModel(name, embed_dim=0, pool="token", proj="none")
        state = read_timm_weights(str(file), weights_only=True)
        load_weights(visual.trunk, checkpoint_filter_fn(state, visual.trunk), file)
        visual.set_input_size(size)  # position embeddings of DINOv2's 518 px, resampled
    to_tensor = create_transform(size, interpolation="bicubic", crop_pct=size / 256)
    preprocess = Compose([MaybeConvertMode(), *to_tensor.transforms])
    config = {"embed_dim": visual.trunk.num_features, "timm_model_name": name, "image_size": size}
    return name, nn.ModuleDict({"visual": visual}), preprocess, config


@contextmanager
def _one_sentence(what: str, source: str) -> Iterator[None]:
    """Errors of open_clip and the hub as one sentence.

    ValueError: about a file or folder on this disk. FileNotFoundError: about a download.
    """
    try:
        yield
    except Exception as error:  # open_clip and timm raise many kinds of errors
        # torch names the tensors that do not fit in its second line
        lines = (str(error).strip() or repr(error)).splitlines()
        reason = " ".join(line.strip() for line in lines[:2])[:300].rstrip(". ")
        if Path(source.removeprefix("local-dir:")).exists():
            raise ValueError(
                f"cannot load {what}: {reason}; expected a model of open_clip or timm, its weights "
                "as safetensors or plain tensors"
            ) from error
        raise FileNotFoundError(
            f"cannot load {what}: {reason}; without internet (HF_HUB_OFFLINE=1 spares the "
            "retries) give a folder on disk as 'local-dir:<folder>' or a weights file as "
            "`pretrained`"
        ) from error
