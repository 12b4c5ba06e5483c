"""Connectors: the small networks between a stream's tokens and a language model's embeddings.

Takes tokens (..., width), gives vectors (..., d_llm). A `Connector` is the description that is
saved with a model; CONNECTORS builds the network.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Connector:
    """Which network maps the tokens of one stream into the LM's embedding space."""

    kind: str  # a key of CONNECTORS
    width: int  # D of the stream's tokens


def mlp2x_gelu(width: int, d_llm: int) -> nn.Sequential:
    """LLaVA-1.5's connector: two linear layers with GELU. Its parameters are named 0.* and 2.*."""
    return nn.Sequential(nn.Linear(width, d_llm), nn.GELU(), nn.Linear(d_llm, d_llm))


# kind -> function of (width, d_llm) -> module
CONNECTORS: dict[str, Callable[[int, int], nn.Module]] = {
    "mlp2x_gelu": mlp2x_gelu,
    "linear": nn.Linear,
}
