"""A real OpenAI-compatible server for tests, and a proxy before it that breaks things and counts.

The server is `transformers serve` on loopback, with a small random Llama that answers nonsense. The proxy passes
chat completions on, except where it is told of a fault; it counts what was asked and what the server answered (and
a provider would charge for), by the words of the user's turn.
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

KEY = "sk-a-secret-of-the-tests"
FAULTS = {  # name -> status, headers, body
    "429": (429, {"Retry-After": "1.2"}, '{"error": {"message": "slow down"}}'),
    "500": (500, {}, "Internal Server Error"),
    "503": (503, {}, '{"error": {"message": "loading"}}'),
    "400": (400, {}, '{"error": {"message": "the prompt was filtered"}}'),
    "404": (404, {}, '{"error": {"message": "no such model"}}'),
    "401": (401, {}, json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})),
    "torn": (200, {}, '{"id": "1", "choices": [{"index": 0, "mess'),
    "page": (200, {"Content-Type": "text/html"}, "<html>Bad gateway</html>"),
    "empty": (200, {}, "{}"),
    "error": (200, {}, '{"error": {"message": "upstream failed", "code": 502}}'),
}


def save_chat_model(folder: Path) -> Path:
    """A random Llama of one layer with tokenizer and chat template."""
    from checkpoints import save_tokenizer  # torch

    rows, width, inner = save_tokenizer(folder, "llama").get_vocab_size(), 16, 32
    layer, ends = "model.layers.0", {"model.embed_tokens": (rows, width), "lm_head": (rows, width)}
    shapes = ends | {f"{layer}.self_attn.{name}_proj": (width, width) for name in "qkvo"}
    shapes |= {f"{layer}.mlp.{name}_proj": (inner, width) for name in ("gate", "up")}
    shapes |= {f"{layer}.mlp.down_proj": (width, inner), "model.norm": (width,)}
    shapes |= {f"{layer}.{name}_layernorm": (width,) for name in ("input", "post_attention")}
    random = np.random.default_rng(0)
    tensors = {
        f"{name}.weight": random.standard_normal(shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(
        json.dumps(
            {
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
        )
    )
    (folder / "chat_template.jinja").write_text(
        "{% for turn in messages %}{{ turn['role'] }}: {{ turn['content'] }}\n{% endfor %}assistant:"
    )
    return folder


class Server:
    """`transformers serve` as a process of its own; it keeps its port when it is started again."""

    def __init__(self, model: Path):
        self.model, self.log = str(model), model.with_name("serve.log")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self) -> None:
        # tinyemo comes first: it makes torchvision importable beside a CPU build of torch
        command = [
            sys.executable,
            "-c",
            "import tinyemo; from transformers.cli.transformers import app; app()",
            "serve",
            self.model,
            "--device",
            "cpu",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
        for _ in range(600):
            assert self.process.poll() is None, (
                f"transformers serve ended:\n{self.log.read_text()[-3000:]}"
            )
            try:
                with closing(
                    http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                ) as connection:
                    connection.request("GET", "/health")
                    if connection.getresponse().status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError(f"transformers serve does not answer:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class _Listener(ThreadingHTTPServer):
    block_on_close = False  # of what it is still serving


class Proxy:
    """Listens on a port of its own; `url` is what a client gets."""

    def __init__(self, upstream: int):
        self.upstream, self.lock, self.port = upstream, threading.Lock(), 0
        self.times: dict[str, list[float]] = defaultdict(list)  # asked -> when its requests came
        self.paid: Counter[str] = Counter()  # asked -> completions by the server
        self.in_flight = self.most = 0
        self.delay = 0.0  # seconds before a request is passed on
        self.fault: Callable[[str], str | None] = lambda asked: (
            None
        )  # asked -> one of FAULTS, "drop", "slow" or None
        self.edit: Callable[[dict], object] = lambda body: (
            None
        )  # changes the server's answer in place
        self.after: tuple[int, Callable[[], object]] | None = (
            None  # once so many are paid for, do this
        )
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def listen(self) -> None:
        """On the same port as before."""
        self.server = _Listener(
            ("127.0.0.1", self.port), type("Handler", (_Handler,), {"proxy": self})
        )
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Refuses connections from now on; those it has are served."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def do_POST(self) -> None:
        proxy, content = self.proxy, self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(content)["messages"][-1]["content"]
        with proxy.lock:
            proxy.in_flight += 1
            proxy.most = max(proxy.most, proxy.in_flight)
            proxy.times[asked].append(time.monotonic())
            fault = proxy.fault(asked)
        try:
            answer = self.answer(asked, content, fault)
        finally:
            with proxy.lock:
                proxy.in_flight -= (
                    1  # before it is sent: a client that has it may ask the next at once
                )
        if answer:
            self.send(*answer)

    def answer(
        self, asked: str, content: bytes, fault: str | None
    ) -> tuple[int, dict[str, str], str] | None:
        proxy = self.proxy
        if fault in FAULTS:
            return FAULTS[fault]
        if fault == "drop":
            return None  # HTTP/1.0: the connection is closed without a word
        time.sleep(2 if fault == "slow" else proxy.delay)
        try:
            with closing(
                http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=60)
            ) as connection:
                connection.request("POST", self.path, content, {"Content-Type": "application/json"})
                response = connection.getresponse()
                status, body = response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        if status == 200:
            answer = json.loads(body)
            proxy.edit(answer)
            body = json.dumps(answer)
            with proxy.lock:
                proxy.paid[asked] += 1
                act = proxy.after and proxy.paid.total() == proxy.after[0]
            if act:
                proxy.after[1]()
        return status, {}, body

    def send(self, status: int, headers: dict[str, str], body: str) -> None:
        try:
            self.send_response(status)
            fixed = {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
            for name, value in (fixed | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())
        except OSError:
            pass  # the client is gone

    def log_message(self, *_) -> None:
        pass
