"""Reads LLaVA checkpoints as a MultimodalLM and the ImageEncoder whose patch tokens it reads.

Takes a folder or hub id in one of three layouts: that of transformers (llava-hf, and what
`export_llava` writes), that of the original repository (LLaVA-1 and 1.5), and TinyLLaVA's. A part
that is not supported is named in one sentence: several crops of an image (LLaVA-NeXT's "anyres"),
another projector, another tower than CLIP's vision transformer. Only tensors are read from weight
files; code that comes with them is never run.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import (
    CONFIG_MAPPING,
    AutoModelForCausalLM,
    CLIPImageProcessor,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tinyemo.features.clip_conversion import as_encoder
from tinyemo.features.encoders import ImageEncoder
from tinyemo.hub import local_folder, read_safetensors, read_weights
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.multimodal_folder import LM_FILES
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.strict_loading import fitted, load_pretrained, load_weights

STREAM = "image"
# A file of export_llava: "weight" (E, D), as in CLIPVisionModelWithProjection.
PROJECTION = "visual_projection.safetensors"

# The supported values of each layout's config keys, the default first.
TRANSFORMERS = {
    "vision_feature_select_strategy": ("default",),
    "projector_hidden_act": ("gelu",),
    "multimodal_projector_bias": (True,),
}
ORIGINAL = {
    "mm_projector_type": ("linear", "mlp2x_gelu"),
    "mm_vision_select_feature": ("patch",),
    "image_aspect_ratio": ("square", "pad", None),
    "mm_patch_merge_type": ("flat", None),
    "mm_use_im_start_end": (False, None),
}
TINYLLAVA = {
    "connector_type": ("mlp2x_gelu", "linear"),
    "vision_feature_select_strategy": ("patch",),
    "image_aspect_ratio": ("square", "pad", None),
    "vision_model_name_or_path2": ("", None),
}
# family in the name of an architecture -> its name in transformers, where they differ
FAMILIES = {"qwen": "qwen2"}
# The chat template of a processor takes message contents as a list of parts; the messages of
# PromptBuilder are text. This turns the text into parts.
TO_PARTS = (
    "{%- set ns = namespace(messages=[]) -%}{%- for message in messages -%}"
    "{%- set words = message['content'].split('<image>') -%}"
    "{%- set text = {'type': 'text', 'text': words | join('') | trim('\n')} -%}"
    "{%- set ns.messages = ns.messages + [{'role': message['role'], "
    "'content': [{'type': 'image'}] * (words | length - 1) + [text]}] -%}"
    "{%- endfor -%}{%- set messages = ns.messages %}"
)


@dataclass(frozen=True)
class _Parts:
    """The parts of a checkpoint, the same for all layouts."""

    lm: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    template: str
    connector: Mapping[str, Tensor]  # state dict with the names of CONNECTORS' modules
    connector_kind: str  # a key of CONNECTORS
    tower: CLIPVisionModel
    projection: Tensor | None  # (E, D) into CLIP's space, if the checkpoint has it
    processor: dict  # preprocessor_config.json


def read_llava(
    checkpoint: str | Path,
    *,
    tower: str | Path | None = None,
    tokenizer: str | Path | None = None,
    template: str | None = None,
    max_length: int = 2048,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> tuple[MultimodalLM, ImageEncoder]:
    """The model, in `dtype`, and the encoder, in float32, of a LLaVA folder or hub id.

    `tower` replaces the CLIP model that the original layout names, `tokenizer` a missing
    tokenizer.json; both are folders or hub ids. `template` and `max_length` are those of
    PromptBuilder. Without `template` it is the processor's own, and LLaVA's v1 for the two layouts
    that have none. The encoder's pooled feature is CLIP's, projected, if the checkpoint or its
    tower has the projection, else the class token without projection.

    FileNotFoundError: no such checkpoint, tower or tokenizer. ValueError: a part that is not
    supported or damaged.
    """
    folder = local_folder(checkpoint, LM_FILES)
    file = folder / "config.json"
    config = _read_json(file)
    layer = config.get("mm_vision_select_layer", config.get("vision_feature_layer", -2))
    if not isinstance(layer, int):
        raise ValueError(
            f"{file}: image features of layers {layer} are not supported; expected one"
        )
    if config.get("model_type") == "tinyllava":
        parts = _read_tinyllava(folder, config, tower, tokenizer, dtype)
    elif "mm_vision_tower" in config:
        parts = _read_original(folder, config, tower, tokenizer, dtype)
    elif config.get("model_type") == "llava":
        parts = _read_transformers(folder, config, dtype)
    else:
        raise ValueError(
            f"{file}: model_type {config.get('model_type')!r} is not supported; expected 'llava', "
            "'tinyllava', or the original LLaVA's configuration with mm_vision_tower"
        )
    width, depth = parts.tower.config.hidden_size, parts.tower.config.num_hidden_layers
    # LLaVA counts hidden states, and number 0 is the input of the first block
    if layer == 0 or not -depth <= layer <= depth:
        raise ValueError(
            f"{file}: image features of layer {layer} are not supported; expected the output of "
            f"one of the tower's {depth} blocks, as -2"
        )
    missing_id = parts.tokenizer.get_vocab().get(f"<missing:{STREAM}>")
    model = MultimodalLM(
        parts.lm,
        parts.tokenizer,
        {STREAM: Connector(parts.connector_kind, width)},
        max_length=max_length,
        template=template or parts.template,
    )
    load_weights(model.connectors[STREAM], parts.connector, folder, "its connector")
    if missing_id is not None:  # written by export_llava
        table = parts.lm.get_input_embeddings().weight.data
        model.missing[STREAM].data.copy_(table[missing_id])
    our_layer = layer if layer < 0 else layer - 1
    encoder = as_encoder(
        str(checkpoint), parts.tower, parts.processor, parts.projection, our_layer, device
    )
    return model.eval().to(device), encoder


# --- the three layouts -------------------------------------------------------------------------


def _read_transformers(folder: Path, config: dict, dtype: torch.dtype) -> _Parts:
    """transformers' layout: llava-hf, and what export_llava writes."""
    file = folder / "config.json"
    _supported_values(file, config, TRANSFORMERS)
    _supported_values(file, config.get("vision_config", {}), {"model_type": ("clip_vision_model",)})
    stock = load_pretrained(LlavaForConditionalGeneration, folder, dtype, "it as LLaVA")
    try:
        processor = LlavaProcessor.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises any error of its parsers
        raise ValueError(
            f"{folder}: cannot load the processor of LLaVA ({_one_line(error)})"
        ) from error
    tokenizer = processor.tokenizer
    image_id = stock.config.image_token_id
    if tokenizer.convert_ids_to_tokens(image_id) != f"<{STREAM}>":
        raise ValueError(
            f"{file}: image_token_index {image_id} is another token than '<{STREAM}>', which is "
            "not supported"
        )
    template = "plain"
    if processor.chat_template:
        template = _template_for_text(tokenizer, processor.chat_template)
    connector = {}
    projector = stock.model.multi_modal_projector
    for ours, layer in (("0", projector.linear_1), ("2", projector.linear_2)):
        for name, tensor in layer.state_dict().items():
            connector[f"{ours}.{name}"] = tensor
    tower = stock.model.vision_tower
    return _Parts(
        lm=_inner_lm(stock),
        tokenizer=tokenizer,
        template=template,
        connector=connector,
        connector_kind="mlp2x_gelu",
        tower=tower,
        projection=_read_projection(folder / PROJECTION, tower.config.hidden_size),
        processor=processor.image_processor.to_dict(),
    )


def _inner_lm(stock: LlavaForConditionalGeneration) -> PreTrainedModel:
    """The causal LM of a stock model; it shares the tensors."""
    with torch.device("meta"):
        lm = AutoModelForCausalLM.from_config(stock.config.text_config)
    if getattr(lm.get_output_embeddings(), "bias", None) is not None:
        # the class has a bias, LLaVA's format has none: it is zero
        zeros = stock.lm_head.weight.new_zeros(len(stock.lm_head.weight))
        stock.lm_head.bias = nn.Parameter(zeros)
    setattr(lm, lm.base_model_prefix, stock.model.language_model)
    lm.set_output_embeddings(stock.lm_head)
    return lm


def _read_original(
    folder: Path,
    config: dict,
    tower: str | Path | None,
    tokenizer: str | Path | None,
    dtype: torch.dtype,
) -> _Parts:
    """The layout of the original repository: LLaVA-1 and 1.5."""
    file = folder / "config.json"
    kind = _supported_values(file, config, ORIGINAL)["mm_projector_type"]
    name = (config.get("architectures") or [""])[0]
    match = re.fullmatch(r"\w*Llava(\w+)ForCausalLM", name)
    family = match and FAMILIES.get(match[1].lower(), match[1].lower())
    if family not in CONFIG_MAPPING:
        raise ValueError(
            f"{file}: the architecture {name!r} is not supported; expected LLaVA around a "
            "language model that transformers knows, as LlavaLlamaForCausalLM"
        )
    tower_folder = local_folder(tower or config["mm_vision_tower"], LM_FILES)
    vision, projection = _load_tower(tower_folder)
    state = read_weights(folder)
    connector = _pop_prefix(state, "model.mm_projector.")
    own_tower = _pop_prefix(state, "model.vision_tower.vision_tower.")
    if own_tower:  # the tower was trained too: CLIP's projection does not belong to it
        _load_tower_weights(vision, own_tower, folder)
        projection = None
    text = {key: value for key, value in config.items() if key != "model_type"}
    return _Parts(
        lm=_build_lm(CONFIG_MAPPING[family].from_dict(text), state, folder, dtype),
        tokenizer=load_tokenizer(tokenizer or folder),
        template="llava_v1",
        connector=connector,
        connector_kind=kind,
        tower=vision,
        projection=projection,
        processor=_processor_config(tower_folder, vision, config),
    )


def _read_tinyllava(
    folder: Path,
    config: dict,
    tower: str | Path | None,
    tokenizer: str | Path | None,
    dtype: torch.dtype,
) -> _Parts:
    """Read a checkpoint in the layout of TinyLLaVA."""
    file = folder / "config.json"
    kind = _supported_values(file, config, TINYLLAVA)["connector_type"]
    text = dict(config.get("text_config") or {})
    # transformers leaves the model type out of a nested configuration of Llama
    family = text.pop("model_type", "llama")
    if family not in CONFIG_MAPPING:
        raise ValueError(
            f"{file}: the language model {family!r} is not supported; expected one that "
            "transformers knows"
        )
    vision_config = dict(config.get("vision_config") or {})
    _supported_values(file, vision_config, {"model_type": ("clip_vision_model",)})
    state = read_weights(folder)
    connector = _pop_prefix(state, "connector._connector.")
    own_tower = _pop_prefix(state, "vision_tower._vision_tower.")
    vision = CLIPVisionModel(CLIPVisionConfig.from_dict(vision_config)).eval()
    _load_tower_weights(vision, own_tower, folder)
    lm_state = _pop_prefix(state, "language_model.")
    tower_folder = folder if tower is None else local_folder(tower, LM_FILES)
    return _Parts(
        lm=_build_lm(CONFIG_MAPPING[family].from_dict(text), lm_state, folder, dtype),
        tokenizer=load_tokenizer(tokenizer or folder),
        template="llava_v1",
        connector=connector,
        connector_kind=kind,
        tower=vision,
        projection=None,
        processor=_processor_config(tower_folder, vision, config),
    )


# --- steps that layouts share ------------------------------------------------------------------


def _supported_values(file: Path, config: Mapping, supported: Mapping[str, tuple]) -> dict:
    """The values of these keys, or their defaults. ValueError names the first unsupported one."""
    values = {key: config.get(key, known[0]) for key, known in supported.items()}
    for key, value in values.items():
        if value not in supported[key]:
            known = " or ".join(repr(each) for each in supported[key] if each is not None)
            raise ValueError(f"{file}: {key} {value!r} is not supported; expected {known}")
    return values


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _read_json(file: Path) -> dict:
    try:
        return json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{file}: no such file; expected a LLaVA checkpoint's folder"
        ) from None
    except ValueError as error:
        raise ValueError(f"{file}: not JSON ({error})") from error


def _template_for_text(tokenizer: PreTrainedTokenizerBase, template: str) -> str:
    """The chat template, changed to take messages of text if it only takes them in parts."""
    probe = [{"role": "user", "content": "felt"}]
    try:
        text = tokenizer.apply_chat_template(probe, chat_template=template, tokenize=False)
    except Exception:  # Jinja, about contents that it does not expect
        text = ""
    return template if "felt" in text else TO_PARTS + template


def _pop_prefix(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors whose names begin with `prefix` out of `state`; the prefix is removed."""
    names = [name for name in state if name.startswith(prefix)]
    return {name.removeprefix(prefix): state.pop(name) for name in names}


def _load_tower_weights(tower: CLIPVisionModel, state: dict[str, Tensor], folder: Path) -> None:
    """Load all weights of a tower. ValueError names one that is missing or does not fit."""
    state = {name.removeprefix("vision_model."): tensor for name, tensor in state.items()}
    load_weights(tower, state, folder)


def _read_projection(file: Path, width: int) -> Tensor | None:
    """The projection (E, `width`) that export_llava writes; None where there is no such file."""
    if not file.is_file():
        return None
    state = read_safetensors(file)
    shape = state["weight"].shape if "weight" in state else ()
    expected = {"weight": torch.empty(*shape[:1], width)}  # E is free
    return fitted(state, expected, file, "CLIP's projection")["weight"]


def _build_lm(
    config: PreTrainedConfig, state: dict[str, Tensor], folder: Path, dtype: torch.dtype
) -> PreTrainedModel:
    """A causal LM of this configuration with these weights. ValueError: they do not fit."""
    lm = AutoModelForCausalLM.from_config(config, dtype=dtype)
    load_weights(lm, state, folder)
    lm.tie_weights()
    return lm


def _load_tower(folder: Path) -> tuple[CLIPVisionModel, Tensor | None]:
    """The vision part of a CLIP folder, and its projection into CLIP's space if it has one."""
    file = folder / "config.json"
    supported = {"model_type": ("clip", "clip_vision_model")}
    kind = _supported_values(file, _read_json(file), supported)["model_type"]
    if kind == "clip_vision_model":
        return load_pretrained(CLIPVisionModel, folder, torch.float32, "CLIP's tower"), None
    clip = load_pretrained(CLIPModel, folder, torch.float32, "CLIP")
    return clip.vision_model, clip.visual_projection.weight


def _processor_config(folder: Path, tower: CLIPVisionModel, config: dict) -> dict:
    """The image processor's configuration in the tower's folder, or CLIP's own for its size."""
    file = folder / "preprocessor_config.json"
    if file.is_file():
        processor = _read_json(file)
    else:
        size = tower.config.image_size
        crop = {"height": size, "width": size}
        processor = CLIPImageProcessor(size={"shortest_edge": size}, crop_size=crop).to_dict()
    return processor | {"do_pad": config.get("image_aspect_ratio") == "pad"}
