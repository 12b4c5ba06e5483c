"""The projector: published files load, saved folders are read back, wrong files are refused."""

import json
import os

import pytest
import torch
import torch.nn.functional as F

from tinyemo.models.projector import MetricProjector, load_projector

PUBLISHED = {"OpenELM-270M": 1280, "OpenELM-450M": 1536, "TinyLlama-1.1B": 2048, "Phi-2": 2560}


def published_state(d_vision, d_llm):
    """A state dict as the published files have it: names, shapes and order written out."""
    draw = torch.Generator().manual_seed(0)
    return {
        "model.0.weight": torch.randn(d_llm, d_vision, generator=draw) / d_vision**0.5,
        "model.0.bias": torch.randn(d_llm, generator=draw),
        "model.1.weight": torch.rand(d_llm, generator=draw) + 0.5,
        "model.1.bias": torch.randn(d_llm, generator=draw),
        "model.1.running_mean": torch.randn(d_llm, generator=draw),
        "model.1.running_var": torch.rand(d_llm, generator=draw) + 0.5,
        "model.1.num_batches_tracked": torch.tensor(7),
        "model.4.weight": torch.randn(d_llm, d_llm, generator=draw) / d_llm**0.5,
        "model.4.bias": torch.randn(d_llm, generator=draw),
    }


def by_hand(state, x):
    hidden = x @ state["model.0.weight"].T + state["model.0.bias"]
    hidden = (hidden - state["model.1.running_mean"]) / (state["model.1.running_var"] + 1e-5).sqrt()
    hidden = F.gelu(hidden * state["model.1.weight"] + state["model.1.bias"])
    return hidden @ state["model.4.weight"].T + state["model.4.bias"]


@pytest.mark.parametrize("d_llm", PUBLISHED.values(), ids=PUBLISHED)
def test_published_bin_of_each_width_gives_its_embeddings(tmp_path, d_llm):
    state = published_state(768, d_llm)
    torch.save(state, tmp_path / "projector.bin")
    projector = load_projector(tmp_path / "projector.bin")
    x = torch.randn(4, 768, generator=torch.Generator().manual_seed(1)).half()
    assert not projector.training and (projector.d_vision, projector.d_llm) == (768, d_llm)
    assert torch.allclose(projector(x), by_hand(state, x.float()), atol=1e-4)


def test_parameter_counts_are_the_published_ones():
    for d_llm, millions in ((1280, 2.63), (1536, 3.55)):
        count = sum(p.numel() for p in MetricProjector(768, d_llm).parameters())
        assert count / 1e6 == pytest.approx(millions, abs=0.01)


def test_saved_folder_is_loaded_with_card_and_metadata(tmp_path):
    info = {"anchors": "some/checkpoint", "recipe": {"loss": "nt_xent"}}
    projector = MetricProjector(6, 4, dropout=0.3, temperature=0.5, info=info).eval()
    folder = projector.save_pretrained(tmp_path / "mine")
    again = load_projector(folder)
    x = torch.randn(5, 6)
    assert torch.equal(again(x), projector(x))
    assert (again.info, again.temperature, again.dropout) == (info, 0.5, 0.3)
    assert "some/checkpoint" in (folder / "README.md").read_text()
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert json.loads((folder / "config.json").read_text())["d_llm"] == 4


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_projectors_of_one_to_three_layers_are_saved_and_loaded(tmp_path, layers):
    draw = torch.Generator().manual_seed(layers)
    projector = MetricProjector(6, 4, layers=layers).eval()
    for parameter in projector.parameters():
        torch.nn.init.normal_(parameter, generator=draw)
    state, x = projector.state_dict(), torch.randn(5, 6, generator=draw)
    linear = [name for name, tensor in state.items() if tensor.ndim == 2]
    assert linear == ["model.0.weight", "model.4.weight", "model.8.weight"][:layers]
    assert torch.equal(
        load_projector(projector.save_pretrained(tmp_path / "mine"))(x), projector(x)
    )
    if layers == 1:
        assert torch.allclose(projector(x), x @ state["model.0.weight"].T + state["model.0.bias"])
    else:
        first_two = {name: tensor for name, tensor in state.items() if int(name.split(".")[1]) < 5}
        hidden = by_hand(first_two, x)
        if layers == 3:
            rest = {
                f"model.{int(name.split('.')[1]) - 4}.{name.split('.')[2]}": state[name]
                for name in state
                if int(name.split(".")[1]) > 4
            }
            rest |= {"model.0.weight": torch.eye(4), "model.0.bias": torch.zeros(4)}
            hidden = by_hand(rest, hidden)
        assert torch.allclose(projector(x), hidden, atol=1e-4)


def test_a_damaged_folder_is_named(tmp_path):
    folder = MetricProjector(6, 4).save_pretrained(tmp_path / "mine")
    (folder / "config.json").write_text('{"dropout": 0.2')
    with pytest.raises(ValueError, match="config.json: expected JSON with the keys dropout"):
        load_projector(folder)
    (folder / "model.safetensors").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_projector(folder)


def test_hub_repository_with_only_a_published_bin_is_loaded(tmp_path, monkeypatch):
    torch.save(published_state(6, 4), tmp_path / "TinyEmo-CLIP-Some.bin")
    monkeypatch.setattr("tinyemo.hub.snapshot_download", lambda repo, allow_patterns: tmp_path)
    assert load_projector("owner/TinyEmo-CLIP-Some").d_llm == 4


def test_classify_is_the_softmax_of_cosines_and_keeps_the_mode():
    projector = MetricProjector(6, 4, temperature=0.5).train()
    x, anchors = torch.randn(5, 6), torch.randn(3, 4)
    before = projector.model[1].running_mean.clone()
    p = projector.classify(x, anchors)
    assert projector.training and torch.equal(projector.model[1].running_mean, before)
    cosines = F.cosine_similarity(projector.eval()(x)[:, None], anchors[None], dim=2)
    assert torch.allclose(p, (cosines / 0.5).softmax(dim=1), atol=1e-6)
    assert torch.allclose(
        projector.classify(x, anchors, 2.0), (cosines / 2).softmax(dim=1), atol=1e-6
    )


def test_widths_that_do_not_fit_are_named():
    projector = MetricProjector(6, 4)
    with pytest.raises(ValueError, match=r"takes \(N, 6\)"):
        projector.classify(torch.randn(5, 7), torch.randn(3, 4))
    with pytest.raises(ValueError, match=r"maps to \(C, 4\)"):
        projector.classify(torch.randn(5, 6), torch.randn(3, 5))


def test_files_that_hold_no_projector_are_refused(tmp_path):
    path = tmp_path / "p.bin"
    for change, message in (
        ({"model.0.weight": None}, "expected tensors model.0.weight to model.4.bias"),
        ({"model.4.weight": None}, "lacks the tensor model.4.weight, which the model needs"),
        ({"model.1.bias": None}, "lacks the tensor model.1.bias"),
        ({"model.9.weight": torch.zeros(2)}, "has the tensor model.9.weight, which fits nothing"),
        (
            {"model.4.weight": torch.zeros(4, 5)},
            r"has the tensor model.4.weight of shape \(4, 5\), expected \(4, 4\)",
        ),
    ):
        state = published_state(6, 4) | change
        torch.save({name: tensor for name, tensor in state.items() if tensor is not None}, path)
        with pytest.raises(ValueError, match=message) as error:
            load_projector(path)
        assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)
    path.write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match="damaged"):
        load_projector(path)
    for missing in (tmp_path / "none.bin", tmp_path / "none"):
        with pytest.raises(FileNotFoundError, match=str(missing)):
            load_projector(missing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="expected a folder made by save_pretrained"):
        load_projector(tmp_path / "empty")


def test_pickled_code_never_runs(tmp_path):
    class Code:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"model.0.weight": Code()}, tmp_path / "p.bin")
    with pytest.raises(ValueError, match="p.bin: holds pickled code"):
        load_projector(tmp_path / "p.bin")
    assert not (tmp_path / "ran").exists()
