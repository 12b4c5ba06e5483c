"""The response cache, with teachers that use no network: what is requested, kept and refused."""

import dataclasses
import fcntl
import json
import resource
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect_replies, dollars_spent


@dataclass
class FakeTeacher:
    """Replies in reverse order, records the requests that it got, and can fail or skip requests."""

    key: str = "fake"
    name: str = "a fake teacher"
    unanswered_reason: str = "skipped"
    skips: frozenset = frozenset()  # ids that get no reply
    price: float = 0.25
    replies_left: int = 10**6  # then it fails
    requested: list = field(default_factory=list)

    def replies(self, requests):
        for request in reversed(requests):
            if request.id in self.skips:
                continue
            if not self.replies_left:
                raise RuntimeError("the teacher failed")
            self.replies_left -= 1
            self.requested.append(request.id)
            yield Reply(request.id, f"{request.caption}\u2028\n\ud83d", 10, 3, self.price)


def make_requests(n: int) -> list[Request]:
    requests = []
    for i in range(n):
        known = {"caption": f"scene {i}", "attributes": {"place": i}}
        requests.append(Request(f"r{i}", "", "reasoning", "joy", "ekman", **known))
    return requests


def test_stored_replies_are_not_requested_again(tmp_path):
    cache, teacher = tmp_path / "new" / "replies.jsonl", FakeTeacher(replies_left=2)
    with pytest.raises(RuntimeError, match="failed"):
        collect_replies(teacher, make_requests(4), cache)
    assert len(cache.read_text().splitlines()) == 2
    teacher.replies_left = 10
    replies = collect_replies(teacher, make_requests(4), cache)
    assert list(replies) == ["r0", "r1", "r2", "r3"]  # in the order of the requests
    assert replies["r2"] == Reply("r2", "scene 2\u2028\n\ud83d", 10, 3, 0.25)  # from the file
    assert teacher.requested == ["r3", "r2", "r1", "r0"]
    assert collect_replies(FakeTeacher(replies_left=0), make_requests(4), cache) == replies


def test_a_changed_request_or_teacher_is_requested_anew_and_old_replies_stay(tmp_path):
    cache, teacher = tmp_path / "replies.jsonl", FakeTeacher()
    collect_replies(teacher, make_requests(3), cache)
    changed = make_requests(3)
    changed[1] = dataclasses.replace(changed[1], attributes={"place": 9})
    assert collect_replies(teacher, changed, cache).keys() == {"r0", "r1", "r2"}
    assert teacher.requested == ["r2", "r1", "r0", "r1"]
    other = FakeTeacher(key="other", name="another teacher", price=2.0)
    collect_replies(other, make_requests(3), cache)
    assert len(other.requested) == 3
    collect_replies(teacher, make_requests(3), cache)
    assert len(teacher.requested) == 4  # its first replies are still stored
    # the cost counts all teachers and all stored replies, also those no longer requested
    assert dollars_spent(cache) == 4 * 0.25 + 3 * 2.0
    assert dollars_spent(tmp_path / "none") == 0


def test_requests_without_a_reply_are_sent_again_next_time(tmp_path):
    cache = tmp_path / "replies.jsonl"
    skipping = FakeTeacher(skips=frozenset({"r1"}))
    assert collect_replies(skipping, make_requests(3), cache).keys() == {"r0", "r2"}
    teacher = FakeTeacher()
    assert collect_replies(teacher, make_requests(3), cache).keys() == {"r0", "r1", "r2"}
    assert teacher.requested == ["r1"]


@pytest.mark.parametrize("kept", [1, 30, -2])
def test_an_incomplete_last_line_is_removed_and_requested_again(tmp_path, kept):
    cache, teacher = tmp_path / "replies.jsonl", FakeTeacher()
    collect_replies(teacher, make_requests(2), cache)
    first, last = cache.read_bytes().splitlines(keepends=True)
    cache.write_bytes(first + last[:kept])
    assert dollars_spent(cache) == 0.25
    assert collect_replies(teacher, make_requests(2), cache).keys() == {"r0", "r1"}
    assert teacher.requested == ["r1", "r0", "r0"]
    assert cache.read_bytes() == first + last


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
def test_any_other_damaged_line_is_an_error_that_names_file_and_line(tmp_path, damage):
    cache = tmp_path / "replies.jsonl"
    collect_replies(FakeTeacher(), make_requests(3), cache)
    first, *rest = cache.read_bytes().splitlines(keepends=True)
    cache.write_bytes(first + damage + b"".join(rest))
    before = cache.read_bytes()
    message = r"replies\.jsonl, line 2: expected a reply with key, teacher, id, text"
    with pytest.raises(ValueError, match=message):
        collect_replies(FakeTeacher(), make_requests(3), cache)
    assert cache.read_bytes() == before


def test_repeated_ids_and_replies_to_no_request_are_errors(tmp_path):
    repeated = make_requests(2) + make_requests(1)
    with pytest.raises(ValueError, match="request 'r0' occurs 2 times"):
        collect_replies(FakeTeacher(), repeated, tmp_path / "replies.jsonl")
    teacher = FakeTeacher()
    teacher.replies = lambda requests: iter([Reply("r7", "hello")])
    message = "a fake teacher gave a reply to 'r7', which was not requested"
    with pytest.raises(ValueError, match=message):
        collect_replies(teacher, make_requests(2), tmp_path / "replies.jsonl")


def test_a_second_process_is_refused_until_the_first_one_ends(tmp_path):
    cache, teacher = tmp_path / "replies.jsonl", FakeTeacher()
    code = (
        f"import fcntl\nfile = open({str(cache)!r}, 'ab')\nfcntl.flock(file, {fcntl.LOCK_EX})\n"
        "print('held', flush=True)\ninput()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    holder.stdout.readline()
    message = r"replies\.jsonl: another process is writing this response cache"
    with pytest.raises(RuntimeError, match=message):
        collect_replies(teacher, make_requests(1), cache)
    assert not teacher.requested
    holder.kill()
    holder.communicate()
    assert collect_replies(teacher, make_requests(1), cache).keys() == {"r0"}


def test_a_full_disk_is_a_clear_error_and_loses_one_reply(tmp_path):
    cache, teacher = tmp_path / "replies.jsonl", FakeTeacher()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    message = r"^cannot write .*replies\.jsonl: File too large; the replies before"
    try:
        with pytest.raises(OSError, match=message):
            collect_replies(teacher, make_requests(9), cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert cache.stat().st_size == 500  # the last line is incomplete
    assert json.loads(cache.read_text().splitlines()[-2])
    replies = collect_replies(teacher, make_requests(9), cache)
    assert replies.keys() == {f"r{i}" for i in range(9)}
    assert len(teacher.requested) == 10
    assert len(set(teacher.requested)) == 9


def test_failures_are_kept_with_their_cost_and_their_requests_come_last(tmp_path):
    cache, requests, received = tmp_path / "replies.jsonl", make_requests(4), []

    class Failing(FakeTeacher):
        def replies(self, requests, failed_before=()):
            received.append(([request.id for request in requests], set(failed_before)))
            for request in requests:
                failure = "Error code: 500" if request.id == "r0" else ""
                yield Reply(request.id, "", 10, 3, self.price, failure=failure)

    assert collect_replies(Failing(), requests[:2], cache).keys() == {"r1"}
    assert collect_replies(Failing(), requests, cache).keys() == {"r1", "r2", "r3"}
    assert received == [(["r0", "r1"], set()), (["r2", "r3", "r0"], {"r0"})]
    assert dollars_spent(cache) == 5 * 0.25
    # another teacher does not know of the failure
    assert collect_replies(FakeTeacher(key="other"), requests, cache).keys() == {
        request.id for request in requests
    }
    # a reply that comes later ends the matter
    teacher = Failing()
    teacher.replies = lambda requests, failed_before: iter([Reply("r0", "A dog.")])
    assert collect_replies(teacher, requests, cache)["r0"].text == "A dog."
    assert len(collect_replies(FakeTeacher(replies_left=0), requests, cache)) == 4
