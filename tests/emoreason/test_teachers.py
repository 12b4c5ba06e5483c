"""From a teacher's name to records: who writes, and what becomes of every request."""

import pytest

from emoscenes.teacher import GrammarTeacher
from tinyemo.emoreason import teachers
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.teachers import load_teacher, make_part, share_out

TEXTS = {
    "toy/0#caption": "A rose in a vase.",
    "toy/1#vqa": "Question: Who?\nAnswer: A person.",
    "toy/2#vqa": "no form at all",
    "toy/5#reasoning": "I'm sorry, but I cannot help with images of that kind.",
}


class Scribe:
    """Answers what it is told to; the others stay silent."""

    name, key, silence, note, usage = "a scribe", "1", "tired", "no more ink", {"retries": 3}

    def __init__(self, texts):
        self.texts, self.asked = texts, []

    def replies(self, requests):
        for request in requests:
            self.asked.append(request.id)
            if request.id in self.texts:
                yield Reply(request.id, self.texts[request.id], 10, 2, 0.5)


def test_every_request_becomes_a_record_or_is_counted(tmp_path, monkeypatch, capsys):
    tasks = {"caption": "What?", "vqa": "", "reasoning": "Why?"}
    requests = [
        Request(f"toy/{i}#{task}", str(tmp_path / f"{i}.png"), task, "joy", "ekman", tasks[task])
        for i, task in enumerate(["caption", "vqa", "vqa", "reasoning", "vqa", "reasoning"])
    ]
    first, again = Scribe(TEXTS), Scribe({})

    def part(scribe):
        monkeypatch.setattr(teachers, "load_teacher", lambda name, seed, journal: scribe)
        return make_part({"scribe": requests}, 0, tmp_path / "replies.jsonl", tmp_path)

    made = part(first)
    assert [(one.id, one.image, one.turns, one.teacher) for one in made.items] == [
        ("toy/0#caption", "0.png", (("<image>\nWhat?", "A rose in a vase."),), "a scribe"),
        ("toy/1#vqa", "1.png", (("<image>\nWho?", "A person."),), "a scribe"),
    ]
    counted = {(row.task, row.reason): row.dropped for row in made.drops.itertuples()}
    assert counted == {
        ("vqa", "malformed"): 1,
        ("vqa", "tired"): 1,
        ("reasoning", "tired"): 1,
        ("reasoning", "refusal"): 1,
    }
    assert (
        len(made.items) + sum(counted.values()) == len(requests)
        and "no more ink" in capsys.readouterr().out
    )
    cost = {"retries": 3, "replies": 4, "prompt_tokens": 40, "completion_tokens": 8, "dollars": 2.0}
    assert made.usage == {"scribe": cost}
    resumed = part(again)
    assert resumed.items == made.items and resumed.usage == {"scribe": cost}, (
        "what was paid in all sessions"
    )
    assert again.asked == ["toy/3#reasoning", "toy/4#vqa"], "what was answered is not asked again"


def test_a_part_without_records_says_where_they_went(tmp_path, monkeypatch):
    monkeypatch.setattr(
        teachers, "load_teacher", lambda name, seed, journal: Scribe({"a#vqa": "no form"})
    )
    requests = [Request(f"{name}#vqa", "", "vqa", "", "ekman") for name in "ab"]
    reason = "no record is left of what scribe was asked: malformed 1, tired 1; scribe: no more ink"
    with pytest.raises(ValueError, match=reason):
        make_part({"scribe": requests}, 0, tmp_path / "replies.jsonl", tmp_path)


def test_the_best_teacher_explains_a_share_that_does_not_move():
    tasks = ("reasoning", "vqa")
    requests = [
        Request(f"{i}#{task}", "", task, "joy", "ekman") for i in range(4000) for task in tasks
    ]
    plan = share_out(requests, "plain", "best", 0.1, 0)
    assert {one.task for one in plan["best"]} == {"reasoning"} and 340 < len(plan["best"]) < 460
    assert sorted(one.id for group in plan.values() for one in group) == sorted(
        one.id for one in requests
    )
    half = share_out(requests[4000:], "plain", "best", 0.1, 0)["best"]
    assert half == [one for one in plan["best"] if one in requests[4000:]]
    assert share_out(requests, "plain", "plain", 0.1, 0) == {"plain": requests}, (
        "one teacher for both loses nothing"
    )


def test_a_teacher_by_its_name():
    keys = {load_teacher(name, 0).key for name in ("grammar", "grammar:full", "grammar:held-out")}
    assert len(keys) == 3 and isinstance(load_teacher("grammar", 0), GrammarTeacher)
    assert load_teacher("grammar", 1).key not in keys
    for name in ("grammer", "grammar:long", "local:", "api:", ""):
        with pytest.raises(ValueError, match="expected grammar, grammar:full"):
            load_teacher(name, 0)
