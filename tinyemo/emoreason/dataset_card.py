"""Instruction data as they are handed on: the files, a table of what these have no place for, and the card.

Takes records of instruction data and the tables that notebook 03 makes; gives LLaVA files, about.parquet, and markdown
with the front matter that dataset hubs read.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.instructions import Instruction, write_instructions
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.data.records import SPLITS
from tinyemo.emoreason.prompts import CAPTION_QUESTIONS, REASONING_QUESTIONS, reasoning_question
from tinyemo.io import write_atomically

MADE_HERE = "drawn by the code of this project; Apache-2.0"
UNKNOWN = "unknown to this code: state whose images these are and under which terms"
PICTURES = {  # known limits, by whether the pictures are embedded scenes
    True: "Embedded world: drawn scenes of one person, one object and one place. What is learnt here shows that a "
    "method works, not what photographs do to people. Photo, painting and abstract are three ways to render "
    "a cartoon.",
    False: "Labels are what people chose who were asked for the source datasets; their culture and moment speak "
    "through them.",
}
TEXTS = {  # by whether the scene grammar wrote all of them
    True: "The texts come from a grammar. They are true of their scenes, but their wording is narrower than "
    "people's: see distinct-2 and self-BLEU. Explanations name what the world's model makes decisive, "
    "causes by construction; what real viewers feel has many more.",
    False: "The texts were written by a model. It may name what is not in the picture, and nobody has read them "
    "all. An explanation was asked for with the label given: it justifies that label, and does so for a "
    "wrong one too.",
}
REPEATED = (
    "Short answers about things and moods repeat from one image to the next, also between training and "
    "validation: a low loss on them says little."
)


def write_parts(
    parts: Mapping[str, Sequence[Instruction]], splits: Mapping[str, str], folder: Path
) -> pd.DataFrame:
    """Write each part of a dataset as <part>_<split>.json, and about.parquet; gives the latter.

    `splits`: image (the part of an id before its last "#") -> train, validation or test. A row of about.parquet is a
    record: id, part, split, task, label, teacher, file. Such files of an earlier run that this one has not are removed.
    """
    about = pd.DataFrame(
        [
            {
                "id": one.id,
                "part": part,
                "split": splits[one.id.rpartition("#")[0]],
                "task": one.task,
                "label": one.label,
                "teacher": one.teacher,
            }
            for part, items in parts.items()
            for one in items
        ]
    )
    about["file"] = about["part"] + "_" + about["split"] + ".json"
    for part, items in parts.items():
        of = about[about["part"] == part].set_index("id")["file"]
        for name in of.unique():
            write_instructions((one for one in items if of[one.id] == name), folder / name)
    for stale in {path for split in SPLITS for path in folder.glob(f"*_{split}.json")}:
        if stale.name not in set(about["file"]):
            stale.unlink()
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

The files hold paths, relative to `{image_root}`, not the images.

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


def dataset_card(
    name: str,
    composition: pd.DataFrame,
    drops: pd.DataFrame,
    measures: Mapping[str, float],
    datasets: Sequence[str],
    image_root: str,
    command: str,
) -> str:
    """The card as markdown.

    `composition`: counts in column records, by part, split, task and teacher; `drops`: what was dropped, by reason;
    `measures`: name -> number; `datasets`: those whose images are written about, relative to the folder `image_root`;
    `command`: what made the files.
    """
    teachers = composition["teacher"].unique()
    drawn = all(one.startswith("scenes") for one in datasets)
    told = all(one.startswith("scene grammar") for one in teachers)
    other = MADE_HERE if drawn else UNKNOWN
    licences = {one: PHOTO_SETS[one].licence if one in PHOTO_SETS else other for one in datasets}
    total = int(composition["records"].sum())
    return CARD.format(
        name=name,
        command=command,
        total=total,
        size=_size(total),
        image_root=image_root,
        licence="apache-2.0" if drawn and told else "other",
        teachers="; ".join(teachers),
        composition=composition.to_markdown(index=False),
        images=_listed(f"{one}: {licence}" for one, licence in licences.items()),
        example=reasoning_question(("joy", "fear", "sadness"), "fear"),
        wordings=len(REASONING_QUESTIONS),
        captions=len(CAPTION_QUESTIONS),
        drops=drops.to_markdown(index=False) if len(drops) else "Nothing.",
        measures=pd.Series(measures, name="value").rename_axis("measure").round(4).to_markdown(),
        limits=_listed((PICTURES[drawn], TEXTS[told], REPEATED)),
    )


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _size(records: int) -> str:
    """The hub's name for a number of records."""
    steps = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for limit, name in steps.items() if records < limit), "1M<n<10M")
