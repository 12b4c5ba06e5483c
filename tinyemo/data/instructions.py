"""Instruction data in LLaVA's format: the record, and files of records, read, checked and written.

Owns the record, the checks on reading and writing, and the conversion to a `datasets` Dataset. A
file is one JSON list or JSON lines, recognised by its content (json_stream.py). Files are read
record by record; only the hash of each id stays in memory. Files of other projects differ in
details. What is unambiguous is accepted, the rest is refused:

    no id, or a number           becomes "row-<n>" (rows count from 1), or text
    an id seen before            becomes "<id>-row-<n>"; LLaVA's own ids name the picture only
    "image" absent, null, []     a conversation about no image
    a list of one image          that image; a list of several is refused
    "user" and "assistant"       are read as "human" and "gpt"; "system" and all others are refused
    other keys                   are ignored
    turns out of order           refused; LLaVA drops a first turn that is not human
    image without "<image>"      refused; LLaVA trains on such a text without showing the image
    "<image>" without image      refused; also a second one, or one outside the first human turn
    a path out of the folder     refused: absolute, with "..", a drive or backslashes

`tinyemo check FILE [--images DIR]` prints the summary of `check_file`.
"""

import atexit
import json
import os
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

ROLES = (("human", "user"), ("gpt", "assistant"))  # in the order of turns; we write the first names
# text before, between and after the records of a file
FORMS = {
    ".json": ("[\n", ",\n", "\n]\n"),
    ".jsonl": ("", "\n", "\n"),
}
_HALF = re.compile("[\ud800-\udfff]")  # half of a surrogate pair: no character, and not valid UTF-8
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 100


@dataclass(frozen=True)
class Instruction:
    """One record: a conversation about one image (or about none).

    `turns` are (human, gpt) pairs, word for word as in the file; the first human turn contains
    IMAGE_TOKEN if there is an image. The fields after `turns` are not part of LLaVA's format and
    are not written to its files.
    """

    id: str
    image: str  # path relative to the folder of images, with forward slashes; "" for none
    turns: tuple[tuple[str, str], ...]
    task: str = ""  # one of TASKS
    label: str = ""  # the emotion that the answer explains or names
    teacher: str = ""  # name of the model that wrote the answers


@dataclass
class Summary:
    """Counts of a file and its first errors. All counts except `records` and `faulty` are of valid
    records.
    """

    records: int = 0
    text_only: int = 0
    images: int = 0  # distinct paths
    turns: int = 0  # pairs of question and answer
    question_characters: int = 0
    answer_characters: int = 0
    repeated_ids: int = 0  # renamed on reading
    faulty: int = 0
    problems: list[str] = field(default_factory=list)  # one sentence each


def read_instructions(path: str | Path) -> Iterator[Instruction]:
    """The records of a LLaVA file (JSON list or JSON lines), one by one; `task`, `label`,
    `teacher` stay "".

    ValueError at the first invalid record names file, row, id and what was expected.
    FileNotFoundError names the file.
    """
    ids: set[int] = set()
    for row, item in enumerate(_checked(path), 1):
        if isinstance(item, ValueError):
            raise item
        yield _with_own_id(item, row, ids)


def check_file(path: str | Path, image_root: str | Path | None = None, limit: int = 20) -> Summary:
    """Check all records of a file; invalid ones are counted and the first `limit` of them
    described.

    A JSON list that is broken or cut off is read up to that point. With `image_root`, a record is
    also invalid if its image is not a file in this folder. FileNotFoundError: no such file or
    folder. ValueError: no record at all.
    """
    if image_root is not None and not Path(image_root).is_dir():
        raise FileNotFoundError(f"folder of images not found: {image_root}")
    summary, ids, images = Summary(), set(), set()
    for row, item in enumerate(_checked(path), 1):
        summary.records += 1
        if isinstance(item, Instruction) and item.image and image_root is not None:
            if not os.path.isfile(Path(image_root, item.image)):  # also a name that is too long
                reason = f"image: no file {item.image!r} in {image_root}"
                item = _refusal(path, row, item.id, reason)
        if isinstance(item, ValueError):
            summary.faulty += 1
            if len(summary.problems) < limit:
                summary.problems.append(str(item))
            continue
        summary.repeated_ids += _with_own_id(item, row, ids) is not item
        summary.text_only += not item.image
        images.add(hash(item.image))
        for question, answer in item.turns:
            summary.turns += 1
            summary.question_characters += len(question)
            summary.answer_characters += len(answer)
    if not summary.records:
        raise ValueError(f"{path}: no record in it; expected at least one")
    summary.images = len(images - {hash("")})
    return summary


def write_instructions(items: Iterable[Instruction], path: str | Path) -> int:
    """Write a LLaVA file and return the number of records: a JSON list for `.json`, JSON lines for
    `.jsonl`.

    Records are written one by one; if one fails, no file is left. ValueError names a record that
    reading would refuse or change (a repeated id).
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
            for row, item in enumerate(items, 1):
                try:
                    record = _record(item)
                    read = _parse(record, row)
                    _expect(read.id == item.id, "id", item.id, "text that is not empty")
                    new = _with_own_id(read, row, ids) is read
                    _expect(new, "id", item.id, "one that no earlier record has")
                except ValueError as error:
                    raise _refusal(path, row, item.id, error) from error
                file.write((between if row > 1 else "") + encode(record))
            file.write(after)

    write_atomically(path, write)
    return len(ids)


def to_dataset(
    source: str | Path | Iterable[Instruction], folder: str | Path | None = None
) -> "Dataset":
    """A memory-mapped Dataset with the columns id, image ("" for none) and conversations, in order.

    A conversation is a list of {from, value}. The Dataset maps `<folder>/instructions.arrow`;
    without a folder, a temporary file that is deleted when Python ends.
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

    # Dataset.from_generator would pickle its source to name a cache; iterators cannot be pickled
    path = write_atomically(Path(folder, "instructions.arrow"), write)
    return Dataset.from_file(str(path))


def _record(item: Instruction) -> dict:
    """The record as LLaVA writes it."""
    turns = []
    for pair in item.turns:
        _expect(len(pair) == 2, "turns", pair, "pairs of texts of human and gpt")
        for names, text in zip(ROLES, pair, strict=True):
            turns.append({"from": names[0], "value": text})
    if item.image:
        return {"id": item.id, "image": item.image, "conversations": turns}
    return {"id": item.id, "conversations": turns}


def _expect(right: object, key: str, got: object, expected: str) -> None:
    if not right:
        raise ValueError(f"{key}: got {_SHORT.repr(got)}, expected {expected}")


def _parse(record: object, row: int) -> Instruction:
    """The record, checked. ValueError names the key and what was expected there."""
    if isinstance(record, ValueError):  # the file has no JSON value here
        raise record
    is_object = isinstance(record, dict)
    _expect(is_object, "record", record, "an object with id, image and conversations")
    name, image = _id_of(record, row), _image_of(record)
    texts = _texts_of(record)
    tokens = [text.count(IMAGE_TOKEN) for text in texts]
    _expect(
        tokens[0] == bool(image) and not any(tokens[1:]),
        f"number of {IMAGE_TOKEN} in each turn",
        tokens,
        "one in the first and no other" if image else "none, since there is no image",
    )
    for text in (name, image, *texts):
        valid = text.isascii() or not _HALF.search(text)
        _expect(valid, "text", text, "UTF-8, and both halves of a \\u pair")
    return Instruction(name, image, tuple(zip(texts[::2], texts[1::2], strict=True)))


def _id_of(record: dict, row: int) -> str:
    name = record.get("id")
    if name is None or name == "":
        return f"row-{row}"
    if type(name) is int:  # bool is no number here
        return str(name)
    _expect(isinstance(name, str), "id", name, "text or a whole number")
    return name


def _image_of(record: dict) -> str:
    """The path of the image; "" for none."""
    image = record.get("image")
    if isinstance(image, list):
        _expect(len(image) < 2, "image", image, f"one image, not {len(image)}")
        image = image[0] if image else ""
    if image is None:
        return ""
    _expect(isinstance(image, str), "image", image, "a path")
    absolute = image.startswith("/") or image[1:2] == ":"
    outside = absolute or "\\" in image or ".." in image.split("/")
    expected = "a path within the folder of images, relative to it, with forward slashes"
    _expect(not outside, "image", image, expected)
    return image


def _texts_of(record: dict) -> list[str]:
    """The texts of the turns: human and gpt alternate, human begins and gpt ends."""
    turns = record.get("conversations")
    _expect(isinstance(turns, list) and turns, "conversations", turns, "a list of turns")
    texts = []
    for k, turn in enumerate(turns):
        key, names = f"conversations[{k}]", ROLES[k % 2]
        text = turn.get("value") if isinstance(turn, dict) else None
        _expect(isinstance(text, str), key, turn, "an object with 'from' and 'value', both text")
        if turn.get("from") not in names:
            expected = f"{names[0]!r}: human and gpt take turns, human begins"
            _expect(False, f"{key}, 'from'", turn.get("from"), expected)
        _expect(text.strip(), key, turn, "text that is not blank in 'value'")
        texts.append(text)
    even = len(texts) % 2 == 0
    expected = "an even number: human and gpt take turns, gpt ends"
    _expect(even, "number of turns", len(texts), expected)
    return texts


def _with_own_id(item: Instruction, row: int, ids: set[int]) -> Instruction:
    """The record, renamed if the hash of its id is in `ids`, to which its own hash is added."""
    name = item.id
    while hash(name) in ids:
        name = f"{name}-row-{row}"
    ids.add(hash(name))
    return item if name == item.id else replace(item, id=name)


def _refusal(path: str | Path, row: int, name: object, reason: object) -> ValueError:
    """The error about a record: file, row, id if there is one, and reason."""
    known = "" if name is None else f" (id {_SHORT.repr(name)})"
    return ValueError(f"{path}: row {row}{known}: {reason}")


def _checked(path: str | Path) -> Iterator[Instruction | ValueError]:
    """Every record of the file, or the error about it in its place."""
    for row, record in enumerate(stream_json(path), 1):
        try:
            yield _parse(record, row)
        except ValueError as error:
            name = record.get("id") if isinstance(record, dict) else None
            yield _refusal(path, row, name, error)
