"""From a teacher's name to records: which teacher is used, and what becomes of every request."""

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


class FakeTeacher:
    """Replies with given texts; other requests stay unanswered."""

    name, key, unanswered_reason = "a fake teacher", "1", "skipped"
    note, usage = "a note", {"retries": 3}

    def __init__(self, texts):
        self.texts, self.requested = texts, []

    def replies(self, requests, failed_before=()):
        for request in requests:
            self.requested.append(request.id)
            if request.id in self.texts:
                yield Reply(request.id, self.texts[request.id], 10, 2, 0.5)


def use(monkeypatch, teacher):
    """Every name now gives this teacher."""
    monkeypatch.setattr(teachers, "load_teacher", lambda name, seed, cache: teacher)


def test_every_request_becomes_a_record_or_is_counted(tmp_path, monkeypatch, capsys):
    tasks = {"caption": "What?", "vqa": "", "reasoning": "Why?"}
    order = ["caption", "vqa", "vqa", "reasoning", "vqa", "reasoning"]
    requests = []
    for i, task in enumerate(order):
        image = str(tmp_path / f"{i}.png")
        requests.append(Request(f"toy/{i}#{task}", image, task, "joy", "ekman", tasks[task]))
    first, again = FakeTeacher(TEXTS), FakeTeacher({})

    def part(teacher):
        use(monkeypatch, teacher)
        return make_part({"fake": requests}, 0, tmp_path / "replies.jsonl", tmp_path)

    made = part(first)
    assert [(one.id, one.image, one.turns, one.teacher) for one in made.items] == [
        ("toy/0#caption", "0.png", (("<image>\nWhat?", "A rose in a vase."),), "a fake teacher"),
        ("toy/1#vqa", "1.png", (("<image>\nWho?", "A person."),), "a fake teacher"),
    ]
    counted = {(row.task, row.reason): row.dropped for row in made.drops.itertuples()}
    assert counted == {
        ("vqa", "malformed"): 1,
        ("vqa", "skipped"): 1,
        ("reasoning", "skipped"): 1,
        ("reasoning", "refusal"): 1,
    }
    assert len(made.items) + sum(counted.values()) == len(requests)
    assert "a note" in capsys.readouterr().out
    cost = {"retries": 3, "replies": 4, "prompt_tokens": 40, "completion_tokens": 8, "dollars": 2.0}
    assert made.usage == {"fake": cost}
    resumed = part(again)
    assert resumed.items == made.items
    assert resumed.usage == {"fake": cost}  # the cost of all sessions
    # only the requests without a reply are sent again
    assert again.requested == ["toy/3#reasoning", "toy/4#vqa"]


def test_cut_and_refused_replies_are_counted_under_their_own_reason(tmp_path, monkeypatch):
    replies = [
        Reply("0#caption", "A dog runs on sand."),
        Reply("1#caption", "A cat sits on a wall.", is_cut=True),
        Reply("2#caption", "A bird flies over the"),
        Reply("3#caption", "<think>hm"),
        Reply("4#caption", "", refusal="Error code: 400"),
        Reply("5#caption", "A <b>fish</b> swims."),
    ]
    teacher = FakeTeacher({})
    teacher.replies = lambda requests, failed_before: iter(replies)
    use(monkeypatch, teacher)
    requests = [Request(reply.id, "", "caption", "", "ekman", "What?") for reply in replies]
    made = make_part({"fake": requests}, 0, tmp_path / "replies.jsonl", tmp_path)
    assert [item.id for item in made.items] == ["0#caption"]
    assert dict(zip(made.drops["reason"], made.drops["dropped"], strict=True)) == {
        "cut off": 3,
        "malformed": 1,
        "refused by the server": 1,
    }


def test_a_part_without_records_is_an_error_that_counts_the_reasons(tmp_path, monkeypatch):
    use(monkeypatch, FakeTeacher({"a#vqa": "no form"}))
    requests = [Request(f"{name}#vqa", "", "vqa", "", "ekman") for name in "ab"]
    message = "no record is left of the requests to fake: malformed 1, skipped 1; fake: a note"
    with pytest.raises(ValueError, match=message):
        make_part({"fake": requests}, 0, tmp_path / "replies.jsonl", tmp_path)


def test_the_best_teacher_gets_a_stable_share_of_the_explanations():
    requests = []
    for i in range(4000):
        for task in ("reasoning", "vqa"):
            requests.append(Request(f"{i}#{task}", "", task, "joy", "ekman"))
    plan = share_out(requests, "plain", "best", 0.1, 0)
    assert {one.task for one in plan["best"]} == {"reasoning"}
    assert 340 < len(plan["best"]) < 460
    shared = plan["plain"] + plan["best"]
    assert sorted(one.id for one in shared) == sorted(one.id for one in requests)
    half = share_out(requests[4000:], "plain", "best", 0.1, 0)["best"]
    assert half == [one for one in plan["best"] if one in requests[4000:]]


def test_one_teacher_in_both_roles_gets_all_requests():
    requests = [Request(f"{i}#reasoning", "", "reasoning", "joy", "ekman") for i in range(100)]
    assert share_out(requests, "plain", "plain", 0.1, 0) == {"plain": requests}


def test_a_teacher_is_loaded_by_name():
    keys = {load_teacher(name, 0).key for name in ("grammar", "grammar:full", "grammar:held-out")}
    assert len(keys) == 3
    assert isinstance(load_teacher("grammar", 0), GrammarTeacher)
    assert load_teacher("grammar", 1).key not in keys
    for name in ("grammer", "grammar:long", "local:", "api:", ""):
        with pytest.raises(ValueError, match="expected grammar, grammar:full"):
            load_teacher(name, 0)
