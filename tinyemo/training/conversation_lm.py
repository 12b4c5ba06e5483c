"""A MultimodalLM for conversations: how it is built.

Takes the name of a published language model, or the shape of a small one that is trained from
scratch; gives a model with one connector per stream, which is not trained yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerBase

from tinyemo.models.connectors import Connector, StandardizedLinear, TfidfLinear
from tinyemo.models.conversation_prompt import PLACE_WIDTH, WORDS, StreamVectors
from tinyemo.models.multimodal_lm import MultimodalLM


@dataclass(frozen=True)
class SmallLm:
    """The shape of a model that is trained from scratch, and its dropout.

    GPT-NeoX's architecture has rotary positions: how far apart two turns are is the same wherever
    they are in the prompt. It also has dropout, without which a few thousand utterances are learned
    by heart.
    """

    width: int = 64
    layers: int = 2
    heads: int = 4
    dropout: float = 0.3  # of hidden states
    input_dropout: float = 0.0  # of the dimensions of the streams' vectors
    positions: int = 1024  # tokens of a prompt, at most


def conversation_model(
    streams: Mapping[str, StreamVectors],
    train_rows: Sequence[int],
    tokenizer: PreTrainedTokenizerBase,
    lm: str = "",
    shape: SmallLm = SmallLm(),
    seed: int = 0,
    words: StreamVectors | None = None,
) -> MultimodalLM:
    """A model with one connector for each stream, and one for `words` if they are given.

    `lm`: folder or hub id of a causal language model, which then has `tokenizer` as its own; empty:
    a small one of the given shape, with random weights of `seed`. The connectors take means,
    standard deviations and word frequencies from the vectors of `train_rows`. ValueError and
    FileNotFoundError as of `MultimodalLM.from_lm`; ValueError: no training utterance has the
    stream.
    """
    connectors = {}
    for name, stream in streams.items():
        connectors[name] = Connector("standardized_linear", stream.vectors.shape[1] + PLACE_WIDTH)
    if words is not None:
        connectors[WORDS] = Connector("tfidf_linear", words.vectors.shape[1])
    if lm:
        model = MultimodalLM.from_lm(lm, connectors, seed=seed)
    else:
        tokenizer.model_max_length = shape.positions
        model = MultimodalLM(
            small_lm(tokenizer, shape, seed),
            tokenizer,
            connectors,
            template="plain",
            max_length=shape.positions,
            seed=seed,
        )
    for name, module in model.connectors.items():
        if isinstance(module, TfidfLinear):
            module.fit(_present_vectors(name, words, train_rows))
        elif isinstance(module, StandardizedLinear):
            vectors = _present_vectors(name, streams[name], train_rows)
            # the values of the place are constant here, so they are kept as they are
            module.fit(pad(vectors, (0, PLACE_WIDTH)))
            module.dropout.p = 0.0 if lm else shape.input_dropout
    return model


def _present_vectors(name: str, stream: StreamVectors, rows: Sequence[int]) -> Tensor:
    """The vectors (n, D) of those rows that have the stream. ValueError: none."""
    rows = np.asarray(rows)
    present = rows[stream.present[rows]]
    if not len(present):
        raise ValueError(f"stream {name!r}: no utterance of the training part has it")
    return stream.vectors[torch.tensor(present)]


def small_lm(
    tokenizer: PreTrainedTokenizerBase, shape: SmallLm, seed: int = 0
) -> GPTNeoXForCausalLM:
    """A language model with random weights for the vocabulary of a tokenizer."""
    config = GPTNeoXConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=2 * shape.width,
        max_position_embeddings=shape.positions,
        hidden_dropout=shape.dropout,
        rotary_pct=0.5,
        use_parallel_residual=False,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPTNeoXForCausalLM(config)
