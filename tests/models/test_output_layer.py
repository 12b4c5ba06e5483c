"""Log-likelihoods by blocks of the vocabulary, and the language models that can be divided."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tinyemo.models.output_layer import OutputLayer, split_output

SIZE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
DIVIDED = {"llama": {}, "phi": {}, "qwen2": {}, "gpt_neox": {}}
# a sliding window; logits within a limit; logits that are scaled; positions of its own
WHOLE = {
    "mistral": {"sliding_window": 4},
    "gemma2": {"final_logit_softcapping": 5.0, "sliding_window": 4096},
    "cohere": {"logit_scale": 0.25},
    "bloom": {"n_layer": 2, "n_head": 2},
}


def language_model(family: str, options: dict) -> torch.nn.Module:
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **SIZE | options)
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("has_bias", [True, False])
def test_blocks_give_the_logarithm_of_the_softmax(has_bias):
    torch.manual_seed(0)
    weight, hidden = torch.randn(5000, 8), torch.randn(3, 8)  # two blocks and a part of a third
    bias = torch.randn(5000) if has_bias else None
    tokens = torch.tensor([[0, 2047], [2048, 4095], [4096, 4999]])
    logits = hidden @ weight.T + (bias if has_bias else 0)
    expected = logits.log_softmax(-1).gather(1, tokens)
    found = OutputLayer(weight, bias).token_log_likelihoods(hidden, tokens)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", DIVIDED)
@torch.inference_mode()
def test_the_parts_give_the_logits_of_the_whole(family):
    lm = language_model(family, DIVIDED[family])
    inner, output = split_output(lm)
    ids = torch.tensor([[3, 4, 5]])
    logits = output.logits(inner(input_ids=ids).last_hidden_state)
    torch.testing.assert_close(logits, lm(input_ids=ids).logits)


@pytest.mark.parametrize("family", WHOLE)
@torch.inference_mode()
def test_other_language_models_are_recognised(family):
    assert split_output(language_model(family, WHOLE[family])) is None
