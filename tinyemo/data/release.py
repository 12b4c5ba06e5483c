"""Instruction data as they are handed on: the files, a table of what these have no place for, and the card.

Takes records of instruction data and the tables that notebook 03 makes; gives LLaVA files, about.parquet, and markdown
with the front matter that dataset hubs read.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.files import write_atomically
from tinyemo.data.instructions import Instruction, write_instructions
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.data.prompts import CAPTION_QUESTIONS, REASONING_QUESTIONS, reasoning_question

MADE_HERE = "drawn by the code of this project; Apache-2.0"
LIMITS = {
    True: [
        "Embedded world: drawn scenes of one person, one object and one place. What is learnt here shows that a method "
        "works, not what photographs do to people. Photo, painting and abstract are three ways to render a cartoon.",
        "The texts come from a grammar. They are true of their scenes, but their wording is narrower than people's; "
        "distinct-2 and self-BLEU above say how narrow.",
        "Explanations name the attributes that the world's model makes decisive. They are causes by construction; "
        "what real viewers feel has many more.",
    ],
    False: [
        "The texts were written by a model. It may name what is not in the picture, and nobody has read them all.",
        "The explanation was asked for with the label given: it justifies that label, and does so for a wrong one too.",
        "Labels are what annotators of the source datasets chose; their culture and moment speak through them.",
    ],
}


def write_parts(parts: Mapping[str, Sequence[Instruction]], splits: Mapping[str, str], folder: Path) -> pd.DataFrame:
    """Write each part of a dataset as <part>_<split>.json, and about.parquet; gives the latter.

    `splits`: image (the part of an id before "#") -> train, validation or test. A row of about.parquet is a record:
    id, part, split, task, label, teacher, file.
    """
    about = pd.DataFrame([
        {"id": one.id, "part": part, "split": splits[one.id.partition("#")[0]], "task": one.task, "label": one.label,
         "teacher": one.teacher}
        for part, items in parts.items() for one in items
    ])
    about["file"] = about["part"] + "_" + about["split"] + ".json"
    for part, items in parts.items():
        of = about[about["part"] == part].set_index("id")["file"]
        for name in of.unique():
            write_instructions((one for one in items if of[one.id] == name), folder / name)
    write_atomically(folder / "about.parquet", lambda path: about.to_parquet(path, index=False))
    return about


CARD = """\
---
pretty_name: {name}
language: en
license: {licence}
task_categories:
- image-text-to-text
- visual-question-answering
size_categories: {size}
---

# {name}

Instruction data for emotional reasoning in LLaVA's format: a conversation an image, in which a person asks and a model
describes, answers, or explains an emotion. {total:,} records. Written by: {teachers}. Made by `{command}`.

## Composition

{composition}

`pretraining` (captions, questions with answers, questions about the mood; an image's three in random order) aligns
images with words. `finetuning` (reasoning, conversations) teaches to explain a given emotion: three candidate labels,
the true one with one near it in meaning and one far from it (by the cosine of their embeddings in a language model),
then the line that states the label. When the model is used, a classifier (TinyEmo's metric projector) fills that line.
`held_out`, if there is one, is about test images, in sentence skeletons that the other parts never use; words and
reasons are the same.

## Images

The files hold paths relative to a folder of images, not the images.

{images}

## Prompts

A human turn of `reasoning`:

```
{example}
```

The first line is one of {wordings} wordings; captions are asked for in {captions}. All of them, and what the teachers
are told, stand in `tinyemo/data/prompts.py`.

## What was dropped

{drops}

## Measured

{measures}

`filters/kept`: records for each request. By task, in the embedded world: `texts` were read by a checker, which found
`mentions` of visible things in them; `faulty` is the share of texts that name what is not there or another emotion,
`precision` is 1 less the faults for each mention; an explanation names `named` pieces of evidence on average, and
`two_named` is the share that names two where two exist. `distinct_2`: different word pairs for each pair written, over
1,000 texts; `self_bleu`: how much of a text others contain, over 200.

## Known limits

{limits}
"""


def dataset_card(name: str, composition: pd.DataFrame, drops: pd.DataFrame, measures: Mapping[str, float],
                 datasets: Sequence[str], command: str) -> str:
    """The card as markdown.

    `composition`: counts in column records, by part, split, task and teacher; `drops`: what was dropped, by reason;
    `measures`: name -> number; `datasets`: those whose images are written about; `command`: what made the files.
    """
    embedded = not any(one in PHOTO_SETS for one in datasets)
    licences = {one: PHOTO_SETS[one].licence if one in PHOTO_SETS else MADE_HERE for one in datasets}
    total = int(composition["records"].sum())
    return CARD.format(
        name=name, command=command, total=total, size=_size(total), licence="apache-2.0" if embedded else "other",
        teachers="; ".join(composition["teacher"].unique()), composition=composition.to_markdown(index=False),
        images=_listed(f"{one}: {licence}" for one, licence in licences.items()),
        example=reasoning_question(("joy", "fear", "sadness"), "fear"),
        wordings=len(REASONING_QUESTIONS), captions=len(CAPTION_QUESTIONS),
        drops=drops.to_markdown(index=False) if len(drops) else "Nothing.",
        measures=pd.Series(measures, name="value").rename_axis("measure").round(4).to_markdown(),
        limits=_listed(LIMITS[embedded]),
    )


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _size(records: int) -> str:
    """The hub's name for a number of records."""
    steps = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for limit, name in steps.items() if records < limit), "1M<n<10M")
