"""Teachers by name, and how requests become the records of a dataset part.

A teacher's name is one of

    grammar           the grammar of EmoScenes (emoscenes/teacher.py): drawn scenes only, true by
                      construction
    grammar:full      the same, but explanations name all evidence; used for a small share of the
                      explanations
    grammar:held-out  the same, with sentence patterns that never occur in training data
    local:<folder>    an image-text-to-text checkpoint of transformers, folder or hub id
                      (local_teacher.py)
    api:<model>       a model behind an OpenAI-compatible API (api_teacher.py)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pandas as pd

from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.filters import filter_instructions
from tinyemo.emoreason.reply_cleaning import is_cut_off
from tinyemo.emoreason.requests import COSTS, Reply, Request, Teacher, to_instruction
from tinyemo.emoreason.response_cache import collect_replies
from tinyemo.paths import locate


def load_teacher(name: str, seed: int, **limits) -> Teacher:
    """The teacher with the given name.

    `limits` go to an API teacher: prices, budget, and its response cache.

    ValueError lists the kinds of teachers that exist.
    """
    kind, _, what = name.partition(":")
    if kind == "grammar" and what in ("", "full", "held-out"):
        from emoscenes.teacher import GrammarTeacher

        return GrammarTeacher(seed, held_out=what == "held-out", full=what == "full")
    if kind == "local" and what:
        from tinyemo.emoreason.local_teacher import LocalTeacher

        return LocalTeacher(str(locate(what)))
    if kind == "api" and what:
        from tinyemo.emoreason.api_teacher import ApiTeacher

        return ApiTeacher(what, **limits)
    raise ValueError(
        f"unknown teacher {name!r}: expected grammar, grammar:full, grammar:held-out, "
        "local:<checkpoint> or api:<model>"
    )


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a dataset, written by its teachers and filtered."""

    items: list[Instruction]  # in the order of the requests
    drops: pd.DataFrame  # the requests that gave no record, counted: columns task, reason, dropped
    usage: dict[str, dict]  # a teacher's name -> what it used


def share_out(
    requests: Sequence[Request], teacher: str, best: str, share: float, seed: int
) -> dict[str, list[Request]]:
    """A plan for `make_part`: `best` gets a share of the explanations, `teacher` all other texts.

    Whether a request belongs to this share depends on the seed and the request's id, not on the
    other requests.
    """
    plan = {teacher: [], best: []}
    for request in requests:
        draw = crc32(f"{seed} {request.id}".encode())  # uniform in [0, 2**32)
        is_chosen = request.task == "reasoning" and draw < share * 2**32
        plan[best if is_chosen else teacher].append(request)
    return plan


def make_part(
    plan: Mapping[str, Sequence[Request]], seed: int, cache: Path, image_root: Path, **limits
) -> Part:
    """Collect the replies of each teacher of a plan (name -> requests), and filter the records.

    Continues from the response cache. Every request without a record is counted: one without a
    reply under the teacher's own reason, one that the server refuses as "refused by the server", a
    text that stops in the middle as "cut off", another text in a wrong form as "malformed", a
    filtered record under the filter's name. ValueError: no record is left.
    """
    made, lost, usage, notes = [], [], {}, []
    for name, requests in plan.items():
        teacher = load_teacher(name, seed, cache=cache, **limits)
        replies = collect_replies(teacher, requests, cache)
        for request in requests:
            reply = replies.get(request.id)
            record = to_instruction(request, reply, image_root, teacher.name) if reply else None
            if record:
                made.append(record)
            else:
                lost.append((request.task, _fault(reply) or teacher.unanswered_reason))
        usage[name] = _total_usage(teacher, replies)
        if teacher.note:
            notes.append(f"{name}: {teacher.note}")
            print(notes[-1])
    kept, report = filter_instructions(made)
    drops = _drops(report, lost)
    if not kept:
        raise ValueError("; ".join([_nothing_left(plan, drops), *notes]))
    return Part(kept, drops, usage)


def _fault(reply: Reply | None) -> str:
    """Why a reply gave no record; "" if there is no reply."""
    if reply is None:
        return ""
    if reply.refusal:
        return "refused by the server"
    return "cut off" if reply.is_cut or is_cut_off(reply.text) else "malformed"


def _total_usage(teacher: Teacher, replies: Mapping[str, Reply]) -> dict[str, float]:
    """A teacher's usage, with the replies and the costs of earlier sessions too."""
    refused = sum(bool(reply.refusal) for reply in replies.values())
    totals = {name: sum(getattr(reply, name) for reply in replies.values()) for name in COSTS}
    totals["replies"] = len(replies) - refused
    if "refused" in teacher.usage:
        totals["refused"] = refused
    return teacher.usage | totals


def _drops(report: pd.DataFrame, lost: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Columns task, reason, dropped: the filters' report, then the `lost` (task, reason)."""
    filtered = report[report["reason"] != "kept"].rename(columns={"records": "dropped"})
    filtered = filtered[["task", "reason", "dropped"]]
    lost = pd.DataFrame(lost, columns=["task", "reason"])
    counted = lost.value_counts(sort=False).rename("dropped").reset_index()
    drops = pd.concat([filtered, counted], ignore_index=True)
    return drops[drops["dropped"] > 0]


def _nothing_left(plan: Mapping[str, Sequence[Request]], drops: pd.DataFrame) -> str:
    by_reason = drops.groupby("reason")["dropped"].sum()
    counts = ", ".join(f"{reason} {count}" for reason, count in by_reason.items())
    return (
        f"no record is left of the requests to {', '.join(plan)}: "
        f"{counts or 'there were no requests'}"
    )
