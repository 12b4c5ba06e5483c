"""A teacher behind an OpenAI-compatible API: a provider's, or a local vLLM, llama.cpp, Ollama, transformers serve.

Owns one way to ask many requests at once, from words alone (caption, attributes, label), without paying for more
than was meant. Only `chat.completions` is used, with model, messages, temperature and the limit of tokens. Where
the server is and who asks comes from the environment: OPENAI_BASE_URL (or `base_url`), OPENAI_API_KEY.

What goes wrong, and what then happens:

    408, 409, 429, 5xx, timeout, no connection   the openai client waits (Retry-After up to two minutes, else 0.5 to
                                                 8 s, doubling, with jitter) and asks again, `retries` times
    200 with a body that is no completion        the client does not look at that: asked again here, likewise
    still no answer, or another 4xx              the request stays unanswered: it may be the only one (a content
                                                 filter, too long a prompt); that many in a row are the server
    401, 403, 404 (key, model, address)          concern all requests: no more are sent
    the budget is spent                          no more are sent

Whatever stops a run, what is in flight is awaited and kept. Texts are kept as they come, empty and cut ones too.
"""

import hashlib
import json
import os
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import astuple, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import openai

from tinyemo.data.journal import spent
from tinyemo.data.prompts import prompts_key, teacher_messages
from tinyemo.data.requests import Reply, Request

CONCERN_ALL = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)
USAGE = ("replies", "unanswered", "cut", "requests", "retries", "prompt_tokens", "completion_tokens", "dollars")


@dataclass
class ApiTeacher:
    """See the module. After a run, `usage` holds its counts (USAGE) and `note` says why requests stayed unanswered.

    The budget counts the tokens that the server reports, those of this teacher's replies in `journal` included; the
    answers that are in flight when it is spent, `concurrency` at most, go over it. Of usage, "requests" are those
    sent, retries included, and "cut" the replies that ended at `max_tokens`. ValueError: no address, or a budget
    without prices.
    """

    model: str
    base_url: str = ""  # "": OPENAI_BASE_URL
    temperature: float = 0.7  # OpenAI's reasoning models take 1 alone
    max_tokens: int = 512  # of one answer; a reasoning model's thoughts count
    concurrency: int = 8  # requests in flight
    retries: int = 6  # of one request: 18 to 24 s of waiting
    timeout: float = 300.0  # seconds for one answer; a provider may charge for one that is given up
    price_in: float = 0.0  # dollars per million tokens; 1 and 1 make the budget one of millions of tokens
    price_out: float = 0.0
    budget: float = 0.0  # dollars; 0: no limit
    journal: Path | None = None  # what it holds of this teacher is spent already
    usage: dict[str, float] = field(init=False, repr=False)
    note: str = field(init=False, default="")

    silence = "unanswered"

    def __post_init__(self):
        self.base_url = (self.base_url or os.environ.get("OPENAI_BASE_URL", "")).rstrip("/")
        if not self.base_url:
            raise ValueError("no server: set OPENAI_BASE_URL or base_url, such as https://api.openai.com/v1 or "
                             "http://localhost:8000/v1")
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
            raise ValueError("base_url: expected http(s)://host/v1 without a user or password in it")  # may be secret
        if self.budget and not (self.price_in or self.price_out):
            raise ValueError(f"budget {self.budget}: expected price_in and price_out beside it, dollars per million "
                             "tokens; for a server that costs nothing, expected 0")
        self.host = url.netloc
        self.usage = dict.fromkeys(USAGE, 0)
        self._counting = threading.Lock()

    @property
    def name(self) -> str:
        return f"API {self.model}"

    @property
    def key(self) -> str:
        made_of = [self.model, self.temperature, self.max_tokens, prompts_key()]  # not the address, which may move
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Replies as they come, until all are answered or the budget is spent.

        ValueError: no key. RuntimeError: the server refuses or is gone, or reports no tokens though there is a budget;
        one sentence, after the replies that were in flight. KeyboardInterrupt awaits them too, a second one does not.
        """
        self.usage, self.note = dict.fromkeys(USAGE, 0) | {"unanswered": len(requests)}, ""
        if not requests:
            return  # where all is in the journal, nobody needs a key
        before = self._dollars(*astuple(spent(self.journal, self.name))) if self.journal else 0.0
        waiting, in_flight, failures, stop = deque(requests), set(), 0, None
        with self._client() as client, ThreadPoolExecutor(self.concurrency) as pool:
            while True:
                is_spent = 0 < self.budget <= before + self.usage["dollars"]
                while waiting and len(in_flight) < self.concurrency and not (stop or is_spent):
                    in_flight.add(pool.submit(self._ask, client, waiting.popleft()))
                if not in_flight:
                    break
                try:
                    done = wait(in_flight, return_when=FIRST_COMPLETED).done
                except KeyboardInterrupt as interrupt:
                    if stop:
                        raise
                    stop, done = interrupt, ()
                for future in done:
                    in_flight.remove(future)
                    error = future.exception()
                    if error is None:
                        failures, (reply, is_cut) = 0, future.result()
                        self._count(reply, is_cut)
                        if self.budget and not reply.prompt_tokens:
                            stop = stop or RuntimeError(f"{self.name} at {self.host} does not say what it used, "
                                                        "so that no budget can be kept: set it to 0")
                        yield reply
                    elif isinstance(error, openai.APIError):
                        failures, self.note = failures + 1, self._sentence(error)
                        if isinstance(error, CONCERN_ALL) or failures >= max(3, self.concurrency):
                            stop = stop or RuntimeError(f"{self.note}; replies so far are kept, run again for the rest")
                    else:  # a request that cannot be put into words
                        stop = stop or error
        self.usage["retries"] = self.usage["requests"] - (len(requests) - len(waiting))
        if stop:
            raise stop
        if waiting:
            self.note = f"the budget is spent: ${before + self.usage['dollars']:.4f} of ${self.budget:.4f}"

    def _client(self) -> openai.OpenAI:
        if not os.environ.get("OPENAI_API_KEY"):
            raise ValueError("no key: set OPENAI_API_KEY (for a local server that wants none, to any word)")

        def count(_):
            with self._counting:
                self.usage["requests"] += 1

        http = openai.DefaultHttpxClient(event_hooks={"request": [count]})
        return openai.OpenAI(base_url=self.base_url, max_retries=self.retries, http_client=http,
                             timeout=openai.Timeout(self.timeout, connect=10))

    def _ask(self, client: openai.OpenAI, request: Request) -> tuple[Reply, bool]:
        """The reply, and whether it was cut at max_tokens. openai.APIError: none, in spite of all retries."""
        # OpenAI's newer models refuse max_tokens; not every local server knows another name
        limit = "max_completion_tokens" if urlsplit(self.base_url).hostname == "api.openai.com" else "max_tokens"
        fields = {"model": self.model, "messages": teacher_messages(request), "temperature": self.temperature,
                  limit: self.max_tokens}
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(min(0.5 * 2 ** (attempt - 1), 8) * random.uniform(0.75, 1))  # as the client does
            answer = client.chat.completions.with_raw_response.create(**fields).http_response
            try:
                body = json.loads(answer.content)
                choice, usage = body["choices"][0], body.get("usage") or {}
                text = choice["message"].get("content") or ""
                tokens = [int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
                if isinstance(text, str):
                    return Reply(request.id, text, *tokens), choice.get("finish_reason") == "length"
            except (ValueError, LookupError, TypeError, AttributeError):
                pass
        raise openai.APIResponseValidationError(answer, None, message=f"not a chat completion: {answer.text}")

    def _dollars(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / 1e6

    def _count(self, reply: Reply, is_cut: bool) -> None:
        for name, value in {"replies": 1, "unanswered": -1, "cut": is_cut, "prompt_tokens": reply.prompt_tokens,
                            "completion_tokens": reply.completion_tokens,
                            "dollars": self._dollars(reply.prompt_tokens, reply.completion_tokens)}.items():
            self.usage[name] += value

    def _sentence(self, error: openai.APIError) -> str:
        """What went wrong, on one line, without the key."""
        # the client shows what servers call "message"; those built on FastAPI say "detail", others bare text
        detail = error.body.get("detail") if isinstance(error.body, dict) else error.body
        said = f"{error} {detail or ''} {error.__cause__ or ''}".replace(os.environ["OPENAI_API_KEY"], "***")
        return f"{self.name} at {self.host}: {' '.join(said.split())[:300]}"
