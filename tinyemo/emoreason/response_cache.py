"""The journal: what a teacher answered, and what it cost, is kept as it comes and never asked again.

Owns a file of JSON lines that is only appended to, one reply a line:

    key                                          hash of the teacher's key and of everything in the request
    teacher                                      its name
    id, text                                     the request's id, what the teacher wrote
    prompt_tokens, completion_tokens, dollars    what that cost

Takes a teacher and requests; gives replies by request id. A changed request or teacher has another key and is
asked anew. Killed at any moment, a run loses what is in flight and no more. One process at a time writes a
journal: it holds a lock that ends with the process, however that ends.

It knows what replies cost, attempts before them included. What was paid for a request that stayed unanswered
(answers that nobody could read, that came after the timeout, or in flight when the run was killed) stands nowhere.
"""

import fcntl
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, get_type_hints

from tinyemo.emoreason.requests import Reply, Request, Teacher

FIELDS = {"key": str, "teacher": str} | get_type_hints(Reply)


def collect(teacher: Teacher, requests: Sequence[Request], journal: Path) -> dict[str, Reply]:
    """Replies to `requests` by request id, in their order: from the journal, and from the teacher where it has none.

    A request that the teacher leaves unanswered is missing and will be asked again. A torn last line (the process
    was killed, the disk was full) is cut off. ValueError: two requests share an id; a line of the journal is not a
    reply. RuntimeError: another process writes the journal. OSError: the journal cannot be written.
    """
    ids = Counter(request.id for request in requests)
    if doubled := [name for name, n in ids.items() if n > 1]:
        raise ValueError(
            f"request {doubled[0]!r} occurs {ids[doubled[0]]} times: expected ids to be unique"
        )
    keys = {request.id: _key(teacher, request) for request in requests}
    wanted = set(keys.values())
    journal = Path(journal)
    journal.parent.mkdir(parents=True, exist_ok=True)
    with open(journal, "a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"{journal}: another process is writing this journal; wait for it, or collect into a "
                "journal of your own"
            ) from None
        known = {key: reply for key, reply in _replies(file, journal) if key in wanted}
        file.truncate()  # what is left is a torn line
        for reply in teacher.replies(
            [request for request in requests if keys[request.id] not in known]
        ):
            if reply.id not in keys:
                raise ValueError(f"{teacher.name} answers {reply.id!r}, which nobody asked")
            key = keys[reply.id]
            _append(journal, {"key": key, "teacher": teacher.name} | asdict(reply))
            known[key] = reply
    return {name: known[key] for name, key in keys.items() if key in known}


def spent(journal: Path) -> float:
    """Dollars that the replies in a journal cost, whoever wrote them; 0 without a file. ValueError: as `collect`."""
    if not Path(journal).exists():
        return 0.0
    with open(journal, "rb") as file:
        return math.fsum(reply.dollars for _, reply in _replies(file, journal))


def _key(teacher: Teacher, request: Request) -> str:
    moved = asdict(request) | {
        "image": Path(request.image).name
    }  # a folder that moves asks for nothing anew
    content = json.dumps([teacher.key, moved], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _replies(file: BinaryIO, path: Path) -> Iterator[tuple[str, Reply]]:
    """Key and reply of every line; the file is left standing at the end of the last whole line."""
    file.seek(0)
    end = 0
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n"):
            break
        try:
            entry = json.loads(line)
            whole = {name: type(value) for name, value in entry.items()} == FIELDS
        except (ValueError, AttributeError):  # no JSON, no object
            whole = False
        if not whole:
            raise ValueError(
                f"{path}, line {number}: expected a reply with {', '.join(FIELDS)}; restore the line or "
                "remove it, then its request is asked again"
            )
        end += len(line)
        del entry["teacher"]
        yield entry.pop("key"), Reply(**entry)
    file.seek(end)


def _append(path: Path, entry: dict) -> None:
    try:
        with open(
            path, "ab"
        ) as file:  # opened anew: a failed write then leaves nothing in a buffer
            file.write(json.dumps(entry).encode() + b"\n")
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror}; the replies before this one are kept"
        ) from error
