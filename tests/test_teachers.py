"""From a teacher's name to records: who writes, and what becomes of every request."""

import pytest

from tinyemo.data.requests import Reply, Request
from tinyemo.data.teachers import load_teacher, written
from tinyemo.worlds.teacher import GrammarTeacher


class Scribe:
    """Answers what it is told to; the others stay silent."""

    name, key, silence = "a scribe", "1", "tired"

    def __init__(self, texts):
        self.texts, self.asked = texts, []

    def replies(self, requests):
        for request in requests:
            self.asked.append(request.id)
            if request.id in self.texts:
                yield Reply(request.id, self.texts[request.id])


def test_every_request_becomes_a_record_or_is_counted(tmp_path):
    requests = [Request(f"toy/{i}#{task}", str(tmp_path / "images" / f"{i}.png"), task, "joy", "ekman", question)
                for i, (task, question) in enumerate([("caption", "What?"), ("vqa", ""), ("vqa", ""), ("reasoning", "Why?"),
                                                      ("vqa", "")])]
    texts = {"toy/0#caption": "A rose.", "toy/1#vqa": "Question: Who?\nAnswer: A person.", "toy/2#vqa": "no form at all"}
    scribe = Scribe(texts)
    made, lost = written(requests, scribe, tmp_path / "replies.jsonl", tmp_path / "images")
    assert [(one.id, one.image, one.turns, one.teacher) for one in made] == [
        ("toy/0#caption", "0.png", (("<image>\nWhat?", "A rose."),), "a scribe"),
        ("toy/1#vqa", "1.png", (("<image>\nWho?", "A person."),), "a scribe"),
    ]
    assert {(row.task, row.reason): row.dropped for row in lost.itertuples()} == {
        ("vqa", "malformed"): 1, ("vqa", "tired"): 1, ("reasoning", "tired"): 1}
    again = Scribe({})
    assert written(requests, again, tmp_path / "replies.jsonl", tmp_path / "images")[0] == made
    assert again.asked == ["toy/3#reasoning", "toy/4#vqa"], "what was answered is not asked again"


def test_a_teacher_by_its_name():
    keys = {load_teacher(name, 0).key for name in ("grammar", "grammar:full", "grammar:held-out")}
    assert len(keys) == 3 and isinstance(load_teacher("grammar", 0), GrammarTeacher)
    assert load_teacher("grammar", 1).key not in keys
    for name in ("grammer", "grammar:long", "local:", "api:", ""):
        with pytest.raises(ValueError, match="expected grammar, grammar:full"):
            load_teacher(name, 0)
