"""Who writes EmoReason's answers: from a name in a parameter file to a teacher, and from requests to records.

A teacher's name is

    grammar           the scene grammar: embedded scenes only, true by construction (worlds/teacher.py)
    grammar:full      the same, naming all evidence: the small share of high quality
    grammar:held-out  the same, in sentence skeletons that training never sees
    local:<folder>    a transformers image-text-to-text checkpoint, a folder or hub id (data/local_teacher.py)
    api:<model>       a model behind an OpenAI-compatible API (data/api_teacher.py)
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.instructions import Instruction
from tinyemo.data.journal import collect
from tinyemo.data.requests import Request, Teacher, to_instruction


def load_teacher(name: str, seed: int, **limits) -> Teacher:
    """The teacher called `name`; `limits` are what an API teacher may spend (see ApiTeacher).

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


def written(requests: Sequence[Request], teacher: Teacher, journal: Path, image_root: Path,
            ) -> tuple[list[Instruction], pd.DataFrame]:
    """The records that a teacher makes of the requests, in their order, and what it did not: task, reason, dropped.

    Resumes from the journal. A request without a reply counts under the teacher's own reason, a reply that is not
    in the form that was asked for as "malformed".
    """
    replies = collect(teacher, requests, journal)
    made, lost = [], []
    for request in requests:
        reply = replies.get(request.id)
        one = to_instruction(request, reply, image_root, teacher.name) if reply else None
        if one:
            made.append(one)
        else:
            lost.append((request.task, "malformed" if reply else teacher.silence))
    counted = pd.DataFrame(lost, columns=["task", "reason"]).value_counts(sort=False)
    return made, counted.rename("dropped").reset_index()
