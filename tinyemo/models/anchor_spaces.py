"""Where words get their place: a language model's embedding table, CLIP's text tower, or chance.

Takes the name of a space, gives a function of words. The last two are controls: CLIP's text tower has the pictures'
geometry but may know little of emotion words; random directions know nothing at all.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from zlib import crc32

import torch
from torch import Tensor

from tinyemo.features.encoders import ImageEncoder
from tinyemo.models.anchors import ground, load_anchors

Space = Callable[
    [Sequence[str], Sequence[str], int], Tensor
]  # (words, grounding texts, seed) -> (C, D)


def anchor_space(
    name: str, tokenizer: str = "", encoder: ImageEncoder | None = None, width: int = 128
) -> Space:
    """The space called `name`: "random" (of `width`), "clip-text" (of `encoder`), or a language model's checkpoint.

    `tokenizer` is another checkpoint to take the tokenizer from. ValueError: "clip-text" without a text tower.
    """
    if name == "random":
        return lambda words, texts, seed: random_anchors(words, width, seed)
    if name == "clip-text":
        if encoder is None or not encoder.has_text:
            raise ValueError(
                "anchors 'clip-text': the features' encoder has no text tower, or is not known"
            )
        place = cache(partial(text_anchors, encoder))
    else:
        place = cache(
            partial(load_anchors, name, tokenizer=tokenizer or None)
        )  # large files are read once
    return lambda words, texts, seed: place(tuple(words), tuple(texts))


def text_anchors(
    encoder: ImageEncoder, words: Sequence[str], template: str | Sequence[str] = "{emotion}"
) -> Tensor:
    """Anchors (C, D) float32 of `words` in the space of the encoder's pooled features, by its text tower.

    Templates and errors are those of `anchors.ground`. ValueError: the encoder has no text tower.
    """
    return ground(encoder.encode_text, words, template)


def random_anchors(words: Sequence[str], width: int, seed: int) -> Tensor:
    """A random direction a word, (n, width): with one seed the same word always gets the same one."""
    return torch.stack(
        [
            torch.randn(
                width, generator=torch.Generator().manual_seed(crc32(f"{word} {seed}".encode()))
            )
            for word in words
        ]
    )
