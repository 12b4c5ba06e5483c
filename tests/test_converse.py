"""A saved conversation model: its answers are those of the study; what is missing is said."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emoscenes.dialogues import make_dialogues
from tinyemo.converse import ConversationModel, save_conversation_model
from tinyemo.data.folds import leave_one_group_out
from tinyemo.evaluation.conversation_folds import Condition, predict_folds, trained_model
from tinyemo.evaluation.conversation_study import main_setting
from tinyemo.features.media import MissingStream
from tinyemo.training.conversation_data import (
    conversation_data,
    default_tokenizer,
    vectors_of_arrays,
)
from tinyemo.training.conversation_lm import SmallLm

WITHHELD = ("audio", "video", "face")


class KnownVectors:
    """An encoder that looks the vector of a source up."""

    name, key, batch_size = "known", "known", 8

    def __init__(self, vectors: dict[str, torch.Tensor]):
        self.vectors = vectors
        self.width = len(next(iter(vectors.values())))

    def read(self, source: str) -> str:
        if source not in self.vectors:
            raise MissingStream("damaged file", f"{source}: cannot be read")
        return source

    def encode(self, items: list[str]) -> torch.Tensor:
        return torch.stack([self.vectors[item] for item in items])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    made = make_dialogues(300, seed=3)
    # one text per vector, so that an encoder of texts can look vectors up
    made.utterances["text"] = [f"{text} {i}" for i, text in enumerate(made.utterances["text"])]
    tokenizer = default_tokenizer(made.utterances, "", out / "tokenizer")
    streams = vectors_of_arrays(made.streams, made.present)
    data, _ = conversation_data(made.utterances, "iemocap4", streams, tokenizer)
    folds = leave_one_group_out(data.records, validation=True)[:1]
    main = main_setting(tuple(streams), 3, "words", 0.2, 1, 1e-3, SmallLm(width=16))
    plan = [(main, [Condition("main", main.style, WITHHELD)])]
    predictions = predict_folds(data, folds, plan, out / "models")
    model = trained_model(data, folds[0], main, out / "models")
    ids = [*folds[0].train, *folds[0].validation]
    strength = predictions["strength"].iloc[0]
    encoders = {}
    folder = save_conversation_model(
        out / "model", model, main.style, data.labels, data.prior(ids), strength, encoders, ids
    )
    return data, folds[0], main, predictions, folder


def loaded(study) -> ConversationModel:
    data, *_, folder = study
    texts = data.utterances["text"].tolist()
    text = KnownVectors(dict(zip(texts, data.streams["text"].vectors, strict=True)))
    return replace(ConversationModel.load(folder), encoders={"text": text})


def test_answers_are_the_predictions_of_the_study(study):
    data, _, _, predictions, _ = study
    model = loaded(study)
    chosen = predictions[predictions["dialogue"] == predictions["dialogue"].iloc[0]]
    table = data.utterances[data.utterances["dialogue"] == chosen["dialogue"].iloc[0]]
    for row in chosen.head(5).to_dict("records"):
        turn = table.set_index("id").loc[row["id"], "turn"]
        turns = table[table["turn"] <= turn][["speaker", "text"]].to_numpy().tolist()
        answer = model.answer([tuple(one) for one in turns])
        assert answer.label == row["pred"]
        expected = [row[f"p_{label}"] for label in data.labels]
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, atol=1e-5)
        assert set(answer.missing) == set(WITHHELD)


def test_a_clip_that_cannot_be_read_is_a_missing_stream_with_its_reason(study):
    model = loaded(study)
    audio = KnownVectors({"good.wav": torch.zeros(32)})
    model = replace(model, encoders={**model.encoders, "audio": audio})
    text = next(iter(model.encoders["text"].vectors))
    assert "audio" not in model.answer([("A", text)], clip="good.wav").missing
    answer = model.answer([("A", text)], clip="bad.wav")
    assert answer.missing["audio"] == "bad.wav: cannot be read"
    assert answer.missing["face"] == "no encoder"


def test_a_model_of_another_fold_is_refused_as_a_start(study, tmp_path):
    data, fold, main, _, folder = study
    folds = leave_one_group_out(data.records, validation=True)
    chained = replace(main, name="chained", lm=str(folder / "lm"))
    plan = [(chained, [Condition("main", main.style)])]
    tested = next(other for other in folds if other.name != fold.name)
    with pytest.raises(ValueError, match="starting weights") as error:
        predict_folds(data, [tested], plan, tmp_path)
    assert tested.test[0] in str(error.value) or tested.validation[0] in str(error.value)
    assert not list(tmp_path.iterdir())


def test_bad_folders_and_no_turns_are_refused_in_one_sentence(study, tmp_path):
    with pytest.raises(FileNotFoundError, match="notebook 07"):
        ConversationModel.load(tmp_path)
    (tmp_path / "conversation.json").write_text("{}")
    with pytest.raises(ValueError, match="key 'encoders' is missing"):
        ConversationModel.load(tmp_path)
    with pytest.raises(ValueError, match="no turns"):
        loaded(study).answer([])


def test_an_encoder_of_another_width_is_refused(study):
    wrong = KnownVectors({"a.wav": torch.zeros(5)})
    with pytest.raises(ValueError, match="'audio': the model takes vectors of width 32.*gives 5"):
        replace(loaded(study), encoders={"audio": wrong})
