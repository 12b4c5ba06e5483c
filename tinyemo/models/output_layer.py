"""The log-likelihoods of given tokens, without the logits of a whole vocabulary in memory.

Takes a causal LM of transformers; gives its layers without the output layer, and the output layer.
This works for LMs whose logits are a linear function of the last hidden states and whose attention
accepts a mask for each pair of positions; others are recognised.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

BLOCK = 2048  # tokens of the vocabulary whose logits are in memory at once
# implementations of attention that accept a mask for each pair of positions
ANY_MASK = ("sdpa", "eager")
TOLERANCE = 1e-4  # of a logit; larger than its rounding


@dataclass(frozen=True, eq=False)
class OutputLayer:
    """Hidden states (..., D) -> logits (..., V): a product with `weight`, plus `bias`."""

    weight: Tensor  # (V, D)
    bias: Tensor | None  # (V,)

    def logits(self, hidden: Tensor) -> Tensor:
        """The logits (..., V) of hidden states (..., D)."""
        return functional.linear(hidden, self.weight, self.bias)

    def token_log_likelihoods(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """Log-likelihoods (n, K) float32 of the tokens (n, K) after hidden states (n, D)."""
        logits = torch.einsum("nd,nkd->nk", hidden, self.weight[tokens])
        if self.bias is not None:
            logits = logits + self.bias[tokens]
        return logits.float() - self.log_normalizer(hidden)[:, None]

    def log_normalizer(self, hidden: Tensor) -> Tensor:
        """log(sum(exp(logits))) of hidden states (n, D): (n,) float32, by blocks of the vocabulary.

        A block stays in the processor's cache, so this is faster than one step.
        """
        parts = []
        for start in range(0, len(self.weight), BLOCK):
            block = slice(start, start + BLOCK)
            bias = None if self.bias is None else self.bias[block]
            logits = functional.linear(hidden, self.weight[block], bias)  # (n, BLOCK)
            parts.append(logits.float().logsumexp(dim=-1))
        return torch.stack(parts, dim=-1).logsumexp(dim=-1)


def split_output(lm: PreTrainedModel) -> tuple[PreTrainedModel, OutputLayer] | None:
    """The LM without its output layer, and that layer; None for an LM that cannot be divided.

    Both of two short texts are computed alone, and side by side after their common beginning. An LM
    with which this gives different results is not divided: its logits have a limit or a scale, or
    its positions or masks are its own. Nor is one with a sliding window, or without attention.
    """
    inner, output = lm.base_model, lm.get_output_embeddings()
    if inner is lm or output is None or lm.config._attn_implementation not in ANY_MASK:
        return None
    layer = OutputLayer(output.weight, getattr(output, "bias", None))
    width = lm.get_input_embeddings().weight.shape[1]
    # a beginning of two tokens, and a token that follows it in each text
    tokens = torch.arange(4 * width).sin().view(4, width).to(output.weight)
    texts = torch.stack([tokens[[0, 1, 2]], tokens[[0, 1, 3]]])  # (2, 3, D)
    try:
        whole = inner(inputs_embeds=texts).last_hidden_state  # (2, 3, D)
        logits = lm(inputs_embeds=texts).logits
        parallel, cache = _side_by_side(inner, tokens)
    except (TypeError, ValueError, RuntimeError):  # it takes no such mask or positions
        return None
    is_linear = torch.allclose(layer.logits(whole), logits, rtol=TOLERANCE, atol=TOLERANCE)
    difference = (parallel - whole[:, -1]).norm() / whole[:, -1].norm()
    is_same = difference < torch.finfo(difference.dtype).eps ** 0.5
    return (inner, layer) if is_linear and is_same and _keeps_all(cache) else None


def _side_by_side(inner: PreTrainedModel, tokens: Tensor) -> tuple[Tensor, object]:
    """States (2, D) of the last two of four tokens, each after the first two; and the cache."""
    start = inner(inputs_embeds=tokens[None, :2], use_cache=True)
    # the last tokens do not see each other, and have the same position
    is_seen = torch.tensor([[True, True, True, False], [True, True, False, True]])
    states = inner(
        inputs_embeds=tokens[None, 2:],
        attention_mask=additive_mask(is_seen[None].to(tokens.device), tokens.dtype),
        position_ids=torch.full((1, 2), 2, device=tokens.device),
        past_key_values=start.past_key_values,
        use_cache=True,
    )
    return states.last_hidden_state[0], states.past_key_values


def additive_mask(is_seen: Tensor, dtype: torch.dtype) -> Tensor:
    """Which tokens see which (B, S, L) bool -> what attention adds to its scores (B, 1, S, L)."""
    lowest = torch.finfo(dtype).min
    return torch.zeros_like(is_seen, dtype=dtype).masked_fill(~is_seen, lowest)[:, None]


def _keeps_all(cache: object) -> bool:
    """Whether a cache keeps keys and values of all tokens in each layer."""
    if not isinstance(cache, DynamicCache):
        return False
    return all(type(layer) is DynamicLayer for layer in cache.layers)
