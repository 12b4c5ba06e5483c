"""Low-rank adapters in chosen layers, and Emotion-LLaMA's settings with a small Llama."""

from pathlib import Path

import pytest
import torch
from checkpoints import save_tokenizer
from tiny_lm import save_tiny_llama
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    get_scheduler,
)

from tinyemo.models.lora import linear_layers
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.prompt import Sample
from tinyemo.training.multimodal_recipes import EMOTION_LLAMA, EMOTION_LLAMA_CONNECTORS

ATTENTION = ("q_proj", "v_proj")
WIDTH, KEYS, LAYERS = 32, 16, 2  # KEYS: outputs of v_proj, which has half as many heads


def save_grouped_llama(folder: Path) -> Path:
    """A Llama with fewer heads in v_proj than in q_proj."""
    words = save_tokenizer(folder, "llama")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def model(tmp_path) -> MultimodalLM:
    """Emotion-LLaMA's connectors and adapters, as they are trained."""
    folder = save_grouped_llama(tmp_path / "llama")
    model = MultimodalLM.from_lm(folder, EMOTION_LLAMA_CONNECTORS, template="plain")
    recipe = EMOTION_LLAMA
    model.add_lora(
        recipe.lora_r, recipe.lora_alpha, recipe.lora_dropout, modules=recipe.lora_modules
    )
    model.train_only(recipe.trains)
    return model


def sample() -> Sample:
    """One utterance with all streams, two of them of more than one token, and an answer."""
    torch.manual_seed(1)
    sizes = {"image": 4, "face": 1, "video": 1, "audio": 1, "cls": 1}
    tokens = {
        name: [torch.randn(size, EMOTION_LLAMA_CONNECTORS[name].width)]
        for name, size in sizes.items()
    }
    prompt = "".join(f"<{name}>" for name in sizes) + " [emotion] joy or fear?"
    return Sample(((prompt, "joy"),), tokens)


def adapted(model: MultimodalLM) -> set[str]:
    """The names of the layers that have an adapter, without their block."""
    names = [name for name, _ in model.named_parameters() if ".lora_A." in name]
    return {name.split(".lora_A.")[0].rpartition(".")[2] for name in names}


def test_only_the_named_layers_of_every_block_get_adapters(model):
    assert adapted(model) == set(ATTENTION)
    pairs = [name for name, _ in model.named_parameters() if ".lora_A." in name]
    assert len(pairs) == LAYERS * len(ATTENTION)
    config = model.lm.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout) == (64, 16, 0.05)


def test_number_of_trained_parameters_is_that_of_the_formula(model):
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    r = EMOTION_LLAMA.lora_r
    # A is (r, inputs) and B is (outputs, r)
    of_adapters = LAYERS * (r * (WIDTH + WIDTH) + r * (WIDTH + KEYS))
    widths = [5632, 1024, 1024, 1024, 1408]
    of_connectors = sum(width * WIDTH + WIDTH for width in widths)
    of_missing = len(widths) * WIDTH
    assert trained == of_adapters + of_connectors + of_missing


def test_a_step_changes_only_the_adapters_and_the_connectors(model):
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):  # A has no gradient while B is zero
        optimizer.zero_grad()
        model(**model.collate([sample()])).loss.backward()
        optimizer.step()
    changed = {
        name for name, value in model.named_parameters() if not torch.equal(value, before[name])
    }
    expected = {
        name for name in before if ".lora_" in name or name.startswith("connectors.")
    }  # no stream is missing, so the missing embeddings stay
    assert changed == expected


def test_the_choice_of_layers_is_saved_and_loaded(model, tmp_path):
    with torch.no_grad():
        for name, value in model.named_parameters():
            if ".lora_B." in name:
                value.normal_()
    batch = model.eval().collate([sample()])
    logits = model(**batch).logits
    back = MultimodalLM.load(model.save(tmp_path / "adapted"))
    assert adapted(back) == set(ATTENTION)
    torch.testing.assert_close(back(**batch).logits, logits, rtol=0, atol=1e-5)


def test_a_path_names_the_layer_of_one_block(tmp_path):
    model = MultimodalLM.from_lm(save_tiny_llama(tmp_path / "lm"), {})
    model.add_lora(2, 4, modules=["layers.0.self_attn.k_proj"])
    (name,) = [name for name, _ in model.named_parameters() if ".lora_A." in name]
    assert ".layers.0.self_attn.k_proj." in name


@pytest.mark.parametrize("name", ["query", "proj", "lm_head", "embed_tokens", "self_attn"])
def test_names_without_a_linear_layer_are_refused(tmp_path, name):
    """Also the output layer, an embedding, a part of a name and a block that has layers."""
    model = MultimodalLM.from_lm(save_tiny_llama(tmp_path / "lm"), {})
    with pytest.raises(
        ValueError, match=f"layer '{name}': .*expected some of q_proj, k_p"
    ) as error:
        model.add_lora(2, 4, modules=["q_proj", name])
    assert "\n" not in str(error.value)
    model.add_lora(2, 4, modules=["q_proj"])  # the refusal left the model as it was


def test_the_layers_of_gpt2_are_found():
    """They are of another class than torch's linear layer."""
    lm = GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=20))
    names = {path.rpartition(".")[2] for path in linear_layers(lm)}
    assert names == {"c_attn", "c_proj", "c_fc"}


def test_the_schedule_is_emotion_llamas():
    """1e-6 to 1e-5 in 1,000 of 30 x 1,000 iterations, then along a cosine back to 1e-6."""
    recipe = EMOTION_LLAMA
    warmup = round(recipe.max_steps * recipe.warmup)
    weight = torch.nn.Parameter(torch.zeros(1))
    schedule = get_scheduler(
        recipe.schedule,
        torch.optim.AdamW([weight], lr=recipe.lr),
        warmup,
        recipe.max_steps,
        scheduler_specific_kwargs=recipe.schedule_options,
    )
    (rate,) = schedule.lr_lambdas
    found = [recipe.lr * rate(step) for step in (0, 999, 15_499, 29_999)]
    assert (recipe.max_steps, warmup) == (30_000, 1000)
    assert found == pytest.approx([1e-6, 1e-5, 5.5e-6, 1e-6], rel=1e-6)
