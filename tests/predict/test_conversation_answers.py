"""`tinyemo predict` on a table of conversations: every turn from itself and the turns before it."""

import json

import pytest

from emoscenes.dialogues import make_dialogues
from tinyemo.cli import main
from tinyemo.converse import ConversationModel, save_conversation_model
from tinyemo.evaluation.conversation_study import main_setting
from tinyemo.training.conversation_data import (
    conversation_data,
    default_tokenizer,
    vectors_of_arrays,
)
from tinyemo.training.conversation_lm import SmallLm
from tinyemo.training.conversation_training import fit_conversation_model

TALK = """dialogue,turn,speaker,text
b,0,Ann,I got the job
b,2,Ann,But I have to leave
b,1,Bob,That is wonderful
a,0,Cem,What are you doing here
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of notebook 07 with a model that reads words alone."""
    folder = tmp_path_factory.mktemp("run")
    made = make_dialogues(200, seed=3)
    streams = {"text": vectors_of_arrays(made.streams, made.present)["text"]}
    tokenizer = default_tokenizer(made.utterances, "", folder / "tokenizer")
    data, _ = conversation_data(made.utterances, "iemocap4", streams, tokenizer)
    setting = main_setting(("text",), 2, "words", 0.0, 1, 1e-3, SmallLm(width=16))
    ids = data.records["id"].tolist()
    model = fit_conversation_model(data, ids, setting, folder / "training")
    about = (setting.style, data.labels, data.prior(ids), 0.5, {}, ids)
    save_conversation_model(folder / "model", model, *about)
    return folder


def test_every_turn_is_answered_from_the_turns_so_far(run, tmp_path, capsys):
    (tmp_path / "talk.csv").write_text(TALK)
    assert main(["predict", str(tmp_path / "talk.csv"), "--model", str(run), "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["image"] for line in found] == ["talk/b/0", "talk/b/1", "talk/b/2", "talk/a/0"]
    said = [("Ann", "I got the job"), ("Bob", "That is wonderful"), ("Ann", "But I have to leave")]
    model = ConversationModel.load(run / "model")
    for number in range(3):
        expected = model.answer(said[: number + 1])
        assert found[number]["label"] == expected.label
        assert found[number]["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
        assert "without text (no encoder)" in found[number]["note"]
    assert found[3]["probabilities"] == pytest.approx(
        model.answer([("Cem", "What are you doing here")]).probabilities, abs=1e-5
    )


def test_turns_are_written_as_a_page_too(run, tmp_path):
    (tmp_path / "talk.csv").write_text(TALK)
    page = tmp_path / "talk.html"
    assert (
        main(["predict", str(tmp_path / "talk.csv"), "--model", str(run), "--html", str(page)]) == 0
    )
    assert page.read_text().count("<li>") == 4
