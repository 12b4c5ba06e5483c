"""Instruction data in LLaVA's format: what a record is, and its files, checked, read and written record by record.

Owns the record, the checks that every file passes on its way in and out, and the way into a `datasets` Dataset.
A file is one JSON list or JSON lines, told apart by its content (json_stream). Of what was read only the hash of each
id is kept. Files of other projects are mended where nothing is lost by it, and refused elsewhere:

    no id, or a number           becomes "row-<n>" (rows count from 0), or text
    an id seen before            becomes "<id>-row-<n>": LLaVA's own files name the picture, not the record
    "image" absent, null, []     a conversation about no image
    a list of one image          that image; of several: refused
    "user" and "assistant"       stand for "human" and "gpt"; "system" and all others: refused
    other keys                   passed over
    turns out of order           refused; LLaVA drops a first turn that is not human, and stops at other disorder
    image without "<image>"      refused; LLaVA trains on such text and never shows it the image
    "<image>" without image      refused, and so is a second one, or one outside the first human turn
    a path out of the folder     refused: absolute, with "..", a drive or backslashes

`tinyemo check FILE [--images DIR]` prints the summary of `check_file`.
"""

import atexit
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from reprlib import Repr
from typing import TYPE_CHECKING

from tinyemo.data.json_stream import stream_json
from tinyemo.io import write_atomically

if TYPE_CHECKING:
    from datasets import Dataset

TASKS = ("caption", "vqa", "sentiment", "reasoning", "conversation")
IMAGE_TOKEN = "<image>"

ROLES = (("human", "user"), ("gpt", "assistant"))  # who speaks in turn; what we write stands first
FORMS = {
    ".json": ("[\n", ",\n", "\n]\n"),
    ".jsonl": ("", "\n", "\n"),
}  # before, between and after the records
_HALF = re.compile("[\ud800-\udfff]")
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 100


@dataclass(frozen=True)
class Instruction:
    """One record: a conversation about one image (or about none).

    `turns` are (human, gpt) pairs, word for word as in the file: the first human turn holds IMAGE_TOKEN if there is
    an image. What follows `turns` is not part of LLaVA's format and is not written to its files.
    """

    id: str
    image: str  # path relative to the folder of images, with forward slashes; "" for none
    turns: tuple[tuple[str, str], ...]
    task: str = ""  # one of TASKS
    label: str = ""  # the emotion that the answer explains or names
    teacher: str = ""  # who wrote the answers


@dataclass
class Summary:
    """What a file holds and what is wrong with it. Every count but the first and `faulty` is of sound records."""

    records: int = 0
    text_only: int = 0
    images: int = 0  # distinct paths
    turns: int = 0  # pairs of question and answer
    question_characters: int = 0
    answer_characters: int = 0
    repeated_ids: int = 0  # renamed by reading
    faulty: int = 0
    problems: list[str] = field(default_factory=list)  # the first of them, a sentence each


def read_instructions(path: str | Path) -> Iterator[Instruction]:
    """The records of a LLaVA file, JSON list or JSON lines, one after the other: `task` and what follows stay "".

    ValueError at the first bad record names file, row, id and what was expected; FileNotFoundError the file.
    """
    ids: set[int] = set()
    for row, item in enumerate(_judged(path)):
        if isinstance(item, ValueError):
            raise item
        yield _named_apart(item, row, ids)


def check_file(path: str | Path, image_root: str | Path | None = None, limit: int = 20) -> Summary:
    """Go through all records, past the bad ones; a list that breaks off can only be followed up to there.

    With `image_root`, a record whose image is no file there is a bad one too. `limit` bounds the sentences kept.
    """
    if image_root is not None and not Path(image_root).is_dir():
        raise FileNotFoundError(f"folder of images not found: {image_root}")
    summary, ids, images = Summary(), set(), set()
    for row, item in enumerate(_judged(path)):
        summary.records += 1
        if isinstance(item, Instruction) and item.image and image_root is not None:
            if not Path(image_root, item.image).is_file():
                item = _refusal(
                    path, row, item.id, f"image: no file {item.image!r} in {image_root}"
                )
        if isinstance(item, ValueError):
            summary.faulty += 1
            if len(summary.problems) < limit:
                summary.problems.append(str(item))
            continue
        summary.repeated_ids += _named_apart(item, row, ids) is not item
        summary.text_only += not item.image
        images.add(hash(item.image))
        for question, answer in item.turns:
            summary.turns += 1
            summary.question_characters += len(question)
            summary.answer_characters += len(answer)
    summary.images = len(images - {hash("")})
    return summary


def write_instructions(items: Iterable[Instruction], path: str | Path) -> int:
    """Write a LLaVA file, a JSON list for `.json` and JSON lines for `.jsonl`; the number of records.

    Streams; writes all records or no file. ValueError for one that reading would refuse or change (a repeated id).
    """
    path = Path(path)
    if path.suffix not in FORMS:
        raise ValueError(f"{path}: expected a name that ends in {' or '.join(FORMS)}")
    before, between, after = FORMS[path.suffix]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    ids: set[int] = set()

    def write(temporary: Path) -> None:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(before)
            for row, item in enumerate(items):
                try:
                    record = _record(item)
                    back = _parse(record, row)
                    _expect(back.id == item.id, "id", item.id, "text, and not none")
                    _expect(
                        _named_apart(back, row, ids) is back,
                        "id",
                        item.id,
                        "one that no earlier record has",
                    )
                except ValueError as error:
                    raise _refusal(path, row, item.id, error) from error
                file.write((between if row else "") + encode(record))
            file.write(after)

    write_atomically(path, write)
    return len(ids)


def to_dataset(
    source: str | Path | Iterable[Instruction], folder: str | Path | None = None
) -> "Dataset":
    """A memory-mapped Dataset of id, image ("" for none) and conversations (a list of {from, value}), in order.

    It maps `<folder>/instructions.arrow`; without a folder, a temporary file that goes when Python ends.
    """
    import pyarrow as pa
    from datasets import Dataset, Features, List, Value

    text = Value("string")
    schema = Features(
        {"id": text, "image": text, "conversations": List({"from": text, "value": text})}
    ).arrow_schema
    items = iter(read_instructions(source) if isinstance(source, str | Path) else source)
    if folder is None:
        folder = tempfile.mkdtemp(prefix="tinyemo-instructions-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
            while rows := [{"image": "", **_record(item)} for item in islice(items, 1000)]:
                stream.write(pa.RecordBatch.from_pylist(rows, schema=schema))

    # Dataset.from_generator would pickle its source to name a cache, and an iterator cannot be pickled
    return Dataset.from_file(str(write_atomically(Path(folder, "instructions.arrow"), write)))


def _record(item: Instruction) -> dict:
    """The record as LLaVA writes it."""
    turns = [
        {"from": names[0], "value": text}
        for pair in item.turns
        for names, text in zip(ROLES, pair, strict=True)
    ]
    return {"id": item.id, **({"image": item.image} if item.image else {}), "conversations": turns}


def _expect(right: object, key: str, got: object, expected: str) -> None:
    if not right:
        raise ValueError(f"{key}: got {_SHORT.repr(got)}, expected {expected}")


def _parse(record: object, row: int) -> Instruction:
    """The record, checked. ValueError names the key and what was expected there."""
    if isinstance(record, ValueError):  # nothing could be read here
        raise record
    _expect(
        isinstance(record, dict), "record", record, "an object with id, image and conversations"
    )
    name, image, turns = record.get("id"), record.get("image"), record.get("conversations")
    name = f"row-{row}" if name is None or name == "" else str(name) if type(name) is int else name
    _expect(isinstance(name, str), "id", name, "text or a whole number")
    if isinstance(image, list):
        _expect(len(image) < 2, "image", image, f"one image, not {len(image)}")
        image = image[0] if image else ""
    image = "" if image is None else image
    _expect(isinstance(image, str), "image", image, "a path")
    outside = (
        image.startswith("/") or image[1:2] == ":" or "\\" in image or ".." in image.split("/")
    )
    _expect(
        not outside,
        "image",
        image,
        "a path within the folder of images, relative to it, with forward slashes",
    )
    _expect(isinstance(turns, list) and turns, "conversations", turns, "a list of turns")
    texts = []
    for k, turn in enumerate(turns):
        key, names = f"conversations[{k}]", ROLES[k % 2]
        text = turn.get("value") if isinstance(turn, dict) else None
        _expect(isinstance(text, str), key, turn, "an object with 'from' and 'value', both text")
        if turn.get("from") not in names:
            _expect(
                False,
                f"{key}, 'from'",
                turn.get("from"),
                f"{names[0]!r}: human and gpt take turns, human begins",
            )
        _expect(text.strip(), key, turn, "text that is not blank in 'value'")
        texts.append(text)
    _expect(
        len(texts) % 2 == 0,
        "number of turns",
        len(texts),
        "an even one: human and gpt take turns, gpt ends",
    )
    tokens = [text.count(IMAGE_TOKEN) for text in texts]
    _expect(
        tokens[0] == bool(image) and not any(tokens[1:]),
        f"number of {IMAGE_TOKEN} in each turn",
        tokens,
        "one in the first and no other" if image else "none, since there is no image",
    )
    for text in (name, image, *texts):
        _expect(
            text.isascii() or not _HALF.search(text),
            "text",
            text,
            "UTF-8, and both halves of a \\u pair",
        )
    return Instruction(name, image, tuple(zip(texts[::2], texts[1::2], strict=True)))


def _named_apart(item: Instruction, row: int, ids: set[int]) -> Instruction:
    """The record under an id whose hash is not in `ids`, and is from now on."""
    name = item.id
    while hash(name) in ids:
        name = f"{name}-row-{row}"
    ids.add(hash(name))
    return item if name == item.id else replace(item, id=name)


def _refusal(path: str | Path, row: int, name: object, reason: object) -> ValueError:
    return ValueError(
        f"{path}: row {row}"
        + (f" (id {_SHORT.repr(name)})" if name is not None else "")
        + f": {reason}"
    )


def _judged(path: str | Path) -> Iterator[Instruction | ValueError]:
    """Every record of the file as it is, or the sentence that refuses it."""
    for row, record in enumerate(stream_json(path)):
        try:
            yield _parse(record, row)
        except ValueError as error:
            yield _refusal(path, row, record.get("id") if isinstance(record, dict) else None, error)
