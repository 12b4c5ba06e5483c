"""Explainer: one pass per image, the projector's label in the prompt, equal texts in any batch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_clip import save_tiny_clip
from tiny_lm import save_tiny_llama

from tinyemo.emotions import LABEL_SETS
from tinyemo.explain import Explainer
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.projector import MetricProjector

LABELS = LABEL_SETS["ekman"]


def save_images(folder: Path, n: int = 5) -> list[Path]:
    """Images of noise that differ in brightness and grain."""
    rng, paths = np.random.default_rng(0), [folder / f"{i}.png" for i in range(n)]
    for i, path in enumerate(paths):
        pixels = rng.integers(0, 50 + 40 * i, (4 + 12 * i, 4 + 12 * i, 3)).astype(np.uint8)
        Image.fromarray(pixels).resize((70, 64)).save(path)
    return paths


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> tuple[Explainer, list[Path]]:
    """An explainer of random parts whose projector separates five images, and these images."""
    folder = tmp_path_factory.mktemp("explain")
    paths = save_images(folder)
    encoder = load_image_encoder(save_tiny_clip(folder / "clip", "vit"))
    model = MultimodalLM.from_lm(
        save_tiny_llama(folder / "lm"), {"image": Connector("mlp2x_gelu", 32)}
    )
    torch.manual_seed(1)
    projector = MetricProjector(24, 8, temperature=0.5).eval()
    pooled, _ = encoder.encode(
        torch.stack([encoder.preprocess(Image.open(path)) for path in paths])
    )
    with torch.no_grad():
        hidden = projector.model[0](pooled)
    projector.model[1].running_mean, projector.model[1].running_var = (
        hidden.mean(dim=0),
        hidden.var(dim=0),
    )
    return Explainer(encoder, projector, torch.randn(6, 8), LABELS, model), paths


def record_prompts(explainer: Explainer, monkeypatch) -> list:
    """The samples that the language model gets from now on; its answers are "x"."""
    samples_seen = []

    def generate(samples, **options):
        samples_seen.extend(samples)
        return ["x"] * len(samples)

    monkeypatch.setattr(explainer.model, "generate", generate)
    return samples_seen


def test_one_pass_of_the_tower_gives_probabilities_label_and_text(scene):
    explainer, paths = scene
    passed = []
    block = explainer.encoder.model.visual.transformer.resblocks[0]
    hook = block.register_forward_hook(lambda module, inputs, output: passed.append(len(output)))
    table = explainer.explain(paths, batch_size=2, max_new_tokens=8)
    hook.remove()
    assert passed == [2, 2, 1]
    assert list(table) == ["pred", *(f"p_{label}" for label in LABELS), "text"] and len(table) == 5
    pixels = torch.stack([explainer.encoder.preprocess(Image.open(path)) for path in paths])
    shares = explainer.projector.classify(explainer.encoder.encode(pixels)[0], explainer.anchors)
    np.testing.assert_allclose(table.filter(like="p_"), shares, atol=1e-5)
    assert table["pred"].tolist() == [LABELS[place] for place in shares.argmax(dim=1)]
    assert table["pred"].nunique() > 1 and table["text"].nunique() > 1
    assert explainer.explain([]).empty


def test_prompt_holds_the_projectors_label_and_the_images_patch_tokens(scene, monkeypatch):
    explainer, paths = scene
    asked = record_prompts(explainer, monkeypatch)
    table = explainer.explain(paths)
    for path, label, sample in zip(paths, table["pred"], asked, strict=True):
        ((human, answer),) = sample.turns
        token, wording, candidates, conditioning = human.split("\n")
        assert token == "<image>" and answer == ""
        assert conditioning == f"Important: note that the correct label is {label}."
        assert label in candidates and candidates.count(",") == 2
        _, patches = explainer.encoder.encode(explainer.encoder.preprocess(Image.open(path))[None])
        torch.testing.assert_close(sample.streams["image"][0], patches[0], rtol=1e-4, atol=1e-5)


def test_batches_single_images_and_streams_give_the_same_texts(scene):
    explainer, paths = scene
    table = explainer.explain(paths, max_new_tokens=12)
    assert (table["text"].str.len() > 5).all()
    for path, row in zip(paths, table.itertuples(), strict=True):
        alone = explainer.explain([Image.open(path)], max_new_tokens=12).iloc[0]
        assert (alone["pred"], alone["text"]) == (row.pred, row.text)
        label, pieces = explainer.stream(str(path), max_new_tokens=12)
        assert (label, "".join(pieces).strip()) == (row.pred, row.text)


def test_sampled_texts_depend_on_the_seed(scene):
    explainer, paths = scene
    texts = [
        explainer.explain(paths, max_new_tokens=8, temperature=1.0, seed=seed)["text"].tolist()
        for seed in (0, 0, 1)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("labels", [LABEL_SETS["parrott"], ("calm", "wild")])
def test_new_labels_can_replace_the_trained_ones(scene, labels, monkeypatch):
    explainer, paths = scene
    anchors = torch.randn(len(labels), 8, generator=torch.Generator().manual_seed(2))
    asked = record_prompts(explainer, monkeypatch)
    table = replace(explainer, anchors=anchors, labels=labels).explain(paths)
    assert list(table) == ["pred", *(f"p_{label}" for label in labels), "text"]
    questions = [sample.turns[0][0] for sample in asked]
    for question, label in zip(questions, table["pred"], strict=True):
        assert question.endswith(f" {label}.")
    _, _, rest = questions[0].partition("[")
    candidates = rest.partition("]")[0].split(", ")
    assert len(candidates) == min(3, len(labels))
    assert set(candidates) <= set(labels)


def test_an_image_that_cannot_be_read_is_named(scene, tmp_path):
    explainer, paths = scene
    broken = tmp_path / "broken.png"
    broken.write_bytes(paths[0].read_bytes()[:200])
    with pytest.raises(ValueError, match=f"cannot read the image {broken}: ") as error:
        explainer.explain([paths[0], broken])
    assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="image not found: .*nothing.png"):
        explainer.stream(tmp_path / "nothing.png")
    with pytest.raises(ValueError, match="cannot read the image"):
        explainer.explain([None])


def test_parts_that_do_not_fit_are_refused(scene):
    explainer, _ = scene
    for change, message in (
        (
            {"labels": LABELS[:5]},
            r"anchors of shape \(6, 8\) for the labels anger, .*one anchor per label, of width 8",
        ),
        ({"anchors": torch.randn(6, 7)}, r"anchors of shape \(6, 7\)"),
        ({"labels": ("joy",) * 6}, "no label twice"),
        (
            {"projector": MetricProjector(20, 8)},
            "takes features of width 20, the image encoder .* gives 24",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            replace(explainer, **change)
