"""LLaVA checkpoints from elsewhere as a MultimodalLM and the ImageEncoder whose patch tokens it reads.

Takes a folder or hub id in one of three layouts: transformers' (llava-hf, and what `export_llava` writes), that of the
original repository (LLaVA-1 and 1.5) and TinyLLaVA's. Whatever part of one is not supported is named in one sentence:
an image in several crops (LLaVA-NeXT's "anyres"), another projector, another tower than CLIP's vision transformer.
Weights are read as tensors only; code that comes with them is never run.
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

from tinyemo.features.clip_vit import as_encoder
from tinyemo.features.encoders import ImageEncoder
from tinyemo.hub import local_folder, read_bin, read_safetensors
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.multimodal_folder import LM_FILES
from tinyemo.models.multimodal_lm import Connector, MultimodalLM

STREAM = "image"
PROJECTION = "visual_projection.safetensors"  # of export_llava: "weight" (E, D), as in CLIPVisionModelWithProjection
# config key -> the values that are supported, the default first
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
FAMILIES = {
    "qwen": "qwen2"
}  # in the name of an architecture -> transformers' name, where they differ
# a chat template of a processor takes contents in parts, PromptBuilder's messages are text
TO_PARTS = (
    "{%- set said = namespace(messages=[]) -%}{%- for message in messages -%}"
    "{%- set words = message['content'].split('<image>') -%}"
    "{%- set text = {'type': 'text', 'text': words | join('') | trim('\n')} -%}"
    "{%- set said.messages = said.messages + [{'role': message['role'], "
    "'content': [{'type': 'image'}] * (words | length - 1) + [text]}] -%}"
    "{%- endfor -%}{%- set messages = said.messages %}"
)


@dataclass(frozen=True)
class _Parts:
    """What each layout is taken apart into."""

    lm: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    template: str
    connector: Mapping[str, Tensor]  # state dict, under the names of CONNECTORS' modules
    kind: str  # of the connector
    tower: CLIPVisionModel
    projection: Tensor | None  # (E, D) into CLIP's space, where the checkpoint has it
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
    """Model, in `dtype`, and encoder, in float32, of a LLaVA folder or hub id.

    `tower` and `tokenizer` are folders or hub ids that stand for the CLIP model that the original layout names, and for
    a tokenizer.json where the checkpoint has none. `template` and `max_length` are PromptBuilder's; without a template
    it is the processor's own, and LLaVA's v1 in the two layouts that have none.
    The pooled feature is CLIP's, projected, where the checkpoint or its tower says how, else the bare class token.
    FileNotFoundError: no such checkpoint, tower or tokenizer. ValueError: a part that is not supported, or damaged.
    """
    folder = local_folder(checkpoint, LM_FILES)
    config = _json(folder / "config.json")
    layer = config.get("mm_vision_select_layer", config.get("vision_feature_layer", -2))
    if not isinstance(layer, int):
        raise ValueError(
            f"{folder / 'config.json'}: image features of layers {layer} are not supported; expected one"
        )
    if config.get("model_type") == "tinyllava":
        parts = _tinyllava(folder, config, tower, tokenizer, dtype)
    elif "mm_vision_tower" in config:
        parts = _original(folder, config, tower, tokenizer, dtype)
    elif config.get("model_type") == "llava":
        parts = _transformers(folder, config, dtype)
    else:
        raise ValueError(
            f"{folder / 'config.json'}: model_type {config.get('model_type')!r} is not supported; "
            "expected 'llava', 'tinyllava', or the original LLaVA's configuration with mm_vision_tower"
        )
    width, depth = parts.tower.config.hidden_size, parts.tower.config.num_hidden_layers
    if (
        layer == 0 or not -depth <= layer <= depth
    ):  # of hidden states, the first of which is what goes in
        raise ValueError(
            f"{folder / 'config.json'}: image features of layer {layer} are not supported; expected the "
            f"output of one of the tower's {depth} blocks, as -2"
        )
    missing = parts.tokenizer.get_vocab().get(f"<missing:{STREAM}>")
    model = MultimodalLM(
        parts.lm,
        parts.tokenizer,
        {STREAM: Connector(parts.kind, width)},
        max_length=max_length,
        template=template or parts.template,
    )
    model.connectors[STREAM].load_state_dict(parts.connector)
    if missing is not None:  # written by export_llava
        model.missing[STREAM].data.copy_(parts.lm.get_input_embeddings().weight.data[missing])
    encoder = as_encoder(
        str(checkpoint),
        parts.tower,
        parts.processor,
        parts.projection,
        layer if layer < 0 else layer - 1,
        device,
    )
    return model.eval().to(device), encoder


def _transformers(folder: Path, config: dict, dtype: torch.dtype) -> _Parts:
    _expect(folder, config, TRANSFORMERS)
    _expect(folder, config.get("vision_config", {}), {"model_type": ("clip_vision_model",)})
    try:
        stock = LlavaForConditionalGeneration.from_pretrained(
            folder, dtype=dtype, local_files_only=True
        )
        processor = LlavaProcessor.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises whatever its parsers do
        raise ValueError(
            f"{folder}: transformers cannot load it as LLaVA ({_line(error)})"
        ) from error
    tokenizer = processor.tokenizer
    if tokenizer.convert_ids_to_tokens(stock.config.image_token_id) != f"<{STREAM}>":
        raise ValueError(
            f"{folder / 'config.json'}: image_token_index {stock.config.image_token_id} is another token "
            f"than '<{STREAM}>', which is not supported"
        )
    with torch.device("meta"):
        lm = AutoModelForCausalLM.from_config(stock.config.text_config)
    if (
        getattr(lm.get_output_embeddings(), "bias", None) is not None
    ):  # for which the format has no place
        stock.lm_head.bias = nn.Parameter(stock.lm_head.weight.new_zeros(len(stock.lm_head.weight)))
    setattr(lm, lm.base_model_prefix, stock.model.language_model)
    lm.set_output_embeddings(stock.lm_head)
    projector, projection = stock.model.multi_modal_projector, folder / PROJECTION
    return _Parts(
        lm,
        tokenizer,
        _from_parts(tokenizer, processor.chat_template) if processor.chat_template else "plain",
        {
            f"{ours}.{name}": tensor
            for ours, layer in (("0", projector.linear_1), ("2", projector.linear_2))
            for name, tensor in layer.state_dict().items()
        },
        "mlp2x_gelu",
        stock.model.vision_tower,
        read_safetensors(projection)["weight"] if projection.is_file() else None,
        processor.image_processor.to_dict(),
    )


def _original(
    folder: Path,
    config: dict,
    tower: str | Path | None,
    tokenizer: str | Path | None,
    dtype: torch.dtype,
) -> _Parts:
    kind = _expect(folder, config, ORIGINAL)["mm_projector_type"]
    name = (config.get("architectures") or [""])[0]
    match = re.fullmatch(r"\w*Llava(\w+)ForCausalLM", name)
    family = match and FAMILIES.get(match[1].lower(), match[1].lower())
    if family not in CONFIG_MAPPING:
        raise ValueError(
            f"{folder / 'config.json'}: the architecture {name!r} is not supported; expected LLaVA "
            "around a language model that transformers knows, as LlavaLlamaForCausalLM"
        )
    source = local_folder(tower or config["mm_vision_tower"], LM_FILES)
    vision, projection = _tower(source)
    state = _tensors(folder)
    connector, own = (
        _pop(state, "model.mm_projector."),
        _pop(state, "model.vision_tower.vision_tower."),
    )
    if own:  # trained further: CLIP's projection is of another tower
        _load(vision, own, folder)
        projection = None
    text = CONFIG_MAPPING[family].from_dict(
        {key: config[key] for key in config if key != "model_type"}
    )
    return _Parts(
        _lm(text, state, folder, dtype),
        load_tokenizer(tokenizer or folder),
        "llava_v1",
        connector,
        kind,
        vision,
        projection,
        _processor(source, vision, config),
    )


def _tinyllava(
    folder: Path,
    config: dict,
    tower: str | Path | None,
    tokenizer: str | Path | None,
    dtype: torch.dtype,
) -> _Parts:
    kind = _expect(folder, config, TINYLLAVA)["connector_type"]
    text = dict(config.get("text_config") or {})
    family = text.pop(
        "model_type", "llama"
    )  # what transformers leaves out of a nested configuration of Llama
    if family not in CONFIG_MAPPING:
        raise ValueError(
            f"{folder / 'config.json'}: the language model {family!r} is not supported; expected one that "
            "transformers knows"
        )
    vision_config = dict(config.get("vision_config") or {})
    _expect(folder, vision_config, {"model_type": ("clip_vision_model",)})
    state = _tensors(folder)
    connector, own = (
        _pop(state, "connector._connector."),
        _pop(state, "vision_tower._vision_tower."),
    )
    vision = CLIPVisionModel(CLIPVisionConfig.from_dict(vision_config)).eval()
    _load(vision, own, folder)
    lm = _lm(CONFIG_MAPPING[family].from_dict(text), _pop(state, "language_model."), folder, dtype)
    source = folder if tower is None else local_folder(tower, LM_FILES)
    return _Parts(
        lm,
        load_tokenizer(tokenizer or folder),
        "llava_v1",
        connector,
        kind,
        vision,
        None,
        _processor(source, vision, config),
    )


def _expect(folder: Path, config: Mapping, supported: Mapping[str, tuple]) -> dict:
    """The values of these keys. ValueError names the first one that is not supported."""
    values = {key: config.get(key, known[0]) for key, known in supported.items()}
    for key, value in values.items():
        if value not in supported[key]:
            known = " or ".join(repr(each) for each in supported[key] if each is not None)
            raise ValueError(
                f"{folder / 'config.json'}: {key} {value!r} is not supported; expected {known}"
            )
    return values


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _json(file: Path) -> dict:
    try:
        return json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{file}: no such file; expected a LLaVA checkpoint's folder"
        ) from None
    except ValueError as error:
        raise ValueError(f"{file}: no JSON ({error})") from error


def _from_parts(tokenizer: PreTrainedTokenizerBase, template: str) -> str:
    """The template, made to take messages of text if it takes them in parts only."""
    probe = [{"role": "user", "content": "felt"}]
    try:
        text = tokenizer.apply_chat_template(probe, chat_template=template, tokenize=False)
    except Exception:  # Jinja, about contents that it does not expect
        text = ""
    return template if "felt" in text else TO_PARTS + template


def _tensors(folder: Path) -> dict[str, Tensor]:
    """All weights of a folder by name. FileNotFoundError: none. ValueError: damaged, or pickled code."""
    state: dict[str, Tensor] = {}
    for pattern, read in (
        ("model*.safetensors", read_safetensors),
        ("pytorch_model*.bin", read_bin),
    ):
        for file in sorted(folder.glob(pattern)):
            state |= read(file)
        if state:
            return state
    raise FileNotFoundError(
        f"{folder}: no weights in it; expected model*.safetensors or pytorch_model*.bin"
    )


def _pop(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors under `prefix` out of the state, by what follows it."""
    return {
        name.removeprefix(prefix): state.pop(name)
        for name in list(state)
        if name.startswith(prefix)
    }


def _load(module: nn.Module, state: dict[str, Tensor], folder: Path) -> None:
    """Load all weights of a module; tables that follow from the configuration are left out of old files' state."""
    state = {
        name.removeprefix("vision_model."): tensor
        for name, tensor in state.items()
        if not name.endswith(("rotary_emb.inv_freq", "position_ids"))
    }
    missing, unknown = module.load_state_dict(state, strict=False)
    tied = getattr(module, "all_tied_weights_keys", {})
    if wrong := [name for name in missing if name not in tied] or unknown:
        raise ValueError(
            f"{folder}: the weights do not fit its configuration of a {type(module).__name__}, for one "
            f"{wrong[0]}"
        )


def _lm(
    config: PreTrainedConfig, state: dict[str, Tensor], folder: Path, dtype: torch.dtype
) -> PreTrainedModel:
    lm = AutoModelForCausalLM.from_config(config, dtype=dtype)
    _load(lm, state, folder)
    lm.tie_weights()
    return lm


def _tower(folder: Path) -> tuple[CLIPVisionModel, Tensor | None]:
    """The vision part of a CLIP model's folder and, where it is there, the projection into CLIP's space."""
    kind = _expect(
        folder, _json(folder / "config.json"), {"model_type": ("clip", "clip_vision_model")}
    )["model_type"]
    try:
        if kind == "clip_vision_model":
            return CLIPVisionModel.from_pretrained(folder, dtype=torch.float32), None
        clip = CLIPModel.from_pretrained(folder, dtype=torch.float32)
    except Exception as error:  # transformers raises whatever its parsers do
        raise ValueError(
            f"{folder}: transformers cannot load it as CLIP ({_line(error)})"
        ) from error
    return clip.vision_model, clip.visual_projection.weight


def _processor(folder: Path, tower: CLIPVisionModel, config: dict) -> dict:
    """The image processor's configuration of the tower's folder, or else CLIP's own at the tower's size."""
    file, size = folder / "preprocessor_config.json", tower.config.image_size
    known = (
        _json(file)
        if file.is_file()
        else CLIPImageProcessor(
            size={"shortest_edge": size}, crop_size={"height": size, "width": size}
        ).to_dict()
    )
    return known | {"do_pad": config.get("image_aspect_ratio") == "pad"}
