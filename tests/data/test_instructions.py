"""Instruction files: LLaVA's format, its variants, errors with their row, bounded memory."""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tinyemo.data.instructions import (
    Instruction,
    check_file,
    read_instructions,
    to_dataset,
    write_instructions,
)

QUESTION = (
    "<image>\nReason about what is felt here, and why.\nLabels: [affection, nervousness, relief]\n"
    "Important: note that the correct label is affection."
)
ROSES = Instruction(
    "webemo/0001#reasoning",
    "train/love/0001.jpg",
    ((QUESTION, "The roses on the wooden table evoke affection: “roses” stand for love. 😀"),),
)
TALK = Instruction(
    "talk", "", (("What is “awe”?", "Wonder, with a little fear."), ("Why?\n", '\\ "It" is\tvast.'))
)
CORNER = Instruction(
    "corner", "a b/ü.png", (("<image>", " leading and trailing \u2028 \x00 \x85 \r\n "),)
)
# as TinyEmo publishes its records
PUBLISHED = Path(__file__).with_name("published_record.json").read_bytes()


def record(**keys) -> dict:
    """A valid record of a picture with two turns; None removes a key."""
    turns = [
        {"from": "human", "value": "<image>\nDescribe the image."},
        {"from": "gpt", "value": "A cat."},
    ]
    whole = {"id": "x", "image": "x.png", "conversations": turns, **keys}
    return {key: value for key, value in whole.items() if value is not None}


def conversation(*turns: tuple[str, str], **keys) -> dict:
    """A record with these turns of (from, value)."""
    return record(conversations=[{"from": who, "value": text} for who, text in turns], **keys)


def text_of(records: list, form: str) -> str:
    if form == "json":
        return json.dumps(records, indent=1)
    return "".join(json.dumps(one) + "\n" for one in records)


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_files_come_back_as_they_were_written(tmp_path, form):
    path = tmp_path / f"deep/emoreason.{form}"
    items = [ROSES, TALK, CORNER]
    extended = [replace(item, task="vqa", label="joy", teacher="t") for item in items]
    assert write_instructions(iter(extended), path) == 3
    assert list(read_instructions(path)) == items
    raw = path.read_text(encoding="utf-8")
    if form == "json":
        plain = json.loads(raw)
    else:
        plain = [json.loads(line) for line in raw.split("\n") if line]
    with_image, without = ["id", "image", "conversations"], ["id", "conversations"]
    assert [list(one) for one in plain] == [with_image, without, with_image]
    assert plain[1]["conversations"][2] == {"from": "human", "value": "Why?\n"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert write_instructions([], path) == 0 and list(read_instructions(path)) == []


def test_a_published_record_is_written_byte_for_byte(tmp_path):
    write_instructions([ROSES], tmp_path / "one.json")
    assert (tmp_path / "one.json").read_bytes() == PUBLISHED


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_variants_of_other_projects_are_read(tmp_path, form):
    path = tmp_path / "upstream.txt"  # the form is recognised by content
    answer = "é€😀" * 500_000  # longer than what is read at once
    long = conversation(("human", "<image>\nGo on."), ("gpt", answer))
    other_roles = conversation(
        ("user", "Describe.\n<image>"),
        ("assistant", "A cat."),
        ("user", "Why?"),
        ("assistant", "It mews."),
    )
    no_image = (("human", "No image."), ("gpt", "None."))
    records = [record(id=name) for name in ("", 33471, "x", "x", "x")]
    records.append(record(image=["dir/x.png"], model="", bbox=[1.5, None]))
    records.append(other_roles)
    records.append(conversation(*no_image, image=None))
    records.append(conversation(*no_image, image=[]))
    records.append(long | {"id": "long"})
    del records[0]["id"]
    path.write_bytes(b"\xef\xbb\xbf\r\n" + text_of(records, form).replace("\n", "\r\n").encode())
    items = list(read_instructions(path))
    ids = "row-1 33471 x x-row-4 x-row-5 x-row-6 x-row-7 x-row-8 x-row-9 long"
    assert [item.id for item in items] == ids.split()
    assert [item.image for item in items[4:9]] == ["x.png", "dir/x.png", "x.png", "", ""]
    assert items[6].turns == (("Describe.\n<image>", "A cat."), ("Why?", "It mews."))
    assert items[9].turns[0][1] == answer
    summary = check_file(path)
    assert (summary.records, summary.text_only, summary.images, summary.turns) == (10, 2, 2, 11)
    assert (summary.repeated_ids, summary.faulty, summary.problems) == (6, 0, [])
    answers = [answer for item in items for _, answer in item.turns]
    assert summary.answer_characters == sum(map(len, answers))


ASKED, ANSWERED = ("human", "<image>\nWhat?"), ("gpt", "A cat.")
# invalid records, each with words that the error about it contains
REFUSED = json.loads(Path(__file__).with_name("refused_records.json").read_text())


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["words"][-1])
def test_an_invalid_record_is_refused_with_file_row_and_reason(tmp_path, case, form):
    bad, words = case["record"], case["words"]
    path = tmp_path / f"bad.{form}"
    records = [record(id="a"), bad, record(id="b"), bad]
    path.write_text(text_of(records, form))
    items = read_instructions(path)
    assert next(items).id == "a"
    with pytest.raises(ValueError) as caught:
        next(items)
    sentence = str(caught.value)
    for word in [str(path), "row 2", *words]:
        assert word in sentence
    if isinstance(bad, dict) and bad["id"] == "x":
        assert "(id 'x')" in sentence
    assert "\n" not in sentence
    summary = check_file(path, limit=1)
    assert (summary.records, summary.turns, summary.faulty) == (4, 2, 2)
    assert summary.problems == [sentence]


GOOD = json.dumps(record())


@pytest.mark.parametrize(
    ("before", "after", "sound", "words"),
    [  # the error is between the two texts
        (f"[{GOOD}", "", 0, "row 1|cut off|expected ',' or ']'"),
        (f'[{GOOD}, {{"b": ', '"cut o', 1, "row 2|cut off|Unterminated string"),
        (f"[{GOOD},", "]", 1, "row 2|Expecting value"),
        (f"[{GOOD}", f" {GOOD}, {GOOD}]", 0, "row 1|expected ',' or ']'"),
        (f'[{GOOD}, {{"b"', f" 1}}, {GOOD}]", 1, "row 2|Expecting ':'"),
        (f"[{GOOD}]", f" [{GOOD}]", 1, "row 2|follows the end"),
        ("[", "[" * 100_000, 0, "row 1|recursion"),
        ("", "", 0, "row 1|empty"),
        ("", "\x89PNG\r\n", 0, "row 1|one object per line"),
        (f'{GOOD}\n{{"b"', f": \n{GOOD}\n", 2, "row 2|one object per line"),
        (f"{GOOD}\n{GOOD}", f"{{}}\n{GOOD}\n", 2, "row 2|Extra data"),
    ],
)
def test_the_place_where_a_file_is_broken_is_named(tmp_path, before, after, sound, words):
    """A list is read up to the error, JSON lines also after it."""
    path = tmp_path / "broken.json"
    path.write_text(before + after)
    summary = check_file(path)
    (sentence,) = summary.problems
    assert (summary.records, summary.faulty) == (sound + 1, 1)
    assert all(word in sentence for word in [str(path), *words.split("|")])
    if "character" in sentence:
        place = int(sentence.split("character ")[1].split()[0].replace(",", ""))
        expected = len(before if before.startswith("[") else before.split("\n")[-1])
        assert place - expected in (0, 1, 3)  # spaces are skipped
    with pytest.raises(ValueError) as caught:
        list(read_instructions(path))
    assert str(caught.value) == sentence


def test_bytes_of_another_encoding_invalidate_their_record_only(tmp_path):
    lines = []
    for text in ("café", "tea", "thé"):
        one = conversation(ASKED, ("gpt", text), id=text)
        lines.append(json.dumps(one, ensure_ascii=False))
    for path, whole in (
        (tmp_path / "x.jsonl", "\n".join(lines)),
        (tmp_path / "x.json", f"[{','.join(lines)}]"),
    ):
        latin = whole.encode("latin-1")
        path.write_bytes(latin)
        summary = check_file(path)
        assert (summary.records, summary.faulty) == (3, 2)
        assert "row 3" in summary.problems[1]


def test_writing_refuses_what_reading_would_refuse_or_change(tmp_path):
    path = tmp_path / "out.json"
    write_instructions([ROSES], path)
    bad = {
        "image": replace(TALK, id="y", image="../y.png"),
        "<image>": replace(TALK, image="y.png"),
        "no earlier record": TALK,
        "text": replace(TALK, id=""),
        "expected text": replace(TALK, id=7),
        "'value'": replace(TALK, id="y", turns=(("Why?", ""),)),
        "pairs": replace(TALK, id="y", turns=(("Why?",),)),
    }
    for reason, item in bad.items():
        with pytest.raises(ValueError, match=reason) as caught:
            write_instructions(iter([TALK, item]), path)
        assert f"{path}: row 2 (id {item.id!r})" in str(caught.value)
    with pytest.raises(ValueError, match="jsonl"):
        write_instructions([TALK], tmp_path / "out.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]
    assert path.read_bytes() == PUBLISHED


@pytest.mark.parametrize(("name", "text"), [("a.json", "[]"), ("a.jsonl", "\n\n")])
def test_a_file_without_any_record_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=f"{name}: no record in it"):
        check_file(tmp_path / name)


def test_the_first_record_is_given_before_the_rest_is_read(tmp_path):
    path = tmp_path / "endless.json"
    with open(path, "wb") as file:
        file.write(f'[{GOOD},{GOOD}, {{"id": "'.encode())
        file.truncate(1 << 40)  # a sparse file of a terabyte: the third record never ends
    assert len(list(islice(read_instructions(path), 2))) == 2
    assert "broken or cut off" in check_file(path).problems[0]


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path, form):
    path, again, n = tmp_path / f"many.{form}", tmp_path / f"again.{form}", 1_500
    answers = (f"{i} " + "word " * 8_000 for i in range(n))
    tracemalloc.start()
    items = (replace(ROSES, id=text[:4], turns=((QUESTION, text),)) for text in answers)
    assert write_instructions(items, path) == n
    assert check_file(path).records == write_instructions(read_instructions(path), again) == n
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 50e6 and peak < 10e6  # bytes
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("folder", [None, "arrow"])
def test_a_dataset_holds_the_records_in_order(tmp_path, folder):
    # more than one batch
    items = [replace(item, id=f"{i}") for i, item in enumerate([ROSES, TALK, CORNER] * 700)]
    write_instructions(items, tmp_path / "x.jsonl")
    folder = folder and tmp_path / folder
    for source in (tmp_path / "x.jsonl", iter(items)):
        dataset = to_dataset(source, folder)
        assert dataset["id"][:] == [item.id for item in items]
        assert dataset["image"][:3] == ["train/love/0001.jpg", "", "a b/ü.png"]
        for item, turns in zip(items, dataset["conversations"][:], strict=True):
            texts = sum(item.turns, ())
            assert [turn["value"] for turn in turns] == list(texts)
            assert [turn["from"] for turn in turns] == ["human", "gpt"] * len(item.turns)
        mapped = dataset.cache_files[0]["filename"]
        assert folder is None or mapped == str(folder / "instructions.arrow")
    assert to_dataset([]).column_names == ["id", "image", "conversations"]


def test_command_line_and_absent_images(tmp_path):
    def call(*arguments):
        return subprocess.run(
            [sys.executable, *map(str, arguments)], capture_output=True, text=True
        )

    path, check = tmp_path / "x.jsonl", ("-m", "tinyemo.cli", "check")
    gone = record(id="y", image="gone.png")
    path.write_text(text_of([record(image="here.png"), gone, record(id="y")], "jsonl"))
    for name in ("here.png", "x.png"):
        (tmp_path / name).touch()
    good = call(*check, path)
    absent = call(*check, path, "--images", tmp_path)
    assert (good.returncode, absent.returncode) == (0, 1)
    assert "repeated ids 1 faulty 0" in " ".join(good.stdout.split())
    assert "row" not in good.stdout
    assert "faulty 1" in " ".join(absent.stdout.split())
    assert f"{path}: row 2 (id 'y'): image: no file 'gone.png'" in absent.stdout
    for arguments in ((tmp_path / "nowhere.json",), (path, "--images", tmp_path / "nowhere")):
        lost = call(*check, *arguments)
        assert lost.returncode == 1
        assert "nowhere" in lost.stderr
        assert "Traceback" not in lost.stderr
    heavy = "{'torch', 'datasets'} & {*sys.modules}"
    code = f"import sys, tinyemo.data.instructions; sys.exit(bool({heavy}))"
    light = call("-c", code)
    assert light.returncode == 0


def test_an_image_whose_name_is_too_long_is_one_faulty_record(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(text_of([record(id="a", image="a" * 5000), record(id="b")], "jsonl"))
    (tmp_path / "x.png").touch()
    summary = check_file(path, tmp_path)
    assert (summary.records, summary.faulty) == (2, 1)
    assert summary.problems[0].startswith(f"{path}: row 1 (id 'a'): image: no file ")
