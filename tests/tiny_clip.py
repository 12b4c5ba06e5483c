"""Small random CLIP models of open_clip, saved as folders that `load_image_encoder` reads."""

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from tinyemo.features.encoders import ImageEncoder, load_image_encoder

# the vision part of `save_tiny_clip`, by the kind of its network
TOWERS = {
    "vit": {"layers": 3, "width": 32, "head_width": 16, "patch_size": 16},
    "resnet": {"layers": [1, 1, 1, 1], "width": 8},
    "timm": {"timm_model_name": "test_vit", "timm_model_pretrained": False, "timm_pool": "avg"},
}
VIT = {
    "image_size": 48,
    "patch_size": 16,
    "layers": 3,
    "width": 32,
    "head_width": 8,
    "mlp_ratio": 3.0,
}


def save_tiny_clip(folder: Path, tower: str = "resnet", seed: int = 0) -> str:
    """A randomly initialised open_clip model for 64 px in `folder`; gives its name."""
    torch.manual_seed(seed)
    config = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 64, **TOWERS[tower]},
        "text_cfg": {"context_length": 16, "width": 32, "heads": 2, "layers": 1},
    }
    model = (open_clip.CustomTextCLIP if tower == "timm" else open_clip.CLIP)(**config)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    config["custom_text"] = tower == "timm"
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {}})
    )
    return f"local-dir:{folder}"


def stir(model: torch.nn.Module, scale: float = 0.2) -> torch.nn.Module:
    """The model with all its weights random and large enough to tell one from another."""
    generator = torch.Generator().manual_seed(1)
    for tensor in model.parameters():
        tensor.data.normal_(0, scale, generator=generator)
    return model


def open_clip_vit(folder: Path, quick_gelu: bool = False, **vision) -> ImageEncoder:
    """A random CLIP of open_clip, saved in `folder` and loaded as an encoder."""
    config = {
        "embed_dim": 24,
        "quick_gelu": quick_gelu,
        "vision_cfg": VIT | vision,
        "text_cfg": {"context_length": 8, "width": 16, "heads": 2, "layers": 1},
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(stir(open_clip.CLIP(**config)).state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {}})
    )
    return load_image_encoder(f"local-dir:{folder}", device="cpu")
