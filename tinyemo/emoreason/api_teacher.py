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
    still no reply, or another 4xx     the request stays unanswered: the cause may be this request
                                       alone (a content filter, a prompt that is too long). Several
                                       failures in a row (3, or `concurrency` if that is more) end
                                       the run
    neither caption nor attributes     the request stays unanswered: nothing is known of the image
    401, 403, 404 (key, model,         every request would fail: no more requests are sent
    address)
    the budget is spent                no more requests are sent

Whatever ends a run, replies that are under way are awaited and kept. Texts are kept as they come,
also empty ones and those that were cut off.
"""

import hashlib
import json
import math
import os
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import openai

from tinyemo.emoreason.requests import COSTS, Reply, Request
from tinyemo.emoreason.response_cache import dollars_spent
from tinyemo.emoreason.teacher_prompts import facts_of, prompts_key, teacher_messages

CONCERN_ALL = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)
USAGE = ("replies", "unanswered", "cut", "requests", "retries", *COSTS)


@dataclass
class ApiTeacher:
    """A model behind an OpenAI-compatible API; see the module for its behaviour.

    After a run, `usage` holds the counts named in USAGE, and `note` says why requests stayed
    unanswered. "requests" are those that were sent, retries included; "cut" are the replies that
    ended at `max_tokens`.

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
        self.base_url, self.host = _server_address()
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

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Replies as they come, until all requests are answered or the budget is spent.

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
                    if error is None:
                        failures = 0
                        reply, is_cut = future.result()
                        self.usage["replies"] += 1
                        self.usage["unanswered"] -= 1
                        self.usage["cut"] += is_cut
                        if self.budget and not reply.prompt_tokens:
                            stop = stop or self._unknown_usage()
                        yield reply
                    elif isinstance(error, openai.APIError):
                        failures += 1
                        last_failure = self._sentence(error)
                        if isinstance(error, CONCERN_ALL) or failures >= max(3, self.concurrency):
                            stop = stop or RuntimeError(
                                f"{last_failure}; replies so far are kept, run again for the rest"
                            )
                    else:  # the request itself is wrong
                        stop = stop or error
        self.usage["retries"] = self.usage["requests"] - (len(sendable) - len(waiting))
        if stop:
            raise stop
        if waiting:
            spent = self._spent_before + self.usage["dollars"]
            last_failure = f"the budget is spent: ${spent:.4f} of ${self.budget:.4f}"
        self.note = "; ".join(sentence for sentence in (self.note, last_failure) if sentence)

    def _is_spent(self) -> bool:
        return 0 < self.budget <= self._spent_before + self.usage["dollars"]

    def _client(self) -> openai.OpenAI:
        if not os.environ.get("OPENAI_API_KEY"):
            raise ValueError(
                "no key: set OPENAI_API_KEY (for a local server without keys, to any word)"
            )

        def count_request(_):
            with self._counting:
                self.usage["requests"] += 1

        http = openai.DefaultHttpxClient(event_hooks={"request": [count_request]})
        return openai.OpenAI(
            base_url=self.base_url,
            max_retries=self.retries,
            http_client=http,
            timeout=openai.Timeout(self.timeout, connect=10),
        )

    def _send(self, client: openai.OpenAI, request: Request) -> tuple[Reply, bool]:
        """The reply, and whether it was cut at max_tokens.

        openai.APIError: no reply after all retries.
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
            answer = client.chat.completions.with_raw_response.create(**fields).http_response
            try:
                body = json.loads(answer.content)
                new_costs = self._bill(body.get("usage") or {})
                costs = [sum(pair) for pair in zip(costs, new_costs, strict=True)]
                choice = body["choices"][0]
                text = _text_of(choice["message"].get("content") or "")
                is_cut = choice.get("finish_reason") == "length"
                return Reply(request.id, text, *costs), is_cut
            except (ValueError, LookupError, TypeError, AttributeError):
                pass  # not a completion: send it again
        raise openai.APIResponseValidationError(
            answer, None, message=f"not a chat completion: {answer.text}"
        )

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

    def _unknown_usage(self) -> RuntimeError:
        return RuntimeError(
            f"{self.name} at {self.host} does not report the tokens that it used, so a budget "
            "cannot be kept: set budget to 0"
        )

    def _sentence(self, error: openai.APIError) -> str:
        """What went wrong, on one line, without the key."""
        # The client shows what servers send as "message". Servers built on FastAPI send "detail",
        # others plain text.
        detail = error.body.get("detail") if isinstance(error.body, dict) else error.body
        message = f"{error} {detail or ''} {error.__cause__ or ''}"
        message = message.replace(os.environ["OPENAI_API_KEY"], "***")
        return f"{self.name} at {self.host}: {' '.join(message.split())[:300]}"


def _server_address() -> tuple[str, str]:
    """The server's base URL and its host. ValueError: not set, or not a plain http(s) address."""
    base_url = os.environ.get("OPENAI_BASE_URL", "").rstrip("/")
    if not base_url:
        raise ValueError(
            "no server is configured: set the environment variable OPENAI_BASE_URL, for example to "
            "https://api.openai.com/v1 or http://localhost:8000/v1"
        )
    url = urlsplit(base_url)
    has_user = "@" in url.netloc
    if url.scheme not in ("http", "https") or not url.hostname or has_user:
        # the address itself is not shown: it may hold a password
        raise ValueError(
            "OPENAI_BASE_URL: expected http(s)://host/v1 without a user or password in it"
        )
    return base_url, url.netloc


def _text_of(content: str | list[dict]) -> str:
    """The text of a message's content. TypeError, KeyError: it has none."""
    if isinstance(content, list):  # some servers send thoughts and text as separate parts
        content = "".join(part["text"] for part in content if part["type"] == "text")
    if not isinstance(content, str):
        raise TypeError(f"content: got {type(content).__name__}, expected text")
    return content
