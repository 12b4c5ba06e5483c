"""Sentence vectors: pooling as the folder says, the same alone and in a batch."""

import pytest
import torch
from tiny_encoders import WORDS, save_text_encoder, write_json
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

from tinyemo.features.media import MissingStream
from tinyemo.features.text import load_text_encoder

TEXTS = ["no", "I am so happy that you came", "what", "stop it please", "no"]


def by_hand(folder, model, text: str, mode: str, normalise: bool) -> torch.Tensor:
    """One text, without padding: its sentence vector, and the mean of the middle layer."""
    ids = AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
    with torch.inference_mode():
        middle = model.embeddings(torch.tensor([ids]))
        for block in model.encoder.layer[: len(model.encoder.layer) // 2]:
            middle = block(middle)
        tokens = model(torch.tensor([ids])).last_hidden_state[0]  # (L, D)
    vector = tokens.sum(dim=0) / len(ids) if mode == "mean_tokens" else tokens[0]
    vector = vector / vector.square().sum().sqrt() if normalise else vector
    return torch.cat([vector, middle[0].sum(dim=0) / len(ids)])


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token"])
@pytest.mark.parametrize("normalise", [True, False])
def test_vectors_are_pooled_as_the_folder_says(tmp_path, mode, normalise):
    model = save_text_encoder(tmp_path, mode, normalise)
    encoder = load_text_encoder(tmp_path)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (5, encoder.width) and vectors.dtype == torch.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        expected = by_hand(tmp_path, model, text, mode, normalise)
        torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(encoder.encode([text])[0], vector, atol=1e-5, rtol=0)


def test_without_modules_the_vector_is_the_plain_mean(tmp_path):
    model = save_text_encoder(tmp_path)
    (tmp_path / "modules.json").unlink()
    vector = load_text_encoder(tmp_path).encode(["stop it"])[0]
    expected = by_hand(tmp_path, model, "stop it", "mean_tokens", False)
    torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)


def test_the_newer_spelling_of_the_pooling_is_read(tmp_path):
    save_text_encoder(tmp_path)
    write_json(tmp_path / "1_Pooling" / "config.json", {"pooling_mode": "cls"})
    assert load_text_encoder(tmp_path).pooling.mode == "cls"


def test_long_texts_are_cut_with_a_warning(tmp_path):
    model = save_text_encoder(tmp_path, longest=6)
    encoder = load_text_encoder(tmp_path)
    long = " ".join(WORDS)
    with pytest.warns(UserWarning, match="1 of 2 texts have more than 6 tokens"):
        vector = encoder.encode(["no", long])[1]
    first_four = " ".join(WORDS[:4])  # and the two special tokens
    expected = by_hand(tmp_path, model, first_four, "mean_tokens", True)
    torch.testing.assert_close(vector, expected, atol=1e-5, rtol=0)


def test_an_empty_text_is_a_missing_stream(tmp_path):
    save_text_encoder(tmp_path)
    encoder = load_text_encoder(tmp_path)
    assert encoder.read("  no \n") == "no"
    with pytest.raises(MissingStream) as caught:
        encoder.read(" \n")
    assert caught.value.reason == "no text"


def test_what_the_encoder_cannot_do_is_refused(tmp_path):
    save_text_encoder(tmp_path, pooling="max_tokens")
    with pytest.raises(ValueError, match="1_Pooling/config.json: the pooling is ; expected mean"):
        load_text_encoder(tmp_path)
    dense = [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
    write_json(tmp_path / "modules.json", dense)
    with pytest.raises(ValueError, match="cannot use the module Dense"):
        load_text_encoder(tmp_path)
    write_json(tmp_path / "config_sentence_transformers.json", {"default_prompt_name": "query"})
    with pytest.raises(ValueError, match="default_prompt_name is 'query'"):
        load_text_encoder(tmp_path)


def test_all_minilm_l6_v2_equals_mean_pooling_by_hand(test_data):
    folder = test_data / "minilm_l6_v2"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    encoder = load_text_encoder(folder)
    texts = ["I did not expect that.", "A man is eating food.", "A man eats something."]
    vectors = encoder.encode(texts)
    assert encoder.pooling.longest == 256 and encoder.width == 2 * 384

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**tokens).last_hidden_state
    weights = tokens["attention_mask"][..., None].float()
    expected = normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)
    vectors = vectors[:, :384]  # what sentence-transformers gives
    torch.testing.assert_close(vectors, expected, atol=1e-5, rtol=0)
    assert vectors[1] @ vectors[2] > 0.6 > 0.3 > vectors[0] @ vectors[1]
