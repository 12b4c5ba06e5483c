"""OpenELM: compared with Apple's numbers and with the formulas, and used through transformers."""

import json
import subprocess
import sys

import pytest
import torch
from checkpoints import OPENELM
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from tinyemo.models.openelm import OpenELMConfig, OpenELMForCausalLM, OpenELMModel
from tinyemo.runs.notebooks import library_of, notebook_path

PUBLISHED = {  # name: width, layers
    "OpenELM-270M": (1280, 16),
    "OpenELM-450M": (1536, 20),
    "OpenELM-1_1B": (2048, 28),
}
SMALL = {  # what a published config.json has, small
    "vocab_size": 61,
    "model_dim": 48,
    "head_dim": 8,
    "num_transformer_layers": 3,
    "ffn_dim_divisor": 8,
    "num_query_heads": [2, 4, 6],
    "num_gqa_groups": 2,
    "num_kv_heads": [1, 2, 3],
    "ffn_multipliers": [0.5, 2.25, 4.0],
    "normalization_layer_name": "rms_norm",
    "normalize_qk_projections": True,
    "rope_max_length": 4096,
}


@pytest.fixture
def golden(test_data):
    """Apple's numbers for a small model: its folder, and input_ids, logits and greedy_ids."""
    return test_data / "openelm_golden", load_file(test_data / "openelm_golden" / "io.safetensors")


def small(seed: int = 0, **fields) -> OpenELMForCausalLM:
    torch.manual_seed(seed)
    config = OpenELMConfig(
        **SMALL | {"share_input_output_layers": True, "initializer_range": 0.3} | fields
    )
    return OpenELMForCausalLM(config).eval()


def tokens(batch: int, length: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(
        3, SMALL["vocab_size"], (batch, length), generator=torch.Generator().manual_seed(seed)
    )


def greedy(model, **inputs) -> torch.Tensor:
    """The next twelve tokens."""
    out = model.generate(
        **inputs, max_new_tokens=12, min_new_tokens=12, do_sample=False, pad_token_id=0
    )
    return out[:, -12:]


@torch.no_grad()
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_logits_and_greedy_tokens_equal_apples(golden, attention):
    folder, io = golden
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention).eval()
    assert (model(io["input_ids"]).logits - io["logits"]).abs().max() < 1e-4
    prompt, expected = io["greedy_ids"][:, :17], io["greedy_ids"][:, 17:]
    model.generation_config.eos_token_id = None  # Apple's twelve were taken without an end
    for use_cache in (True, False):
        ids = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=12, use_cache=use_cache
        )
        assert ids[:, 17:].tolist() == expected.tolist()


@torch.no_grad()
def test_bfloat16_stays_near_apples_float32(golden):
    """The mean error is below 4 % of the logits' deviation, the largest below 25 %.

    Rounding only the weights gives 2 % and 12 %.
    """
    folder, io = golden
    logits = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)(
        io["input_ids"]
    ).logits
    assert logits.dtype == torch.bfloat16
    error = (logits.float() - io["logits"]).abs() / io["logits"].std()
    assert error.mean() < 0.04 and error.max() < 0.25


@pytest.mark.parametrize("source", ["lists", "multipliers"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_shapes(test_data, name, source):
    published = json.loads((test_data / "openelm_golden" / "published_shapes.json").read_text())[
        name
    ]
    width, layers = PUBLISHED[name]
    scaling = {
        "model_dim": width,
        "num_transformer_layers": layers,
        "head_dim": 64,
        "num_gqa_groups": 4,
        "qkv_multipliers": [0.5, 1.0],
        "ffn_multipliers": [0.5, 4.0],
    }
    fields = published["config"] if source == "lists" else scaling
    config = OpenELMConfig(**fields, normalize_qk_projections=True, share_input_output_layers=True)
    with torch.device("meta"):
        parameters = dict(OpenELMForCausalLM(config).named_parameters())
    assert {key: list(value.shape) for key, value in parameters.items()} == published["parameters"]
    assert sum(value.numel() for value in parameters.values()) == published["total"]


def by_the_formulas(weights: dict, config: dict, ids: list[int]) -> torch.Tensor:
    """Logits (L, V) of one sequence by the papers' formulas, position by position, in float64."""
    weights = {name.removeprefix("transformer."): value.double() for name, value in weights.items()}
    size, half = config["head_dim"], config["head_dim"] // 2
    speeds = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)

    def norm(vector, name):
        return vector / (vector.square().mean() + 1e-6).sqrt() * weights[f"{name}.weight"]

    def rotated(vector, position):  # RoPE: coordinates i and i + half are one complex number
        z = torch.complex(vector[:half], vector[half:])
        z = z * torch.polar(torch.ones_like(speeds), position * speeds)
        return torch.cat([z.real, z.imag])

    stream = [weights["token_embeddings.weight"][i] for i in ids]
    for n in range(config["num_transformer_layers"]):
        queries, keys = config["num_query_heads"][n], config["num_kv_heads"][n]
        attention, ffn = f"layers.{n}.attn", f"layers.{n}.ffn"
        past, after = [], []  # (keys, values) of the positions so far; outputs
        for position, vector in enumerate(stream):
            normed = norm(vector, f"{attention}_norm")
            heads = (weights[f"{attention}.qkv_proj.weight"] @ normed).view(-1, size)
            query, key = [], []
            for head in heads[:queries]:
                query.append(rotated(norm(head, f"{attention}.q_norm"), position))
            for head in heads[queries : queries + keys]:
                key.append(rotated(norm(head, f"{attention}.k_norm"), position))
            past.append((key, heads[queries + keys :]))
            mixed = []
            for head in range(queries):
                shared = head * keys // queries  # the key and value head of this query head
                scores = [query[head] @ key[shared] / size**0.5 for key, _ in past]
                shares = torch.stack(scores).softmax(0)
                total = 0
                for share, (_, value) in zip(shares, past, strict=True):
                    total = total + share * value[shared]
                mixed.append(total)
            vector = vector + weights[f"{attention}.out_proj.weight"] @ torch.cat(mixed)
            inner = weights[f"{ffn}.proj_1.weight"] @ norm(vector, f"{ffn}_norm")
            gate, up = inner.chunk(2)
            gated = gate * gate.sigmoid() * up
            after.append(vector + weights[f"{ffn}.proj_2.weight"] @ gated)
        stream = after
    table = weights.get("lm_head.weight", weights["token_embeddings.weight"])
    return torch.stack([table @ norm(vector, "norm") for vector in stream])


@pytest.mark.parametrize("shared", [True, False])
def test_published_folder_loads_and_its_code_is_not_run(tmp_path, shared):
    config = OPENELM | SMALL | {"share_input_output_layers": shared}
    for stem in ("configuration_openelm", "modeling_openelm"):
        (tmp_path / f"{stem}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = dict(small(share_input_output_layers=shared).named_parameters())
    weights = {
        name: (w + 0.1 * torch.randn_like(w)).detach() for name, w in weights.items()
    }  # norms that matter
    assert ("lm_head.weight" in weights) != shared
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    ids = tokens(1, 7)
    for trust in (None, False, True):  # even with leave to run what lies there
        model, report = AutoModelForCausalLM.from_pretrained(
            tmp_path, dtype=torch.float32, trust_remote_code=trust, output_loading_info=True
        )
        assert type(model) is OpenELMForCausalLM and not any(report.values())
    with torch.no_grad():
        logits = model(ids).logits[0]
        hidden = AutoModel.from_pretrained(tmp_path, dtype=torch.float32)(ids).last_hidden_state[0]
    expected = by_the_formulas(weights, config, ids[0].tolist())
    assert expected.std() > 0.5 and (logits - expected).abs().max() < 1e-4
    assert torch.allclose(model.lm_head(hidden), logits, atol=1e-5)
    assert not (tmp_path / "ran").exists()
    assert (
        "auto_map" not in model.config.to_dict()
    )  # a folder saved from here would name code that it has not


@torch.no_grad()
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_does_not_change_logits(attention, side):
    model = small()
    model.set_attn_implementation(attention)
    single = [tokens(1, length, seed=length) for length in (5, 9)]
    ids, mask = torch.full((2, 9), 0), torch.zeros(2, 9, dtype=torch.long)
    for row, part in enumerate(single):
        where = slice(-part.shape[1], None) if side == "left" else slice(part.shape[1])
        ids[row, where], mask[row, where] = part, 1
    for inputs in ({"input_ids": ids}, {"inputs_embeds": model.get_input_embeddings()(ids)}):
        logits = model(**inputs, attention_mask=mask).logits
        for row, part in enumerate(single):
            assert torch.allclose(logits[row][mask[row].bool()], model(part).logits[0], atol=1e-4)
        if side == "left":
            alone = [
                greedy(model, input_ids=part, attention_mask=torch.ones_like(part))
                for part in single
            ]
            assert (
                greedy(model, **inputs, attention_mask=mask).tolist() == torch.cat(alone).tolist()
            )


@torch.no_grad()
def test_positions_come_from_the_mask():
    model, ids = small(), tokens(1, 6)
    seen = []
    hook = model.transformer.layers[0].register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["position_ids"].tolist()), with_kwargs=True
    )
    cache = model(
        ids, attention_mask=torch.tensor([[0, 0, 1, 1, 1, 1]]), use_cache=True
    ).past_key_values
    model(tokens(1, 1), attention_mask=torch.tensor([[0, 0, 1, 1, 1, 1, 1]]), past_key_values=cache)
    hook.remove()
    assert seen == [[[0, 0, 0, 1, 2, 3]], [[4]]]


@torch.no_grad()
def test_cache_gives_the_same_logits_as_one_pass():
    model, ids = small(), tokens(2, 8)
    whole, cache, steps = model(ids, use_cache=False), None, []
    for position in range(8):
        out = model(ids[:, position : position + 1], past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        steps.append(out.logits)
    assert whole.past_key_values is None and cache.get_seq_length() == 8
    assert torch.allclose(torch.cat(steps, dim=1), whole.logits, atol=1e-4)


@torch.no_grad()
def test_logits_to_keep_selects_positions():
    model, ids = small(), tokens(2, 8)
    every = model(ids).logits
    assert torch.allclose(model(ids, logits_to_keep=3).logits, every[:, -3:], atol=1e-5)
    assert torch.allclose(
        model(ids, logits_to_keep=torch.tensor([1, 5])).logits, every[:, [1, 5]], atol=1e-5
    )
    out = model(ids, output_hidden_states=True)
    assert len(out.hidden_states) == 4 and torch.allclose(
        model.lm_head(out.hidden_states[-1]), every, atol=1e-5
    )


def test_loss_is_that_of_the_next_token_without_masked_labels():
    model, ids = small(), tokens(2, 8)
    labels = ids.masked_fill(torch.arange(8) < 5, -100)
    out = model(ids, labels=labels)
    by_hand = -out.logits.log_softmax(-1)[:, 4:7].gather(-1, ids[:, 5:8, None]).mean()
    assert torch.allclose(out.loss, by_hand, atol=1e-5)


@pytest.mark.filterwarnings(
    "ignore:.gradient_checkpointing_enable"
)  # its new name is younger than transformers 5.17
def test_gradient_checkpointing_gives_the_same_gradients():
    ids, grads = tokens(2, 8), []
    for checkpointing in (False, True):
        model = small().train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        calls = []
        model.transformer.layers[1].attn.register_forward_pre_hook(
            lambda *_, calls=calls: calls.append(1)
        )
        model(ids, labels=ids).loss.backward()
        assert len(calls) == 1 + checkpointing  # run again on the way back
        grads.append({name: value.grad for name, value in model.named_parameters()})
    assert all(torch.allclose(grads[0][name], grads[1][name], atol=1e-6) for name in grads[0])


@pytest.mark.parametrize("shared", [True, False])
def test_saving_and_loading_keep_the_model_and_its_ties(tmp_path, shared):
    model, ids = small(share_input_output_layers=shared), tokens(1, 6)
    model.save_pretrained(tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    assert (
        set(written) == set(dict(model.named_parameters()))
        and ("lm_head.weight" in written) != shared
    )
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert (again.lm_head.weight is again.get_input_embeddings().weight) == shared
    assert torch.allclose(again(ids).logits, model(ids).logits, atol=1e-5)
    assert AutoConfig.from_pretrained(tmp_path).to_diff_dict() == again.config.to_diff_dict()


@torch.no_grad()
@pytest.mark.parametrize("shared", [True, False])
def test_the_vocabulary_can_grow(shared):
    model, ids = small(share_input_output_layers=shared), tokens(1, 6)
    before = model(ids).logits
    model.resize_token_embeddings(64)
    after = model(torch.cat([ids, torch.tensor([[63]])], dim=1)).logits
    assert after.shape == (1, 7, 64) and torch.allclose(after[:, :6, :61], before, atol=1e-5)
    assert model.config.vocab_size == 64
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == shared


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_kv_heads": [1, 2]}, "num_kv_heads: 2 entries; expected one for each of 3 layers"),
        ({"num_kv_heads": [1, 3, 3]}, "layer 1: 4 query heads cannot share 3"),
        (
            {"ffn_multipliers": [0.5, 1, 2, 4]},
            "ffn_multipliers: 4 numbers; expected 1, 2 or one for each of 3",
        ),
        ({"normalization_layer_name": "layer_norm"}, "normalization_layer_name: 'layer_norm'"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        OpenELMConfig(**SMALL | fields)
    with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
        OpenELMModel(OpenELMConfig(**SMALL))()


@pytest.mark.parametrize("first", ["tinyemo", "transformers.models.auto.configuration_auto"])
def test_auto_classes_know_openelm_in_any_import_order(tmp_path, first):
    small().save_pretrained(tmp_path)
    script = f"""
import {first}, tinyemo
from transformers import AutoConfig, AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained({str(tmp_path)!r})
print(AutoConfig.for_model("openelm").model_type, model.__module__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["openelm", "tinyemo.models.openelm"]


@pytest.mark.parametrize("stem", ["04_mm_llm_finetuning", "14_reasoning_evaluation"])
def test_digest_of_the_multimodal_lms_results_includes_openelm(stem):
    """Auto classes load OpenELM without an import of it; its code must be in the digest anyway."""
    assert {"openelm.py", "openelm_config.py"} <= {
        path.name for path in library_of(notebook_path(stem))
    }


def test_importing_tinyemo_is_fast_and_loads_no_torch():
    script = """
import sys, time
start = time.process_time()
import tinyemo
print(time.process_time() - start, *sorted({"torch", "numpy", "transformers"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    seconds, *loaded = done.stdout.split()
    assert not loaded and float(seconds) < 0.1
