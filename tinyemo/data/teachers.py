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

import pandas as pd

from tinyemo.data.filters import filter_instructions
from tinyemo.data.instructions import Instruction
from tinyemo.data.journal import collect
from tinyemo.data.requests import Request, Teacher, to_instruction


def load_teacher(name: str, seed: int, **limits) -> Teacher:
    """The teacher called `name`; `limits` are what an API teacher may spend, and the journal of what it has spent.

    ValueError lists the kinds that exist.
    """
    kind, _, what = name.partition(":")
    if kind == "grammar" and what in ("", "full", "held-out"):
        from tinyemo.worlds.teacher import GrammarTeacher

        return GrammarTeacher(seed, held_out=what == "held-out", full=what == "full")
    if kind == "local" and what:
        from tinyemo.data.local_teacher import LocalTeacher

        return LocalTeacher(what, seed=seed)
    if kind == "api" and what:
        from tinyemo.data.api_teacher import ApiTeacher

        return ApiTeacher(what, **limits)
    raise ValueError(f"unknown teacher {name!r}: expected grammar, grammar:full, grammar:held-out, "
                     "local:<checkpoint> or api:<model>")


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a dataset, as teachers wrote it and filters left it."""

    items: list[Instruction]  # in the order of the requests
    drops: pd.DataFrame  # every request that made none, counted: columns task, reason, dropped
    usage: dict[str, dict]  # a teacher's name -> what it used


def make_part(plan: Mapping[str, Sequence[Request]], seed: int, journal: Path, image_root: Path, **limits) -> Part:
    """Let each teacher of a plan (its name -> its requests) answer, and filter what comes of it.

    Resumes from the journal. A request without a reply counts under the teacher's own reason, a reply that is not in
    the form asked for as "malformed", what a filter took out under the filter's name. ValueError: nothing stays.
    """
    made, lost, usage = [], [], {}
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
        usage[name] = teacher.usage
    kept, report = filter_instructions(made)
    filtered = report[report["reason"] != "kept"].rename(columns={"records": "dropped"})[["task", "reason", "dropped"]]
    unwritten = pd.DataFrame(lost, columns=["task", "reason"]).value_counts(sort=False).rename("dropped").reset_index()
    drops = pd.concat([filtered, unwritten], ignore_index=True)
    drops = drops[drops["dropped"] > 0]
    if not kept:
        counted = ", ".join(f"{reason} {n}" for reason, n in drops.groupby("reason")["dropped"].sum().items())
        raise ValueError(f"no record is left of what {', '.join(plan)} was asked: {counted or 'nothing was asked'}")
    return Part(kept, drops, usage)
