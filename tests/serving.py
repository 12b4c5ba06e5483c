"""A real OpenAI-compatible server for tests, with a proxy that causes failures and counts requests.

The server is `transformers serve` on loopback, with a small random Llama that writes random tokens.
The proxy passes chat completions on, unless a fault is set. It counts the requests, and the
completions by the server (which a provider would charge for), by the content of the user's turn.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tinyemo.emoreason.requests import Request
from tinyemo.emoreason.teacher_prompts import teacher_messages

MAX_TOKENS = 8  # of every reply: the random model does not stop by itself
KEY = "sk-a-secret-of-the-tests"
FAULTS = {  # name -> status, headers, body
    "429": (429, {"Retry-After": "1.2"}, '{"error": {"message": "slow down"}}'),
    "500": (500, {}, "Internal Server Error"),
    "503": (503, {}, '{"error": {"message": "loading"}}'),
    "400": (400, {}, '{"error": {"message": "the prompt was filtered"}}'),
    "413": (413, {}, "Payload Too Large"),
    "422": (422, {}, '{"detail": "this prompt is not allowed"}'),
    "moderation": (403, {}, '{"error": {"message": "your input was flagged by moderation"}}'),
    "402": (402, {}, '{"error": {"message": "Insufficient balance"}}'),
    "403": (403, {}, '{"error": {"message": "not for this key"}}'),
    "parameter": (400, {}, '{"error": {"message": "unsupported", "param": "max_tokens"}}'),
    "404": (404, {}, '{"error": {"message": "no such model"}}'),
    "401": (401, {}, json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})),
    "torn": (200, {}, '{"id": "1", "choices": [{"index": 0, "mess'),
    "page": (200, {"Content-Type": "text/html"}, "<html>Bad gateway</html>"),
    "empty": (200, {}, "{}"),
    "error": (200, {}, '{"error": {"message": "upstream failed", "code": 502}}'),
}


def make_requests(n: int) -> list[Request]:
    """Requests of different content that need only words."""
    requests = []
    for i in range(n):
        caption = f"A dog on beach number {i}."
        requests.append(Request(f"scene-{i}#vqa", "", "vqa", "joy", "ekman", caption=caption))
    return requests


def user_turn(request: Request) -> str:
    """The content by which the proxy recognises a request."""
    return teacher_messages(request)[-1]["content"]


def save_chat_model(folder: Path) -> Path:
    """A random Llama of one layer with tokenizer and chat template."""
    from checkpoints import save_tokenizer  # imports torch

    rows, width, inner = save_tokenizer(folder, "llama").get_vocab_size(), 16, 32
    shapes = {
        "model.embed_tokens": (rows, width),
        "lm_head": (rows, width),
        "model.layers.0.self_attn.q_proj": (width, width),
        "model.layers.0.self_attn.k_proj": (width, width),
        "model.layers.0.self_attn.v_proj": (width, width),
        "model.layers.0.self_attn.o_proj": (width, width),
        "model.layers.0.mlp.gate_proj": (inner, width),
        "model.layers.0.mlp.up_proj": (inner, width),
        "model.layers.0.mlp.down_proj": (width, inner),
        "model.norm": (width,),
        "model.layers.0.input_layernorm": (width,),
        "model.layers.0.post_attention_layernorm": (width,),
    }
    random = np.random.default_rng(0)
    tensors = {}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"] = random.standard_normal(shape).astype(np.float32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": rows,
        "max_position_embeddings": 8192,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "tie_word_embeddings": False,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(
        "{% for turn in messages %}{{ turn['role'] }}: {{ turn['content'] }}\n{% endfor %}"
        "assistant:"
    )
    return folder


class Server:
    """`transformers serve` as a process of its own. It keeps its port when it is started again."""

    def __init__(self, model: Path):
        self.model, self.log = str(model), model.with_name("serve.log")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self) -> None:
        # tinyemo is imported first: it makes torchvision importable with a CPU build of torch
        code = "import tinyemo; from transformers.cli.transformers import app; app()"
        options = ["--device", "cpu", "--host", "127.0.0.1", "--port", str(self.port)]
        command = [sys.executable, "-c", code, "serve", self.model, *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError(f"transformers serve ended:\n{self._end_of_log()}")
            try:
                if self._is_healthy():
                    return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError(f"transformers serve does not respond:\n{self._end_of_log()}")

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with closing(connection):
            connection.request("GET", "/health")
            return connection.getresponse().status == 200

    def _end_of_log(self) -> str:
        return self.log.read_text()[-3000:]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class _Listener(ThreadingHTTPServer):
    block_on_close = False  # closing does not wait for requests under way


class Proxy:
    """Listens on a port of its own; clients get its `url`."""

    def __init__(self, upstream: int):
        self.upstream, self.lock, self.port = upstream, threading.Lock(), 0
        # user's turn -> the times at which its requests came
        self.times: dict[str, list[float]] = defaultdict(list)
        # user's turn -> completions by the server
        self.completions: Counter[str] = Counter()
        self.under_way = self.most_under_way = 0
        self.delay = 0.0  # seconds before a request is passed on
        # user's turn -> one of FAULTS, "drop", "slow" or None
        self.fault: Callable[[str], str | None] = lambda content: None
        # changes the server's answer in place
        self.edit: Callable[[dict], object] = lambda body: None
        # call the function after so many completions
        self.after: tuple[int, Callable[[], object]] | None = None
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def listen(self) -> None:
        """Start, or start again on the same port as before."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self.server = _Listener(("127.0.0.1", self.port), handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on; those that are open are served."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def do_POST(self) -> None:
        proxy, content = self.proxy, self.rfile.read(int(self.headers["Content-Length"]))
        user_turn = json.loads(content)["messages"][-1]["content"]
        with proxy.lock:
            proxy.under_way += 1
            proxy.most_under_way = max(proxy.most_under_way, proxy.under_way)
            proxy.times[user_turn].append(time.monotonic())
            fault = proxy.fault(user_turn)
        try:
            answer = self.answer(user_turn, content, fault)
        finally:
            # before the answer is sent: the client may send its next request at once
            with proxy.lock:
                proxy.under_way -= 1
        if answer:
            self.send(*answer)

    def answer(
        self, user_turn: str, content: bytes, fault: str | None
    ) -> tuple[int, dict[str, str], str] | None:
        """Status, headers and body; None closes the connection without an answer (HTTP/1.0)."""
        proxy = self.proxy
        if fault in FAULTS:
            return FAULTS[fault]
        if fault == "drop":
            return None
        time.sleep(2 if fault == "slow" else proxy.delay)
        try:
            status, body = self.pass_on(content)
        except (OSError, http.client.HTTPException):
            return None
        if status == 200:
            answer = json.loads(body)
            proxy.edit(answer)
            body = json.dumps(answer)
            with proxy.lock:
                proxy.completions[user_turn] += 1
                is_due = proxy.after and proxy.completions.total() == proxy.after[0]
            if is_due:
                proxy.after[1]()
        return status, {}, body

    def pass_on(self, content: bytes) -> tuple[int, str]:
        """Status and body of the server's own answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=60)
        with closing(connection):
            connection.request("POST", self.path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()

    def send(self, status: int, headers: dict[str, str], body: str) -> None:
        always = {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
        try:
            self.send_response(status)
            for name, value in (always | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())
        except OSError:
            pass  # the client has closed the connection

    def log_message(self, *_) -> None:
        pass
