"""Vectors of EmoScenes' dialogues: one vector per utterance and stream, from its cue.

Takes cues and speakers; gives float32 vectors. Every cue has several prototypes (for the text, one
per phrase). They are fixed: they do not depend on the seed of a dataset. A vector is the prototype,
plus the offset of the speaker in directions that carry no cue, plus noise. A linear map can read
the cue from it, but a learner has to find that map.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from emoscenes.dialogue_model import MODEL, STREAMS

OFFSETS = 8  # directions of a vector that differ between speakers and carry no cue
PROTOTYPE_SEED = 86  # first part of the seeds of prototypes

# standard deviations per value: centres of cues, prototypes around them, marker, offset, noise
_CENTRE, _AROUND, _MARKER, _OFFSET, _NOISE = 1.0, 0.15, 1.2, 0.7, 0.12


@cache
def prototypes(stream: str, count: int) -> np.ndarray:
    """`count` prototypes of each cue of a stream, without offset: (cues, count, D - OFFSETS).

    They lie around the centre of the cue. In a stream with a marker, the centre is that of the
    hint, plus or minus one vector for the marker.
    """
    rng = np.random.default_rng([PROTOTYPE_SEED, STREAMS.index(stream)])
    width = MODEL.widths[stream] - OFFSETS
    cues, hints = MODEL.cues[stream].shape[-1], len(MODEL.codes)
    centres = _CENTRE * rng.normal(size=(hints, 1, width))
    if cues > hints:
        marker = _MARKER * rng.normal(size=width)
        centres = centres + np.stack([-marker, marker])  # (hints, 2, width)
    around = _AROUND * rng.normal(size=(cues, count, width))
    return centres.reshape(cues, 1, width) + around


@cache
def directions(stream: str) -> np.ndarray:
    """Orthonormal directions (D, D): first those of the prototypes, then those of the offsets."""
    rng = np.random.default_rng([PROTOTYPE_SEED, STREAMS.index(stream), 1])
    width = MODEL.widths[stream]
    basis, _ = np.linalg.qr(rng.normal(size=(width, width)))
    return basis


def vectors(
    stream: str,
    cues: np.ndarray,
    variants: np.ndarray,
    count: int,
    speakers: np.ndarray,
    seed: Sequence[int],
) -> np.ndarray:
    """Vectors (N, D) float32 of one stream.

    cues, variants, speakers: (N,) int. `variants` are positions among the `count` prototypes of the
    cue; speakers count from 0. The offsets and the noise depend on `seed`.
    """
    rng = np.random.default_rng(seed)
    shown = prototypes(stream, count)[cues, variants]  # (N, D - OFFSETS)
    offsets = _OFFSET * rng.normal(size=(int(speakers.max()) + 1, OFFSETS))
    inner = np.concatenate([shown, offsets[speakers]], axis=1)  # (N, D)
    inner += _NOISE * rng.normal(size=inner.shape)
    outer = inner @ directions(stream)
    return outer.astype(np.float32)
