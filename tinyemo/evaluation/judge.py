"""A language model as judge: scores from 0 to 10 for how well an explanation matches a reference.

Takes texts, a reference for each, and a model behind an OpenAI-compatible API
(emoreason/api_teacher.py, with its retries, budget and response cache); gives scores beside the
texts. Clue overlap: do both texts name the same visible evidence? Label overlap: do both name the
same emotion? Both scores are from EMER (Lian et al. 2023, arXiv 2306.15401). The prompt is ours; it
is in judge_prompt.txt beside this module. A user's own prompt file may replace it. In such a file,
{reference} is replaced by the reference and {text} by the explanation to judge. {label} is
optional; it is replaced by the label of the reference. A reply must have the form that our prompt
prescribes; a model's thoughts before it are skipped. All other replies are counted as unreadable,
and no score is guessed from them.
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
from tinyemo.emoreason.reply_cleaning import without_thoughts
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect_replies

PROMPT_FILE = Path(__file__).with_name("judge_prompt.txt")
OVERLAPS = ("clue_overlap", "label_overlap")
NEEDED = ("{reference}", "{text}")
_SLOT = re.compile(r"\{(label|reference|text)\}")
_REPLY = re.compile(r"\s*Clue overlap: (10|\d)[ \t]*\n\s*Label overlap: (10|\d)\s*")


@dataclass
class Judge(ApiTeacher):
    """An API teacher whose message is the text of a prompt file.

    In a request, the reference is the caption and the text to judge is the question. ValueError:
    the prompt lacks {reference} or {text}; otherwise as ApiTeacher.
    """

    prompt_file: str | Path = PROMPT_FILE

    def __post_init__(self):
        super().__post_init__()
        self.prompt = Path(self.prompt_file).read_text(encoding="utf-8")
        missing = [slot for slot in NEEDED if slot not in self.prompt]
        if missing:
            raise ValueError(
                f"{self.prompt_file}: expected {' and '.join(NEEDED)} in the judge's prompt, "
                f"found no {missing[0]}"
            )

    @property
    def key(self) -> str:
        parts = [self.model, self.max_tokens, self.prompt]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def messages(self, request: Request) -> list[dict[str, str]]:
        """One user message: the prompt with the request's label, reference and text filled in."""
        values = {"label": request.label, "reference": request.caption, "text": request.question}
        content = _SLOT.sub(lambda slot: values[slot[1]], self.prompt)
        return [{"role": "user", "content": content}]


def judge_texts(
    texts: pd.DataFrame,
    references: Mapping[str, tuple[str, str]],
    judge: Judge,
    cache: Path,
) -> pd.DataFrame:
    """`texts` (columns id, text, and any others) with these columns added:

        clue_overlap, label_overlap   0 to 10; nan without a readable reply
        reply                         "read", "unreadable", "refused" (by the server) or
                                      "unanswered"

    `references`: id -> label and explanation. Equal texts about one id are judged once, and texts
    in the response cache are not judged again. `reasoning.summarise` gives means and intervals.

    ValueError: an id without a reference, or a reference without text; otherwise as
    `response_cache.collect_replies` and the judge's `replies`.
    """
    requests = {}
    for name, text in texts[["id", "text"]].itertuples(index=False):
        label, reference = references.get(name, ("", ""))
        if not reference.strip():
            raise ValueError(
                f"text about {name!r}: the reference for this id is missing or empty, expected an "
                "explanation"
            )
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        request_id = f"{name}#judge-{digest}"
        requests[name, text] = Request(
            request_id, "", "judge", label, "", question=text, caption=reference
        )
    replies = collect_replies(judge, list(requests.values()), cache)
    rows = []
    for name, text in texts[["id", "text"]].itertuples(index=False):
        rows.append(_read_scores(replies.get(requests[name, text].id)))
    return texts.join(pd.DataFrame(rows, index=texts.index))


def _read_scores(reply: Reply | None) -> dict[str, float | str]:
    """The two scores of a reply, and whether they could be read."""
    unknown = dict.fromkeys(OVERLAPS, np.nan)
    if reply is None:
        return unknown | {"reply": "unanswered"}
    if reply.refusal:
        return unknown | {"reply": "refused"}
    found = _REPLY.fullmatch(without_thoughts(reply.text) or "")
    if not found:
        return unknown | {"reply": "unreadable"}
    scores = dict(zip(OVERLAPS, map(float, found.groups()), strict=True))
    return scores | {"reply": "read"}
