"""The response cache: each reply is stored with its cost as it comes, and not requested again.

Owns an append-only file of JSON lines, one reply per line:

    key                                          hash of the teacher's key and of the whole request
    teacher                                      the teacher's name
    id, text                                     the request's id, the teacher's text
    prompt_tokens, completion_tokens, dollars    the cost
    refusal                                      the server refused the request, in its words
    failure                                      all attempts failed with this request
    is_cut                                       the text ended at the token limit

The last three stand only where they apply. A refusal is an answer like any other: its request is
not sent again, unless its line is removed from the file. A failure is no answer: the next run sends
the request again, after all that have not failed yet.

Takes a teacher and requests; gives replies by request id. A changed request or teacher has
another key and is requested again. If a run is killed, only the replies that are under way at that
moment are lost. Only one process at a time can write a cache: it holds a file lock, which ends
with the process.

The stored cost of a reply or a failure includes the unreadable answers before it. The cost of
answers that came after the timeout, or were under way when the run was killed, is not known.
"""

import fcntl
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from tinyemo.emoreason.requests import Reply, Request, Teacher

# The fields of a line, with their types, and those that stand only where they apply.
FIELDS = {
    "key": str,
    "teacher": str,
    "id": str,
    "text": str,
    "prompt_tokens": int,
    "completion_tokens": int,
    "dollars": float,
}
OPTIONAL = {"refusal": str, "failure": str, "is_cut": bool}


def collect_replies(teacher: Teacher, requests: Sequence[Request], cache: Path) -> dict[str, Reply]:
    """The replies to `requests` by request id, from the file `cache` or else from the teacher.

    A request without a reply is missing from the result, and the next call requests it again; those
    that have failed come last, so they cannot keep the others from being sent. An incomplete last
    line (the process was killed, the disk was full) is cut off.

    ValueError: two requests have the same id, or a line of the cache is not a reply.
    RuntimeError: another process writes the cache. OSError: the cache cannot be written.
    """
    _check_unique_ids(requests)
    keys = {request.id: _key(teacher, request) for request in requests}
    wanted = set(keys.values())
    cache = Path(cache)
    cache.parent.mkdir(parents=True, exist_ok=True)
    with open(cache, "a+b") as file:
        _lock(file, cache)
        stored = [(key, reply) for key, reply in _stored_replies(file, cache) if key in wanted]
        file.truncate()  # removes an incomplete last line
        found = {key: reply for key, reply in stored if not reply.failure}
        failed = {key for key, reply in stored if reply.failure}
        missing = [request for request in requests if keys[request.id] not in found]
        missing.sort(key=lambda request: keys[request.id] in failed)  # stable
        failed_before = {request.id for request in missing if keys[request.id] in failed}
        options = {"failed_before": failed_before} if failed_before else {}
        for reply in teacher.replies(missing, **options):
            if reply.id not in keys:
                raise ValueError(
                    f"{teacher.name} gave a reply to {reply.id!r}, which was not requested"
                )
            key = keys[reply.id]
            _append(cache, _entry(key, teacher, reply))
            if not reply.failure:
                found[key] = reply
    return {name: found[key] for name, key in keys.items() if key in found}


def dollars_spent(cache: Path) -> float:
    """The cost of all replies in a cache, of all teachers; 0 if there is no file."""
    if not Path(cache).exists():
        return 0.0
    with open(cache, "rb") as file:
        return math.fsum(reply.dollars for _, reply in _stored_replies(file, cache))


def _check_unique_ids(requests: Sequence[Request]) -> None:
    counts = Counter(request.id for request in requests)
    for name, count in counts.items():
        if count > 1:
            raise ValueError(f"request {name!r} occurs {count} times: expected unique ids")


def _key(teacher: Teacher, request: Request) -> str:
    # Only the image's file name counts: cached replies stay valid when the folder moves.
    content = asdict(request) | {"image": Path(request.image).name}
    text = json.dumps([teacher.key, content], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _entry(key: str, teacher: Teacher, reply: Reply) -> dict:
    """The line of a reply."""
    values = {"key": key, "teacher": teacher.name} | asdict(reply)
    return {name: value for name, value in values.items() if value or name not in OPTIONAL}


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RuntimeError(
            f"{path}: another process is writing this response cache; wait for it to end, or use "
            "another file"
        ) from None


def _stored_replies(file: BinaryIO, path: Path) -> Iterator[tuple[str, Reply]]:
    """Key and reply of every line. The file's position is then the end of the last whole line."""
    file.seek(0)
    end = 0
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n"):
            break
        try:
            entry = json.loads(line)
            types = {name: type(value) for name, value in entry.items()}
        except (ValueError, AttributeError):  # not JSON, or not a JSON object
            types = {}
        found = {name: kind for name, kind in types.items() if name not in OPTIONAL}
        optional = {name: kind for name, kind in OPTIONAL.items() if name in types}
        if found | optional != types or found != FIELDS:
            raise ValueError(
                f"{path}, line {number}: expected a reply with {', '.join(FIELDS)}; restore the "
                "line, or remove it so that its request is sent again"
            )
        end += len(line)
        del entry["teacher"]
        yield entry.pop("key"), Reply(**entry)
    file.seek(end)


def _append(path: Path, entry: dict) -> None:
    line = json.dumps(entry).encode() + b"\n"
    try:
        # opened for each reply, so that a failed write leaves nothing in a buffer
        with open(path, "ab") as file:
            file.write(line)
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror}; the replies before this one are kept"
        ) from error
