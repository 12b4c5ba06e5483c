"""Names of encoders -> the encoders of streams.

Owns which loader a stream has. Takes the name of an encoder per stream: a folder, a hub id, or what
else its loader knows; gives what tinyemo.features.stream_extraction takes.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch

from tinyemo.features.audio import load_audio_encoder
from tinyemo.features.faces import load_face_encoder
from tinyemo.features.stream_extraction import STREAM_COLUMNS, StreamEncoder
from tinyemo.features.text import load_text_encoder
from tinyemo.features.video import FrameEncoder, load_frame_encoder, load_video_encoder
from tinyemo.io import first_line


def load_stream_encoders(
    names: Mapping[str, str | Path | None],
    device: str | None = None,
    audio_layers: int = 1,
    face_detector: str = "cascades",
    frame: str = "middle",
    image_weights: str | None = None,
) -> dict[str, StreamEncoder]:
    """{stream: encoder} in the order of STREAM_COLUMNS, for the streams that have a name.

    text     sentence-transformers, or a text encoder of transformers
    audio    HuBERT, WavLM or wav2vec2, the mean of the last `audio_layers` layers; or
             "opensmile:<feature set>"
    video    VideoMAE
    face     ViT-MAE on the faces that `face_detector` finds ("cascades" or "yunet:<file>")
    image    CLIP, SigLIP or DINOv2 on one `frame` ("first", "middle" or "sharpest"): a folder with
             open_clip_config.json, or a name as of `load_image_encoder` with `image_weights`

    `device` defaults to CUDA if there is one. FileNotFoundError or ValueError in one sentence: no
    stream, an unknown stream or device, an encoder that is missing or does not fit.
    """
    streams = ", ".join(STREAM_COLUMNS)
    for stream in names:
        if stream not in STREAM_COLUMNS:
            raise ValueError(f"unknown stream {stream!r}: expected one of {streams}")
    named = [stream for stream in STREAM_COLUMNS if names.get(stream)]
    if not named:
        raise ValueError(f"no encoder is named: expected one for at least one of {streams}")
    _check_device(device)
    loaders = {
        "text": load_text_encoder,
        "audio": partial(load_audio_encoder, layers=audio_layers),
        "video": load_video_encoder,
        "face": partial(load_face_encoder, detector=face_detector),
        "image": partial(_load_image, pretrained=image_weights, policy=frame),
    }
    try:
        return {stream: loaders[stream](names[stream], device=device) for stream in named}
    except ModuleNotFoundError as error:  # an optional package, such as opensmile
        raise ValueError(str(error)) from error


def _load_image(name: str | Path, **options) -> FrameEncoder:
    """As `load_frame_encoder`; a folder needs no "local-dir:" before it."""
    is_folder = Path(name).expanduser().is_dir()
    return load_frame_encoder(f"local-dir:{name}" if is_folder else str(name), **options)


def _check_device(device: str | None) -> None:
    """ValueError: torch does not know the device, or this machine does not have it."""
    try:
        torch.device(device or "cpu")
    except RuntimeError as error:
        raise ValueError(
            f"unknown device {device!r}: expected cpu, cuda or cuda:<number>"
        ) from error
    try:
        torch.empty(1, device=device or "cpu")
    except (RuntimeError, AssertionError) as error:
        reason = first_line(error).rstrip(".")
        raise ValueError(
            f"the device {device!r} cannot be used here: {reason}; expected cpu, or nothing for "
            "the GPU where there is one"
        ) from error
