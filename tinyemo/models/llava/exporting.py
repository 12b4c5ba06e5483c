"""Writes a MultimodalLM that reads images as a stock LLaVA folder of transformers.

Takes a MultimodalLM whose only stream is "image", and the encoder whose patch tokens it reads.
Writes a folder that LlavaForConditionalGeneration and LlavaProcessor load (with an OpenELM inside:
after `import tinyemo`), with the same logits, prompts and pixels. The embeddings of the placeholder
and of the missing image become rows of the embedding table; a model with a part that the format
cannot hold is refused. The encoder's projection into CLIP's space is saved in a file of its own:
LLaVA does not need it, but a metric projector does.

models/llava/reading.py reads such folders, and others.
"""

import copy
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save_file
from tokenizers import processors
from torch import Tensor
from transformers import (
    CLIPVisionModel,
    GenerationConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tinyemo.features.clip_conversion import to_processor, to_transformers
from tinyemo.features.encoders import ImageEncoder
from tinyemo.models.llava.reading import PROJECTION, STREAM
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.prompt import (
    DEFAULT_TEMPLATE,
    TEMPLATES,
    PromptBuilder,
    Sample,
    question_turns,
)

CONNECTOR = "mlp2x_gelu"
# layer of our connector -> layer of LLaVA's
CONNECTOR_LAYERS = {"0": "linear_1", "2": "linear_2"}
# LLaVA's processor passes message contents to a template as a list of parts; our templates take
# text. This turns the parts into text: an image becomes "<image>" and a line break.
FROM_PARTS = (
    "{%- set ns = namespace(messages=[]) -%}{%- for message in messages -%}"
    "{%- set ns.text = message['content'] if message['content'] is string else '' -%}"
    "{%- if message['content'] is not string -%}{%- for part in message['content'] -%}"
    "{%- set ns.text = ns.text + "
    "('<image>\n' if part['type'] == 'image' else part['text']) -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- set ns.messages = ns.messages + [{'role': message['role'], 'content': ns.text}] -%}"
    "{%- endfor -%}{%- set messages = ns.messages %}"
)


def export_llava(model: MultimodalLM, encoder: ImageEncoder, folder: str | Path) -> Path:
    """Write `model` and `encoder` to the new `folder`, in the LM's dtype; returns the folder.

    The written model is loaded again and must give the logits of `model`; only then does the
    folder get its name.

    ValueError: a stream other than "image", a connector other than mlp2x_gelu, an image tower that
    is not a CLIP vision transformer (a ResNet, SigLIP) or has another width, an LM whose logits are
    not a plain product with its output embeddings (Phi-2's bias, Gemma 2's capping), or a folder
    that is not empty.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder}: not empty; expected a new folder for the exported model")
    if list(model.kinds) != [STREAM]:
        streams = ", ".join(model.kinds)
        raise ValueError(f"the streams {streams} cannot be exported: LLaVA has just {STREAM!r}")
    connector = model.kinds[STREAM]
    if connector.kind != CONNECTOR:
        raise ValueError(
            f"the connector {connector.kind!r} cannot be exported: LLaVA has just {CONNECTOR!r}"
        )
    visual = encoder.model.visual
    tower = to_transformers(visual)
    if connector.width != tower.config.hidden_size:
        raise ValueError(
            f"the connector takes tokens of width {connector.width}, the encoder {encoder.name} "
            f"gives {tower.config.hidden_size}; expected the encoder that the model was trained "
            "with"
        )
    stock = _stock_model(model, tower, encoder.layer)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        written = Path(scratch) / "llava"
        stock.save_pretrained(written)
        _stock_processor(model.prompts, encoder, tower).save_pretrained(written)
        if visual.proj is not None:
            projection = visual.proj.detach().cpu().T.contiguous()  # (E, D)
            save_file({"weight": projection}, written / PROJECTION)
        _check_logits(written, model, encoder)
        os.replace(written, folder)
    return folder


def _stock_model(
    model: MultimodalLM, tower: CLIPVisionModel, layer: int
) -> LlavaForConditionalGeneration:
    """The stock LLaVA model. It shares the LM's tensors, except for both embedding tables."""
    lm = _plain_lm(model)
    table = lm.get_input_embeddings().weight  # (V, d_llm)
    rows = max(len(table), len(model.tokenizer))
    # "embed_tokens" is the only name of a table that LLaVA ties to the output embeddings
    tied = bool(lm.config.tie_word_embeddings) and hasattr(lm.base_model, "embed_tokens")
    with torch.device("meta"):  # without memory: the tensors are assigned below
        stock = LlavaForConditionalGeneration(_stock_config(model, lm, tower, layer, rows, tied))
    state = _stock_state(model, lm, tower, rows, tied)
    state = {name: _as_saved(tensor, table.dtype) for name, tensor in state.items()}
    stock.load_state_dict(state, assign=True)
    if tied:
        stock.lm_head.weight = stock.get_input_embeddings().weight
    generation = model.lm.generation_config.to_diff_dict()
    generation["suppress_tokens"] = model.prompts.never_generated_ids(rows)
    stock.generation_config = GenerationConfig(**generation)
    return stock


def _plain_lm(model: MultimodalLM) -> PreTrainedModel:
    """The LM with its adapters merged (in a copy). ValueError: it adds a bias to its logits."""
    lm = model.lm
    if hasattr(lm, "merge_and_unload"):  # it has adapters
        lm = copy.deepcopy(lm).merge_and_unload()
    bias = getattr(lm.get_output_embeddings(), "bias", None)
    if bias is not None and bias.any():
        raise ValueError(
            f"{type(lm).__name__} adds a bias to its logits, for which LLaVA's format has no place"
        )
    return lm


def _stock_state(
    model: MultimodalLM, lm: PreTrainedModel, tower: CLIPVisionModel, rows: int, tied: bool
) -> dict[str, Tensor]:
    """The weights of language model, tower and connector under LLaVA's names."""
    state = {}
    for name, tensor in lm.base_model.state_dict().items():
        state[f"model.language_model.{name}"] = tensor
    for name, tensor in tower.state_dict().items():
        state[f"model.vision_tower.{name}"] = tensor
    connector = model.connectors[STREAM]
    for ours, theirs in CONNECTOR_LAYERS.items():
        for part in ("weight", "bias"):
            tensor = connector.get_parameter(f"{ours}.{part}")
            state[f"model.multi_modal_projector.{theirs}.{part}"] = tensor
    table = lm.get_input_embeddings().weight  # (V, d_llm)
    with_streams = _with_rows(table, rows)  # (rows, d_llm)
    missing_id = model.prompts.missing[STREAM]
    with_streams[missing_id] = model.missing[STREAM][0].to(table.dtype)
    state[_name_of(table, state)] = with_streams
    head = lm.get_output_embeddings().weight
    state["lm_head.weight"] = with_streams if tied else _with_rows(head, rows)
    return state


def _stock_config(
    model: MultimodalLM,
    lm: PreTrainedModel,
    tower: CLIPVisionModel,
    layer: int,
    rows: int,
    tied: bool,
) -> LlavaConfig:
    text_config = copy.deepcopy(lm.config)
    text_config.vocab_size = rows
    text_config.tie_word_embeddings = tied
    patches_per_side = tower.config.image_size // tower.config.patch_size
    return LlavaConfig(
        vision_config=tower.config,
        text_config=text_config,
        image_token_index=model.prompts.placeholders[STREAM],
        tie_word_embeddings=tied,
        image_seq_length=patches_per_side**2,
        # LLaVA counts hidden states, and the first of them is the input of the first layer
        vision_feature_layer=layer if layer < 0 else layer + 1,
    )


def _as_saved(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to("cpu", dtype).contiguous()


def _with_rows(table: Tensor, rows: int) -> Tensor:
    """A copy of the table (V, D) with rows of zeros up to (rows, D)."""
    return torch.cat([table.detach(), table.new_zeros(rows - len(table), table.shape[1])])


def _name_of(tensor: Tensor, state: dict[str, Tensor]) -> str:
    """The name in `state` of the tensor with the same memory."""
    return next(name for name, other in state.items() if other.data_ptr() == tensor.data_ptr())


def _stock_processor(
    prompts: PromptBuilder, encoder: ImageEncoder, tower: CLIPVisionModel
) -> LlavaProcessor:
    """A processor whose chat template and tokenizer give the same ids as `prompts`."""
    tokenizer: PreTrainedTokenizerBase = copy.deepcopy(prompts.tokenizer)
    template = prompts.template or tokenizer.chat_template or DEFAULT_TEMPLATE
    example = prompts.encode(Sample(question_turns("felt", [])))
    if example.input_ids[0] != tokenizer.bos_token_id:
        # our prompts have no BOS, so the tokenizer must not add one
        tokenizer.backend_tokenizer.post_processor = processors.Sequence([])
    tokenizer.chat_template, tokenizer.padding_side = None, "left"
    return LlavaProcessor(
        to_processor(encoder.preprocess),
        tokenizer,
        patch_size=tower.config.patch_size,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=FROM_PARTS + TEMPLATES.get(template, template),
    )


@torch.inference_mode()
def _check_logits(folder: Path, model: MultimodalLM, encoder: ImageEncoder) -> None:
    """ValueError if the exported folder gives other logits than `model` for one random image."""
    stock = LlavaForConditionalGeneration.from_pretrained(folder, dtype=model.lm.dtype).eval()
    size = stock.config.vision_config.image_size
    pixels = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    patches = encoder.encode(pixels)[1][0].cpu()  # (T, D)
    turns = question_turns("What is felt here?", [STREAM])
    batch = model.collate([Sample(turns, {STREAM: [patches]})])
    del batch["labels"]
    was_training = model.training
    on_device = {name: tensor.to(model.device) for name, tensor in batch.items()}
    ours = model.eval()(**on_device).logits.float().cpu()  # (1, L, V)
    model.train(was_training)
    out = stock(
        batch["input_ids"],
        pixel_values=pixels.to(stock.dtype),
        attention_mask=batch["attention_mask"],
    )
    theirs = out.logits[..., : ours.shape[-1]].float()
    suppressed = stock.generation_config.suppress_tokens
    words = [index for index in range(ours.shape[-1]) if index not in suppressed]
    difference = (ours - theirs)[..., words].abs().max() / ours.abs().max()
    precision = max(torch.finfo(dtype).eps for dtype in (stock.dtype, encoder.dtype))
    if not difference <= precision**0.5:  # also if it is NaN
        raise ValueError(
            f"{type(model.lm).__name__} gives other logits in LLaVA's format (off by "
            f"{difference:.2g} of the largest): it does more to them than multiply with its output "
            "embeddings; not exported"
        )
