"""Likelihoods of labels: each label alone, without a cache, gives the same numbers."""

import copy

import numpy as np
import pytest
import torch
from checkpoints import save_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

from tinyemo.models.label_scoring import (
    answer_ids,
    label_log_likelihoods,
    label_probabilities,
)
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.prompt import Sample

LABELS = ("sad", "sadness", "anger", "happiness and excitement")  # the first begins the second
SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2, "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 2}
FAMILIES = {
    "llama": SIZE | HEADS | {"num_key_value_heads": 1, "pad_token_id": None},
    "openelm": {
        "model_dim": 32,
        "head_dim": 16,
        "num_transformer_layers": 2,
        "ffn_dim_divisor": 16,
        "num_query_heads": [2, 4],
        "num_kv_heads": [1, 2],
        "ffn_multipliers": [1.0, 2.0],
        "share_input_output_layers": True,
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "gpt_neox": SIZE | HEADS,
    # windows of 8 tokens, and logits of at most 5: the prompt is not shared by the labels
    "gemma2": SIZE
    | HEADS
    | {
        "num_key_value_heads": 1,
        "head_dim": 16,
        "sliding_window": 8,
        "final_logit_softcapping": 5.0,
        "pad_token_id": None,
    },
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 256, "initializer_range": 0.3},
}


@pytest.fixture(scope="module", params=list(FAMILIES))
def model(request, tmp_path_factory) -> MultimodalLM:
    folder = tmp_path_factory.mktemp(request.param)
    words = save_tokenizer(folder, "llama")
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        request.param, vocab_size=words.get_vocab_size(), **FAMILIES[request.param]
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    connectors = {"audio": Connector("linear", 4), "face": Connector("linear", 3)}
    return MultimodalLM.from_lm(folder, connectors, template="plain", max_length=256)


def samples() -> list[Sample]:
    """Prompts of different lengths, with and without a stream."""
    torch.manual_seed(1)
    tokens = {"audio": [torch.randn(1, 4)], "face": [torch.randn(2, 3)]}
    long = "a much longer question about the emotion of the speaker <audio> <face>"
    return [
        Sample((("<audio> what emotion is it?", ""),), {"audio": tokens["audio"]}),
        Sample(((long, ""),), tokens),
        Sample(((long, ""),), {"face": tokens["face"]}),
    ]


def by_hand(model: MultimodalLM, sample: Sample, label: str) -> float:
    """Minus the mean loss of the answer's tokens, from one whole forward pass."""
    answered = Sample(((sample.turns[0][0], label),), sample.streams)
    batch = model.collate([answered])
    with torch.no_grad():
        total, tokens = model.answer_nll(batch)
    return -float(total / tokens)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_likelihoods_are_those_of_whole_forward_passes(model, batch_size):
    found = label_log_likelihoods(model, samples(), LABELS, batch_size)
    expected = [[by_hand(model, sample, label) for label in LABELS] for sample in samples()]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_adapters_count(model):
    before = label_log_likelihoods(model, samples(), LABELS)
    adapted = MultimodalLM(
        copy.deepcopy(model.lm), model.tokenizer, model.kinds, template="plain", max_length=256
    )
    adapted.load_state_dict(model.state_dict())
    adapted.add_lora(r=2, alpha=4)
    for name, value in adapted.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(value)
    after = label_log_likelihoods(adapted.eval(), samples(), LABELS)
    assert (after - before).abs().max() > 1e-2
    expected = [[by_hand(adapted, sample, label) for label in LABELS] for sample in samples()]
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-5)


def test_answers_end_with_the_end_token(model):
    for label in LABELS:
        ids = answer_ids(model.prompts, label)
        assert ids[-1] == model.tokenizer.eos_token_id and len(ids) >= 2
    assert len({tuple(answer_ids(model.prompts, label)) for label in LABELS}) == len(LABELS)


def test_probabilities_with_and_without_a_prior():
    scores = torch.tensor([[-1.0, -2.0, -2.5]])
    prior = torch.tensor([0.8, 0.15, 0.05])
    plain = label_probabilities(scores)
    torch.testing.assert_close(plain, scores.exp() / scores.exp().sum())
    adjusted = label_probabilities(scores, prior)
    expected = plain / prior
    torch.testing.assert_close(adjusted, expected / expected.sum())
    half = label_probabilities(scores, prior, strength=0.5)
    expected = plain / prior.sqrt()
    torch.testing.assert_close(half, expected / expected.sum())
