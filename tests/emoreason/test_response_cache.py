"""The journal with teachers that know nothing of networks: what is asked, what is kept, what is refused."""

import dataclasses
import fcntl
import json
import resource
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect, spent


@dataclass
class Parrot:
    """Answers in reverse, notes what it was asked, and dies or falls silent when told."""

    key: str = "parrot"
    name: str = "a parrot"
    silence: str = "silent"
    mute: frozenset = frozenset()
    price: float = 0.25
    lives: int = 10**6
    asked: list = field(default_factory=list)

    def replies(self, requests):
        for request in reversed(requests):
            if request.id in self.mute:
                continue
            if not self.lives:
                raise RuntimeError("the parrot is dead")
            self.lives -= 1
            self.asked.append(request.id)
            yield Reply(request.id, f"{request.caption}\u2028\n\ud83d", 10, 3, self.price)


def asks(n: int) -> list[Request]:
    return [
        Request(
            f"r{i}", "", "reasoning", "joy", "ekman", caption=f"scene {i}", attributes={"place": i}
        )
        for i in range(n)
    ]


def test_replies_are_kept_and_never_asked_again(tmp_path):
    journal, parrot = tmp_path / "new" / "replies.jsonl", Parrot(lives=2)
    with pytest.raises(RuntimeError, match="dead"):
        collect(parrot, asks(4), journal)
    assert len(journal.read_text().splitlines()) == 2
    parrot.lives = 10
    replies = collect(parrot, asks(4), journal)
    assert list(replies) == ["r0", "r1", "r2", "r3"]  # in the order of the requests
    assert replies["r2"] == Reply("r2", "scene 2\u2028\n\ud83d", 10, 3, 0.25)  # from the file
    assert parrot.asked == ["r3", "r2", "r1", "r0"]
    assert collect(Parrot(lives=0), asks(4), journal) == replies


def test_a_changed_request_or_teacher_is_asked_anew_beside_the_old(tmp_path):
    journal, parrot = tmp_path / "replies.jsonl", Parrot()
    collect(parrot, asks(3), journal)
    changed = [
        dataclasses.replace(one, attributes={"place": 9}) if one.id == "r1" else one
        for one in asks(3)
    ]
    assert collect(parrot, changed, journal).keys() == {"r0", "r1", "r2"}
    assert parrot.asked == ["r2", "r1", "r0", "r1"]
    other = Parrot(key="hotter", name="another parrot", price=2.0)
    collect(other, asks(3), journal)
    assert len(other.asked) == 3
    collect(parrot, asks(3), journal)
    assert len(parrot.asked) == 4  # the first ones are still there
    assert spent(journal) == 4 * 0.25 + 3 * 2.0  # whoever wrote, asked for still or not
    assert spent(tmp_path / "none") == 0


def test_the_unanswered_stay_so_and_are_asked_next_time(tmp_path):
    journal = tmp_path / "replies.jsonl"
    assert collect(Parrot(mute=frozenset({"r1"})), asks(3), journal).keys() == {"r0", "r2"}
    parrot = Parrot()
    assert collect(parrot, asks(3), journal).keys() == {"r0", "r1", "r2"}
    assert parrot.asked == ["r1"]


@pytest.mark.parametrize("kept", [1, 30, -2])
def test_a_torn_last_line_is_cut_off_and_asked_again(tmp_path, kept):
    journal, parrot = tmp_path / "replies.jsonl", Parrot()
    collect(parrot, asks(2), journal)
    first, last = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + last[:kept])
    assert spent(journal) == 0.25
    assert collect(parrot, asks(2), journal).keys() == {"r0", "r1"}
    assert parrot.asked == ["r1", "r0", "r0"]
    assert journal.read_bytes() == first + last


@pytest.mark.parametrize(
    "damage",
    [
        b"\n",
        b"\xff\n",
        b"{}\n",
        b"[1]\n",
        b'{"key": "k", "teacher": "t", "id": "r0", '
        b'"text": null, "prompt_tokens": 1, "completion_tokens": 1, "dollars": 0.0}\n',
    ],
)
def test_other_damage_is_refused_with_file_and_line(tmp_path, damage):
    journal = tmp_path / "replies.jsonl"
    collect(Parrot(), asks(3), journal)
    first, *rest = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + damage + b"".join(rest))
    before = journal.read_bytes()
    with pytest.raises(
        ValueError, match=r"replies\.jsonl, line 2: expected a reply with key, teacher, id, text"
    ):
        collect(Parrot(), asks(3), journal)
    assert journal.read_bytes() == before


def test_ids_are_unique_and_answers_are_to_requests(tmp_path):
    with pytest.raises(ValueError, match="request 'r0' occurs 2 times"):
        collect(Parrot(), asks(2) + asks(1), tmp_path / "replies.jsonl")
    parrot = Parrot()
    parrot.replies = lambda requests: iter([Reply("r7", "hello")])
    with pytest.raises(ValueError, match="a parrot answers 'r7', which nobody asked"):
        collect(parrot, asks(2), tmp_path / "replies.jsonl")


def test_a_second_process_is_refused_and_a_dead_one_holds_nothing(tmp_path):
    journal, parrot = tmp_path / "replies.jsonl", Parrot()
    code = (
        f"import fcntl\nfile = open({str(journal)!r}, 'ab')\nfcntl.flock(file, {fcntl.LOCK_EX})\n"
        "print('held', flush=True)\ninput()"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    held.stdout.readline()
    with pytest.raises(
        RuntimeError, match=r"replies\.jsonl: another process is writing this journal"
    ):
        collect(parrot, asks(1), journal)
    assert not parrot.asked
    held.kill()
    held.communicate()
    assert collect(parrot, asks(1), journal).keys() == {"r0"}


def test_a_full_disk_is_one_sentence_and_costs_one_reply(tmp_path):
    journal, parrot = tmp_path / "replies.jsonl", Parrot()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(
            OSError, match=r"^cannot write .*replies\.jsonl: File too large; the replies before"
        ):
            collect(parrot, asks(9), journal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.stat().st_size == 500  # a line is torn
    assert json.loads(journal.read_text().splitlines()[-2])
    assert collect(parrot, asks(9), journal).keys() == {f"r{i}" for i in range(9)}
    assert len(parrot.asked) == 10 and len(set(parrot.asked)) == 9
