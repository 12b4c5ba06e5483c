"""The files of an instruction dataset: LLaVA files, a table about their records, a dataset card.

Takes records of instruction data and the tables that notebook 03 makes; gives
<part>_<split>.json, about.parquet, and a card in markdown with the front matter that dataset hubs
read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from tinyemo.data.instructions import Instruction, write_instructions
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.data.records import SPLITS
from tinyemo.emoreason.prompts import CAPTION_QUESTIONS, REASONING_QUESTIONS, reasoning_question
from tinyemo.io import write_atomically

TEMPLATE = Path(__file__).with_name("dataset_card.txt")

DRAWN_HERE = "drawn by the code of this project; Apache-2.0"
UNKNOWN = "unknown to this code: state whose images these are and under which terms"
IMAGE_LIMITS = {  # by whether all images are drawn scenes
    True: (
        "The images are drawn scenes of one person, one object and one place (EmoScenes). "
        "Results show that a method works, not how people feel about photographs. Photo, painting "
        "and abstract are three ways to render a cartoon."
    ),
    False: (
        "The labels are those that the annotators of the source datasets chose. They depend on "
        "the annotators' culture and time."
    ),
}
TEXT_LIMITS = {  # by whether the grammar of EmoScenes wrote all texts
    True: (
        "The texts come from a grammar. They are true of their scenes, but their wording is less "
        "varied than that of people: see distinct-2 and self-BLEU. Explanations name the "
        "attributes that determine the emotion in the model of EmoScenes. Real viewers feel an "
        "emotion for many more reasons."
    ),
    False: (
        "The texts were written by a model. It may name things that are not in the image, and "
        "nobody has read all texts. The label was given when an explanation was requested: the "
        "explanation justifies this label, even if it is wrong."
    ),
}
REPETITION_LIMIT = (
    "Short answers about things and moods repeat from one image to the next, also between training "
    "and validation: a low loss on them is weak evidence."
)

# Upper limits of the hub's size categories, in rising order.
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
LARGEST_SIZE = "1M<n<10M"


def write_parts(
    parts: Mapping[str, Sequence[Instruction]], splits: Mapping[str, str], folder: Path
) -> pd.DataFrame:
    """Write each part of a dataset as <part>_<split>.json, and about.parquet; returns the latter.

    `splits`: image id (a record's id up to its last "#") -> train, validation or test.
    about.parquet has one row per record: id, part, split, task, label, teacher, file. Files of an
    earlier run that this run does not write are removed.
    """
    about = _about(parts, splits)
    for part, items in parts.items():
        file_of = about[about["part"] == part].set_index("id")["file"]
        for name in file_of.unique():
            write_instructions((item for item in items if file_of[item.id] == name), folder / name)
    written = set(about["file"])
    for split in SPLITS:
        for path in list(folder.glob(f"*_{split}.json")):
            if path.name not in written:
                path.unlink()
    write_atomically(folder / "about.parquet", lambda path: about.to_parquet(path, index=False))
    return about


def _about(parts: Mapping[str, Sequence[Instruction]], splits: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    for part, items in parts.items():
        for item in items:
            split = splits[item.id.rpartition("#")[0]]
            row = {"id": item.id, "part": part, "split": split, "task": item.task}
            rows.append(row | {"label": item.label, "teacher": item.teacher})
    about = pd.DataFrame(rows)
    about["file"] = about["part"] + "_" + about["split"] + ".json"
    return about


def dataset_card(
    name: str,
    composition: pd.DataFrame,
    drops: pd.DataFrame,
    measures: Mapping[str, float],
    datasets: Sequence[str],
    drawn: Collection[str],
    image_root: str,
    command: str,
) -> str:
    """The dataset card as markdown.

    `composition`: counts in column records, by part, split, task and teacher; `drops`: what was
    dropped, by reason; `measures`: name -> number; `datasets`: the datasets whose images the texts
    describe; `drawn`: those that EmoScenes drew (records.drawn_datasets); `image_root`: the folder
    that image paths are relative to; `command`: the command that made the files.
    """
    teachers = composition["teacher"].unique()
    is_drawn = set(datasets) <= set(drawn)
    is_grammar = all(one.startswith("scene grammar") for one in teachers)
    total = int(composition["records"].sum())
    table = pd.Series(measures, name="value").rename_axis("measure").round(4)
    limits = (IMAGE_LIMITS[is_drawn], TEXT_LIMITS[is_grammar], REPETITION_LIMIT)
    return TEMPLATE.read_text(encoding="utf-8").format(
        name=name,
        command=command,
        total=total,
        size=_size(total),
        image_root=image_root,
        licence="apache-2.0" if is_drawn and is_grammar else "other",
        teachers="; ".join(teachers),
        composition=composition.to_markdown(index=False),
        images=_bullets(f"{one}: {_licence(one, drawn)}" for one in datasets),
        example=reasoning_question(("joy", "fear", "sadness"), "fear"),
        wordings=len(REASONING_QUESTIONS),
        captions=len(CAPTION_QUESTIONS),
        drops=drops.to_markdown(index=False) if len(drops) else "Nothing.",
        measures=table.to_markdown(),
        limits=_bullets(limits),
    )


def _licence(dataset: str, drawn: Collection[str]) -> str:
    if dataset in drawn:
        return DRAWN_HERE
    return PHOTO_SETS[dataset].licence if dataset in PHOTO_SETS else UNKNOWN


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _size(records: int) -> str:
    """The hub's size category for a number of records."""
    for limit, name in SIZES.items():
        if records < limit:
            return name
    return LARGEST_SIZE
