"""Strict loading of all weights: a checkpoint is complete, or it is refused by name.

Each damage is done to the files of a random model. The undamaged weights are the reference.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tiny_clip import open_clip_vit, save_tiny_clip
from tiny_llava import QUESTION, multimodal, save_llava
from tiny_lm import save_lm
from transformers import AutoModelForCausalLM

from tinyemo.emoreason.local_teacher import LocalTeacher
from tinyemo.emoreason.requests import Request
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.models.llava.exporting import export_llava
from tinyemo.models.llava.reading import read_llava
from tinyemo.models.multimodal_folder import load_lm
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.projector import MetricProjector, load_projector
from tinyemo.training.multimodal_trainer import load_trained, save_trained

MATRIX = "model.layers.1.mlp.up_proj.weight"
CONNECTORS = {"image": Connector("linear", 4)}
WRAPPERS = ("module.", "_orig_mod.", "base_model.model.", "language_model.", "module._orig_mod.")


def change(file: Path, edit) -> Path:
    """Write the tensors of a safetensors file as `edit` gives them; returns its folder."""
    tensors = edit(load_file(file))
    # tensors are copied: the old file may still be mapped into memory
    tensors = {name: value.clone() for name, value in tensors.items()}
    file.unlink()
    save_file(tensors, file, {"format": "pt"})
    return file.parent


def under(prefix: str):
    return lambda tensors: {f"{prefix}{name}": value for name, value in tensors.items()}


def without(name: str):
    return lambda tensors: {key: value for key, value in tensors.items() if key != name}


def replaced(name: str, convert):
    return lambda tensors: tensors | {name: convert(tensors[name])}


def renamed(name: str, new: str):
    return lambda tensors: without(name)(tensors) | {new: tensors[name]}


def with_extra(name: str):
    return lambda tensors: tensors | {name: torch.ones(2)}


DAMAGES = [
    (without(MATRIX), f"lacks the tensor {MATRIX}, which the model needs$"),
    (renamed(MATRIX, "model.layers.1.up.weight"), f"lacks the tensor {MATRIX}.*model.layers.1.up"),
    (under("wrapped."), "lacks the tensor lm_head.weight .and 20 more.*has the tensor wrapped.mod"),
    (
        with_extra("model.layers.7.mlp.up_proj.weight"),
        "model.layers.7.mlp.up_proj.weight, which fi",
    ),
    (
        replaced(MATRIX, lambda value: value.T.contiguous()),
        r"of shape \(16, 32\), expected \(32, 16",
    ),
    (
        replaced(MATRIX, lambda value: value.to(torch.int8)),
        f"{MATRIX} of whole numbers, expected f",
    ),
    (replaced(MATRIX, lambda value: value > 0), f"{MATRIX} of whole numbers, expected floating"),
    (
        lambda tensors: (
            without(MATRIX)(under("module.")(tensors) | {MATRIX: tensors[MATRIX]})
            | {"module.other": torch.ones(1)}
        ),
        "has the tensor module.other|has the tensor other",
    ),
]


@pytest.fixture(scope="module")
def lm_folder(tmp_path_factory) -> Path:
    return save_lm(tmp_path_factory.mktemp("lm") / "lm")


@pytest.fixture
def lm(lm_folder, tmp_path) -> Path:
    return Path(shutil.copytree(lm_folder, tmp_path / "lm"))


def refusal(load, *args, kind=ValueError, **options) -> str:
    """The message of the error; it has one line."""
    with pytest.raises(kind) as caught:
        load(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- language models ----------------------------------------------------------------------------


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_damaged_language_models_are_refused_by_the_name_of_a_tensor(lm, damage, message):
    change(lm / "model.safetensors", damage)
    with pytest.raises(ValueError, match=message) as caught:
        MultimodalLM.from_lm(lm, CONNECTORS)
    assert str(caught.value).startswith(f"{lm}: the checkpoint (llama) ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("prefix", WRAPPERS)
@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_prefixes_of_wrappers_are_removed(lm, prefix, suffix):
    expected = load_file(lm / "model.safetensors")
    expected = {name: value.clone() for name, value in expected.items()}
    change(lm / "model.safetensors", under(prefix))
    if suffix == "bin":
        torch.save(load_file(lm / "model.safetensors"), lm / "pytorch_model.bin")
        (lm / "model.safetensors").unlink()
    state = load_lm(lm, torch.float32).state_dict()
    for name, value in expected.items():
        assert torch.equal(state[name], value), name


def test_a_wrapped_checkpoint_that_lacks_a_matrix_is_refused_by_the_own_name_of_the_matrix(lm):
    change(lm / "model.safetensors", lambda tensors: under("module.")(without(MATRIX)(tensors)))
    message = refusal(load_lm, lm, torch.float32)
    assert (
        message == f"{lm}: the checkpoint (llama) lacks the tensor {MATRIX}, which the model needs"
    )


def test_two_tensors_that_would_get_one_name_are_refused(lm):
    def half(tensors):
        twice = {f"module.{name}": value * 2 for name, value in tensors.items()}
        return without(MATRIX)(tensors) | twice

    change(lm / "model.safetensors", half)
    message = refusal(load_lm, lm, torch.float32)
    assert f"lacks the tensor {MATRIX}" in message and "module.model.embed_tokens" in message


def test_an_index_that_lists_half_of_the_tensors_is_refused(lm):
    tensors = load_file(lm / "model.safetensors")
    parts = (without(MATRIX)(tensors), {MATRIX: tensors[MATRIX]})
    shards = [lm / f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for shard, part in zip(shards, parts, strict=True):
        copied = {name: value.clone() for name, value in part.items()}
        save_file(copied, shard, {"format": "pt"})
    (lm / "model.safetensors").unlink()
    weight_map = dict.fromkeys(parts[0], shards[0].name)
    index = lm / "model.safetensors.index.json"
    whole = weight_map | {MATRIX: shards[1].name}
    index.write_text(json.dumps({"metadata": {}, "weight_map": whole}))
    load_lm(lm, torch.float32)
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    assert f"lacks the tensor {MATRIX}," in refusal(load_lm, lm, torch.float32)


def test_tied_tables_unused_heads_and_derived_buffers_are_known_exceptions(lm):
    def edit(tensors):
        extra = {"v_head.summary.weight": torch.ones(1, 16), "score.weight": torch.ones(3, 16)}
        extra["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
        extra["model.layers.0.attn.masked_bias"] = torch.tensor(-1e9)
        return without("lm_head.weight")(tensors) | extra

    change(lm / "model.safetensors", edit)
    model = load_lm(lm, torch.float32)
    table = load_file(lm / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(model.lm_head.weight, table)
    config = json.loads((lm / "config.json").read_text())
    (lm / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    assert "lacks the tensor lm_head.weight," in refusal(load_lm, lm, torch.float32)


def test_a_folder_of_adapters_is_not_taken_for_a_language_model(lm):
    (lm / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "else/where"}))
    assert refusal(load_lm, lm, torch.float32).startswith(f"{lm}: it holds adapters")


def test_openelm_is_loaded_by_the_same_rule(tmp_path):
    model = multimodal(tmp_path / "tokenizer", "openelm")
    model.lm.save_pretrained(tmp_path / "lm")
    load_lm(tmp_path / "lm", torch.float32)
    name = "transformer.layers.0.attn.q_norm.weight"
    change(tmp_path / "lm" / "model.safetensors", without(name))
    assert f"(openelm) lacks the tensor {name}," in refusal(load_lm, tmp_path / "lm", torch.float32)


def test_a_language_model_is_loaded_with_the_values_of_its_file(lm):
    expected = AutoModelForCausalLM.from_pretrained(lm, dtype=torch.float32).state_dict()
    found = load_lm(lm, torch.float32).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


# --- saved MultimodalLMs ------------------------------------------------------------------------


@pytest.mark.parametrize("edit", [without(MATRIX), renamed(MATRIX, "up.weight"), under("other.")])
def test_a_saved_model_with_a_damaged_lm_is_refused(lm, tmp_path, edit):
    MultimodalLM.from_lm(lm, CONNECTORS).save(tmp_path / "saved")
    change(tmp_path / "saved" / "lm" / "model.safetensors", edit)
    message = refusal(MultimodalLM.load, tmp_path / "saved")
    assert message.startswith(f"{tmp_path}/saved/lm: the checkpoint (llama) lacks the tensor ")


def adapter_of(lm: Path, folder: Path) -> Path:
    """The weight file of a saved model with adapters that differ from new ones."""
    model = MultimodalLM.from_lm(lm, CONNECTORS)
    model.add_lora(r=2, alpha=4)
    for name, value in model.lm.named_parameters():
        if "lora_" in name:
            value.data.fill_(0.3)
    model.save(folder)
    return folder / "adapter" / "adapter_model.safetensors"


def test_damaged_adapters_are_refused_by_the_name_of_a_tensor(lm, tmp_path):
    file = adapter_of(lm, tmp_path / "saved")
    whole = {name: value.clone() for name, value in load_file(file).items()}
    name = next(iter(whole))
    for edit, words in (
        (without(name), f"lacks the tensor {name},"),
        (renamed(name, "renamed.weight"), "has the tensor renamed.weight, which fits nothing"),
        (under("x."), f"lacks the tensor {min(whole)} (and {len(whole) - 1} more)"),
        (replaced(name, lambda value: value[:1].clone()), f"has the tensor {name} of shape (1, "),
        (replaced(name, lambda value: value.to(torch.int32)), f"{name} of torch.int32, expected"),
    ):
        change(file, lambda _: whole)
        change(file, edit)
        message = refusal(MultimodalLM.load, tmp_path / "saved")
        assert message.startswith(f"{file}: the checkpoint (adapters) ") and words in message
    file.unlink()
    assert str(file) in refusal(MultimodalLM.load, tmp_path / "saved", kind=FileNotFoundError)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_adapters_are_loaded_with_the_values_of_their_file(lm, tmp_path, prefix):
    change(adapter_of(lm, tmp_path / "saved"), under(prefix))
    model = MultimodalLM.load(tmp_path / "saved")
    state = get_peft_model_state_dict(model.lm)
    assert state and all((value == 0.3).all() for value in state.values())
    assert all(value.requires_grad for name, value in model.lm.named_parameters() if "lora" in name)


def test_damaged_settings_of_adapters_are_named(lm, tmp_path):
    file = adapter_of(lm, tmp_path / "saved").with_name("adapter_config.json")
    for text in ("{}", "no JSON", '{"peft_type": "LORA", "target_modules": ["nowhere"]}'):
        file.write_text(text)
        assert refusal(MultimodalLM.load, tmp_path / "saved").startswith(f"{file}: ")


def test_damaged_connectors_are_refused_by_the_name_of_a_tensor(lm, tmp_path):
    MultimodalLM.from_lm(lm, CONNECTORS).save(tmp_path / "saved")
    file = tmp_path / "saved" / "connectors.safetensors"
    change(file, renamed("missing.image", "missing.audio"))
    message = refusal(MultimodalLM.load, tmp_path / "saved")
    assert message.startswith(f"{file}: ") and "lacks the tensor missing.image," in message


def test_trained_weights_that_lack_a_parameter_are_refused(lm, tmp_path):
    model = MultimodalLM.from_lm(lm, CONNECTORS)
    model.train_only("connector")
    file = tmp_path / "weights.safetensors"
    save_trained(model, file, {"key": "k"})
    load_trained(model, file)
    change(file, without("missing.image"))
    assert "lacks the tensor missing.image," in refusal(load_trained, model, file)
    change(file, with_extra("missing.image"))  # torch would spread (2,) over another shape or fail
    assert "missing.image of shape (2,)" in refusal(load_trained, model, file)


# --- vision-language models ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def llava_folder(tmp_path_factory) -> Path:
    return save_llava(tmp_path_factory.mktemp("llava") / "llava", [QUESTION, "USER: joy"])


@pytest.mark.parametrize("part", ["layers.1.mlp.up_proj", "vision_tower", "multi_modal_projector"])
def test_llava_and_the_local_teacher_refuse_a_checkpoint_without_a_matrix(
    llava_folder, tmp_path, part
):
    folder = Path(shutil.copytree(llava_folder, tmp_path / "llava"))
    names = sorted(load_file(folder / "model.safetensors"))
    name = next(name for name in names if part in name and name.endswith("weight"))
    change(folder / "model.safetensors", without(name))
    message = refusal(read_llava, folder)
    assert message.startswith(f"{folder}: the checkpoint (llava) lacks the tensor ")
    assert part in message and name.rpartition(part)[2] in message
    request = Request("x", "", "caption", "a dog", "ekman", attributes={"object": ["dog"] * 3})
    assert refusal(lambda: list(LocalTeacher(folder).replies([request]))) == message


def test_llava_under_known_prefixes_is_read_and_under_others_refused(llava_folder, tmp_path):
    folder = Path(shutil.copytree(llava_folder, tmp_path / "llava"))
    expected = {name: value.clone() for name, value in read_llava(folder)[0].state_dict().items()}
    for prefix in ("module.", "base_model.model."):
        shutil.copy(llava_folder / "model.safetensors", folder / "new")
        (folder / "new").replace(folder / "model.safetensors")
        change(folder / "model.safetensors", under(prefix))
        found = read_llava(folder)[0].state_dict()
        # the embedding of a missing image is not in the file
        for name in found.keys() - {"missing.image"}:
            assert torch.equal(found[name], expected[name]), name
    change(folder / "model.safetensors", under("other."))
    assert "lacks the tensor" in refusal(read_llava, folder)


def test_an_exported_projection_is_read_strictly(tmp_path):
    encoder = open_clip_vit(tmp_path / "clip")
    folder = export_llava(multimodal(tmp_path / "lm"), encoder, tmp_path / "llava")
    file = folder / "visual_projection.safetensors"
    weight = load_file(file)["weight"].clone()
    for edit in (
        lambda _: {"other": weight},
        lambda _: {"weight": weight[:, 1:]},
        lambda _: {"weight": weight[0]},
        lambda _: {"weight": weight.to(torch.int8)},
    ):
        change(file, edit)
        assert refusal(read_llava, folder).startswith(f"{file}: the checkpoint (CLIP's projection)")


# --- encoders, projectors, anchors --------------------------------------------------------------


@pytest.mark.parametrize("tower", ["vit", "resnet", "timm"])
def test_damaged_image_encoders_are_refused_by_the_name_of_a_tensor(tmp_path, tower):
    name = save_tiny_clip(tmp_path / "clip", tower)
    file = tmp_path / "clip" / "open_clip_model.safetensors"
    whole = {key: value.clone() for key, value in load_file(file).items()}
    key = next(key for key in whole if key.startswith("visual.") and whole[key].ndim == 4)
    for edit in (
        without(key),
        renamed(key, "visual.renamed"),
        with_extra("visual.extra"),
        replaced(key, lambda value: value[:-1].clone()),
        replaced(key, lambda value: (value * 100).to(torch.int32)),
    ):
        change(file, lambda _: whole)
        change(file, edit)
        message = refusal(load_image_encoder, name)
        assert "clip" in message and ("visual.extra" in message or key in message)


def test_positions_of_another_image_size_are_not_resized_silently(tmp_path):
    name = save_tiny_clip(tmp_path / "clip", "vit")
    file = tmp_path / "clip" / "open_clip_model.safetensors"
    change(file, replaced("visual.positional_embedding", lambda value: value[:5].clone()))
    message = refusal(load_image_encoder, name)
    assert "visual.positional_embedding of shape (5, 32), expected (17, 32)" in message
    whole = save_tiny_clip(tmp_path / "clip", "vit")
    change(file, replaced("positional_embedding", lambda value: value[:, :-1].clone()))
    assert "cannot load the image encoder" in refusal(load_image_encoder, whole)


def test_projectors_under_known_prefixes_load_and_whole_numbers_are_refused(tmp_path):
    torch.manual_seed(0)
    projector = MetricProjector(6, 4).eval()
    features = torch.randn(3, 6)
    for prefix in WRAPPERS:
        torch.save(under(prefix)(projector.state_dict()), tmp_path / "p.bin")
        assert torch.equal(load_projector(tmp_path / "p.bin")(features), projector(features))
    numbers = projector.state_dict() | {"model.0.weight": torch.ones(4, 6, dtype=torch.int64)}
    torch.save(numbers, tmp_path / "p.bin")
    message = refusal(load_projector, tmp_path / "p.bin")
    assert "model.0.weight of torch.int64, expected numbers like torch.float32" in message
    torch.save(projector.half().state_dict(), tmp_path / "p.bin")
    load_projector(tmp_path / "p.bin")


def test_anchors_of_a_table_that_is_missing_or_of_whole_numbers_are_refused(lm):
    name = "model.embed_tokens.weight"
    load_anchors(lm, ["w1"])
    change(lm / "model.safetensors", replaced(name, lambda value: value.to(torch.int8)))
    assert f"tensor {name} with floating-point numbers" in refusal(load_anchors, lm, ["w1"])
    change(lm / "model.safetensors", replaced(name, lambda value: value[0].float().clone()))
    assert "found torch.float32 in 1 dimensions" in refusal(load_anchors, lm, ["w1"])
    change(lm / "model.safetensors", without(name))
    shard = (lm / "model.safetensors").rename(lm / "model-00001-of-00001.safetensors")
    index = {"weight_map": {name: shard.name}}  # but the table is not in it
    (lm / "model.safetensors.index.json").write_text(json.dumps(index))
    assert str(shard) in refusal(load_anchors, lm, ["w1"])
