"""A MultimodalLM that reads images, as a stock LLaVA folder of transformers.

Takes a MultimodalLM whose one stream is "image" and the encoder whose patch tokens it reads; writes what
LlavaForConditionalGeneration and LlavaProcessor load (OpenELM inside: after `import tinyemo`), with the same logits,
prompts and pixels. The embeddings of the placeholder and of the missing image become rows of the table; what has no
place in the format is refused. The tower's projection into CLIP's space, which LLaVA does not need and a metric
projector does, lies in a file of its own. `models/llava_reading.py` reads such folders and others.
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

from tinyemo.features.clip_vit import to_processor, to_transformers
from tinyemo.features.encoders import ImageEncoder
from tinyemo.models.llava.reading import PROJECTION, STREAM, read_llava
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.prompt import DEFAULT_TEMPLATE, TEMPLATES, PromptBuilder, Sample

__all__ = ["export_llava", "read_llava"]
CONNECTOR = "mlp2x_gelu"
# what LLaVA's processor hands to a template: contents in parts. Ours take text: an image is "<image>" and a line break.
FROM_PARTS = (
    "{%- set said = namespace(messages=[]) -%}{%- for message in messages -%}"
    "{%- set said.text = message['content'] if message['content'] is string else '' -%}"
    "{%- if message['content'] is not string -%}{%- for part in message['content'] -%}"
    "{%- set said.text = said.text + ('<image>\n' if part['type'] == 'image' else part['text']) -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- set said.messages = said.messages + [{'role': message['role'], 'content': said.text}] -%}"
    "{%- endfor -%}{%- set messages = said.messages %}"
)


def export_llava(model: MultimodalLM, encoder: ImageEncoder, folder: str | Path) -> Path:
    """Write `model` and `encoder` to the new `folder`, in the LM's dtype; gives the folder.

    What was written is loaded again and must give the model's logits before the folder takes its name.
    ValueError: a stream that is no image, another connector than mlp2x_gelu, a tower that is no CLIP vision transformer
    (a ResNet, SigLIP) or of another width, an LM whose logits are not a plain product with its output embeddings
    (Phi-2's bias, Gemma 2's capping), a folder that is not empty.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder}: not empty; expected a new folder for the exported model")
    if list(model.kinds) != [STREAM]:
        raise ValueError(
            f"the streams {', '.join(model.kinds)} cannot be exported: LLaVA has just {STREAM!r}"
        )
    kind = model.kinds[STREAM]
    if kind.kind != CONNECTOR:
        raise ValueError(
            f"the connector {kind.kind!r} cannot be exported: LLaVA has just {CONNECTOR!r}"
        )
    tower = to_transformers(encoder.model.visual)
    if kind.width != tower.config.hidden_size:
        raise ValueError(
            f"the connector takes tokens of width {kind.width}, the encoder {encoder.name} gives "
            f"{tower.config.hidden_size}; expected the encoder that the model was trained with"
        )
    stock = _assemble(model, tower, encoder.layer)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        made = Path(scratch) / "llava"
        stock.save_pretrained(made)
        _processor(model.prompts, encoder, tower).save_pretrained(made)
        if encoder.model.visual.proj is not None:
            save_file(
                {"weight": encoder.model.visual.proj.detach().cpu().T.contiguous()},
                made / PROJECTION,
            )
        _check(made, model, encoder)
        os.replace(made, folder)
    return folder


def _assemble(
    model: MultimodalLM, tower: CLIPVisionModel, layer: int
) -> LlavaForConditionalGeneration:
    """The stock model; it shares the LM's tensors, but for table and output embeddings."""
    lm: PreTrainedModel = model.lm
    if hasattr(lm, "merge_and_unload"):  # adapters
        lm = copy.deepcopy(lm).merge_and_unload()
    head = lm.get_output_embeddings()
    if getattr(head, "bias", None) is not None and head.bias.any():
        raise ValueError(
            f"{type(lm).__name__} adds a bias to its logits, for which LLaVA's format has no place"
        )
    table, image, missing = (
        lm.get_input_embeddings().weight,
        *(ids[STREAM] for ids in (model.prompts.placeholders, model.prompts.missing)),
    )
    rows = max(len(table), len(model.tokenizer))
    tied = bool(lm.config.tie_word_embeddings) and hasattr(
        lm.base_model, "embed_tokens"
    )  # the one name LLaVA ties
    state = {
        f"model.language_model.{name}": tensor
        for name, tensor in lm.base_model.state_dict().items()
    }
    state |= {f"model.vision_tower.{name}": tensor for name, tensor in tower.state_dict().items()}
    for ours, theirs in (("0", "linear_1"), ("2", "linear_2")):
        for part in ("weight", "bias"):
            state[f"model.multi_modal_projector.{theirs}.{part}"] = model.connectors[
                STREAM
            ].get_parameter(f"{ours}.{part}")
    grown = _grow(table, rows)
    grown[missing] = model.missing[STREAM][0].to(grown.dtype)
    state[_name_of(table, state)] = grown
    state["lm_head.weight"] = grown if tied else _grow(head.weight, rows)

    text = copy.deepcopy(lm.config)
    text.vocab_size, text.tie_word_embeddings = rows, tied
    config = LlavaConfig(
        vision_config=tower.config,
        text_config=text,
        image_token_index=image,
        tie_word_embeddings=tied,
        image_seq_length=(tower.config.image_size // tower.config.patch_size) ** 2,
        vision_feature_layer=layer if layer < 0 else layer + 1,
    )  # the first of its hidden states is the input
    with torch.device("meta"):
        stock = LlavaForConditionalGeneration(config)
    state = {
        name: tensor.detach().to("cpu", table.dtype).contiguous() for name, tensor in state.items()
    }
    stock.load_state_dict(state, assign=True)
    if tied:
        stock.lm_head.weight = stock.get_input_embeddings().weight
    stock.generation_config = GenerationConfig(
        **model.lm.generation_config.to_diff_dict()
        | {"suppress_tokens": model.prompts.never_generated_ids(rows)}
    )
    return stock


def _grow(table: Tensor, rows: int) -> Tensor:
    """A copy of the table (V, D) with zeros up to `rows`."""
    return torch.cat([table.detach(), table.new_zeros(rows - len(table), table.shape[1])])


def _name_of(tensor: Tensor, state: dict[str, Tensor]) -> str:
    return next(name for name, other in state.items() if other.data_ptr() == tensor.data_ptr())


def _processor(
    prompts: PromptBuilder, encoder: ImageEncoder, tower: CLIPVisionModel
) -> LlavaProcessor:
    """The processor whose chat template and tokenizer give the ids of `prompts`."""
    tokenizer: PreTrainedTokenizerBase = copy.deepcopy(prompts.tokenizer)
    template = prompts.template or tokenizer.chat_template or DEFAULT_TEMPLATE
    if prompts.encode(Sample((("felt", ""),))).input_ids[0] != tokenizer.bos_token_id:
        tokenizer.backend_tokenizer.post_processor = processors.Sequence(
            []
        )  # the processor would add BOS
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
def _check(folder: Path, model: MultimodalLM, encoder: ImageEncoder) -> None:
    """Whether what lies in `folder` gives the model's logits for one random image and a few words."""
    stock = LlavaForConditionalGeneration.from_pretrained(folder, dtype=model.lm.dtype).eval()
    size = stock.config.vision_config.image_size
    pixels = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    patches = encoder.encode(pixels)[1][0].cpu()
    batch = model.collate([Sample((("<image>\nWhat is felt here?", ""),), {STREAM: [patches]})])
    was_training = model.training
    ours = model.eval()(
        **{name: tensor.to(model.device) for name, tensor in batch.items() if name != "labels"}
    ).logits
    model.train(was_training)
    theirs = stock(
        batch["input_ids"],
        pixel_values=pixels.to(stock.dtype),
        attention_mask=batch["attention_mask"],
    )
    ours, theirs = ours.float().cpu(), theirs.logits[..., : ours.shape[-1]].float()
    words = [i for i in range(ours.shape[-1]) if i not in stock.generation_config.suppress_tokens]
    off = (ours - theirs)[..., words].abs().max() / ours.abs().max()
    if (
        not off <= max(torch.finfo(dtype).eps for dtype in (stock.dtype, encoder.dtype)) ** 0.5
    ):  # nan is off, too
        raise ValueError(
            f"{type(model.lm).__name__} gives other logits in LLaVA's format (off by {off:.2g} of the "
            "largest): it does more to them than multiply with its output embeddings; not exported"
        )
