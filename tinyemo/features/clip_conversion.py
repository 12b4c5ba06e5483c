"""One CLIP vision transformer in two libraries: open_clip's `visual` <-> transformers' CLIPVisionModel.

Owns: the names and shapes of the weights, the fields of the configuration, and the preprocessing, both ways. Takes an
open_clip tower, or a CLIPVisionModel and, where there is one, the projection into CLIP's space; gives the other, with
the same numbers. Whatever the other library cannot express is refused in one sentence.
"""

from dataclasses import dataclass
from functools import partial

import torch
from open_clip.transform import MaybeConvertMode, MaybeToTensor
from open_clip.transformer import LayerNorm, QuickGELU, ResidualAttentionBlock, VisionTransformer
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel, LlavaImageProcessor

from tinyemo.features.encoders import ImageEncoder

ACTIVATIONS = {"quick_gelu": QuickGELU, "gelu": nn.GELU}
RENAMED = (  # parts of names in open_clip and in transformers
    ("class_embedding", "embeddings.class_embedding"),
    ("positional_embedding", "embeddings.position_embedding.weight"),
    ("conv1.", "embeddings.patch_embedding."),
    ("ln_pre.", "pre_layrnorm."),
    ("ln_post.", "post_layernorm."),
    ("transformer.resblocks.", "encoder.layers."),
    (".ln_1.", ".layer_norm1."),
    (".ln_2.", ".layer_norm2."),
    (".attn.", ".self_attn."),
    (".c_fc.", ".fc1."),
    (".c_proj.", ".fc2."),
)
FIELDS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "image_size",
    "patch_size",
    "hidden_act",
    "layer_norm_eps",
)


@dataclass(frozen=True)
class PadToSquare:
    """The first step of LLaVA-1.5's preprocessing where its `image_aspect_ratio` is "pad": bars of the mean colour."""

    colour: tuple[int, int, int]

    def __call__(self, image: Image.Image) -> Image.Image:
        side = max(image.size)
        square = Image.new("RGB", (side, side), self.colour)
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        return square


def to_transformers(visual: nn.Module) -> CLIPVisionModel:
    """The CLIPVisionModel with the weights (copied, float32) of an open_clip `visual`.

    Its pooler output is the tower's pooled feature before `visual.proj`, which has no place in it; `hidden_states[l]`
    for a negative l is the output of block l. ValueError names what CLIPVisionModel cannot express: a ResNet, a tower
    of timm (SigLIP, DINOv2), another way of pooling, layer scale, an oblong image.
    """
    if odd := _beyond_clip(visual):
        raise ValueError(
            f"the image tower has {odd}, which transformers' CLIPVisionModel cannot express; expected a "
            "plain vision transformer of open_clip, as ViT-B-16 or ViT-L-14"
        )
    blocks = visual.transformer.resblocks
    config = CLIPVisionConfig(
        hidden_size=visual.conv1.out_channels,
        intermediate_size=blocks[0].mlp.c_fc.out_features,
        projection_dim=visual.output_dim,
        num_hidden_layers=len(blocks),
        num_attention_heads=blocks[0].attn.num_heads,
        image_size=visual.image_size[0],
        patch_size=visual.patch_size[0],
        hidden_act=_activation(blocks[0]),
        layer_norm_eps=visual.ln_pre.eps,
    )
    state = {}
    for name, tensor in visual.state_dict().items():
        tensor = tensor.detach().float().cpu().contiguous()
        for ours, theirs in RENAMED:
            name = name.replace(ours, theirs)
        if ".in_proj_" in name:  # queries, keys and values in one matrix
            for part, rows in zip("qkv", tensor.chunk(3), strict=True):
                state[name.replace("in_proj_", f"{part}_proj.")] = rows
        elif name != "proj":
            state[name] = tensor
    tower = CLIPVisionModel(config)
    tower.load_state_dict(state)
    return tower.eval()


def from_transformers(
    tower: CLIPVisionModel, projection: Tensor | None = None
) -> VisionTransformer:
    """The open_clip tower with the weights (copied, float32) of a CLIPVisionModel.

    `projection` is CLIP's `visual_projection.weight` (E, D); without it the pooled feature is the class token after the
    last norm, (B, D). ValueError: an activation or image that open_clip's tower does not have.
    """
    config = tower.config
    if config.hidden_act not in ACTIVATIONS or not isinstance(config.image_size, int):
        raise ValueError(
            f"the CLIP tower has hidden_act {config.hidden_act!r} and image_size {config.image_size!r}; "
            f"expected one of {', '.join(ACTIVATIONS)} and one number"
        )
    width = config.hidden_size
    visual = VisionTransformer(
        image_size=config.image_size,
        patch_size=config.patch_size,
        width=width,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        mlp_ratio=(config.intermediate_size + 0.5) / width,  # which is rounded down
        output_dim=width if projection is None else len(projection),
        act_layer=ACTIVATIONS[config.hidden_act],
        norm_layer=partial(LayerNorm, eps=config.layer_norm_eps),
    )
    parts = {}
    for name, tensor in tower.state_dict().items():
        for ours, theirs in RENAMED:
            name = name.replace(theirs, ours)
        parts[name] = tensor.detach().float().cpu()
    state = {name: tensor for name, tensor in parts.items() if not _is_part(name)}
    for i in range(config.num_hidden_layers):
        for kind in ("weight", "bias"):
            attn = f"transformer.resblocks.{i}.attn."
            state[f"{attn}in_proj_{kind}"] = torch.cat(
                [parts[f"{attn}{part}_proj.{kind}"] for part in "qkv"]
            )
    if projection is None:
        visual.proj = None
    else:
        state["proj"] = projection.detach().float().cpu().T.contiguous()
    visual.load_state_dict(state)
    return visual.eval()


def as_encoder(
    name: str,
    tower: CLIPVisionModel,
    processor: dict,
    projection: Tensor | None = None,
    layer: int = -2,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> ImageEncoder:
    """An ImageEncoder of a CLIPVisionModel; `processor` is what its preprocessor_config.json holds.

    `layer` is the block whose output the patch tokens are, as in ImageEncoder.
    """
    visual = from_transformers(tower, projection).to(device, memory_format=torch.channels_last)
    width = tower.config.hidden_size if projection is None else len(projection)
    config = {"embed_dim": width} | {field: getattr(tower.config, field) for field in FIELDS}
    return ImageEncoder(
        name,
        nn.ModuleDict({"visual": visual}),
        to_transform(processor),
        config,
        torch.device(device),
        dtype,
        layer,
    )


def to_transform(processor: dict) -> Compose:
    """The transform, as open_clip makes its own, of a CLIP or LLaVA image processor's configuration.

    Resizing is Pillow's, where transformers 5 has torchvision's: values differ by one level of 255 at most.
    ValueError: another kind of processor, or a step of it that is switched off or unknown.
    """
    kind = str(processor.get("image_processor_type") or processor.get("feature_extractor_type"))
    steps = ("do_resize", "do_rescale", "do_normalize")
    if (
        not kind.startswith(("CLIP", "Llava"))
        or kind.startswith("LlavaNext")
        or not all(processor.get(step, True) for step in steps)
    ):
        raise ValueError(
            f"the image processor {kind} is not supported; expected CLIPImageProcessor or "
            f"LlavaImageProcessor with {', '.join(steps)}"
        )
    mean, std = processor["image_mean"], processor["image_std"]
    size = processor["size"]
    if isinstance(size, dict):  # a number in CLIP's older files
        size = size.get("shortest_edge") or (size["height"], size["width"])
    crop = processor["crop_size"]
    crop = (crop["height"], crop["width"]) if isinstance(crop, dict) else (crop, crop)
    interpolation = InterpolationMode[Image.Resampling(processor.get("resample", 3)).name]
    return Compose(
        [
            *(
                [PadToSquare(tuple(int(255 * value) for value in mean))]
                if processor.get("do_pad")
                else []
            ),
            Resize(size, interpolation=interpolation),
            *([CenterCrop(crop)] if processor.get("do_center_crop", True) else []),
            MaybeConvertMode(),
            MaybeToTensor(),
            Normalize(mean=tuple(mean), std=tuple(std)),
        ]
    )


def to_processor(transform: Compose) -> CLIPImageProcessor | LlavaImageProcessor:
    """The image processor of transformers that does what a transform of open_clip or `to_transform` does.

    ValueError names a step that it does not know, such as open_clip's resizing to the longest edge.
    """
    steps = {type(step).__name__: step for step in transform.transforms}
    known = {
        "PadToSquare",
        "Resize",
        "CenterCrop",
        "MaybeConvertMode",
        "MaybeToTensor",
        "ToTensor",
        "Normalize",
    }
    if unknown := sorted(set(steps) - known) or sorted({"Resize", "Normalize"} - set(steps)):
        raise ValueError(
            f"the encoder's preprocessing differs from CLIP's in {unknown[0]}; expected Resize, "
            "CenterCrop and Normalize, as CLIP image processors of transformers have them"
        )
    resize, crop, normalise = steps["Resize"], steps.get("CenterCrop"), steps["Normalize"]
    size = resize.size
    options = {
        "size": {"shortest_edge": size}
        if isinstance(size, int)
        else {"height": size[0], "width": size[1]},
        "do_center_crop": crop is not None,
        "resample": Image.Resampling[resize.interpolation.name].value,
        "image_mean": list(normalise.mean),
        "image_std": list(normalise.std),
    }
    if crop is not None:
        options["crop_size"] = dict(zip(("height", "width"), crop.size, strict=True))
    return (
        LlavaImageProcessor(do_pad=True, **options)
        if "PadToSquare" in steps
        else CLIPImageProcessor(**options)
    )


def _beyond_clip(visual: nn.Module) -> str:
    """What of the tower has no place in a CLIPVisionModel, in words; "" where all of it has."""
    if not isinstance(visual, VisionTransformer):
        return f"the network {type(visual).__name__}"
    blocks = visual.transformer.resblocks
    epsilons = {module.eps for module in visual.modules() if isinstance(module, nn.LayerNorm)}
    found = {
        "attention pooling": visual.attn_pool is not None,
        f"pooling {visual.pool_type!r}": visual.pool_type != "tok",
        "no norm before its blocks": isinstance(visual.ln_pre, nn.Identity),
        "blocks of another kind": {type(block) for block in blocks} != {ResidualAttentionBlock},
        "layer scale": any(
            hasattr(block.ls_1, "gamma") for block in blocks if hasattr(block, "ls_1")
        ),
        "an oblong image or patch": len(set(visual.image_size)) + len(set(visual.patch_size)) > 2,
        "norms with several epsilons": len(epsilons) > 1,
        "another activation than GELU and QuickGELU": not _activation(blocks[0]),
    }
    return next((words for words, there in found.items() if there), "")


def _activation(block: nn.Module) -> str:
    layer = block.mlp.gelu
    if getattr(layer, "approximate", "none") != "none":
        return ""
    return next((name for name, kind in ACTIVATIONS.items() if type(layer) is kind), "")


def _is_part(name: str) -> bool:
    return any(f".{part}_proj." in name for part in "qkv")
