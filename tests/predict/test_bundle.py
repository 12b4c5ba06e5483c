"""Bundles: written and read again, moved, damaged; the shipped one; the runs of a profile."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tinyemo.emotions import labels_of
from tinyemo.predict.bundle import BUNDLE, Bundle, read_bundle, write_bundle
from tinyemo.predict.models import PUBLISHED, SHIPPED, find_bundle


def make_bundle(folder: Path) -> Bundle:
    """A bundle with empty parts in `folder`, and its language model on the hub."""
    for part in ("encoder", "projectors/ekman", "explainer"):
        (folder / part).mkdir(parents=True)
    bundle = Bundle(
        folder.name,
        f"local-dir:{folder / 'encoder'}",
        "apple/OpenELM-270M-Instruct",
        {"ekman": str(folder / "projectors" / "ekman")},
        other_words="ekman",
        tokenizer="TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        template="a {emotion} scene",
        explainer=str(folder / "explainer"),
        explained=("joy", "fear"),
        domain="drawings",
        software="Pen",
    )
    write_bundle(bundle, folder)
    return bundle


def test_a_bundle_is_read_as_it_was_written_also_after_it_was_moved(tmp_path):
    bundle = make_bundle(tmp_path / "one")
    assert read_bundle(tmp_path / "one") == bundle
    text = (tmp_path / "one" / BUNDLE).read_text()
    assert str(tmp_path) not in text
    (tmp_path / "one").rename(tmp_path / "two")
    moved = read_bundle(tmp_path / "two")
    assert moved.explainer == str(tmp_path / "two" / "explainer")
    assert moved.encoder == f"local-dir:{tmp_path / 'two' / 'encoder'}"
    assert replace(moved, name="one").lm == bundle.lm


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda content: content.pop("anchors"), "key 'anchors' is missing"),
        (lambda content: content.update(encoder="ViT"), "not the description of a bundle"),
        (lambda content: content.update(other_words="mikels"), "other_words is none of ekman"),
        (lambda content: content["projectors"].update(ekman="gone"), "names 'gone', which is not"),
        (lambda content: content["encoder"].update(name="local-dir:gone"), "'local-dir:gone'"),
    ],
)
def test_a_damaged_description_is_refused_by_name(tmp_path, change, expected):
    make_bundle(tmp_path / "one")
    file = tmp_path / "one" / BUNDLE
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=re.escape(expected)) as error:
        read_bundle(tmp_path / "one")
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_unknown_models_and_folders_without_a_bundle_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="did you mean tinyemo-700m"):
        find_bundle("tinyemo-700")
    with pytest.raises(FileNotFoundError, match="no bundle"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_bundles_have_hub_ids_and_no_explainer(name):
    bundle = find_bundle(name)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", bundle.projector_of("mikels"))
    assert bundle.encoder == "ViT-L-14" and not bundle.explainer
    assert "no MM-LLM was published" in bundle.without_explainer


def test_the_shipped_weights_are_small_halves_with_a_card_each():
    files = sorted(SHIPPED.rglob("*.safetensors"))
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) <= 16_000_000
    for file in files:
        kinds = {value.dtype for value in load_file(file).values()}
        assert kinds <= {torch.float16, torch.int64}, file
    bundle = find_bundle("emoscenes")
    assert set(bundle.projectors) == {"ekman", "mikels", "parrott"}
    assert bundle.explained == labels_of("parrott")
    parts = [SHIPPED / "clip", SHIPPED / "lm", Path(bundle.explainer)]
    for part in [*parts, *map(Path, bundle.projectors.values())]:
        card = (part / "README.md").read_text()
        assert "For drawings of EmoScenes only" in card and "make reproduce PROFILE=scenes" in card
        weights = sorted(part.rglob("*.safetensors"))
        facts = [[file.name, hashlib.sha256(file.read_bytes()).hexdigest()] for file in weights]
        assert hashlib.sha256(json.dumps(facts).encode()).hexdigest() in card


def test_the_runs_of_a_profile_are_a_bundle(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path))
    parameters = {
        "00_start_here": {},
        "01_feature_extraction": {"encoder_name": "", "pretrained": "openai"},
        "02_projector_training": {
            "features_root": "",
            "label_sets": ["ekman", "parrott"],
            "anchors": "",
            "template": "scene",
        },
    }
    for stem, values in parameters.items():
        folder = tmp_path / "mine" / stem
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text("{}")
        (folder / "manifest.json").write_text(json.dumps({"parameters": values}))
    start = tmp_path / "mine" / "00_start_here"
    bundle = find_bundle("mine")
    assert bundle.encoder == f"local-dir:{start / 'clip'}" and bundle.lm == str(start / "lm")
    assert bundle.template == "a {emotion} scene" and bundle.other_words == "parrott"
    assert bundle.projector_of("mikels").endswith("projectors/parrott-0")
    assert "notebook 04 was not run" in bundle.without_explainer
    explaining = tmp_path / "mine" / "04_mm_llm_finetuning"
    (explaining / "tables").mkdir(parents=True)
    (explaining / "metrics.json").write_text("{}")
    (explaining / "manifest.json").write_text('{"parameters": {"label_set": "ekman"}}')
    rows = "arm,training,chosen,model\nalone,0,True,a\nconditioned,0,False,b\n"
    rows += "conditioned,1,True,c\nconditioned,0,True,d\n"
    (explaining / "tables" / "trainings.csv").write_text(rows)
    bundle = find_bundle("mine")
    assert bundle.explainer == str(explaining / "d") and bundle.explained == labels_of("ekman")
    shutil.rmtree(start)
    with pytest.raises(FileNotFoundError, match="00_start_here"):
        find_bundle("mine")
