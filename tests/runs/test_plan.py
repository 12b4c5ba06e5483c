"""The plan: what is missing is named with what to do about it; what is present is not named."""

import pytest
from conftest import write_notebook

from tinyemo.cli import main
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.runs import plan


@pytest.fixture
def machine(bench, monkeypatch):
    """One dataset, one checkpoint folder, one checkpoint and one encoder in the hub's cache."""
    monkeypatch.setattr(plan, "HF_HUB_CACHE", str(bench / "hub"))
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    (bench / "data" / PHOTO_SETS["FI"].folder).mkdir(parents=True)
    (bench / "data" / "owner" / "on-disk").mkdir(parents=True)
    for folder in ("models--owner--cached", "models--timm--vit_base_patch16_clip_224.openai"):
        (bench / "hub" / folder / "snapshots" / "1").mkdir(parents=True)
        (bench / "hub" / folder / "snapshots" / "1" / "config.json").write_text("{}")
    (bench / "hub" / "models--owner--begun" / "blobs").mkdir(parents=True)
    return bench


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"datasets": ["FI", "scenes-ekman"], "root": ""}, []),
        (
            {"datasets": ["FI", "EmoSet"], "root": ""},
            [f"data/{PHOTO_SETS['EmoSet'].folder}", PHOTO_SETS["EmoSet"].get],
        ),
        ({"datasets": ["FI"], "root": "elsewhere"}, ["elsewhere/FI", PHOTO_SETS["FI"].get]),
        ({"features_root": "TinyEmo"}, ["features_root is missing: no folder TinyEmo"]),
        ({"features_root": "FI", "images": "", "datasets": ["EmoSet"]}, []),
        ({"anchors": "owner/on-disk", "tokenizer": "owner/cached", "projector": ""}, []),
        ({"anchors": "random"}, []),
        ({"lm": "owner/begun"}, ["lm owner/begun", "will be downloaded"]),
        ({"anchors": "owner/begun"}, ["anchors owner/begun", "will be downloaded"]),
        (
            {
                "pretraining_teacher": "grammar:full",
                "quality_teacher": "local:owner/cached",
                "quality_share": 0.1,
            },
            [],
        ),
        ({"pretraining_teacher": "local:owner/on-disk", "finetuning_teacher": "local:FI"}, []),
        (
            {"finetuning_teacher": "local:owner/begun"},
            ["finetuning_teacher owner/begun", "will be downloaded"],
        ),
        (
            {"finetuning_teacher": "local:llava"},
            ["finetuning_teacher is missing: no folder llava, nor one under"],
        ),
        (
            {"finetuning_teacher": "grammer"},
            ["finetuning_teacher: unknown teacher 'grammer': expected grammar, "],
        ),
        ({"finetuning_teacher": "local:"}, ["finetuning_teacher: unknown teacher 'local:'"]),
        ({"quality_teacher": "api:some/model", "quality_share": 0.0}, []),
        ({"quality_teacher": "", "quality_share": 0.02}, []),
        ({"quality_teacher": "", "quality_share": 0.0}, []),
        ({"pretraining_teacher": ""}, ["pretraining_teacher: unknown teacher ''"]),
        ({"judge": ""}, []),
        ({"judge": "api:some/model"}, ["judge api:some/model", "set OPENAI_BASE_URL"]),
        ({"datasets": ["FI", "nowhere.csv"], "root": ""}, ["datasets: nowhere.csv is missing"]),
        ({"datasets": ["FI", "owner"], "root": ""}, []),
        ({"datasets": ["FI", "moods"]}, []),  # of a collection
        (
            {"quality_teacher": "api:some/model", "quality_share": 0.1},
            ["quality_teacher api:some/model", "set OPENAI_BASE_URL"],
        ),
        ({"encoder_name": "ViT-B-16", "pretrained": "openai"}, []),
        ({"encoder_name": "ViT-L-14", "pretrained": "openai"}, ["ViT-L-14", "will be downloaded"]),
        (
            {"encoder_name": "ViT-L-14", "pretrained": "openay"},
            ["not a published encoder with weights 'openay'"],
        ),
        ({"encoder_name": "ViT-B-16", "pretrained": ""}, []),
        (
            {"encoder_name": "vit_large_patch14_dinov2.lvd142m", "pretrained": ""},
            ["will be downloaded"],
        ),
        ({"encoder_name": "local-dir:clip", "pretrained": "openai"}, []),
    ],
)
def test_missing_things_are_named_and_present_things_are_not(machine, values, named):
    found = list(plan.lacking(values))
    assert len(found) == (1 if named else 0)
    assert all(words in found[0] for words in named)


def test_the_plan_uses_the_values_that_the_run_would_get(machine, capsys):
    write_notebook(
        machine / "notebooks" / "one.ipynb",
        'profile = "smoke"\nanchors = ""\ndatasets = ["Abstract"]\n',
    )
    (machine / "tiny" / "one.yaml").write_text(
        "datasets: [FI]\nsweep: {anchors: [owner/cached, owner/begun]}\n"
    )
    assert main(["plan", str(machine / "tiny")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "one, 3 members: default; anchors=owner/cached; anchors=owner/begun"
    assert printed[1:] == [
        f"one: {sentence}" for sentence in plan.lacking({"anchors": "owner/begun"})
    ]
    assert main(["plan", str(machine / "tiny"), "--pairs", "datasets=[ArtPhoto]"]) == 0
    assert PHOTO_SETS["ArtPhoto"].get in capsys.readouterr().out
    assert main(["plan", str(machine / "tiny"), "--pairs", "anchor=x"]) == 1
    assert "no notebook of profile tiny has a parameter 'anchor'" in capsys.readouterr().err


@pytest.mark.parametrize("profile", ["smoke", "scenes", "dialogues"])
def test_nothing_is_missing_in_the_profiles_that_need_no_data(monkeypatch, capsys, profile):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert main(["plan", profile]) == 0
    assert capsys.readouterr().out == "nothing is missing here\n"
