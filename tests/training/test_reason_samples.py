"""The task [reason], from made-up MERR files to a generated reason."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_lm import save_tiny_llama

from tinyemo.data.instructions import read_instructions, write_instructions
from tinyemo.data.merr import read_merr
from tinyemo.features.npy_folders import import_npy_folder
from tinyemo.features.store import FeatureStore
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.training.multimodal_lm import fit_stage
from tinyemo.training.multimodal_recipes import EMOTION_LLAMA, EMOTION_LLAMA_CONNECTORS
from tinyemo.training.reason_samples import StreamSamples, reason_records

FOLDERS = {"face": "mae_340_UTT", "video": "maeV_399_UTT", "audio": "HL-UTT"}
EMOTIONS = ("happy", "sad", "angry", "neutral")
CLIPS = tuple(f"clip{number}" for number in range(10))
WITHOUT_REASON, WITHOUT_AUDIO, WITHOUT_TEXT = "clip7", "clip4", "clip2"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Ten clips; one has no reason, one no audio, one no transcript."""
    folder = tmp_path_factory.mktemp("merr")
    emotion_of = {name: EMOTIONS[place % 4] for place, name in enumerate(CLIPS)}
    lines = [f"{name} 30 {emotion} -10" for name, emotion in emotion_of.items()]
    (folder / "list.txt").write_text("\n".join(lines))
    sentences = [f"{name},joy or fear" for name in CLIPS if name != WITHOUT_TEXT]
    (folder / "sentences.csv").write_text("\n".join(["name,sentence", *sentences]))
    reasons = {}
    for name, emotion in emotion_of.items():
        if name != WITHOUT_REASON:
            reasons[name] = {"smp_reason_caption": f"the face is {emotion}"}
    (folder / "fine.json").write_text(json.dumps(reasons))
    rng = np.random.default_rng(0)
    for stream, name in FOLDERS.items():
        (folder / name).mkdir()
        for clip in CLIPS:
            if (stream, clip) != ("audio", WITHOUT_AUDIO):
                vector = rng.standard_normal(1024).astype(np.float32)
                np.save(folder / name / f"{clip}.npy", vector)
    return folder


@pytest.fixture(scope="module")
def table(files):
    return read_merr(files / "list.txt", files / "sentences.csv", [files / "fine.json"]).utterances


@pytest.fixture(scope="module")
def stores(files, table, tmp_path_factory) -> dict[str, FeatureStore]:
    out = tmp_path_factory.mktemp("stores")
    names = dict(zip(table["id"], table["dialogue"], strict=True))
    return {
        stream: import_npy_folder(files / folder, names, out / stream)[0]
        for stream, folder in FOLDERS.items()
    }


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("lm"))


def fresh(lm, streams=tuple(FOLDERS)) -> MultimodalLM:
    connectors = {name: EMOTION_LLAMA_CONNECTORS[name] for name in streams}
    return MultimodalLM.from_lm(lm, connectors, template="plain", max_length=1024)


def test_captions_become_questions_in_emotion_llamas_form(table):
    records, left_out = reason_records(table, FOLDERS)
    by_id = {record.id: record for record in records}
    question, answer = by_id["MERR/clip1"].turns[0]
    assert question == (
        "<face><video><audio> The person in video says: joy or fear.  [reason] Please analyze all "
        "the clues in the video and reason out the emotional label of the person in the video."
    )
    assert (answer, by_id["MERR/clip1"].label) == ("the face is sad", "sad")
    without_text = by_id[f"MERR/{WITHOUT_TEXT}"].turns[0][0]
    assert without_text.startswith("<face><video><audio> [reason] Please")
    assert left_out.values.tolist() == [["no attr_reason", 1, f"MERR/{WITHOUT_REASON}"]]


def test_records_can_be_written_and_read(table, tmp_path):
    records, _ = reason_records(table, FOLDERS)
    write_instructions(records, tmp_path / "reasons.json")
    read = list(read_instructions(tmp_path / "reasons.json"))
    assert [record.turns for record in read] == [record.turns for record in records]


def test_items_have_the_vectors_of_their_utterances(lm, table, stores):
    records, _ = reason_records(table, FOLDERS)
    items = StreamSamples(records, stores, fresh(lm).prompts)
    row = [record.id for record in records].index(f"MERR/{WITHOUT_AUDIO}")
    first, second = items.__getitems__([(0, 0), (3, row)])
    for name, store in stores.items():
        expected = store.pooled[store.ids.index("MERR/clip0")]
        torch.testing.assert_close(first.streams[name][0], expected[None])
    assert set(second.streams) == {"face", "video"}
    assert items.missing.values.tolist() == [
        ["no audio: trained as a missing stream", 1, f"MERR/{WITHOUT_AUDIO}"]
    ]
    assert items.questions([0])[0].turns == ((records[0].turns[0][0], ""),)


def test_patch_tokens_are_read_where_they_are_asked_for(lm, table, tmp_path):
    patches = torch.randn(10, 3, 5632)
    store = FeatureStore.write(tmp_path, table["id"].tolist(), torch.randn(10, 1408), patches)
    records, _ = reason_records(table, ["image", "cls"])
    model = fresh(lm, ["image", "cls"])
    items = StreamSamples(records, {"image": store, "cls": store}, model.prompts, ["image"])
    samples = items.__getitems__([(0, 1)])
    torch.testing.assert_close(samples[0].streams["image"][0], patches[1])
    assert samples[0].streams["cls"][0].shape == (1, 1408)
    assert items.lengths[1] == len(model.prompts.encode(samples[0]).input_ids)


def test_training_on_reasons_lowers_the_loss_and_generation_runs(lm, table, stores, tmp_path):
    """Emotion-LLaMA's recipe, at a higher rate for so few steps of so small a model."""
    model = fresh(lm)
    records, _ = reason_records(table, FOLDERS)
    items = StreamSamples(records, stores, model.prompts, drop_stream=0.2)
    recipe = replace(EMOTION_LLAMA, lr=1e-2, batch=3, per_device=3, max_steps=24, bf16=False)
    missing = model.missing["audio"].detach().clone()
    history = fit_stage(model, items, None, recipe, tmp_path)
    assert history["loss"].tail(5).mean() < 0.6 * history["loss"].head(3).mean()
    assert not torch.equal(model.missing["audio"], missing)
    # the rate starts and ends at a tenth of its peak
    assert history["lr"].iloc[0] == pytest.approx(1e-3)
    assert history["lr"].max() == pytest.approx(1e-2, rel=0.05)
    assert history["lr"].iloc[-1] == pytest.approx(1e-3, rel=0.05)
    answers = model.generate(items.questions(range(len(items))), max_new_tokens=12)
    assert len(answers) == len(items) and all(isinstance(answer, str) for answer in answers)


def test_each_stream_is_withheld_with_its_probability_and_never_all(lm, table, stores):
    records, _ = reason_records(table, FOLDERS)
    items = StreamSamples(records, stores, fresh(lm).prompts, drop_stream=0.6)
    number = dict.fromkeys(FOLDERS, 0)
    for epoch in range(1500):
        (sample,) = items.__getitems__([(epoch, 0)])
        assert sample.streams
        for name in sample.streams:
            number[name] += 1
    # a stream is the one that is kept in a third of the items, else it is there with 0.4
    expected = 1 / 3 + 2 / 3 * 0.4
    assert [count / 1500 for count in number.values()] == pytest.approx([expected] * 3, abs=0.04)
    again = StreamSamples(records, stores, fresh(lm).prompts, drop_stream=0.6)
    drawn = [set(one.__getitems__([(7, 3)])[0].streams) for one in (items, again)]
    assert drawn[0] == drawn[1] and items.key == again.key


def test_the_key_covers_texts_vectors_and_settings(lm, table, stores, tmp_path):
    prompts = fresh(lm).prompts
    records, _ = reason_records(table, FOLDERS)
    key = StreamSamples(records, stores, prompts).key
    face = stores["face"]
    other = FeatureStore.write(tmp_path, face.ids, face.pooled + 1)
    changed = [replace(records[0], turns=((records[0].turns[0][0], "fear"),)), *records[1:]]
    for items in (
        StreamSamples(changed, stores, prompts),
        StreamSamples(records, stores | {"face": other}, prompts),
        StreamSamples(records, stores, prompts, drop_stream=0.1),
    ):
        assert items.key != key


def test_unusable_input_is_refused_in_one_sentence(lm, table, stores, tmp_path):
    prompts = fresh(lm).prompts
    records, _ = reason_records(table, FOLDERS)
    with pytest.raises(ValueError, match="no column 'attr_reason'.*expected a table with capt"):
        reason_records(table.drop(columns="attr_reason"), FOLDERS)
    with pytest.raises(ValueError, match="column 'attr_caption': none of the 10 utterances has"):
        reason_records(table.assign(attr_caption=""), FOLDERS, "attr_caption")
    other = FeatureStore.write(tmp_path, ["clip0"], torch.zeros(1, 1024))
    with pytest.raises(ValueError, match="stream 'face': expected ids such as 'MERR/clip0'"):
        StreamSamples(records, stores | {"face": other}, prompts)
    without = {"face": stores["face"], "video": stores["video"], "text": stores["audio"]}
    with pytest.raises(ValueError, match="instruction 'MERR/clip0': stream 'text': expected one"):
        StreamSamples(records, without, prompts)
