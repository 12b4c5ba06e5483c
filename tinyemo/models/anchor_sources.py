"""Three sources of label anchors: a language model's embeddings, CLIP's text tower, and chance.

Takes the name of a source, gives a function from words to anchors. The last two are controls for
experiments: CLIP's text tower has the geometry of images, but perhaps little about emotion words;
random directions hold no information about the words at all.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from zlib import crc32

import torch
from torch import Tensor

from tinyemo.features.encoders import ImageEncoder
from tinyemo.models.anchors import ground, load_anchors

# (words, grounding templates, seed) -> (C, D); only random anchors depend on the seed
AnchorSource = Callable[[Sequence[str], Sequence[str], int], Tensor]


def anchor_source(
    name: str, tokenizer: str = "", encoder: ImageEncoder | None = None, width: int = 128
) -> AnchorSource:
    """The source called `name`: "random" (of `width`), "clip-text" (of `encoder`), or a checkpoint.

    A checkpoint is a language model's folder or hub id; `tokenizer` is another one to take the
    tokenizer from. ValueError: "clip-text" without a text tower.
    """
    if name == "random":
        return lambda words, templates, seed: random_anchors(words, width, seed)
    if name == "clip-text":
        if encoder is None or not encoder.has_text:
            raise ValueError(
                "anchors 'clip-text': the encoder of the features has no text tower, or is unknown"
            )
        anchors_of = cache(partial(text_anchors, encoder))
    else:
        # cached: large files are read once
        anchors_of = cache(partial(load_anchors, name, tokenizer=tokenizer or None))
    return lambda words, templates, seed: anchors_of(tuple(words), tuple(templates))


def text_anchors(
    encoder: ImageEncoder, words: Sequence[str], template: str | Sequence[str] = "{emotion}"
) -> Tensor:
    """Anchors (C, D) float32 in the space of the encoder's pooled features, by its text tower.

    Templates and errors are those of `anchors.ground`. ValueError: the encoder has no text tower.
    """
    return ground(encoder.encode_text, words, template)


def random_anchors(words: Sequence[str], width: int, seed: int) -> Tensor:
    """One random direction per word, (n, width). The same word and seed give the same direction."""
    directions = []
    for word in words:
        generator = torch.Generator().manual_seed(crc32(f"{word} {seed}".encode()))
        directions.append(torch.randn(width, generator=generator))
    return torch.stack(directions)
