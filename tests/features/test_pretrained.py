"""Strict loading of transformers' checkpoints: every tensor is accounted for."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_encoders import save_speech_encoder, save_text_encoder
from transformers import BertForMaskedLM, HubertConfig, HubertForCTC

from tinyemo.features.audio import load_audio_encoder
from tinyemo.features.pretrained import content_key, load_frozen
from tinyemo.features.text import KINDS, UNUSED, load_text_encoder


def change_weights(folder, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_missing_and_a_foreign_tensor_are_named(tmp_path):
    save_text_encoder(tmp_path)
    name = "encoder.layer.1.attention.self.query.weight"
    weight = load_file(tmp_path / "model.safetensors")[name]
    change_weights(tmp_path, lambda tensors: tensors.pop(name))
    with pytest.raises(ValueError, match=f"{tmp_path}: .*lacks the tensor {name}") as caught:
        load_text_encoder(tmp_path)
    assert "\n" not in str(caught.value)

    change_weights(
        tmp_path, lambda tensors: tensors.update({name: weight, "extra.weight": weight.clone()})
    )
    with pytest.raises(ValueError, match="has the tensor extra.weight, which fits nothing"):
        load_text_encoder(tmp_path)
    change_weights(tmp_path, lambda tensors: tensors.update({name: weight[:4]}))
    message = f"{tmp_path}: .* {name} of shape .4, 16., expected .16, 16."
    with pytest.raises(ValueError, match=message):
        load_text_encoder(tmp_path)


def test_heads_and_poolers_are_known_exceptions(tmp_path):
    model = save_text_encoder(tmp_path)
    vectors = load_text_encoder(tmp_path).encode(["no", "i am so happy"])
    key = load_text_encoder(tmp_path).key

    with_head = BertForMaskedLM(model.config)  # has a head, and no pooler
    with_head.bert.load_state_dict(model.state_dict(), strict=False)
    with_head.save_pretrained(tmp_path)
    loaded = load_text_encoder(tmp_path)
    torch.testing.assert_close(loaded.encode(["no", "i am so happy"]), vectors)
    assert loaded.key == key == load_text_encoder(tmp_path).key  # a random pooler does not count


def test_published_speech_checkpoints_with_older_names_are_read(tmp_path):
    """HuBERT's published files hold weight_g and weight_v, and a prefix where there is a head."""
    model = save_speech_encoder(tmp_path / "plain", "hubert")
    save_speech_encoder(tmp_path / "old", "hubert")
    config = HubertConfig.from_pretrained(tmp_path / "plain")
    HubertForCTC(config).save_pretrained(tmp_path / "old")

    def rename(tensors):
        head = {name: tensor for name, tensor in tensors.items() if name.startswith("lm_head")}
        tensors.clear()
        tensors.update(head)
        for name, tensor in model.state_dict().items():
            name = name.replace("parametrizations.weight.original0", "weight_g")
            name = name.replace("parametrizations.weight.original1", "weight_v")
            tensors[f"hubert.{name}"] = tensor

    change_weights(tmp_path / "old", rename)
    old, plain = load_audio_encoder(tmp_path / "old"), load_audio_encoder(tmp_path / "plain")
    sound = torch.randn(4000, generator=torch.Generator().manual_seed(0)).numpy()
    torch.testing.assert_close(old.encode([sound]), plain.encode([sound]))


def test_another_kind_of_model_and_a_folder_without_weights_are_refused(tmp_path):
    save_speech_encoder(tmp_path / "speech", "hubert")
    with pytest.raises(ValueError, match="model_type is 'hubert', expected one of bert, "):
        load_text_encoder(tmp_path / "speech")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        load_text_encoder(tmp_path / "nowhere")
    save_text_encoder(tmp_path / "text")
    (tmp_path / "text" / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=f"{tmp_path / 'text'}: no weights in it"):
        load_text_encoder(tmp_path / "text")
    (tmp_path / "text" / "config.json").write_text("[1]")
    with pytest.raises(ValueError, match="expected a JSON dict, found a list"):
        load_text_encoder(tmp_path / "text")


def test_half_precision_weights_are_computed_in_float32(tmp_path):
    save_text_encoder(tmp_path)
    exact = load_text_encoder(tmp_path).encode(["no"])
    change_weights(
        tmp_path, lambda tensors: tensors.update({k: v.half() for k, v in tensors.items()})
    )
    loaded = load_text_encoder(tmp_path)
    assert loaded.model.dtype == torch.float32
    torch.testing.assert_close(loaded.encode(["no"]), exact, atol=2e-3, rtol=0)


def test_the_key_hashes_facts_and_tensors_but_not_the_folder(tmp_path):
    save_text_encoder(tmp_path / "a")
    save_text_encoder(tmp_path / "b")
    a, b = load_text_encoder(tmp_path / "a"), load_text_encoder(tmp_path / "b")
    a.encode(["no"])
    assert a.key == b.key
    save_text_encoder(tmp_path / "c", normalise=False)
    assert load_text_encoder(tmp_path / "c").key != a.key
    _, model = load_frozen(tmp_path / "a", KINDS, UNUSED)
    key = content_key([], model)
    model.embeddings.LayerNorm.bias.data[3] += 1e-3
    assert content_key([], model) != key
    tokenizer = json.loads((tmp_path / "b" / "tokenizer.json").read_text())
    tokenizer["normalizer"] = None
    (tmp_path / "b" / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert load_text_encoder(tmp_path / "b").key != b.key
