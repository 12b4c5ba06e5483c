"""The dataset card: what an instruction dataset consists of, who wrote it, what was dropped, what it may be used for.

Takes the tables that notebook 03 makes, gives markdown with the front matter that dataset hubs read.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from tinyemo.data.photos import PHOTO_SETS
from tinyemo.data.prompts import CAPTION_QUESTIONS, REASONING_QUESTIONS, reasoning_question

MADE_HERE = "drawn by the code of this project; Apache-2.0"
LIMITS = {
    True: [
        "Embedded world: drawn scenes of one person, one object and one place. What is learnt here shows that a method "
        "works, not what photographs do to people.",
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


def dataset_card(
    name: str,
    composition: pd.DataFrame,
    drops: pd.DataFrame,
    measures: Mapping[str, float],
    datasets: Sequence[str],
    teachers: Sequence[str],
    command: str,
) -> str:
    """The card as markdown.

    `composition`: a row a file and task, with its counts; `drops`: task, reason, dropped; `measures`: name -> number;
    `datasets`: those whose images are written about; `teachers`: who wrote; `command`: what made the files.
    """
    embedded = not any(dataset in PHOTO_SETS for dataset in datasets)
    licences = {one: PHOTO_SETS[one].licence if one in PHOTO_SETS else MADE_HERE for one in datasets}
    example = reasoning_question(("joy", "fear", "sadness"), "fear", 0)
    total = int(composition["records"].sum())
    return "\n".join([
        "---", f"pretty_name: {name}", "language: en", f"license: {'apache-2.0' if embedded else 'other'}",
        "task_categories:", "- image-text-to-text", "- visual-question-answering",
        f"size_categories: {_size(total)}", "---", "",
        f"# {name}", "",
        "Instruction data for emotional reasoning in LLaVA's format: a conversation an image, in which a person asks "
        f"and a model describes, answers, or explains an emotion. {total:,} records, written by {', '.join(teachers)}. "
        f"Made by `{command}`.", "",
        "## Composition", "", composition.to_markdown(index=False), "",
        "`pretraining` (captions, questions with answers, questions about the mood; an image's three in random order) "
        "aligns images with words. `finetuning` (reasoning, conversations) teaches to explain an emotion that is given: "
        "three candidate labels, the true one among them with a near and a far one by the anchors' cosine, then the "
        "conditioning line. In TinyEmo the metric projector fills that line when the model is used.", "",
        "## Images", "", "The files hold paths relative to a folder of images, not the images.", "",
        *(f"- {dataset}: {licence}" for dataset, licence in licences.items()), "",
        "## Prompts", "", "A human turn of `reasoning`:", "", "```", example, "```", "",
        f"The first line is one of {len(REASONING_QUESTIONS)} wordings; captions are asked for in "
        f"{len(CAPTION_QUESTIONS)}. All of them, and what the teachers are told, stand in `tinyemo/data/prompts.py`.", "",
        "## What was dropped", "",
        drops.to_markdown(index=False) if len(drops) else "Nothing.", "",
        "## Measured", "", pd.Series(measures, name="value").rename_axis("measure").round(4).to_markdown(), "",
        "## Known limits", "", *(f"- {limit}" for limit in LIMITS[embedded]), "",
    ])


def _size(records: int) -> str:
    """The hub's name for a number of records."""
    steps = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for limit, name in steps.items() if records < limit), "1M<n<10M")
