"""The API teacher against a real server, `transformers serve`, with a proxy between them that breaks things."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from serving import KEY, Proxy

from tinyemo.emoreason.api_teacher import ApiTeacher
from tinyemo.emoreason.prompts import parse_turns, teacher_messages
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect, spent

TOKENS = 8  # of every answer: the random model does not stop by itself


def asks(n: int) -> list[Request]:
    return [
        Request(f"scene-{i}#vqa", "", "vqa", "joy", "ekman", caption=f"A dog on beach number {i}.")
        for i in range(n)
    ]


def said(request: Request) -> str:
    """What the proxy knows the request by."""
    return teacher_messages(request)[-1]["content"]


@pytest.fixture
def teacher(server, proxy):
    """Makes teachers of the server's model that do not wait for long."""

    def make(**changes) -> ApiTeacher:
        return ApiTeacher(
            **{"model": server.model, "max_tokens": TOKENS, "concurrency": 3, "retries": 1}
            | changes
        )

    return make


def once(requests: list[Request], proxy: Proxy) -> bool:
    """Whether each request was answered, and paid for, exactly once."""
    return proxy.paid == {said(request): 1 for request in requests}


def test_answers_tokens_and_what_they_cost(teacher, proxy, tmp_path):
    requests, one = asks(5), teacher(price_in=1.0, price_out=10.0)
    replies = collect(one, requests, tmp_path / "replies.jsonl")
    assert list(replies) == [request.id for request in requests] and once(requests, proxy)
    reply = replies["scene-0#vqa"]
    # the random model writes no "Question: ...": what a text is worth is for others to say
    assert reply.text and parse_turns("vqa", "", reply.text) is None
    assert reply.prompt_tokens > 100 and reply.completion_tokens == TOKENS
    assert reply.dollars == pytest.approx((reply.prompt_tokens + 10 * TOKENS) / 1e6)
    prompt = sum(reply.prompt_tokens for reply in replies.values())
    assert one.usage == {
        "replies": 5,
        "unanswered": 0,
        "cut": 5,
        "requests": 5,
        "retries": 0,
        "prompt_tokens": prompt,
        "completion_tokens": 5 * TOKENS,
        "dollars": pytest.approx((prompt + 50 * TOKENS) / 1e6),
    }
    assert one.note == ""


@pytest.mark.parametrize(
    "fault", ["429", "500", "503", "drop", "slow", "torn", "page", "empty", "error"]
)
def test_what_passes_is_asked_again(teacher, proxy, tmp_path, fault):
    faults = [fault]
    proxy.fault = lambda asked: faults.pop() if faults else None
    requests, one = asks(2), teacher(concurrency=1, timeout=1.0)
    replies = collect(one, requests, tmp_path / "replies.jsonl")
    assert len(replies) == 2 and (one.usage["requests"], one.usage["retries"]) == (3, 1)
    first, again = proxy.times[said(requests[0])]
    assert again - first > (
        1.2 if fault == "429" else 0.37
    )  # Retry-After; half a second less a quarter
    if fault != "slow":  # its answer came in the end, and to nobody
        assert once(requests, proxy)


def test_a_request_that_never_succeeds_does_not_keep_the_others(teacher, proxy, tmp_path):
    requests = asks(6)
    bad = {said(requests[0]): "400", said(requests[2]): "torn", said(requests[4]): "500"}
    proxy.fault = bad.get
    one = teacher()
    replies = collect(one, requests, tmp_path / "replies.jsonl")
    assert replies.keys() == {requests[i].id for i in (1, 3, 5)}
    assert one.usage["unanswered"] == 3 and one.note.startswith("API ")
    assert [len(proxy.times[asked]) for asked in bad] == [1, 2, 2]  # what is refused is refused
    proxy.fault = lambda asked: None
    assert len(collect(one, requests, tmp_path / "replies.jsonl")) == 6 and once(requests, proxy)


def test_a_request_without_words_stays_unanswered_and_one_without_label_is_an_error(
    teacher, tmp_path
):
    bare, journal = (
        Request("bare#vqa", "bare.png", "vqa", "", "ekman", attributes={"votes": 3}),
        tmp_path / "r.jsonl",
    )
    one = teacher()
    assert collect(one, [bare, *asks(2)], journal).keys() == {"scene-0#vqa", "scene-1#vqa"}
    assert (one.usage["unanswered"], one.usage["requests"], one.usage["retries"]) == (1, 2, 0)
    assert one.note == "1 of 3 requests have neither caption nor attributes to write from"
    assert collect(one, [bare], journal) == {} and one.note.startswith("1 of 1 requests")
    with pytest.raises(ValueError, match="task 'reasoning' needs a label"):
        collect(
            one, [Request("x#reasoning", "", "reasoning", "", "ekman", caption="A dog.")], journal
        )


def test_an_answer_in_parts_is_read(teacher, proxy, tmp_path):
    def split(body):
        body["choices"][0]["message"]["content"] = [
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "A d"},
            {"type": "text", "text": "og."},
        ]

    proxy.edit, one = split, teacher()
    assert collect(one, asks(1), tmp_path / "replies.jsonl")["scene-0#vqa"].text == "A dog."
    assert one.usage["requests"] == 1


def test_what_nobody_can_read_is_paid_for_too(teacher, proxy, tmp_path):
    """The first answer is broken: its request cost two. Broken ones alone end at the budget, before their retries."""
    broken = [True]
    proxy.edit = lambda body: broken and body.update(choices=broken.pop())
    prices = {"price_in": 1.0, "price_out": 1.0, "concurrency": 1}
    one = teacher(**prices)
    first, second = collect(one, asks(2), tmp_path / "replies.jsonl").values()
    assert first.completion_tokens == 2 * TOKENS == 2 * second.completion_tokens
    assert (
        first.dollars == 2 * second.dollars > 0
        and one.usage["dollars"] == first.dollars + second.dollars
    )
    proxy.edit = lambda body: body.update(choices=[])
    poor = teacher(retries=6, budget=1.5 * second.dollars, **prices)
    assert collect(poor, asks(5), tmp_path / "others.jsonl") == {}
    assert poor.usage["requests"] == 2 and poor.note.startswith("the budget is spent: ")


def test_the_port_closes_midway_and_the_run_resumes(teacher, proxy, tmp_path):
    requests, journal = asks(12), tmp_path / "replies.jsonl"
    proxy.after = (5, proxy.close)
    with pytest.raises(
        RuntimeError, match=r"^API .* at 127\.0\.0\.1:\d+: Connection error\..* again for the rest$"
    ):
        collect(teacher(), requests, journal)
    kept = len(journal.read_text().splitlines())
    assert 5 <= kept <= 7 and kept == proxy.paid.total()  # what was in flight is kept
    proxy.listen()
    one = teacher()
    assert len(collect(one, requests, journal)) == 12 and one.usage["replies"] == 12 - kept
    assert once(requests, proxy)


def test_the_server_is_killed_midway_and_the_run_resumes(teacher, proxy, server, tmp_path):
    requests, journal = asks(12), tmp_path / "replies.jsonl"
    proxy.after = (5, server.kill)
    with pytest.raises(RuntimeError, match="Connection error"):
        collect(teacher(), requests, journal)
    assert len(journal.read_text().splitlines()) == proxy.paid.total() < 12
    server.start()
    assert len(collect(teacher(), requests, journal)) == 12 and once(requests, proxy)


def test_the_client_is_killed_midway_and_resumes(server, teacher, proxy, tmp_path):
    requests, journal = asks(12), tmp_path / "replies.jsonl"
    proxy.delay = 0.2
    code = (
        f"from test_api_teacher import *\none = ApiTeacher({server.model!r}, max_tokens={TOKENS}, concurrency=2)\n"
        f"collect(one, asks(12), Path({str(journal)!r}))"
    )
    client = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[1])
    while client.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 3):
        time.sleep(0.01)
    client.send_signal(signal.SIGKILL)
    assert client.wait() == -signal.SIGKILL
    kept = {json.loads(line)["id"] for line in journal.read_text().splitlines()}
    assert 3 <= len(kept) < 12
    while proxy.in_flight:
        time.sleep(0.01)
    proxy.delay = 0.0
    replies = collect(teacher(), requests, journal)
    assert len(replies) == 12
    counts = {request.id: proxy.paid[said(request)] for request in requests}
    assert all(counts[name] == 1 for name in kept)
    assert sum(counts.values()) <= 12 + 2  # what was in flight is lost


@pytest.fixture
def interruptible():
    """Ctrl-C as at a terminal: a shell that starts the tests in the background has it ignored."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


def test_an_interrupt_keeps_what_is_in_flight(teacher, proxy, tmp_path, interruptible):
    requests, journal = asks(12), tmp_path / "replies.jsonl"
    proxy.delay = 0.4
    main = threading.main_thread().ident
    proxy.after = (
        4,
        lambda: threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start(),
    )
    with pytest.raises(KeyboardInterrupt):
        collect(teacher(), requests, journal)
    assert len(journal.read_text().splitlines()) == proxy.paid.total() < 12
    proxy.delay = 0.0
    assert len(collect(teacher(), requests, journal)) == 12 and once(requests, proxy)


def test_the_budget_stops_a_run_and_a_larger_one_goes_on(teacher, proxy, tmp_path):
    requests, journal = asks(10), tmp_path / "replies.jsonl"
    reply = next(teacher().replies(asks(1)))
    proxy.paid.clear()
    millions = {"price_in": 1.0, "price_out": 1.0, "journal": journal}  # of tokens, not dollars
    small = 3.5 * (reply.prompt_tokens + reply.completion_tokens) / 1e6
    one = teacher(budget=small, **millions)
    replies = collect(one, requests, journal)
    assert 4 <= len(replies) <= 3 + 3  # the fourth goes over it, and what is in flight then
    assert one.usage["unanswered"] == 10 - len(replies)
    assert one.usage["dollars"] >= small and one.note.startswith("the budget is spent: $0.00")
    again = teacher(budget=small, **millions)
    assert collect(again, requests, journal) == replies and again.usage["requests"] == 0
    larger = teacher(budget=2 * small, **millions)
    more = collect(larger, requests, journal)
    assert 7 <= len(more) <= 6 + 3
    assert len(collect(teacher(), requests, journal)) == 10 and once(requests, proxy)


def test_what_other_teachers_cost_is_spent_too(teacher, proxy, tmp_path):
    journal, rich = tmp_path / "replies.jsonl", teacher(model="another")
    rich.replies = lambda requests: iter([Reply(requests[0].id, "A dog.", 9, 9, 1.5)])
    assert len(collect(rich, asks(1), journal)) == 1 and spent(journal) == 1.5
    one = teacher(budget=1.0, price_in=1.0, journal=journal)
    assert collect(one, asks(2), journal) == {} and not proxy.paid
    assert one.note == "the budget is spent: $1.5000 of $1.0000"


def test_a_server_that_reports_no_tokens(teacher, proxy, tmp_path):
    def silent(body):
        del body["usage"]
        body["choices"][0]["message"]["content"] = None

    proxy.edit = silent
    replies = collect(teacher(), asks(4), tmp_path / "free.jsonl")
    assert replies["scene-3#vqa"] == Reply("scene-3#vqa", "", 0, 0) and len(replies) == 4
    with pytest.raises(
        RuntimeError, match="does not say what it used, so that no budget can be kept"
    ):
        collect(teacher(budget=1.0, price_in=1.0), asks(9), tmp_path / "paid.jsonl")
    assert len((tmp_path / "paid.jsonl").read_text().splitlines()) <= 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", r"Error code: 401 .*Incorrect API key provided: \*\*\*"),
        ("404", "Error code: 404 .*no such model"),
        (None, "Error code: 400 .*Server is pinned to .* requested 'gpt-9'"),
    ],
)
def test_what_concerns_all_requests_stops_at_once(teacher, proxy, tmp_path, caplog, fault, words):
    caplog.set_level(logging.DEBUG)
    proxy.fault = lambda asked: fault
    one, journal = teacher(model="gpt-9", retries=6), tmp_path / "replies.jsonl"
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=f"^API gpt-9 at 127.0.0.1:[0-9]+: {words}") as caught:
        collect(one, asks(50), journal)
    assert time.monotonic() - start < 3 and one.usage["requests"] <= 6 and one.usage["retries"] == 0
    assert "\n" not in str(caught.value)
    assert not any(
        KEY in text
        for text in (str(caught.value), repr(one), one.note, journal.read_text(), caplog.text)
    )


def test_never_more_in_flight_than_allowed(teacher, proxy, tmp_path):
    proxy.delay = 0.1
    collect(teacher(concurrency=4), asks(16), tmp_path / "replies.jsonl")
    assert proxy.most == 4


def test_nothing_is_asked_without_address_key_or_prices(teacher, proxy, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="budget 2.0: expected price_in and price_out"):
        teacher(budget=2.0)
    for name, value in {
        "budget": float("nan"),
        "price_in": -1.0,
        "price_out": float("inf"),
    }.items():
        with pytest.raises(
            ValueError, match=f"{name} {value}: expected a number of dollars, 0 or more"
        ):
            teacher(**{"budget": 2.0, "price_in": 1.0, name: value})
    with (
        monkeypatch.context() as patch,
        pytest.raises(ValueError, match=r"expected http\(s\)://host/v1") as caught,
    ):
        patch.setenv("OPENAI_BASE_URL", "https://me:password@api.example.com/v1")
        teacher()
    assert "password@" not in str(caught.value)
    answered = collect(teacher(), asks(2), tmp_path / "replies.jsonl")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert (
        collect(teacher(), asks(2), tmp_path / "replies.jsonl") == answered
    )  # all there: no key is needed
    with pytest.raises(ValueError, match="no key: set OPENAI_API_KEY"):
        collect(teacher(), asks(3), tmp_path / "replies.jsonl")
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(ValueError, match="no server: set OPENAI_BASE_URL, such as"):
        ApiTeacher("gpt-9")


def test_the_key_of_a_teacher_changes_with_its_answers_alone(teacher, monkeypatch):
    def key(**changes):
        return teacher(**changes).key

    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", "http://b/v1")
        moved = key(concurrency=9, retries=3, price_in=1.0)
    assert moved == key()
    others = [key(), key(model="b"), key(max_tokens=9)]
    monkeypatch.setattr("tinyemo.emoreason.prompts.SYSTEM", "Be brief.")
    assert len({*others, key()}) == 4
