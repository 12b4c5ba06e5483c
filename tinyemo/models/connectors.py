"""Connectors: the small networks between a stream's tokens and a language model's embeddings.

Takes tokens (..., width), gives vectors (..., d_llm). A `Connector` is the description that is
saved with a model; CONNECTORS builds the network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

INITIAL_SD = 0.02  # of weights, as transformers initialises language models
WORD_DROPOUT = 0.3  # share of a text's words that are withheld in training
TFIDF_SD = 0.1  # of weights for vectors of length 1
CONSTANT = 1e-6  # a dimension with a smaller standard deviation is constant


@dataclass(frozen=True)
class Connector:
    """Which network maps the tokens of one stream into the LM's embedding space."""

    kind: str  # a key of CONNECTORS
    width: int  # D of the stream's tokens


def mlp2x_gelu(width: int, d_llm: int) -> nn.Sequential:
    """LLaVA-1.5's connector: two linear layers with GELU. Its parameters are named 0.* and 2.*."""
    return nn.Sequential(nn.Linear(width, d_llm), nn.GELU(), nn.Linear(d_llm, d_llm))


class StandardizedLinear(nn.Module):
    """Each dimension to mean 0 and standard deviation 1, then one linear layer.

    For features whose dimensions have different scales, such as eGeMAPS (hertz beside decibel), and
    for sentence vectors of length 1, whose values are far smaller than word embeddings. Mean and
    standard deviation are those of the training data (`fit`). They are buffers, so they are saved
    with the weights. `dropout`, 0 at first, withholds a share of the dimensions in training: a few
    thousand utterances with hundreds of dimensions are otherwise learned by heart.
    """

    def __init__(self, width: int, d_llm: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("sd", torch.ones(width))
        self.dropout = nn.Dropout(0.0)
        self.linear = nn.Linear(width, d_llm)
        nn.init.normal_(self.linear.weight, std=INITIAL_SD)
        nn.init.zeros_(self.linear.bias)

    def fit(self, vectors: Tensor) -> None:
        """Take mean and standard deviation of vectors (N, width); a constant dimension keeps 1."""
        sd, mean = torch.std_mean(vectors.double(), dim=0, correction=0)
        self.mean.copy_(mean)
        self.sd.copy_(torch.where(sd > CONSTANT, sd, torch.ones_like(sd)))

    def forward(self, tokens: Tensor) -> Tensor:
        standardized = (tokens - self.mean) / self.sd
        return self.linear(self.dropout(standardized))


class TfidfLinear(nn.Module):
    """Which words a text has (0 or 1) to tf-idf, dropout of words, then one linear layer.

    The inverse document frequency log(N / n) of a word that n of the N training texts have is a
    buffer (`fit`), and 0 for a word that none has. The vectors get length 1.
    """

    def __init__(self, width: int, d_llm: int):
        super().__init__()
        self.register_buffer("idf", torch.ones(width))
        self.dropout = nn.Dropout(WORD_DROPOUT)
        self.linear = nn.Linear(width, d_llm)
        nn.init.normal_(self.linear.weight, std=TFIDF_SD)
        nn.init.zeros_(self.linear.bias)

    def fit(self, vectors: Tensor) -> None:
        """Take the frequencies of the words from training texts (N, width)."""
        found = (vectors > 0).sum(dim=0)
        idf = (len(vectors) / found.clamp(min=1)).log()
        self.idf.copy_(torch.where(found > 0, idf, torch.zeros_like(idf)))

    def forward(self, tokens: Tensor) -> Tensor:
        weighted = functional.normalize(tokens * self.idf, dim=-1)
        return self.linear(self.dropout(weighted))


# kind -> function of (width, d_llm) -> module
CONNECTORS: dict[str, Callable[[int, int], nn.Module]] = {
    "mlp2x_gelu": mlp2x_gelu,
    "linear": nn.Linear,
    "standardized_linear": StandardizedLinear,
    "tfidf_linear": TfidfLinear,
}
