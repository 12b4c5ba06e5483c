"""A teacher behind an OpenAI-compatible API.

The server is a provider's, or a local one (vLLM, llama.cpp, Ollama, transformers serve).

Owns the sending of many requests at once and the limit on their cost. A request contains only text
(caption, attributes, label). Only `chat.completions` is used, with model, messages and a token
limit. The temperature is the server's default, because OpenAI's reasoning models accept no other.
The server's address and the key come from the environment variables OPENAI_BASE_URL and
OPENAI_API_KEY.

What can go wrong, and what happens then:

    408, 409, 429, 5xx, timeout,       the openai client waits and tries again, `retries` times. It
    no connection                      waits for Retry-After up to two minutes, else for 0.5 to 8 s,
                                       doubling, with jitter
    200, but not a completion          the client does not check this, so it is sent again here, in
                                       the same way; if the body reports its usage, that is counted
    still a 5xx, no completion, or no  the request has failed. This is recorded, and the next run
    reply in time                      sends the request again, after all others
    still no connection, or 408, 409,  the request stays unanswered; this says nothing about it, so
    429                                it is not recorded
    nothing but these in the last      the run ends: the server does not work. Requests that also
    requests (3, or `concurrency` if   failed in an earlier run do not count here, so a few requests
    that is more)                      that always fail cannot keep a run from its end
    another 4xx, or a content filter   the server refuses this request: its reply says so, and the
                                       request is not sent again
    neither caption nor attributes     the request stays unanswered: nothing is known of the image
    401, 402, 403, 404 (key, credit,   every request would fail: no more requests are sent
    model, address); 400 that names
    the model or a parameter
    the budget is spent                no more requests are sent

Whatever ends a run, replies that are under way are awaited and kept. Texts are kept as they come,
also empty ones and those that were cut off.
"""

import hashlib
import json
import math
import random
import re
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import openai

from tinyemo.emoreason.api_access import api_key, server_address, without_key
from tinyemo.emoreason.requests import COSTS, Reply, Request
from tinyemo.emoreason.response_cache import dollars_spent
from tinyemo.emoreason.teacher_prompts import facts_of, prompts_key, teacher_messages

CONCERN_ALL = (401, 402, 403, 404)  # the key, the credit, the rights; the model or the address
TEMPORARY = (408, 409, 429)
# What servers say of a prompt that they do not process: its content, or its length.
ABOUT_PROMPT = re.compile(
    r"content[ _-]?(?:filter|policy|management|violation)|moderation|flagged|filtered|safety"
    r"|context[ _](?:length|window)|maximum context"
    r"|(?:prompt|input|request)[\w ]* too (?:long|large)",
    re.IGNORECASE,
)
PARAMETERS = ("model", "max_tokens", "max_completion_tokens")  # of every request
USAGE = ("replies", "refused", "unanswered", "cut", "requests", "retries", *COSTS)


@dataclass
class ApiTeacher:
    """A model behind an OpenAI-compatible API; see the module for its behaviour.

    After a run, `usage` holds the counts named in USAGE, and `note` says why requests stayed
    unanswered or were refused. "requests" are those that were sent, retries included; "cut" are the
    replies that ended at `max_tokens`; "refused" are not among the "replies".

    The budget counts the dollars of all replies in `cache`, of all teachers, and the tokens that
    the server reports now, also for answers that cannot be read. Replies that are under way when
    the budget is spent, at most `concurrency` of them, exceed it.

    ValueError: no address, a budget without prices, or an invalid number of dollars.
    """

    model: str
    max_tokens: int = 512  # of one reply; the thoughts of a reasoning model count
    concurrency: int = 8  # requests under way at the same time
    retries: int = 6  # per request: 18 to 24 s of waiting
    timeout: float = 300.0  # seconds per reply; a provider may charge for one that comes later
    price_in: float = 0.0  # dollars per million prompt tokens
    price_out: float = 0.0  # dollars per million tokens of replies
    budget: float = 0.0  # dollars; 0: no limit. With both prices 1, it counts millions of tokens
    cache: Path | None = None  # response cache whose replies count as already spent
    usage: dict[str, float] = field(init=False, repr=False)
    note: str = field(init=False, default="")

    unanswered_reason = "unanswered"

    def __post_init__(self):
        self.base_url, self.host = server_address()
        for name in ("budget", "price_in", "price_out"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} {value}: expected a number of dollars, 0 or more")
        if self.budget and not (self.price_in or self.price_out):
            raise ValueError(
                f"budget {self.budget}: expected price_in and price_out too, in dollars per "
                "million tokens; for a server that costs nothing, expected budget 0"
            )
        self.usage = dict.fromkeys(USAGE, 0)
        self._counting = threading.Lock()

    @property
    def name(self) -> str:
        return f"API {self.model}"

    @property
    def key(self) -> str:
        parts = [self.model, self.max_tokens, prompts_key()]  # not the address, which may change
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def messages(self, request: Request) -> list[dict[str, str]]:
        """The chat messages for a request. Subclasses may send other messages."""
        return teacher_messages(request)

    def replies(
        self, requests: Sequence[Request], failed_before: Collection[str] = ()
    ) -> Iterator[Reply]:
        """Replies as they come, until all requests are answered or the budget is spent.

        A request that the server refuses gets a reply without text, with the server's words as its
        `refusal`; one that fails although the server can be reached, one with its `failure`. Where
        `failed_before` has its id, a failure does not count towards the end of the run.

        ValueError: no key, or a request lacks the label that its task needs. RuntimeError: the
        server refuses every request or cannot be reached, or it reports no tokens although there
        is a budget. This error is raised after the replies that were under way. A first
        KeyboardInterrupt awaits them too, a second one does not.
        """
        self.usage = dict.fromkeys(USAGE, 0) | {"unanswered": len(requests)}
        self.note = ""
        sendable = [request for request in requests if facts_of(request)]
        if bare := len(requests) - len(sendable):
            self.note = f"{bare} of {len(requests)} requests have neither caption nor attributes"
        if not sendable:
            return  # no key is needed if all replies are in the cache
        self._spent_before = dollars_spent(self.cache) if self.cache else 0.0
        waiting, under_way = deque(sendable), set()
        failures, last_failure = 0, ""  # failures in a row, and the last one in words
        failed = 0  # replies that are a failure
        refusal = ""  # the first one in words
        stop = None  # the error that ends the run as soon as no reply is under way
        with self._client() as client, ThreadPoolExecutor(self.concurrency) as pool:
            while True:
                while waiting and len(under_way) < self.concurrency:
                    if stop or self._is_spent():
                        break
                    under_way.add(pool.submit(self._send, client, waiting.popleft()))
                if not under_way:
                    break
                try:
                    done = wait(under_way, return_when=FIRST_COMPLETED).done
                except KeyboardInterrupt as interrupt:
                    if stop:
                        raise
                    stop, done = interrupt, ()
                for future in done:
                    under_way.remove(future)
                    error = future.exception()
                    reply = None if error else future.result()
                    if reply and reply.failure:
                        failed += 1
                        failures += reply.id not in failed_before
                        last_failure = f"{self.name} at {self.host}: {reply.failure}"
                        yield reply
                    elif reply:
                        failures = 0
                        refusal = refusal or reply.refusal
                        self._count(reply)
                        if self.budget and not (reply.prompt_tokens or reply.refusal):
                            stop = stop or self._unknown_usage()
                        yield reply
                    elif isinstance(error, openai.APIError):
                        failures += 1
                        last_failure = f"{self.name} at {self.host}: {_words(error)}"
                        if _concerns_all(error):
                            stop = stop or self._end_of_run(last_failure)
                    else:  # the request itself is wrong
                        stop = stop or error
                if failures >= max(3, self.concurrency):
                    stop = stop or self._end_of_run(last_failure)
        self.usage["retries"] = self.usage["requests"] - (len(sendable) - len(waiting))
        if stop:
            raise stop
        if waiting:
            spent = self._spent_before + self.usage["dollars"]
            last_failure = f"the budget is spent: ${spent:.4f} of ${self.budget:.4f}"
        elif failed:
            last_failure = (
                f"{last_failure} ({failed} of {len(requests)} requests failed; the next run sends "
                "them again, after all others)"
            )
        if refusal:
            refusal = (
                f"{self.name} at {self.host} refused {self.usage['refused']} of {len(requests)} "
                f"requests, which are not sent again; it said: {refusal}"
            )
        self.note = "; ".join(part for part in (self.note, refusal, last_failure) if part)

    def _count(self, reply: Reply) -> None:
        self.usage["refused" if reply.refusal else "replies"] += 1
        self.usage["unanswered"] -= 1
        self.usage["cut"] += reply.is_cut

    def _is_spent(self) -> bool:
        return 0 < self.budget <= self._spent_before + self.usage["dollars"]

    def _client(self) -> openai.OpenAI:
        key = api_key()

        def count_request(_):
            with self._counting:
                self.usage["requests"] += 1

        http = openai.DefaultHttpxClient(event_hooks={"request": [count_request]})
        return openai.OpenAI(
            api_key=key,
            base_url=self.base_url,
            max_retries=self.retries,
            http_client=http,
            timeout=openai.Timeout(self.timeout, connect=10),
        )

    def _send(self, client: openai.OpenAI, request: Request) -> Reply:
        """The reply, also if it is a refusal or a failure after all retries.

        openai.APIError: an error that concerns more than this request.
        """
        costs = [0, 0, 0.0]
        # OpenAI's newer models refuse max_tokens; not every local server accepts the newer name.
        is_openai = urlsplit(self.base_url).hostname == "api.openai.com"
        limit = "max_completion_tokens" if is_openai else "max_tokens"
        fields = {"model": self.model, "messages": self.messages(request), limit: self.max_tokens}
        for attempt in range(self.retries + 1):
            if attempt:
                if self._is_spent():
                    break
                pause = min(0.5 * 2 ** (attempt - 1), 8)
                time.sleep(pause * random.uniform(0.75, 1))  # as the openai client does
            try:
                answer = client.chat.completions.with_raw_response.create(**fields).http_response
            except openai.APIError as error:
                if self._is_refusal(error):
                    return Reply(request.id, "", *costs, refusal=_words(error))
                if _is_failure(error):
                    return Reply(request.id, "", *costs, failure=_words(error))
                raise
            try:
                body = json.loads(answer.content)
                new_costs = self._bill(body.get("usage") or {})
                costs = [sum(pair) for pair in zip(costs, new_costs, strict=True)]
                return _read(request.id, body, costs)
            except (ValueError, LookupError, TypeError, AttributeError):
                pass  # not a completion: send it again
        words = without_key(f"not a chat completion: {answer.text}")[:300]
        return Reply(request.id, "", *costs, failure=words)

    def _bill(self, used: dict) -> tuple[int, int, float]:
        """The COSTS of one answer, added to `usage` whether or not its text can be read."""
        prompt = int(used.get("prompt_tokens") or 0)
        completion = int(used.get("completion_tokens") or 0)
        dollars = (prompt * self.price_in + completion * self.price_out) / 1e6
        costs = (prompt, completion, dollars)
        with self._counting:
            for name, value in zip(COSTS, costs, strict=True):
                self.usage[name] += value
        return costs

    def _end_of_run(self, failure: str) -> RuntimeError:
        return RuntimeError(f"{failure}; replies so far are kept, run again for the rest")

    def _unknown_usage(self) -> RuntimeError:
        return RuntimeError(
            f"{self.name} at {self.host} does not report the tokens that it used, so a budget "
            "cannot be kept: set budget to 0"
        )

    def _is_refusal(self, error: openai.APIError) -> bool:
        """Whether the server refuses this request, and may answer others."""
        status, words = getattr(error, "status_code", 0), _words(error)
        if not 400 <= status < 500 or status in TEMPORARY:
            return False
        if status != 401 and ABOUT_PROMPT.search(words):
            return True
        # an error about the model or a parameter is one about all requests
        names_model = re.search(rf"(?<![\w.-]){re.escape(self.model)}(?![\w.-])", words)
        return not (status in CONCERN_ALL or names_model or error.param in PARAMETERS)


def _concerns_all(error: openai.APIError) -> bool:
    """Whether every other request would fail in the same way; refusals are no errors here."""
    status = getattr(error, "status_code", 0)
    return 400 <= status < 500 and status not in TEMPORARY


def _is_failure(error: openai.APIError) -> bool:
    """Whether the server could be reached, but gives this request a 5xx or no reply in time."""
    could_connect = type(error.__cause__).__name__ != "ConnectTimeout"
    is_late = isinstance(error, openai.APITimeoutError) and could_connect
    return is_late or getattr(error, "status_code", 0) >= 500


def _words(error: openai.APIError) -> str:
    """What the server or client said, on one line of at most 300 characters, without the key."""
    # The client shows what servers send as "message". Servers built on FastAPI send "detail",
    # others plain text.
    detail = error.body.get("detail") if isinstance(error.body, dict) else error.body
    return without_key(f"{error} {detail or ''} {error.__cause__ or ''}")[:300]


def _read(name: str, body: dict, costs: Sequence[float]) -> Reply:
    """The reply in a chat completion. LookupError, TypeError, AttributeError: it is none."""
    choice = body["choices"][0]
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        return Reply(name, "", *costs, refusal="finish_reason: content_filter")
    message = choice["message"]
    text = _text_of(message.get("content") or "")
    refusal = message.get("refusal")
    if not text and isinstance(refusal, str) and refusal:
        return Reply(name, "", *costs, refusal=without_key(refusal)[:300])
    return Reply(name, text, *costs, is_cut=reason == "length")


def _text_of(content: str | list[dict]) -> str:
    """The text of a message's content. TypeError, KeyError: it has none."""
    if isinstance(content, list):  # some servers send thoughts and text as separate parts
        content = "".join(part["text"] for part in content if part["type"] == "text")
    if not isinstance(content, str):
        raise TypeError(f"content: got {type(content).__name__}, expected text")
    return content
