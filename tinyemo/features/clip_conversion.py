"""CLIP vision transformers in two libraries: open_clip's `visual` <-> transformers'
CLIPVisionModel.

Owns the names and shapes of the weights, the fields of the configuration, and the preprocessing,
in both directions. Takes an open_clip tower, or a CLIPVisionModel with or without the projection
into CLIP's space; gives the other one, which computes the same numbers. ValueError names what the
other library cannot express.
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
# parts of weight names in open_clip and in transformers
RENAMED = (
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
# fields of the configuration that define the network
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
    """Pads an image with bars of the mean colour: LLaVA-1.5's first step if `image_aspect_ratio`
    is "pad".
    """

    colour: tuple[int, int, int]

    def __call__(self, image: Image.Image) -> Image.Image:
        side = max(image.size)
        left, top = (side - image.width) // 2, (side - image.height) // 2
        square = Image.new("RGB", (side, side), self.colour)
        square.paste(image, (left, top))
        return square


def to_transformers(visual: nn.Module) -> CLIPVisionModel:
    """The CLIPVisionModel with the weights (copied, float32) of an open_clip `visual`.

    Its pooler output is the pooled feature before `visual.proj`, because CLIPVisionModel has no
    projection. For negative l, `hidden_states[l]` is the output of block l. ValueError names what
    CLIPVisionModel cannot express: a ResNet, a tower of timm (SigLIP, DINOv2), another way of
    pooling, layer scale, an image that is not square.
    """
    odd = _beyond_clip(visual)
    if odd:
        raise ValueError(
            f"the image tower has {odd}, which transformers' CLIPVisionModel cannot express; "
            "expected a plain vision transformer of open_clip, as ViT-B-16 or ViT-L-14"
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
        for in_open_clip, in_transformers in RENAMED:
            name = name.replace(in_open_clip, in_transformers)
        if ".in_proj_" in name:  # queries, keys and values in one matrix (3 D, D) or bias (3 D,)
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

    `projection` is CLIP's `visual_projection.weight` (E, D); without it the pooled feature is the
    class token after the last norm, (B, D). ValueError: an activation or image size that
    open_clip's tower does not have.
    """
    config = tower.config
    if config.hidden_act not in ACTIVATIONS or not isinstance(config.image_size, int):
        raise ValueError(
            f"the CLIP tower has hidden_act {config.hidden_act!r} and image_size "
            f"{config.image_size!r}; expected one of {', '.join(ACTIVATIONS)} and one number"
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
    state = {}
    for name, tensor in tower.state_dict().items():
        for in_open_clip, in_transformers in RENAMED:
            name = name.replace(in_transformers, in_open_clip)
        state[name] = tensor.detach().float().cpu()
    for i in range(config.num_hidden_layers):
        attention = f"transformer.resblocks.{i}.attn."
        for kind in ("weight", "bias"):  # queries, keys and values become one matrix
            parts = [state.pop(f"{attention}{part}_proj.{kind}") for part in "qkv"]
            state[f"{attention}in_proj_{kind}"] = torch.cat(parts)
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
    """An ImageEncoder of a CLIPVisionModel; `processor` is the content of its
    preprocessor_config.json.

    `layer` is the block whose output the patch tokens are, as in ImageEncoder.
    """
    device = torch.device(device)
    visual = from_transformers(tower, projection).to(device, memory_format=torch.channels_last)
    width = tower.config.hidden_size if projection is None else len(projection)
    config = {"embed_dim": width}
    for field in FIELDS:
        config[field] = getattr(tower.config, field)
    model = nn.ModuleDict({"visual": visual})
    return ImageEncoder(name, model, to_transform(processor), config, device, dtype, layer)


def to_transform(processor: dict) -> Compose:
    """The transform, in open_clip's form, of the configuration of a CLIP or LLaVA image processor.

    Resizing is done by Pillow, in transformers 5 by torchvision; values differ by at most one
    level of 255. ValueError: another kind of processor, or a step of it that is switched off.
    """
    kind = str(processor.get("image_processor_type") or processor.get("feature_extractor_type"))
    known = kind.startswith(("CLIP", "Llava")) and not kind.startswith("LlavaNext")
    steps = ("do_resize", "do_rescale", "do_normalize")
    if not known or not all(processor.get(step, True) for step in steps):
        raise ValueError(
            f"the image processor {kind} is not supported; expected CLIPImageProcessor or "
            f"LlavaImageProcessor with {', '.join(steps)}"
        )
    mean, std = processor["image_mean"], processor["image_std"]
    transforms = []
    if processor.get("do_pad"):
        transforms.append(PadToSquare(tuple(int(255 * value) for value in mean)))
    size = processor["size"]
    if isinstance(size, dict):  # a number in CLIP's older files
        size = size.get("shortest_edge") or (size["height"], size["width"])
    bicubic = 3  # Pillow's number, the default of transformers
    resample = Image.Resampling(processor.get("resample", bicubic))
    transforms.append(Resize(size, interpolation=InterpolationMode[resample.name]))
    if processor.get("do_center_crop", True):
        crop = processor["crop_size"]
        height_width = (crop["height"], crop["width"]) if isinstance(crop, dict) else (crop, crop)
        transforms.append(CenterCrop(height_width))
    transforms += [MaybeConvertMode(), MaybeToTensor()]
    transforms.append(Normalize(mean=tuple(mean), std=tuple(std)))
    return Compose(transforms)


def to_processor(transform: Compose) -> CLIPImageProcessor | LlavaImageProcessor:
    """The image processor of transformers for a transform of open_clip or of `to_transform`.

    ValueError names a step that CLIP image processors lack, such as open_clip's resizing to the
    longest edge.
    """
    steps = {type(step).__name__: step for step in transform.transforms}
    required = {"Resize", "Normalize"}
    optional = {"PadToSquare", "CenterCrop", "MaybeConvertMode", "MaybeToTensor", "ToTensor"}
    unknown = sorted(set(steps) - required - optional)
    different = unknown or sorted(required - set(steps))
    if different:
        raise ValueError(
            f"the encoder's preprocessing differs from CLIP's in {different[0]}; expected Resize, "
            "CenterCrop and Normalize, as CLIP image processors of transformers have them"
        )
    resize, normalise = steps["Resize"], steps["Normalize"]
    options = {
        "size": {"shortest_edge": resize.size},
        "resample": Image.Resampling[resize.interpolation.name].value,
        "image_mean": list(normalise.mean),
        "image_std": list(normalise.std),
        "do_center_crop": "CenterCrop" in steps,
    }
    if not isinstance(resize.size, int):
        options["size"] = _height_width(resize.size)
    if "CenterCrop" in steps:
        options["crop_size"] = _height_width(steps["CenterCrop"].size)
    if "PadToSquare" in steps:
        return LlavaImageProcessor(do_pad=True, **options)
    return CLIPImageProcessor(**options)


def _height_width(size: tuple[int, int]) -> dict[str, int]:
    height, width = size
    return {"height": height, "width": width}


def _beyond_clip(visual: nn.Module) -> str:
    """The first property of the tower that a CLIPVisionModel cannot have, in words; "" if there is
    none.
    """
    if not isinstance(visual, VisionTransformer):
        return f"the network {type(visual).__name__}"
    blocks = visual.transformer.resblocks
    kinds = {type(block) for block in blocks}
    scales = [block.ls_1 for block in blocks if hasattr(block, "ls_1")]
    epsilons = {module.eps for module in visual.modules() if isinstance(module, nn.LayerNorm)}
    square = len(set(visual.image_size)) == 1 and len(set(visual.patch_size)) == 1
    found = {
        "attention pooling": visual.attn_pool is not None,
        f"pooling {visual.pool_type!r}": visual.pool_type != "tok",
        "no norm before its blocks": isinstance(visual.ln_pre, nn.Identity),
        "blocks of another kind": kinds != {ResidualAttentionBlock},
        "layer scale": any(hasattr(scale, "gamma") for scale in scales),
        "an oblong image or patch": not square,
        "norms with several epsilons": len(epsilons) > 1,
        "another activation than GELU and QuickGELU": not _activation(blocks[0]),
    }
    for words, present in found.items():
        if present:
            return words
    return ""


def _activation(block: nn.Module) -> str:
    """The name in ACTIVATIONS of a block's activation; "" for another activation."""
    layer = block.mlp.gelu
    if getattr(layer, "approximate", "none") != "none":
        return ""
    for name, kind in ACTIVATIONS.items():
        if type(layer) is kind:
            return name
    return ""
