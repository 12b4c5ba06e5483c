"""`tinyemo predict`: its lines and files, what it passes over, and that it survives a kill."""

import io
import json
import re

import pandas as pd
import pytest
from PIL import Image

from emoscenes.example_scenes import save_examples
from tinyemo.cli import main
from tinyemo.emotions import labels_of
from tinyemo.predict import command
from tinyemo.predict.predictor import Predictor


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYEMO_RESULTS", str(tmp_path / "results"))
    return [str(path) for path in save_examples(tmp_path / "scenes")]


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_json_object_per_picture_and_an_error_at_its_place(scenes, tmp_path, capsys):
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"nothing")
    assert main(["predict", scenes[0], str(damaged), scenes[1], "--json", "--explain"]) == 1
    found = lines(capsys.readouterr().out)
    assert [line["image"] for line in found] == [scenes[0], str(damaged), scenes[1]]
    assert set(found[1]) == {"image", "error"} and "damaged.png" in found[1]["error"]
    keys = {"image", "label_set", "label", "probabilities", "explanation"}
    assert set(found[0]) - {"note"} == keys and found[0]["label_set"] == "ekman"
    assert tuple(found[0]["probabilities"]) == labels_of("ekman")
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert found[0]["label"] == "sadness" and "tears" in found[0]["explanation"]


def test_folders_and_lists_name_pictures_and_the_rest_is_counted(
    scenes, tmp_path, capsys, monkeypatch
):
    (tmp_path / "scenes" / "notes.txt").write_text("hello")
    monkeypatch.setattr("sys.stdin", io.StringIO(scenes[5] + "\n"))
    assert main(["predict", str(tmp_path / "scenes"), "-", "--json"]) == 0
    printed = capsys.readouterr()
    assert [line["image"] for line in lines(printed.out)] == [*scenes, scenes[5]]
    assert "no picture that can be read: 1" in printed.err and "notes.txt" in printed.err
    (tmp_path / "empty").mkdir()
    assert main(["predict", str(tmp_path / "empty")]) == 1
    assert "no picture in it" in capsys.readouterr().err


def test_table_csv_and_page_say_the_same(scenes, tmp_path, capsys):
    evil = tmp_path / "<b>x.png"
    Image.open(scenes[0]).save(evil)  # without the mark of a drawing
    csv, page = tmp_path / "out" / "a.csv", tmp_path / "a.html"
    words = ["--labels", "awe, boredom"]
    files = ["--csv", str(csv), "--html", str(page)]
    assert main(["predict", scenes[0], str(evil), *words, *files]) == 0
    table = pd.read_csv(csv)
    assert table["label_set"].eq("labels: awe, boredom").all()
    assert {"image", "label", "p_awe", "p_boredom", "explanation", "note", "error"} <= set(table)
    html = page.read_text()
    assert "<b>x" not in html and "&lt;b&gt;x" in html
    assert html.count("data:image/webp;base64,") == 2 and 'src="http' not in html
    assert main(["predict", scenes[0], str(evil), *words]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"(awe|boredom) 0\.\d\d", printed)
    assert "1 of 2 pictures: this model knows drawings of EmoScenes only" in printed


def test_after_a_kill_only_the_rest_is_answered(scenes, capsys, monkeypatch):
    whole = Predictor.answers
    asked = []

    def killed(self, images, *arguments, **options):
        asked.append(len(images))
        for number, answer in enumerate(whole(self, images, *arguments, **options)):
            if len(asked) == 1 and number == 4:
                raise KeyboardInterrupt
            yield answer

    monkeypatch.setattr(Predictor, "answers", killed)
    with pytest.raises(KeyboardInterrupt):
        main(["predict", *scenes, "--json"])
    first = lines(capsys.readouterr().out)
    cache = next(command.runs_dir().rglob("*.jsonl"))
    cache.write_bytes(cache.read_bytes()[:-10])  # the last line is incomplete
    assert main(["predict", *scenes, "--json"]) == 0
    second = lines(capsys.readouterr().out)
    assert asked == [6, 3] and second[:4] == first
    assert not cache.exists()
    assert main(["predict", *scenes, "--json"]) == 0
    assert lines(capsys.readouterr().out) == second


def test_a_file_that_cannot_be_written_is_refused_before_the_work(scenes, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for target in (tmp_path, tmp_path / "file" / "a.csv"):
        assert main(["predict", *scenes, "--csv", str(target)]) == 1
        assert f"cannot write {target}" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--label-set", "ekmann"], "unknown label set 'ekmann'"),
        (["--labels", "joy, Joy"], "differ only by case"),
        (["--model", "nobody"], "no model 'nobody'"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(scenes, capsys, arguments, expected):
    assert main(["predict", scenes[0], *arguments]) == 1
    error = capsys.readouterr().err.strip()
    assert expected in error and "\n" not in error


def test_conversations_need_a_model_of_conversations(scenes, tmp_path, capsys):
    table = tmp_path / "talk.csv"
    table.write_text("dialogue,turn,speaker,text\nd,0,Ann,hello\n")
    assert main(["predict", str(table)]) == 1
    assert "needs a run of notebook 07" in capsys.readouterr().err
    assert main(["predict", str(table), scenes[0]]) == 1
    assert "one CSV of conversations alone" in capsys.readouterr().err
