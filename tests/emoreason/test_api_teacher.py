"""The API teacher with a real server, `transformers serve`, behind a proxy that causes failures."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from serving import KEY, MAX_TOKENS, make_requests, user_turn

from tinyemo.emoreason.api_access import without_key
from tinyemo.emoreason.api_teacher import ApiTeacher
from tinyemo.emoreason.reply_format import parse_turns
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect_replies, dollars_spent


@pytest.fixture
def make_teacher(server, proxy):
    """Makes teachers of the server's model with few retries."""

    def make(**changes) -> ApiTeacher:
        options = {"model": server.model, "max_tokens": MAX_TOKENS, "concurrency": 3, "retries": 1}
        return ApiTeacher(**options | changes)

    return make


def served_once(requests, proxy) -> bool:
    """Whether the server completed each request exactly once."""
    return proxy.completions == {user_turn(request): 1 for request in requests}


def test_replies_come_with_tokens_and_costs(make_teacher, proxy, tmp_path):
    requests, teacher = make_requests(5), make_teacher(price_in=1.0, price_out=10.0)
    replies = collect_replies(teacher, requests, tmp_path / "replies.jsonl")
    assert list(replies) == [request.id for request in requests]
    assert served_once(requests, proxy)
    reply = replies["scene-0#vqa"]
    # the random model does not write "Question: ..."; the teacher does not judge texts
    assert reply.text
    assert parse_turns("vqa", "", reply.text) is None
    assert reply.prompt_tokens > 100
    assert reply.completion_tokens == MAX_TOKENS
    assert reply.dollars == pytest.approx((reply.prompt_tokens + 10 * MAX_TOKENS) / 1e6)
    prompt = sum(reply.prompt_tokens for reply in replies.values())
    assert teacher.usage == {
        "replies": 5,
        "refused": 0,
        "unanswered": 0,
        "cut": 5,
        "requests": 5,
        "retries": 0,
        "prompt_tokens": prompt,
        "completion_tokens": 5 * MAX_TOKENS,
        "dollars": pytest.approx((prompt + 50 * MAX_TOKENS) / 1e6),
    }
    assert teacher.note == ""


@pytest.mark.parametrize(
    "fault", ["429", "500", "503", "drop", "slow", "torn", "page", "empty", "error"]
)
def test_a_temporary_failure_is_retried(make_teacher, proxy, tmp_path, fault):
    faults = [fault]
    proxy.fault = lambda content: faults.pop() if faults else None
    requests, teacher = make_requests(2), make_teacher(concurrency=1, timeout=1.0)
    replies = collect_replies(teacher, requests, tmp_path / "replies.jsonl")
    assert len(replies) == 2
    assert (teacher.usage["requests"], teacher.usage["retries"]) == (3, 1)
    first, again = proxy.times[user_turn(requests[0])]
    # 1.2 s: the Retry-After of the fault; otherwise half a second minus a quarter of it
    assert again - first > (1.2 if fault == "429" else 0.37)
    if fault != "slow":  # there, the server completed the request after the client had given up
        assert served_once(requests, proxy)


def test_a_request_that_always_fails_does_not_stop_the_others(make_teacher, proxy, tmp_path):
    requests, cache = make_requests(6), tmp_path / "replies.jsonl"
    bad = {user_turn(requests[i]): fault for i, fault in ((0, "drop"), (2, "torn"), (4, "500"))}
    proxy.fault = bad.get
    teacher = make_teacher(concurrency=4)  # so three failures in a row do not end the run
    replies = collect_replies(teacher, requests, cache)
    assert replies.keys() == {requests[i].id for i in (1, 3, 5)}
    assert teacher.usage["unanswered"] == 3
    assert teacher.note.startswith("API ")
    assert [len(proxy.times[content]) for content in bad] == [2, 2, 2]
    proxy.fault = lambda content: None
    assert len(collect_replies(teacher, requests, cache)) == 6
    assert served_once(requests, proxy)


def fail_for(requests, proxy, fault="500") -> None:
    """Only these requests fail, every time."""
    bad = {user_turn(request) for request in requests}
    proxy.fault = lambda content: fault if content in bad else None


def order_of(requests, proxy) -> list[str]:
    """The ids of the requests in the order in which they first came."""
    sent = [request for request in requests if proxy.times[user_turn(request)]]
    sent.sort(key=lambda request: proxy.times[user_turn(request)][0])
    return [request.id for request in sent]


@pytest.mark.parametrize("fault", ["500", "503", "torn", "error", "slow"])
def test_one_request_that_always_fails_among_good_ones_is_counted(
    make_teacher, proxy, tmp_path, fault
):
    requests, cache = make_requests(5), tmp_path / "replies.jsonl"
    fail_for(requests[1:2], proxy, fault)
    for run in range(2):
        teacher = make_teacher(retries=0, concurrency=1, timeout=1.0)
        replies = collect_replies(teacher, requests, cache)
        assert len(replies) == 4
        usage = [teacher.usage[name] for name in ("replies", "unanswered", "requests")]
        assert usage == ([4, 1, 5], [0, 1, 1])[run]
        assert f"(1 of {(5, 1)[run]} requests failed; the next run sends them" in teacher.note


def test_requests_that_failed_are_sent_last_and_cannot_stop_a_resumed_run(
    make_teacher, proxy, tmp_path
):
    """Ten bad requests stand first: more than the failures in a row that end a run."""
    requests, cache = make_requests(16), tmp_path / "replies.jsonl"
    bad, good = requests[:10], requests[10:]
    fail_for(bad, proxy)
    runs = 0
    while True:
        proxy.times.clear()
        runs += 1
        try:
            replies = collect_replies(make_teacher(retries=0), requests, cache)
            break
        except RuntimeError as error:
            assert "replies so far are kept" in str(error)
    assert replies.keys() == {request.id for request in good}
    assert runs <= 4  # each of those that stopped has set three bad requests or more aside
    for _ in range(2):  # now only bad requests are left; the run ends without an error
        teacher = make_teacher(retries=0)
        assert collect_replies(teacher, requests, cache) == replies
        assert (teacher.usage["unanswered"], teacher.usage["requests"]) == (10, 10)
    more = make_requests(20)
    proxy.times.clear()
    teacher = make_teacher(retries=0, concurrency=1)
    assert len(collect_replies(teacher, more, cache)) == 10
    assert order_of(more, proxy) == [request.id for request in (*more[16:], *bad)]
    proxy.fault = lambda content: None
    assert len(collect_replies(make_teacher(), more, cache)) == 20
    assert served_once(more, proxy)


def test_a_server_that_fails_for_all_requests_ends_the_run(make_teacher, proxy, tmp_path):
    requests, cache = make_requests(20), tmp_path / "replies.jsonl"
    collect_replies(make_teacher(), requests[:2], cache)
    fail_for(requests, proxy)
    for _ in range(2):
        teacher = make_teacher(retries=0)
        with pytest.raises(RuntimeError, match="^API .*500.*run again for the rest$"):
            collect_replies(teacher, requests, cache)
        assert 3 <= teacher.usage["requests"] <= 5  # at most two were under way


@pytest.mark.parametrize("fault", ["drop", "429"])
def test_faults_of_the_connection_end_a_run_also_at_requests_that_failed_before(
    make_teacher, proxy, tmp_path, fault
):
    requests, cache = make_requests(12), tmp_path / "replies.jsonl"
    fail_for(requests, proxy)
    for _ in range(4):
        with suppress(RuntimeError):
            collect_replies(make_teacher(retries=0), requests, cache)
    failures = cache.read_text().count('"failure"')
    assert failures >= 12
    fail_for(requests, proxy, fault)
    teacher = make_teacher(retries=0)
    with pytest.raises(RuntimeError, match="run again for the rest"):
        collect_replies(teacher, requests, cache)
    assert teacher.usage["requests"] <= 5
    assert cache.read_text().count('"failure"') == failures  # nothing is learned about them


@pytest.mark.parametrize("fault", ["400", "422", "413", "moderation"])
def test_refused_requests_are_recorded_and_never_sent_again(make_teacher, proxy, tmp_path, fault):
    """More refusals in a row than failures would be allowed, at the start of every run."""
    requests, cache = make_requests(15), tmp_path / "replies.jsonl"
    refused = {user_turn(request) for request in requests[:12]}
    proxy.fault = lambda content: fault if content in refused else None
    teacher = make_teacher(budget=1.0, price_in=1.0)
    replies = collect_replies(teacher, requests, cache)
    assert [reply.id for reply in replies.values() if not reply.refusal] == [
        request.id for request in requests[12:]
    ]
    usage = [teacher.usage[name] for name in ("replies", "refused", "unanswered", "requests")]
    assert usage == [3, 12, 0, 15]
    assert "refused 12 of 15 requests, which are not sent again; it said: Error" in teacher.note
    again = make_teacher()
    assert collect_replies(again, requests, cache) == replies
    assert again.usage["requests"] == 0
    # without their lines, they are sent again
    lines = [line for line in cache.read_text().splitlines(True) if '"refusal"' not in line]
    cache.write_text("".join(lines))
    proxy.fault = lambda content: None
    assert not any(reply.refusal for reply in collect_replies(again, requests, cache).values())
    assert served_once(requests, proxy)


def test_a_filtered_completion_is_a_refusal(make_teacher, proxy, tmp_path):
    def block(body):
        choice = body["choices"][0]
        choice["finish_reason"] = "content_filter"
        del choice["message"]

    def decline(body):
        message = {"content": None, "refusal": f"I won't. {KEY}"}
        body["choices"][0] = {"message": message, "finish_reason": "stop"}

    for number, edit in enumerate((block, decline)):
        proxy.edit = edit
        cache = tmp_path / f"{number}.jsonl"
        (reply,) = collect_replies(make_teacher(), make_requests(1), cache).values()
        expected = ("finish_reason: content_filter", "I won't. ***")[number]
        assert (reply.text, reply.refusal) == ("", expected)
        assert reply.completion_tokens == MAX_TOKENS  # it costs something all the same


@pytest.mark.parametrize("fault", ["402", "403", "parameter"])
def test_errors_about_all_requests_are_no_refusals(make_teacher, proxy, tmp_path, fault):
    proxy.fault = lambda content: fault
    cache, teacher = tmp_path / "replies.jsonl", make_teacher()
    with pytest.raises(RuntimeError, match="replies so far are kept"):
        collect_replies(teacher, make_requests(20), cache)
    assert teacher.usage["requests"] <= 6
    assert cache.read_text() == ""


def test_a_reply_that_was_cut_says_so_also_from_the_cache(make_teacher, proxy, tmp_path):
    cache = tmp_path / "replies.jsonl"
    for _ in range(2):
        (reply,) = collect_replies(make_teacher(), make_requests(1), cache).values()
        assert reply.is_cut
    proxy.edit = lambda body: body["choices"][0].update(finish_reason="stop")
    (reply,) = collect_replies(make_teacher(), make_requests(1), tmp_path / "b.jsonl").values()
    assert not reply.is_cut


def test_a_request_without_words_stays_unanswered(make_teacher, tmp_path):
    cache, teacher = tmp_path / "replies.jsonl", make_teacher()
    bare = Request("bare#vqa", "bare.png", "vqa", "", "ekman", attributes={"votes": 3})
    replies = collect_replies(teacher, [bare, *make_requests(2)], cache)
    assert replies.keys() == {"scene-0#vqa", "scene-1#vqa"}
    usage = [teacher.usage[name] for name in ("unanswered", "requests", "retries")]
    assert usage == [1, 2, 0]
    assert teacher.note == "1 of 3 requests have neither caption nor attributes"
    assert collect_replies(teacher, [bare], cache) == {}
    assert teacher.note.startswith("1 of 1 requests")


def test_a_request_without_the_label_that_it_needs_is_an_error(make_teacher, tmp_path):
    request = Request("x#reasoning", "", "reasoning", "", "ekman", caption="A dog.")
    with pytest.raises(ValueError, match="no label, expected one for task 'reasoning'"):
        collect_replies(make_teacher(), [request], tmp_path / "replies.jsonl")


def test_a_reply_in_several_parts_is_read(make_teacher, proxy, tmp_path):
    def split(body):
        body["choices"][0]["message"]["content"] = [
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "A d"},
            {"type": "text", "text": "og."},
        ]

    proxy.edit, teacher = split, make_teacher()
    replies = collect_replies(teacher, make_requests(1), tmp_path / "replies.jsonl")
    assert replies["scene-0#vqa"].text == "A dog."
    assert teacher.usage["requests"] == 1


def test_the_cost_of_an_unreadable_answer_counts(make_teacher, proxy, tmp_path):
    """The first answer cannot be read, so its request costs two answers."""
    unreadable = [True]
    proxy.edit = lambda body: unreadable and body.update(choices=unreadable.pop())
    teacher = make_teacher(price_in=1.0, price_out=1.0, concurrency=1)
    replies = collect_replies(teacher, make_requests(2), tmp_path / "replies.jsonl")
    first, second = replies.values()
    assert second.completion_tokens == MAX_TOKENS
    assert first.completion_tokens == 2 * MAX_TOKENS
    assert second.dollars > 0
    assert first.dollars == 2 * second.dollars
    assert teacher.usage["dollars"] == first.dollars + second.dollars


def test_unreadable_answers_end_at_the_budget_before_all_retries(make_teacher, proxy, tmp_path):
    prices = {"price_in": 1.0, "price_out": 1.0, "concurrency": 1}
    reply = next(make_teacher(**prices).replies(make_requests(1)))
    proxy.edit = lambda body: body.update(choices=[])
    teacher = make_teacher(retries=6, budget=1.5 * reply.dollars, **prices)
    assert collect_replies(teacher, make_requests(5), tmp_path / "replies.jsonl") == {}
    assert teacher.usage["requests"] == 2
    assert teacher.note.startswith("the budget is spent: ")


def test_a_run_resumes_after_the_port_was_closed(make_teacher, proxy, tmp_path):
    requests, cache = make_requests(12), tmp_path / "replies.jsonl"
    proxy.after = (5, proxy.close)
    message = r"^API .* at 127\.0\.0\.1:\d+: Connection error\..* again for the rest$"
    with pytest.raises(RuntimeError, match=message):
        collect_replies(make_teacher(), requests, cache)
    kept = len(cache.read_text().splitlines())
    assert 5 <= kept <= 7  # replies that were under way are kept
    assert kept == proxy.completions.total()
    proxy.listen()
    teacher = make_teacher()
    assert len(collect_replies(teacher, requests, cache)) == 12
    assert teacher.usage["replies"] == 12 - kept
    assert served_once(requests, proxy)


def test_a_run_resumes_after_the_server_was_killed(make_teacher, proxy, server, tmp_path):
    requests, cache = make_requests(12), tmp_path / "replies.jsonl"
    proxy.after = (5, server.kill)
    with pytest.raises(RuntimeError, match="Connection error"):
        collect_replies(make_teacher(), requests, cache)
    assert len(cache.read_text().splitlines()) == proxy.completions.total() < 12
    server.start()
    assert len(collect_replies(make_teacher(), requests, cache)) == 12
    assert served_once(requests, proxy)


def test_a_run_resumes_after_the_client_was_killed(server, make_teacher, proxy, tmp_path):
    requests, cache = make_requests(12), tmp_path / "replies.jsonl"
    proxy.delay = 0.2
    code = (
        "from pathlib import Path\n"
        "from serving import MAX_TOKENS, make_requests\n"
        "from tinyemo.emoreason.api_teacher import ApiTeacher\n"
        "from tinyemo.emoreason.response_cache import collect_replies\n"
        f"teacher = ApiTeacher({server.model!r}, max_tokens=MAX_TOKENS, concurrency=2)\n"
        f"collect_replies(teacher, make_requests(12), Path({str(cache)!r}))"
    )
    tests = Path(__file__).parents[1]  # the folder of serving.py
    client = subprocess.Popen([sys.executable, "-c", code], cwd=tests)
    while client.poll() is None and (not cache.exists() or cache.read_bytes().count(b"\n") < 3):
        time.sleep(0.01)
    client.send_signal(signal.SIGKILL)
    assert client.wait() == -signal.SIGKILL
    kept = {json.loads(line)["id"] for line in cache.read_text().splitlines()}
    assert 3 <= len(kept) < 12
    while proxy.under_way:
        time.sleep(0.01)
    proxy.delay = 0.0
    replies = collect_replies(make_teacher(), requests, cache)
    assert len(replies) == 12
    counts = {request.id: proxy.completions[user_turn(request)] for request in requests}
    assert all(counts[name] == 1 for name in kept)
    assert sum(counts.values()) <= 12 + 2  # only the two replies under way are lost


@pytest.fixture
def interruptible():
    """Ctrl-C as at a terminal: a shell that starts the tests in the background has it ignored."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


def test_after_an_interrupt_the_replies_under_way_are_kept(
    make_teacher, proxy, tmp_path, interruptible
):
    requests, cache = make_requests(12), tmp_path / "replies.jsonl"
    proxy.delay = 0.4
    interrupt = (threading.main_thread().ident, signal.SIGINT)
    timer = threading.Timer(0.2, signal.pthread_kill, interrupt)
    proxy.after = (4, timer.start)
    with pytest.raises(KeyboardInterrupt):
        collect_replies(make_teacher(), requests, cache)
    assert len(cache.read_text().splitlines()) == proxy.completions.total() < 12
    proxy.delay = 0.0
    assert len(collect_replies(make_teacher(), requests, cache)) == 12
    assert served_once(requests, proxy)


def test_the_budget_stops_a_run_and_a_larger_budget_continues_it(make_teacher, proxy, tmp_path):
    requests, cache = make_requests(10), tmp_path / "replies.jsonl"
    reply = next(make_teacher().replies(make_requests(1)))
    proxy.completions.clear()
    # with these prices, a budget counts millions of tokens
    prices = {"price_in": 1.0, "price_out": 1.0, "cache": cache}
    small = 3.5 * (reply.prompt_tokens + reply.completion_tokens) / 1e6
    teacher = make_teacher(budget=small, **prices)
    replies = collect_replies(teacher, requests, cache)
    assert 4 <= len(replies) <= 3 + 3  # the fourth exceeds it, and up to two are then under way
    assert teacher.usage["unanswered"] == 10 - len(replies)
    assert teacher.usage["dollars"] >= small
    assert teacher.note.startswith("the budget is spent: $0.00")
    again = make_teacher(budget=small, **prices)
    assert collect_replies(again, requests, cache) == replies
    assert again.usage["requests"] == 0
    larger = make_teacher(budget=2 * small, **prices)
    assert 7 <= len(collect_replies(larger, requests, cache)) <= 6 + 3
    assert len(collect_replies(make_teacher(), requests, cache)) == 10
    assert served_once(requests, proxy)


def test_the_budget_counts_the_replies_of_other_teachers(make_teacher, proxy, tmp_path):
    cache, expensive = tmp_path / "replies.jsonl", make_teacher(model="another")
    expensive.replies = lambda requests: iter([Reply(requests[0].id, "A dog.", 9, 9, 1.5)])
    assert len(collect_replies(expensive, make_requests(1), cache)) == 1
    assert dollars_spent(cache) == 1.5
    teacher = make_teacher(budget=1.0, price_in=1.0, cache=cache)
    assert collect_replies(teacher, make_requests(2), cache) == {}
    assert not proxy.completions
    assert teacher.note == "the budget is spent: $1.5000 of $1.0000"


def test_a_server_without_token_counts_is_an_error_only_with_a_budget(
    make_teacher, proxy, tmp_path
):
    def remove_usage(body):
        del body["usage"]
        body["choices"][0]["message"]["content"] = None

    proxy.edit = remove_usage
    replies = collect_replies(make_teacher(), make_requests(4), tmp_path / "free.jsonl")
    assert replies["scene-3#vqa"] == Reply("scene-3#vqa", "", 0, 0)
    assert len(replies) == 4
    teacher = make_teacher(budget=1.0, price_in=1.0)
    message = "does not report the tokens that it used, so a budget cannot be kept"
    with pytest.raises(RuntimeError, match=message):
        collect_replies(teacher, make_requests(9), tmp_path / "paid.jsonl")
    assert len((tmp_path / "paid.jsonl").read_text().splitlines()) <= 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", r"Error code: 401 .*Incorrect API key provided: \*\*\*"),
        ("404", "Error code: 404 .*no such model"),
        (None, "Error code: 400 .*Server is pinned to .* requested 'gpt-9'"),
    ],
)
def test_an_error_that_concerns_all_requests_stops_at_once_and_hides_the_key(
    make_teacher, proxy, tmp_path, caplog, fault, words
):
    caplog.set_level(logging.DEBUG)
    proxy.fault = lambda content: fault
    teacher, cache = make_teacher(model="gpt-9", retries=6), tmp_path / "replies.jsonl"
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=f"^API gpt-9 at 127.0.0.1:[0-9]+: {words}") as caught:
        collect_replies(teacher, make_requests(50), cache)
    assert time.monotonic() - start < 3
    assert teacher.usage["requests"] <= 6
    assert teacher.usage["retries"] == 0
    message = str(caught.value)
    assert "\n" not in message
    for text in (message, repr(teacher), teacher.note, cache.read_text(), caplog.text):
        assert KEY not in text


def test_the_number_of_requests_under_way_is_limited(make_teacher, proxy, tmp_path):
    proxy.delay = 0.1
    collect_replies(make_teacher(concurrency=4), make_requests(16), tmp_path / "replies.jsonl")
    assert proxy.most_under_way == 4


def test_wrong_prices_and_budgets_are_refused(make_teacher):
    with pytest.raises(ValueError, match="budget 2.0: expected price_in and price_out"):
        make_teacher(budget=2.0)
    wrong = {"budget": float("nan"), "price_in": -1.0, "price_out": float("inf")}
    for name, value in wrong.items():
        message = f"{name} {value}: expected a number of dollars, 0 or more"
        with pytest.raises(ValueError, match=message):
            make_teacher(**{"budget": 2.0, "price_in": 1.0, name: value})


def test_an_address_with_a_password_is_refused_and_not_shown(make_teacher, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:password@api.example.com/v1")
    with pytest.raises(ValueError, match=r"expected http\(s\)://host/v1") as caught:
        make_teacher()
    assert "password@" not in str(caught.value)


def test_a_missing_address_or_key_is_an_error_unless_all_replies_are_cached(
    make_teacher, monkeypatch, tmp_path
):
    cache = tmp_path / "replies.jsonl"
    replies = collect_replies(make_teacher(), make_requests(2), cache)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert collect_replies(make_teacher(), make_requests(2), cache) == replies
    with pytest.raises(ValueError, match="no key: set OPENAI_API_KEY"):
        collect_replies(make_teacher(), make_requests(3), cache)
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(
        ValueError, match="no server is configured: set the environment variable OPENAI_BASE_URL"
    ):
        ApiTeacher("gpt-9")


def test_the_key_of_a_teacher_changes_only_if_its_replies_would_change(make_teacher, monkeypatch):
    def key(**changes):
        return make_teacher(**changes).key

    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", "http://b/v1")
        moved = key(concurrency=9, retries=3, price_in=1.0)
    assert moved == key()
    others = [key(), key(model="b"), key(max_tokens=9)]
    monkeypatch.setattr("tinyemo.emoreason.teacher_prompts.SYSTEM", "Be brief.")
    assert len({*others, key()}) == 4


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", " \t\n"])
def test_white_space_around_key_and_address_is_removed(
    make_teacher, proxy, monkeypatch, tmp_path, end
):
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}{end}")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{proxy.url}/{end}")
    assert len(collect_replies(make_teacher(), make_requests(1), tmp_path / "a.jsonl")) == 1
    proxy.fault = lambda content: "401"
    with pytest.raises(RuntimeError, match=r"Incorrect API key provided: \*\*\*") as caught:
        collect_replies(make_teacher(), make_requests(2), tmp_path / "b.jsonl")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "position"),
    [
        ("\u201csk-abcdefgh\u201d", "1 of 13"),
        ("sk-abc\rdefgh", "7 of 12"),
        ("sk-abc defgh", "7 of 12"),
        ("sk-abcdefgh\u200b", "12 of 12"),
        ('"sk-abcdefgh"', "1 of 13"),
        ("sk-\x00abcdefgh".replace("\x00", "\x7f"), "4 of 12"),
    ],
)
def test_a_key_with_other_characters_is_refused_and_not_shown(
    make_teacher, monkeypatch, tmp_path, key, position
):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    message = f"^OPENAI_API_KEY: character {position} cannot belong to a key; expected ASCII"
    with pytest.raises(ValueError, match=message) as caught:
        collect_replies(make_teacher(), make_requests(1), tmp_path / "replies.jsonl")
    assert type(caught.value) is ValueError
    assert "abc" not in str(caught.value)
    assert "defgh" not in str(caught.value)


def test_a_short_key_is_removed_only_as_a_word(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    shown = without_key("max_tokens exceeded: x, 'x' and Bearer x")
    assert shown == "max_tokens exceeded: ***, '***' and Bearer ***"


def test_a_long_key_is_removed_whole_and_in_part(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    shown = without_key(f"a\n{KEY!r}, b'Bearer {KEY}\\r', sk-a-********ests. A ski trip...")
    assert shown == "a '***', b'Bearer ***\\r', ***. A ski trip..."


@pytest.mark.parametrize("address", ["http://a/v1?key=secret", "http://[bad/v1", "“http://a/v1”"])
def test_an_address_with_a_query_or_quotation_marks_is_refused(make_teacher, monkeypatch, address):
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(ValueError, match=r"^OPENAI_BASE_URL: expected http\(s\)") as caught:
        make_teacher()
    assert "secret" not in str(caught.value)
