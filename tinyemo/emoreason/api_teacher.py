"""A teacher behind an OpenAI-compatible API: a provider's, or a local vLLM, llama.cpp, Ollama, transformers serve.

Owns one way to ask many requests at once, from words alone (caption, attributes, label), without paying for more
than was meant. Only `chat.completions` is used, with model, messages and the limit of tokens; the temperature is the
server's own, for OpenAI's reasoning models take no other. Where the server is and who asks comes from the
environment: OPENAI_BASE_URL, OPENAI_API_KEY.

What goes wrong, and what then happens:

    408, 409, 429, 5xx, timeout, no connection   the openai client waits (Retry-After up to two minutes, else 0.5 to
                                                 8 s, doubling, with jitter) and asks again, `retries` times
    200 with a body that is no completion        the client does not look at that: asked again here, likewise; if it
                                                 says what it used, that is counted
    still no answer, or another 4xx              the request stays unanswered: it may be the only one (a content
                                                 filter, too long a prompt); that many in a row are the server
    neither caption nor attributes               the request stays unanswered: there is nothing to say of the image
    401, 403, 404 (key, model, address)          concern all requests: no more are sent
    the budget is spent                          no more are sent

Whatever stops a run, what is in flight is awaited and kept. Texts are kept as they come, empty and cut ones too.
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

from tinyemo.emoreason.prompts import facts_of, prompts_key, teacher_messages
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import spent

CONCERN_ALL = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)
COSTS = ("prompt_tokens", "completion_tokens", "dollars")  # of an answer
USAGE = ("replies", "unanswered", "cut", "requests", "retries", *COSTS)


@dataclass
class ApiTeacher:
    """See the module. After a run, `usage` holds its counts (USAGE) and `note` says why requests stayed unanswered.

    The budget counts the dollars of all replies in `journal`, whoever wrote them, and of the tokens that the server
    reports now, also for answers that nobody can read; what is in flight when it is spent, `concurrency` answers at
    most, goes over it. Of usage, "requests" are those sent, retries included, and "cut" the replies that ended at
    `max_tokens`. ValueError: no address, a budget without prices, or a number of dollars that is none.
    """

    model: str
    max_tokens: int = 512  # of one answer; a reasoning model's thoughts count
    concurrency: int = 8  # requests in flight
    retries: int = 6  # of one request: 18 to 24 s of waiting
    timeout: float = 300.0  # seconds for one answer; a provider may charge for one that is given up
    price_in: float = (
        0.0  # dollars per million tokens; 1 and 1 make the budget one of millions of tokens
    )
    price_out: float = 0.0
    budget: float = 0.0  # dollars; 0: no limit
    journal: Path | None = None  # what the replies in it cost is spent already
    usage: dict[str, float] = field(init=False, repr=False)
    note: str = field(init=False, default="")

    silence = "unanswered"

    def __post_init__(self):
        self.base_url = os.environ.get("OPENAI_BASE_URL", "").rstrip("/")
        if not self.base_url:
            raise ValueError(
                "no server: set OPENAI_BASE_URL, such as https://api.openai.com/v1 or "
                "http://localhost:8000/v1"
            )
        url = urlsplit(self.base_url)
        if (
            url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc
        ):  # that may be secret
            raise ValueError(
                "OPENAI_BASE_URL: expected http(s)://host/v1 without a user or password in it"
            )
        for name in ("budget", "price_in", "price_out"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} {value}: expected a number of dollars, 0 or more")
        if self.budget and not (self.price_in or self.price_out):
            raise ValueError(
                f"budget {self.budget}: expected price_in and price_out beside it, dollars per million "
                "tokens; for a server that costs nothing, expected 0"
            )
        self.host = url.netloc
        self.usage = dict.fromkeys(USAGE, 0)
        self._counting = threading.Lock()

    @property
    def name(self) -> str:
        return f"API {self.model}"

    @property
    def key(self) -> str:
        made_of = [self.model, self.max_tokens, prompts_key()]  # not the address, which may move
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def messages(self, request: Request) -> list[dict[str, str]]:
        """What the server is told for a request, as chat messages; another kind of teacher says something else."""
        return teacher_messages(request)

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Replies as they come, until all are answered or the budget is spent.

        ValueError: no key, or a request without the label that its task needs. RuntimeError: the server refuses or is
        gone, or reports no tokens though there is a budget; one sentence, after the replies that were in flight.
        KeyboardInterrupt awaits them too, a second one does not.
        """
        self.usage, self.note = dict.fromkeys(USAGE, 0) | {"unanswered": len(requests)}, ""
        asked = [request for request in requests if facts_of(request)]
        if bare := len(requests) - len(asked):
            self.note = f"{bare} of {len(requests)} requests have neither caption nor attributes to write from"
        if not asked:
            return  # where all is in the journal, nobody needs a key
        self._before = spent(self.journal) if self.journal else 0.0
        waiting, in_flight, failures, failed, stop = deque(asked), set(), 0, "", None
        with self._client() as client, ThreadPoolExecutor(self.concurrency) as pool:
            while True:
                while (
                    waiting and len(in_flight) < self.concurrency and not (stop or self._is_spent())
                ):
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
                        for name, more in {"replies": 1, "unanswered": -1, "cut": is_cut}.items():
                            self.usage[name] += more
                        if self.budget and not reply.prompt_tokens:
                            stop = stop or RuntimeError(
                                f"{self.name} at {self.host} does not say what it used, "
                                "so that no budget can be kept: set it to 0"
                            )
                        yield reply
                    elif isinstance(error, openai.APIError):
                        failures, failed = failures + 1, self._sentence(error)
                        if isinstance(error, CONCERN_ALL) or failures >= max(3, self.concurrency):
                            stop = stop or RuntimeError(
                                f"{failed}; replies so far are kept, run again for the rest"
                            )
                    else:  # a request that is wrong in itself
                        stop = stop or error
        self.usage["retries"] = self.usage["requests"] - (len(asked) - len(waiting))
        if stop:
            raise stop
        if waiting:
            failed = f"the budget is spent: ${self._before + self.usage['dollars']:.4f} of ${self.budget:.4f}"
        self.note = "; ".join(filter(None, (self.note, failed)))

    def _is_spent(self) -> bool:
        return 0 < self.budget <= self._before + self.usage["dollars"]

    def _client(self) -> openai.OpenAI:
        if not os.environ.get("OPENAI_API_KEY"):
            raise ValueError(
                "no key: set OPENAI_API_KEY (for a local server that wants none, to any word)"
            )

        def count(_):
            with self._counting:
                self.usage["requests"] += 1

        http = openai.DefaultHttpxClient(event_hooks={"request": [count]})
        return openai.OpenAI(
            base_url=self.base_url,
            max_retries=self.retries,
            http_client=http,
            timeout=openai.Timeout(self.timeout, connect=10),
        )

    def _ask(self, client: openai.OpenAI, request: Request) -> tuple[Reply, bool]:
        """The reply, and whether it was cut at max_tokens. openai.APIError: none, in spite of all retries."""
        costs = [0, 0, 0.0]
        # OpenAI's newer models refuse max_tokens; not every local server knows another name
        limit = (
            "max_completion_tokens"
            if urlsplit(self.base_url).hostname == "api.openai.com"
            else "max_tokens"
        )
        fields = {"model": self.model, "messages": self.messages(request), limit: self.max_tokens}
        for attempt in range(self.retries + 1):
            if attempt:
                if self._is_spent():
                    break
                time.sleep(
                    min(0.5 * 2 ** (attempt - 1), 8) * random.uniform(0.75, 1)
                )  # as the client does
            answer = client.chat.completions.with_raw_response.create(**fields).http_response
            try:
                body = json.loads(answer.content)
                costs = [
                    sum(pair)
                    for pair in zip(costs, self._bill(body.get("usage") or {}), strict=True)
                ]
                choice = body["choices"][0]
                text = choice["message"].get("content") or ""
                if isinstance(text, list):  # some servers give the thoughts and the text as parts
                    text = "".join(part["text"] for part in text if part["type"] == "text")
                if isinstance(text, str):
                    return Reply(request.id, text, *costs), choice.get("finish_reason") == "length"
            except (ValueError, LookupError, TypeError, AttributeError):
                pass
        raise openai.APIResponseValidationError(
            answer, None, message=f"not a chat completion: {answer.text}"
        )

    def _bill(self, used: dict) -> tuple[int, int, float]:
        """The COSTS of an answer, counted before anyone looks at what it says."""
        prompt, completion = (int(used.get(name) or 0) for name in COSTS[:2])
        costs = prompt, completion, (prompt * self.price_in + completion * self.price_out) / 1e6
        with self._counting:
            for name, value in zip(COSTS, costs, strict=True):
                self.usage[name] += value
        return costs

    def _sentence(self, error: openai.APIError) -> str:
        """What went wrong, on one line, without the key."""
        # the client shows what servers call "message"; those built on FastAPI say "detail", others bare text
        detail = error.body.get("detail") if isinstance(error.body, dict) else error.body
        said = f"{error} {detail or ''} {error.__cause__ or ''}".replace(
            os.environ["OPENAI_API_KEY"], "***"
        )
        return f"{self.name} at {self.host}: {' '.join(said.split())[:300]}"
