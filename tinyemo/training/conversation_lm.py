"""A MultimodalLM for conversations: how it is built, and what it predicts.

Takes the name of a published language model, or the shape of a small one that is trained from
scratch with the tokenizer of the text encoder; gives a model with one connector per stream. Its
training is training/multimodal_lm.py's; a label is predicted by the likelihood of its word.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerBase

from tinyemo.hub import local_folder
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.connectors import Connector
from tinyemo.models.conversation_prompt import DialoguePrompts, PromptStyle
from tinyemo.models.label_scoring import label_log_likelihoods, label_probabilities
from tinyemo.models.multimodal_folder import TOKENIZER_FILES
from tinyemo.models.multimodal_lm import MultimodalLM


@dataclass(frozen=True)
class SmallLm:
    """The shape of a causal language model that is trained from scratch (GPT-2's architecture)."""

    width: int = 128
    layers: int = 2
    heads: int = 4
    dropout: float = 0.2
    positions: int = 1024  # tokens of a prompt, at most


def conversation_model(
    widths: Mapping[str, int],
    tokenizer: str | Path,
    lm: str = "",
    shape: SmallLm = SmallLm(),
    connector: str = "linear",
    seed: int = 0,
) -> MultimodalLM:
    """A model with one connector for each stream of `widths` (stream -> width of its vectors).

    `lm`: folder or hub id of a causal language model; empty: a small one of the given shape, with
    random weights of `seed`. `tokenizer`: folder or hub id of the tokenizer (for a small model,
    that of the text encoder; for OpenELM, that of Llama 2). ValueError and FileNotFoundError as of
    `MultimodalLM.from_lm`.
    """
    connectors = {name: Connector(connector, width) for name, width in widths.items()}
    if lm:
        return MultimodalLM.from_lm(lm, connectors, tokenizer=tokenizer or None, seed=seed)
    words = load_tokenizer(local_folder(tokenizer, TOKENIZER_FILES))
    if words.eos_token is None:  # BERT's tokenizers end a text with [SEP]
        words.eos_token = words.sep_token
    model = small_lm(words, shape, seed)
    return MultimodalLM(
        model, words, connectors, template="plain", max_length=shape.positions, seed=seed
    )


def small_lm(tokenizer: PreTrainedTokenizerBase, shape: SmallLm, seed: int = 0) -> GPT2LMHeadModel:
    """A language model with random weights for the vocabulary of a tokenizer."""
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=shape.positions,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        resid_pdrop=shape.dropout,
        embd_pdrop=shape.dropout,
        attn_pdrop=shape.dropout,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT2LMHeadModel(config)


def predicted_probabilities(
    model: MultimodalLM,
    dialogues: DialoguePrompts,
    rows: Sequence[int],
    style: PromptStyle,
    labels: Sequence[str],
    prior: np.ndarray | None = None,
    withheld: Collection[str] = (),
    batch_size: int = 64,
) -> np.ndarray:
    """Probabilities (n, C) float64 of the labels for the utterances `rows`.

    `prior` (C,): the shares of the labels in training, for logit adjustment. The streams `withheld`
    are treated as missing.
    """
    samples = [dialogues.sample(row, style, labels, withheld=withheld) for row in rows]
    scores = label_log_likelihoods(model, samples, labels, batch_size)
    # the mean per token times its number would prefer short labels; all labels are compared alike
    adjustment = None if prior is None else torch.as_tensor(prior, dtype=scores.dtype)
    return label_probabilities(scores, adjustment).double().numpy()
