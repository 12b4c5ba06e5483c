"""Who writes EmoReason's answers: from a name in a parameter file to a teacher, and from requests to records.

A teacher's name is

    grammar           the scene grammar: embedded scenes only, true by construction (worlds/teacher.py)
    grammar:full      the same, naming all evidence: the small share of high quality
    grammar:held-out  the same, in sentence skeletons that training never sees
    local:<folder>    a transformers image-text-to-text checkpoint, a folder or hub id (data/local_teacher.py)
    api:<model>       a model behind an OpenAI-compatible API (data/api_teacher.py)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pandas as pd

from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.filters import filter_instructions
from tinyemo.emoreason.requests import Request, Teacher, to_instruction
from tinyemo.emoreason.response_cache import collect
from tinyemo.paths import locate

COSTS = ("prompt_tokens", "completion_tokens", "dollars")  # of a Reply


def load_teacher(name: str, seed: int, **limits) -> Teacher:
    """The teacher called `name`; `limits` are what an API teacher may spend, and the journal of what it has spent.

    ValueError lists the kinds that exist.
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
    """A part of a dataset, as teachers wrote it and filters left it."""

    items: list[Instruction]  # in the order of the requests
    drops: pd.DataFrame  # every request that made none, counted: columns task, reason, dropped
    usage: dict[str, dict]  # a teacher's name -> what it used


def share_out(
    requests: Sequence[Request], teacher: str, best: str, share: float, seed: int
) -> dict[str, list[Request]]:
    """A plan for `make_part`: the teacher called `best` answers a share of the explanations, `teacher` all else.

    Whether a request is among them depends on the seed and its id alone, not on the requests around it.
    """
    plan = {teacher: [], best: []}
    for one in requests:
        chosen = one.task == "reasoning" and crc32(f"{seed} {one.id}".encode()) < share * 2**32
        plan[best if chosen else teacher].append(one)
    return plan


def make_part(
    plan: Mapping[str, Sequence[Request]], seed: int, journal: Path, image_root: Path, **limits
) -> Part:
    """Let each teacher of a plan (its name -> its requests) answer, and filter what comes of it.

    Resumes from the journal. A request without a reply counts under the teacher's own reason, a reply that is not in
    the form asked for as "malformed", what a filter took out under the filter's name. ValueError: nothing stays.
    """
    made, lost, usage, notes = [], [], {}, []
    for name, requests in plan.items():
        teacher = load_teacher(name, seed, journal=journal, **limits)
        replies = collect(teacher, requests, journal)
        for request in requests:
            reply = replies.get(request.id)
            one = to_instruction(request, reply, image_root, teacher.name) if reply else None
            if one:
                made.append(one)
            else:
                lost.append((request.task, "malformed" if reply else teacher.silence))
        spent = {
            key: sum(getattr(reply, key) for reply in replies.values()) for key in COSTS
        }  # of all sessions
        usage[name] = teacher.usage | {"replies": len(replies)} | spent
        if teacher.note:
            notes.append(f"{name}: {teacher.note}")
            print(notes[-1])
    kept, report = filter_instructions(made)
    filtered = report[report["reason"] != "kept"].rename(columns={"records": "dropped"})[
        ["task", "reason", "dropped"]
    ]
    unwritten = (
        pd.DataFrame(lost, columns=["task", "reason"])
        .value_counts(sort=False)
        .rename("dropped")
        .reset_index()
    )
    drops = pd.concat([filtered, unwritten], ignore_index=True)
    drops = drops[drops["dropped"] > 0]
    if not kept:
        counted = ", ".join(
            f"{reason} {n}" for reason, n in drops.groupby("reason")["dropped"].sum().items()
        )
        asked = ", ".join(plan)
        raise ValueError(
            "; ".join(
                [
                    f"no record is left of what {asked} was asked: {counted or 'nothing was asked'}",
                    *notes,
                ]
            )
        )
    return Part(kept, drops, usage)
