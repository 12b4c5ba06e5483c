"""From a tree in IEMOCAP's layout, with clips, to a table of the cross-validation: one command."""

import json

import numpy as np
import pandas as pd
import pytest
from clips import face_frame, tone, write_clip
from iemocap_tree import avi_file, made_up_dialogues, wav_file, write_tree
from tiny_encoders import (
    save_face_encoder,
    save_speech_encoder,
    save_text_encoder,
    save_video_encoder,
)

from tinyemo.cli import main

SESSIONS = 3


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Three sessions with sound for all utterances, and a picture for all dialogues but one."""
    root = tmp_path_factory.mktemp("release")
    utterances = made_up_dialogues(sessions=SESSIONS, dialogues=2, turns=14)
    write_tree(root, utterances)
    frames = [np.concatenate([face_frame(20, 40), face_frame(60, 60)], axis=1)]
    for number, utterance in enumerate(utterances):
        sound = tone(utterance.end - utterance.start, 16000, 200 + 10 * number)
        write_clip(wav_file(root, utterance), None, "pcm_s16le", samples=sound, rate=16000)
    for dialogue in sorted({one.dialogue for one in utterances})[1:]:
        last = max(one.end for one in utterances if one.dialogue == dialogue)
        times = np.arange(0, last + 1, 0.5)
        write_clip(
            avi_file(root, dialogue),
            "mpeg4",
            None,
            frames=frames * len(times),
            fps=2,
        )
    return root, utterances


def test_one_command_makes_a_table_from_a_tree_with_clips(tree, tmp_path, monkeypatch, capfd):
    root, utterances = tree
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path / "runs"))
    save_text_encoder(tmp_path / "text")
    save_speech_encoder(tmp_path / "speech", "wav2vec2")
    save_video_encoder(tmp_path / "video")
    save_face_encoder(tmp_path / "face")
    pairs = {
        "iemocap": root,
        "label_set": "iemocap6",
        "text_encoder": tmp_path / "text",
        "audio_encoder": tmp_path / "speech",
        "video_encoder": tmp_path / "video",
        "face_encoder": tmp_path / "face",
        "epochs": 1,
        "seeds": 1,
        "context": 2,
        "processes": 1,
    }
    options = [word for key, value in pairs.items() for word in ("-p", f"{key}={value}")]
    out = tmp_path / "out"
    code = main(
        ["run", "07_multimodal_iemocap", "--profile", "iemocap", *options, "--out", str(out)]
    )
    assert code == 0, capfd.readouterr().err

    metrics = json.loads((out / "metrics.json").read_text())
    scored = [one for one in utterances if one.code != "xxx"]
    assert metrics["test/utterances"] == len(scored) and metrics["test/folds"] == SESSIONS
    for prefix in ("test/", "test/baseline_", "test/baseline_context_"):
        for score in ("accuracy", "uar", "weighted_f1", "macro_f1"):
            assert 0 <= metrics[prefix + score] <= 1
    low, high = (metrics[f"test/minus_baseline_context_uar_{end}"] for end in ("low", "high"))
    assert low <= metrics["test/uar"] - metrics["test/baseline_context_uar"] <= high

    # the files agree with the recorded scores, and each fold has one
    predictions = pd.read_json(out / "predictions.json")
    accuracy = (predictions["pred"] == predictions["label"]).mean()
    assert accuracy == pytest.approx(metrics["test/accuracy"])
    for number, (_, part) in enumerate(predictions.groupby("fold"), 1):
        lines = (out / f"eval_results_cross{number}.txt").read_text().splitlines()
        assert lines[0] == f"Accuracy: {(part['pred'] == part['label']).mean():.4f}"
        assert [line.split(":")[0] for line in lines[1:]] == [
            "Precision",
            "Recall",
            "Macro F1 Score",
            "F1 Score",
        ]
    # nothing was lost: the dialogue without a picture is reported, and its turns are predicted
    streams = pd.read_csv(out / "tables" / "streams.csv").set_index("stream")
    assert streams.loc["audio", "utterances"] == len(utterances)
    without = sum(one.dialogue == utterances[0].dialogue for one in utterances)
    assert streams.loc["video", "utterances"] == len(utterances) - without
