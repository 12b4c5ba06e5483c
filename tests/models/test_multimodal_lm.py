"""MultimodalLM on small random checkpoints: each step is compared with the same made by hand."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkpoints import save_tokenizer
from tiny_lm import PHI3
from transformers import AutoConfig, AutoModelForCausalLM

from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.prompt import IGNORED, Sample

SIZE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": None,
}
# family -> (tokenizer, config beside the size); OpenELM has names of its own
FAMILIES = {
    "openelm": (
        "llama",
        {
            "model_dim": 32,
            "head_dim": 16,
            "num_transformer_layers": 2,
            "ffn_dim_divisor": 16,
            "num_query_heads": [2, 4],
            "num_kv_heads": [1, 2],
            "ffn_multipliers": [1.0, 2.0],
            "normalize_qk_projections": True,
            "share_input_output_layers": True,
            "initializer_range": 0.3,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
    ),
    "llama": ("llama", SIZE | {"num_key_value_heads": 1}),
    "phi": ("codegen", SIZE),
    "phi3": ("phi3", SIZE),
    "gpt_neox": ("codegen", SIZE),
    "qwen2": ("codegen", SIZE | {"num_key_value_heads": 1, "tie_word_embeddings": True}),
}
CONNECTORS = {"image": Connector("mlp2x_gelu", 8), "audio": Connector("linear", 4)}
LIMIT = 256


def checkpoint_of(family: str, folder: Path, seed: int = 0) -> Path:
    kind, config = FAMILIES[family]
    words = save_tokenizer(folder, kind)
    if family == "phi3":
        (folder / "chat_template.jinja").write_text(PHI3)
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        family, vocab_size=words.get_vocab_size() + 3, **config
    )  # and three spare rows
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def model_of(family: str, folder: Path) -> MultimodalLM:
    template = None if family == "phi3" else "plain"
    return MultimodalLM.from_lm(
        checkpoint_of(family, folder / family), CONNECTORS, template=template, max_length=LIMIT
    )


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory) -> MultimodalLM:
    return model_of(request.param, tmp_path_factory.mktemp("lm"))


@pytest.fixture(scope="module")
def llama(tmp_path_factory) -> MultimodalLM:
    return model_of("llama", tmp_path_factory.mktemp("lm"))


def samples() -> list[Sample]:
    """Three conversations: with two images, with a missing image, and with two turns of text."""
    generator = torch.Generator().manual_seed(1)
    patches = [torch.randn(t, 8, generator=generator) for t in (3, 5)]
    return [
        Sample(
            (("<image>\njoy or fear? <image> <audio>", "sadness"),),
            {"image": patches, "audio": [torch.randn(1, 4, generator=generator)]},
        ),
        Sample((("<image> joy", "anger, disgust and fear"),)),
        Sample((("why", "so"), ("joy and surprise of a long question", "fear"))),
    ]


def questions() -> list[Sample]:
    return [
        Sample((*sample.turns[:-1], (sample.turns[-1][0], "")), sample.streams)
        for sample in samples()
    ]


def by_hand(model: MultimodalLM, sample: Sample) -> torch.Tensor:
    """The sample's input embeddings, token by token."""
    table = model.lm.get_input_embeddings().weight
    given = {
        name: iter(torch.cat([*(sample.streams.get(name) or []), torch.zeros(0, c.width)]))
        for name, c in CONNECTORS.items()
    }
    name_of = {index: name for name, index in model.prompts.placeholders.items()}
    gap_of = {index: name for name, index in model.prompts.missing.items()}
    rows = []
    for token in model.prompts.encode(sample).input_ids:
        if token in name_of:
            rows.append(model.connectors[name_of[token]](next(given[name_of[token]])))
        else:
            rows.append(model.missing[gap_of[token]][0] if token in gap_of else table[token])
    return torch.stack(rows)


def test_every_token_has_its_own_place_in_the_embeddings(llama):
    batch = llama.collate(samples())
    streams = {name: batch[name] for name in CONNECTORS}
    embeds = llama.embed(batch["input_ids"], streams)
    for row, sample in enumerate(samples()):
        expected = by_hand(llama, sample)
        torch.testing.assert_close(embeds[row, : len(expected)], expected)
        assert batch["attention_mask"][row].sum() == len(expected)
    patches = samples()[0].streams[
        "image"
    ]  # the second image's patches where the second "<image>" stood
    place = (batch["input_ids"][0] == llama.prompts.placeholders["image"]).nonzero().flatten()
    torch.testing.assert_close(embeds[0, place[3:]], llama.connectors["image"](patches[1]))
    assert place[3] - place[2] > 1 and len(place) == 8


def test_loss_equals_that_of_the_lm_on_embeddings_made_by_hand(model):
    batch = model.collate(samples())
    losses, predicting = [], set()  # predicting: positions whose next token has a label
    for sample in samples():
        labels = torch.tensor(model.prompts.encode(sample).labels)
        logits = model.lm(inputs_embeds=by_hand(model, sample)[None]).logits[0]
        for position in range(1, len(labels)):
            if labels[position] != IGNORED:
                losses.append(-logits[position - 1].log_softmax(dim=0)[labels[position]])
                predicting.add(position - 1)
    out = model(**batch)
    torch.testing.assert_close(out.loss, torch.stack(losses).mean(), rtol=1e-4, atol=1e-4)
    assert out.logits.shape[1] == len(predicting)  # no other logits were computed
    twice = model(**batch, num_items_in_batch=2 * len(losses))
    torch.testing.assert_close(twice.loss, out.loss / 2)
    unlabelled = {key: value for key, value in batch.items() if key != "labels"}
    every = model(**unlabelled).logits
    torch.testing.assert_close(every[:, sorted(predicting)], out.logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_weights_and_focal_loss_follow_their_formula(llama, focal):
    """Each token's loss is w (1 - p) ** focal * -log p, with w the weight of its sample."""
    weighted = [replace(sample, weight=0.5 + row) for row, sample in enumerate(samples())]
    batch = llama.collate(weighted)
    with torch.no_grad():
        found = llama(**batch, focal=focal)
        plain = {name: value for name, value in batch.items() if name not in ("labels", "weights")}
        log_p = llama(**plain).logits.log_softmax(-1)
    expected = 0.0
    for row, sample in enumerate(weighted):
        for place, label in enumerate(batch["labels"][row].tolist()):
            if label != IGNORED:
                log = log_p[row, place - 1, label].item()
                expected -= sample.weight * (1 - math.exp(log)) ** focal * log
    count = int((batch["labels"] != IGNORED).sum())
    assert found.loss.item() == pytest.approx(expected / count, rel=1e-4)


def test_bfloat16_autocast_trains(llama):
    batch = llama.collate(samples())
    with torch.autocast("cpu", torch.bfloat16):
        loss = llama(**batch).loss
    loss.backward()
    llama.zero_grad()
    torch.testing.assert_close(loss, llama(**batch).loss, rtol=0.05, atol=0.05)


def test_wrong_streams_are_refused(llama):
    batch = llama.collate(samples())
    with pytest.raises(ValueError, match="stream 'image': 7 tokens for 8 places"):
        llama(**batch | {"image": batch["image"][:7]})
    with pytest.raises(
        ValueError, match=r"stream 'audio': tokens of shape \(4,\), expected \(T, 4\)"
    ):
        llama.collate([Sample((("<audio>", "a"),), {"audio": [torch.zeros(4)]})])
    with pytest.raises(
        ValueError, match=r"stream 'image': tokens of shape \(0, 8\), .* with T at least 1"
    ):
        llama.collate([Sample((("<image>", "a"),), {"image": [torch.zeros(0, 8)]})])
    with pytest.raises(
        ValueError, match="connector kind 'mlp': expected one of mlp2x_gelu, linear"
    ):
        MultimodalLM(llama.lm, llama.tokenizer, {"image": Connector("mlp", 8)})


def test_missing_stream_has_a_learned_embedding(tmp_path):
    model = model_of("llama", tmp_path)
    model.train_only("connector")
    model(**model.collate([samples()[1]])).loss.backward()
    assert model.missing["image"].grad.abs().sum() > 0
    silent = [
        model.missing["audio"],
        *model.connectors.parameters(),
    ]  # zeros, not None: all processes must have the same gradients
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in silent)


@pytest.mark.parametrize(
    "part, trained", [("connector", ("connectors.", "missing.")), ("all", ("",))]
)
def test_only_trained_parameters_get_gradients(tmp_path, part, trained):
    model = model_of("llama", tmp_path)
    model.train_only("all")
    model.train_only(part)
    model(**model.collate(samples())).loss.backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {
        name for name, _ in model.named_parameters() if name.startswith(trained)
    }
    with pytest.raises(ValueError, match="no adapters"):
        model.train_only("lora")


def test_generation_equals_a_plain_loop(model):
    """Greedy, with cache and left padding, against one forward pass a token without either."""
    texts = model.generate(questions(), max_new_tokens=12)
    assert len(set(texts)) > 1 and all(texts)
    for sample, text in zip(questions(), texts, strict=True):
        embeds, ids = by_hand(model, sample)[None], []
        for _ in range(12):
            logits = model.lm(inputs_embeds=embeds, use_cache=False).logits[0, -1]
            logits[
                model.tokenizer.convert_tokens_to_ids("<image>") :
            ] = -torch.inf  # our tokens come last, then spare rows
            ids.append(int(logits.argmax()))
            if ids[-1] in model.prompts.end_ids:
                break
            embeds = torch.cat(
                [embeds, model.lm.get_input_embeddings().weight[ids[-1]][None, None]], dim=1
            )
        assert text == model.tokenizer.decode(ids, skip_special_tokens=True).strip()
    assert model.generate(questions(), max_new_tokens=12, batch_size=1) == texts
    assert ["".join(model.stream(sample, max_new_tokens=12)) for sample in questions()] == texts


@torch.no_grad()
def test_spare_rows_of_the_table_are_never_generated(tmp_path):
    """Phi-2's table has 900 more rows than its tokenizer has tokens; here ten, with high logits."""
    folder = checkpoint_of("phi", tmp_path)
    model = MultimodalLM.from_lm(folder, {}, template="plain")
    model.lm.resize_token_embeddings(len(model.tokenizer) + 10)
    model.lm.lm_head.bias[len(model.tokenizer) :] = 50
    model = MultimodalLM(model.lm, model.tokenizer, {}, template="plain").eval()
    sample = Sample((("joy", ""),))
    assert (
        "".join(model.stream(sample, 8, temperature=1.0))
        == model.generate([sample], 8, temperature=1.0)[0]
        != ""
    )


def test_stacked_tokens_are_one_tensor_per_placeholder(llama):
    """Patch tokens of an encoder are one tensor (B, T, D)."""
    patches = torch.randn(2, 3, 8)
    stack, listed = (
        llama.collate([Sample((("<image> and <image>", "a"),), {"image": given})])
        for given in (patches, list(patches))
    )
    assert torch.equal(stack["image"], listed["image"]) and torch.equal(
        stack["input_ids"], listed["input_ids"]
    )


def test_streamed_pieces_hold_no_half_characters(model, monkeypatch):
    text = "I see joy 😀\n\nand fear  in ä\n"
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"] + model.prompts.end_ids[:1]

    def generate(streamer=None, **_):
        for index in ids if streamer else []:
            streamer.put(torch.tensor([index]))
        return streamer.end() if streamer else torch.tensor([ids])

    monkeypatch.setattr(model.lm, "generate", generate)
    pieces = list(model.stream(questions()[0]))
    assert "".join(pieces) == model.generate(questions()[:1])[0] == text.strip()
    assert len(pieces) > 5 and all(pieces) and not any("\ufffd" in piece for piece in pieces)


def test_sampling_is_seeded_and_keeps_the_callers_random_state(llama):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    drawn = [
        llama.generate(questions(), max_new_tokens=12, temperature=1.0, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2] and drawn[0] != llama.generate(
        questions(), max_new_tokens=12
    )
    one = questions()[:1]
    assert "".join(llama.stream(one[0], 12, 1.0, seed=3)) == llama.generate(one, 12, 1.0, seed=3)[0]
    assert torch.rand(1) == expected


def test_generation_stops_when_the_stream_is_closed(llama):
    calls = []
    hook = llama.lm.register_forward_hook(lambda *_: calls.append(1))
    pieces = llama.stream(questions()[2], max_new_tokens=180)
    next(pieces)
    pieces.close()
    hook.remove()
    assert len(calls) < 120


def test_errors_of_generation_reach_the_reader_of_the_stream(llama):
    hook = llama.lm.register_forward_hook(lambda *_: 1 / 0)
    try:
        with pytest.raises(ZeroDivisionError):
            list(llama.stream(questions()[0]))
    finally:
        hook.remove()


def test_prompts_over_the_limit_are_refused(llama):
    with pytest.raises(
        ValueError, match=r"a prompt of \d+ tokens and 250 new ones: the limit is 256 "
    ):
        llama.generate(questions(), max_new_tokens=250)
    long = Sample((("<image>", "a"),), {"image": [torch.zeros(300, 8)]})
    with pytest.raises(ValueError, match=r"a prompt of 3\d\d tokens: the limit is 256"):
        llama.collate([long])


def test_length_limit_is_at_most_the_positions_of_the_lm(tmp_path):
    folder = checkpoint_of("llama", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 64}))
    assert MultimodalLM.from_lm(folder, CONNECTORS).prompts.max_length == 64


def test_full_model_is_the_same_after_saving_and_loading(model, tmp_path):
    batch = model.collate(samples())
    model.save(tmp_path / "saved")
    back = MultimodalLM.load(tmp_path / "saved")
    assert torch.allclose(back(**batch).logits, model(**batch).logits, atol=1e-5)
    assert back.generate(questions(), 8) == model.generate(questions(), 8)
    again = back.save(tmp_path / "saved")  # over itself
    assert sorted(path.name for path in again.iterdir()) == [
        "config.json",
        "connectors.safetensors",
        "lm",
        "tokenizer",
    ]
    half = MultimodalLM.load(again, dtype=torch.bfloat16)
    assert {p.dtype for p in half.parameters()} == {torch.bfloat16} and half(
        **batch
    ).loss.isfinite()


def test_lora_trains_saves_loads_and_merges(model, tmp_path):
    model = MultimodalLM.load(model.save(tmp_path / "full"))
    batch = model.collate(samples())
    before = model(**batch).logits.detach()
    model.add_lora(r=4, alpha=8)
    model.train_only("lora")
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model(**batch).loss.backward()
    optimizer.step()
    trained = {
        name for name in start if "lora_" in name or name.startswith(("connectors.", "missing."))
    }
    assert {name for name, p in model.named_parameters() if p.grad is not None} == trained
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, start[name])}
    # A of LoRA has no gradient while B is zero; nobody lacks a sound
    assert changed == {
        name for name in trained if ".lora_A." not in name and name != "missing.audio"
    }
    linear = {
        name.rsplit(".", 1)[0]
        for name, p in model.lm.get_base_model().named_parameters()
        if p.ndim == 2 and "base_layer" in name
    }
    assert len(linear) >= 2 * 4  # attention and MLP of both layers

    model.eval()
    after = model(**batch).logits
    assert (after - before).abs().max() > 1e-2
    model.save(tmp_path / "adapted")
    assert not (tmp_path / "adapted" / "lm").exists()
    back = MultimodalLM.load(tmp_path / "adapted")
    torch.testing.assert_close(back(**batch).logits, after, rtol=0, atol=1e-6)
    assert back.generate(questions(), 8) == model.generate(questions(), 8)
    back.train_only("lora")  # and goes on
    assert {name for name, p in back.named_parameters() if p.requires_grad} == trained
    back.merge()
    torch.testing.assert_close(back(**batch).logits, after, rtol=0, atol=1e-4)
    whole = MultimodalLM.load(back.save(tmp_path / "merged"))
    torch.testing.assert_close(whole(**batch).logits, after, rtol=0, atol=1e-4)


def test_adapters_load_only_with_their_own_base(tmp_path):
    model = model_of("llama", tmp_path)
    model.add_lora(r=2, alpha=4)
    model.save(tmp_path / "adapted")
    moved = (tmp_path / "llama").rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        MultimodalLM.load(tmp_path / "adapted")
    MultimodalLM.load(tmp_path / "adapted", base=moved)
    other = checkpoint_of("llama", tmp_path / "other", seed=1)
    with pytest.raises(ValueError, match="trained on another base than .*other"):
        MultimodalLM.load(tmp_path / "adapted", base=other)
    with pytest.raises(ValueError, match="has adapters already"):
        model.add_lora(r=2, alpha=4)


def test_base_that_changed_during_training_is_noticed(tmp_path):
    """The base is written anew while adapters are trained on the old one."""
    model = model_of("llama", tmp_path)
    model.add_lora(r=2, alpha=4)
    again = MultimodalLM.load(model.save(tmp_path / "adapted"))
    checkpoint_of("llama", tmp_path / "llama", seed=1)
    for i, each in enumerate((model, again)):
        with pytest.raises(ValueError, match="trained on another base"):
            MultimodalLM.load(each.save(tmp_path / f"late-{i}"))


def test_adapters_without_a_stored_base_are_not_saved(tmp_path):
    model = model_of("llama", tmp_path)
    model.train_only("all")
    model.add_lora(r=2, alpha=4)
    with pytest.raises(ValueError, match="saved nowhere"):
        model.save(tmp_path / "adapted")


def test_saving_keeps_the_base_and_survives_errors(llama, tmp_path, monkeypatch):
    """A model is not overwritten by its own adapters, nor by a model that cannot be written."""
    folder = llama.save(tmp_path / "saved")
    adapted = MultimodalLM.load(folder)
    adapted.add_lora(r=2, alpha=4)
    with pytest.raises(ValueError, match="it holds the adapters' base"):
        adapted.save(folder)
    monkeypatch.setattr(type(llama.tokenizer), "save_pretrained", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        llama.save(folder)
    monkeypatch.undo()
    assert MultimodalLM.load(folder).generate(questions(), 4) == llama.generate(questions(), 4)
    assert not list(folder.glob(".*"))


def test_incomplete_folders_are_refused(llama, tmp_path):
    folder = llama.save(tmp_path / "saved")
    config = folder / "config.json"
    text = config.read_text()
    for damage, error, message in [
        (lambda: config.write_text("{}"), ValueError, "config.json: expected JSON with the keys"),
        (
            lambda: config.write_text(text.replace('"width": 8', '"width": 9')),
            ValueError,
            "connectors.safetensors: .* connectors.image.0.weight of shape",
        ),
        (
            lambda: config.unlink(),
            FileNotFoundError,
            "config.json: it or connectors.safetensors is not there",
        ),
    ]:
        damage()
        with pytest.raises(error, match=message):
            MultimodalLM.load(folder)
    with pytest.raises(FileNotFoundError, match="no weights in it"):
        MultimodalLM.from_lm(folder / "tokenizer", CONNECTORS)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        MultimodalLM.from_lm(tmp_path / "nowhere", CONNECTORS)
