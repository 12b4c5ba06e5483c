"""An LLM as a judge of explanations: how far their clues and their label are those of a reference, 0 to 10 each.

Takes texts, a reference for each, and a model behind an OpenAI-compatible API (data/api_teacher.py, with its retries,
budget and journal); gives scores beside the texts. The two measures are EMER's (Lian et al. 2023, arXiv 2306.15401);
the prompt is ours. It stands in judge_prompt.txt beside this module; a user's own file may take its place, in which
{reference} and {text} stand for the two explanations and, where it is wanted, {label} for the reference's label.
Replies in any other form than the one that this prompt asks for are not guessed at: they are counted as unreadable.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tinyemo.emoreason.api_teacher import ApiTeacher
from tinyemo.emoreason.requests import Request
from tinyemo.emoreason.response_cache import collect

PROMPT_FILE = Path(__file__).with_name("judge_prompt.txt")
OVERLAPS = ("clue_overlap", "label_overlap")
NEEDED = ("{reference}", "{text}")
_SLOT = re.compile(r"\{(label|reference|text)\}")
_REPLY = re.compile(r"\s*Clue overlap: (10|\d)[ \t]*\n\s*Label overlap: (10|\d)\s*")


@dataclass
class Judge(ApiTeacher):
    """An API teacher that is told the text of a prompt file. ValueError: the prompt lacks a slot; as ApiTeacher.

    The reference stands in a request's caption, the text to judge in its question.
    """

    prompt_file: str | Path = PROMPT_FILE

    def __post_init__(self):
        super().__post_init__()
        self.prompt = Path(self.prompt_file).read_text(encoding="utf-8")
        if missing := [slot for slot in NEEDED if slot not in self.prompt]:
            raise ValueError(
                f"{self.prompt_file}: expected {' and '.join(NEEDED)} in the judge's prompt, "
                f"found no {missing[0]}"
            )

    @property
    def key(self) -> str:
        made_of = [self.model, self.max_tokens, self.prompt]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def messages(self, request: Request) -> list[dict[str, str]]:
        """One user turn: the prompt, filled in."""
        filled = {"label": request.label, "reference": request.caption, "text": request.question}
        return [{"role": "user", "content": _SLOT.sub(lambda slot: filled[slot[1]], self.prompt)}]


def judge_texts(
    texts: pd.DataFrame,
    references: Mapping[str, tuple[str, str]],
    judge: Judge,
    journal: Path,
) -> pd.DataFrame:
    """`texts` (columns id, text, and any others) and beside each

        clue_overlap, label_overlap   0 to 10; nan where there is no readable verdict
        verdict                       "read", "unreadable" or "unanswered"

    `references`: id -> label and explanation. Equal texts about one id are judged once, and nothing that stands in the
    journal again. `reasoning.summarise` gives means and intervals. ValueError: an id without a reference, a reference
    without text; otherwise as `journal.collect` and the judge's `replies`.
    """
    asked = {}
    for name, text in texts[["id", "text"]].itertuples(index=False):
        label, reference = references.get(name, ("", ""))
        if not reference.strip():
            raise ValueError(f"text about {name!r}: expected a reference with words to judge it by")
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        asked[name, text] = Request(
            f"{name}#judge-{digest}", "", "judge", label, "", question=text, caption=reference
        )
    replies = collect(judge, list(asked.values()), journal)
    rows = []
    for key in texts[["id", "text"]].itertuples(index=False, name=None):
        reply = replies.get(asked[key].id)
        found = _REPLY.fullmatch(reply.text) if reply else None
        scores = map(float, found.groups()) if found else (np.nan, np.nan)
        verdict = "read" if found else "unreadable" if reply else "unanswered"
        rows.append({**dict(zip(OVERLAPS, scores, strict=True)), "verdict": verdict})
    return texts.join(pd.DataFrame(rows, index=texts.index))
