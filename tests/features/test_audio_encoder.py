"""Speech vectors: mean over the frames of a sound, whatever else is in the batch."""

import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from clips import tone, write_clip
from tiny_encoders import save_speech_encoder, write_json
from transformers import Wav2Vec2FeatureExtractor

from tinyemo.features import audio
from tinyemo.features.audio import load_audio_encoder
from tinyemo.features.media import MissingStream, read_audio

MODELS = [(kind, norm) for kind in ("hubert", "wavlm", "wav2vec2") for norm in ("group", "layer")]


def sounds(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(rng.normal(0.05, 0.1, n) * np.hanning(n)).astype(np.float32) for n in lengths]


@pytest.mark.parametrize(("kind", "norm"), MODELS)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_vector_is_the_mean_over_time_alone_and_in_a_batch(tmp_path, kind, norm, layers):
    model = save_speech_encoder(tmp_path, kind, norm)
    encoder = load_audio_encoder(tmp_path, layers)
    batch = sounds(3200, 8000, 8000, 1500, 5000)
    vectors = encoder.encode(batch)
    assert vectors.shape == (5, encoder.width) and vectors.dtype == torch.float32
    extract = Wav2Vec2FeatureExtractor(do_normalize=True)
    for sound, vector in zip(batch, vectors, strict=True):
        values = extract(sound, sampling_rate=16000, return_tensors="pt").input_values
        with torch.inference_mode():
            out = model(values, output_hidden_states=True)
        states = [*out.hidden_states[:-1], out.last_hidden_state]  # as transformers 4 gave them
        expected = sum(state[0].mean(dim=0) for state in states[-layers:]) / layers
        torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(encoder.encode([sound])[0], vector, atol=1e-5, rtol=0)


def test_only_models_that_do_not_see_padding_get_padded_batches(tmp_path, monkeypatch):
    lengths = [3000, 3000, 4000, 4000, 5000]
    sizes = {}
    for norm in ("group", "layer"):
        save_speech_encoder(tmp_path / norm, "wav2vec2", norm)
        encoder = load_audio_encoder(tmp_path / norm)
        pieces = list(enumerate(sounds(*lengths)))
        sizes[norm] = [[len(sound) for _, sound in batch] for batch in encoder._batches(pieces)]
    assert sizes["group"] == [[5000], [4000, 4000], [3000, 3000]]
    assert sizes["layer"] == [[5000, 4000, 4000, 3000, 3000]]
    monkeypatch.setattr(audio, "BUDGET", 10000 / 16000)  # two sounds of 5,000 samples
    assert [len(batch) for batch in encoder._batches(pieces)] == [2, 2, 1]


def test_a_long_sound_is_encoded_in_equal_pieces(tmp_path, monkeypatch):
    model = save_speech_encoder(tmp_path, "hubert")
    encoder = load_audio_encoder(tmp_path)
    (sound,) = sounds(20000)
    monkeypatch.setattr(audio, "LONGEST", 0.5)  # 8,000 samples: three pieces
    normalised = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    frames = []
    with torch.inference_mode():
        for piece in np.array_split(normalised, 3):
            frames += model(torch.from_numpy(piece)[None]).last_hidden_state[0]
    expected = torch.stack(frames).mean(dim=0)
    torch.testing.assert_close(encoder.encode([sound])[0], expected, atol=1e-5, rtol=0)


def test_silence_and_too_short_sounds_are_missing_streams(tmp_path):
    save_speech_encoder(tmp_path / "model", "hubert")
    encoder = load_audio_encoder(tmp_path / "model")
    # by hand: the last layer needs 4 inputs, the second 3 * 4 + 8 = 20, the first 19 * 5 + 10
    assert encoder.shortest == 105
    assert torch.isfinite(encoder.encode(sounds(105))).all()
    for name, samples, reason in (
        ("silent.wav", np.zeros(8000, np.float32), "silence"),
        ("short.wav", tone(104 / 16000, 16000), "too short"),
    ):
        path = write_clip(tmp_path / name, None, "pcm_s16le", samples=samples, rate=16000)
        with pytest.raises(MissingStream, match=name) as caught:
            encoder.read(str(path))
        assert caught.value.reason == reason
    path = write_clip(tmp_path / "a.mp4", seconds=0.2)
    np.testing.assert_array_equal(encoder.read(str(path)), read_audio(path))


def test_settings_that_are_wrong_or_missing_are_named(tmp_path):
    save_speech_encoder(tmp_path, "hubert")
    with pytest.raises(ValueError, match="layers=4: expected 1 to 3"):
        load_audio_encoder(tmp_path, layers=4)
    one = load_audio_encoder(tmp_path)
    assert load_audio_encoder(tmp_path, layers=3).key != one.key
    write_json(tmp_path / "preprocessor_config.json", {"sampling_rate": 16000})
    with pytest.raises(ValueError, match="expected sampling_rate and do_normalize"):
        load_audio_encoder(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(FileNotFoundError, match="preprocessor_config.json: no such file"):
        load_audio_encoder(tmp_path)


# ---- openSMILE


def test_without_the_package_opensmile_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(ModuleNotFoundError, match="pip install opensmile .*research"):
        load_audio_encoder("opensmile:eGeMAPSv02")


def test_opensmile_gives_one_row_of_functionals_per_sound(monkeypatch):
    class Smile:
        feature_names = ["mean", "samples"]

        def __init__(self, feature_set, level):
            assert (feature_set.name, level) == ("eGeMAPSv02", "functionals")

        def process_signal(self, samples, rate):
            assert rate == 16000
            return pd.DataFrame([[samples.mean(), len(samples)]], columns=self.feature_names)

    package = SimpleNamespace(
        Smile=Smile,
        FeatureSet=[SimpleNamespace(name="eGeMAPSv02")],
        FeatureLevel=SimpleNamespace(Functionals="functionals"),
        __version__="2.6.0",
    )
    monkeypatch.setitem(sys.modules, "opensmile", package)
    encoder = load_audio_encoder("opensmile:eGeMAPSv02")
    batch = sounds(100, 300)
    expected = [[sound.mean(), len(sound)] for sound in batch]
    torch.testing.assert_close(encoder.encode(batch), torch.tensor(expected), atol=1e-6, rtol=0)
    assert encoder.width == 2 and len(encoder.key) == 64
    with pytest.raises(ValueError, match="unknown feature set; expected opensmile: and one of eGe"):
        load_audio_encoder("opensmile:eGeMAPSv99")


def test_the_88_functionals_of_egemaps():
    try:
        importlib.import_module("opensmile")
    except ImportError:
        pytest.skip("the optional package opensmile is not installed")
    encoder = load_audio_encoder("opensmile:eGeMAPSv02")
    vectors = encoder.encode([tone(1, 16000), tone(1, 16000, 220)])
    assert vectors.shape == (2, 88) and encoder.width == 88
    # the first functional is the mean pitch, in semitones above 27.5 Hz
    names = encoder.smile.feature_names
    pitch = vectors[:, names.index("F0semitoneFrom27.5Hz_sma3nz_amean")]
    torch.testing.assert_close(pitch, torch.tensor([48.0, 36.0]), atol=0.5, rtol=0)
