"""Instruction files: LLaVA's format to the byte, other projects' habits, every refusal with its row, bounded memory."""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from itertools import islice

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
PUBLISHED = """[
{"id": "webemo/0001#reasoning", "image": "train/love/0001.jpg", "conversations": [{"from": "human", "value": \
"<image>\\nReason about what is felt here, and why.\\nLabels: [affection, nervousness, relief]\\nImportant: note that \
the correct label is affection."}, {"from": "gpt", "value": "The roses on the wooden table evoke affection: “roses” \
stand for love. 😀"}]}
]
"""


def record(**keys) -> dict:
    """A good record of a picture with two turns; None takes a key out."""
    turns = [
        {"from": "human", "value": "<image>\nDescribe the image."},
        {"from": "gpt", "value": "A cat."},
    ]
    whole = {"id": "x", "image": "x.png", "conversations": turns, **keys}
    return {key: value for key, value in whole.items() if value is not None}


def said(*turns: tuple[str, str], **keys) -> dict:
    return record(conversations=[{"from": who, "value": text} for who, text in turns], **keys)


def text_of(records: list, form: str) -> str:
    return (
        json.dumps(records, indent=1)
        if form == "json"
        else "".join(json.dumps(one) + "\n" for one in records)
    )


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_files_come_back_as_they_were_written(tmp_path, form):
    path = tmp_path / f"deep/emoreason.{form}"
    items = [ROSES, TALK, CORNER]
    assert (
        write_instructions(
            (replace(item, task="vqa", label="joy", teacher="t") for item in items), path
        )
        == 3
    )
    assert list(read_instructions(path)) == items
    raw = path.read_text(encoding="utf-8")
    plain = (
        json.loads(raw)
        if form == "json"
        else [json.loads(line) for line in raw.split("\n") if line]
    )
    assert [list(one) for one in plain] == [
        ["id", "image", "conversations"],
        ["id", "conversations"],
        ["id", "image", "conversations"],
    ]
    assert plain[1]["conversations"][2] == {"from": "human", "value": "Why?\n"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert write_instructions([], path) == 0 and list(read_instructions(path)) == []


def test_a_published_record_stands_in_the_file_to_the_byte(tmp_path):
    write_instructions([ROSES], tmp_path / "one.json")
    assert (tmp_path / "one.json").read_bytes() == PUBLISHED.encode()


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_what_other_projects_write_is_read(tmp_path, form):
    path = tmp_path / "upstream.txt"  # told apart by content
    long = said(
        ("human", "<image>\nGo on."), ("gpt", "é€😀" * 500_000)
    )  # longer than what is read at once
    records = [
        record(id=None),
        record(id=33471),
        record(id="x"),
        record(id="x"),
        record(id="x"),
        record(image=["dir/x.png"], model="", bbox=[1.5, None]),
        said(
            ("user", "Describe.\n<image>"),
            ("assistant", "A cat."),
            ("user", "Why?"),
            ("assistant", "It mews."),
        ),
        said(("human", "No image."), ("gpt", "None."), image=None),
        said(("human", "No image."), ("gpt", "None."), image=[]),
        long | {"id": "long"},
    ]
    path.write_bytes(b"\xef\xbb\xbf\r\n" + text_of(records, form).replace("\n", "\r\n").encode())
    items = list(read_instructions(path))
    assert [item.id for item in items] == [
        "row-0",
        "33471",
        "x",
        "x-row-3",
        "x-row-4",
        "x-row-5",
        "x-row-6",
        "x-row-7",
        "x-row-8",
        "long",
    ]
    assert [item.image for item in items[4:9]] == ["x.png", "dir/x.png", "x.png", "", ""]
    assert items[6].turns == (("Describe.\n<image>", "A cat."), ("Why?", "It mews."))
    assert items[9].turns[0][1] == "é€😀" * 500_000
    summary = check_file(path)
    assert (summary.records, summary.text_only, summary.images, summary.turns) == (10, 2, 2, 11)
    assert (summary.repeated_ids, summary.faulty, summary.problems) == (6, 0, [])
    assert summary.answer_characters == sum(
        len(answer) for item in items for _, answer in item.turns
    )


ASKED, ANSWERED = ("human", "<image>\nWhat?"), ("gpt", "A cat.")
REFUSED = [
    (["a", "list"], ["record", "object"]),
    (record(id=True), ["id", "True", "text"]),
    (record(image=["a.png", "b.png"]), ["image", "b.png", "one image, not 2"]),
    (record(image=7), ["image", "7", "path"]),
    (record(image="/etc/passwd"), ["image", "/etc/passwd", "relative"]),
    (record(image="a/../../b.png"), ["image", "a/../../b.png", "within"]),
    (record(image="C:/b.png"), ["image", "C:/b.png", "relative"]),
    (record(image="a\\b.png"), ["image", "forward slashes"]),
    (record(conversations=None), ["conversations", "None", "list of turns"]),
    (said(), ["conversations", "[]", "list of turns"]),
    (record(conversations=["hello"]), ["conversations[0]", "'hello'", "'from'"]),
    (
        record(conversations=[{"role": "user", "content": "<image>"}]),
        ["conversations[0]", "'content'", "'value'"],
    ),
    (said(ANSWERED, ASKED), ["conversations[0]", "'gpt'", "'human'", "human begins"]),
    (said(("system", "Be kind."), ASKED, ANSWERED), ["conversations[0]", "'system'", "'human'"]),
    (said(ASKED, ASKED, ANSWERED), ["conversations[1]", "'human'", "'gpt'", "take turns"]),
    (said(ASKED, ("bard", "A cat.")), ["conversations[1]", "'bard'", "'gpt'"]),
    (said(ASKED, ANSWERED, ("human", "Why?")), ["number of turns", "3", "gpt ends"]),
    (said(ASKED, ("gpt", " \n")), ["conversations[1]", "'value'", "not blank"]),
    (said(("human", "What?"), ANSWERED), ["number of <image>", "[0, 0]", "one in the first"]),
    (said(("human", "<image><image>"), ANSWERED), ["number of <image>", "[2, 0]", "no other"]),
    (
        said(("human", "What?"), ANSWERED, ASKED, ANSWERED),
        ["number of <image>", "[0, 0, 1, 0]", "one in the first"],
    ),
    (said(ASKED, ANSWERED, image=None), ["number of <image>", "[1, 0]", "none"]),
    (said(ASKED, ("gpt", "half \ud83d")), ["\\ud83d", "UTF-8"]),
]


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("bad", "words"), REFUSED, ids=[words[-1] + str(i) for i, (_, words) in enumerate(REFUSED)]
)
def test_a_bad_record_is_refused_with_file_row_and_reason(tmp_path, bad, words, form):
    path = tmp_path / f"bad.{form}"
    path.write_text(text_of([record(id="a"), bad, record(id="b"), bad], form))
    items = read_instructions(path)
    assert next(items).id == "a"
    with pytest.raises(ValueError) as caught:
        next(items)
    sentence = str(caught.value)
    named = ["(id 'x')"] if isinstance(bad, dict) and bad["id"] == "x" else []
    assert (
        all(word in sentence for word in [str(path), "row 1", *named, *words])
        and "\n" not in sentence
    )
    summary = check_file(path, limit=1)
    assert (summary.records, summary.turns, summary.faulty, summary.problems) == (
        4,
        2,
        2,
        [sentence],
    )


GOOD = json.dumps(record())


@pytest.mark.parametrize(
    ("before", "after", "sound", "words"),
    [  # the fault lies between the two texts
        (f"[{GOOD}", "", 0, ["row 0", "cut off", "expected ',' or ']'"]),
        (f'[{GOOD}, {{"b": ', '"cut o', 1, ["row 1", "cut off", "Unterminated string"]),
        (f"[{GOOD},", "]", 1, ["row 1", "Expecting value"]),
        (f"[{GOOD}", f" {GOOD}, {GOOD}]", 0, ["row 0", "expected ',' or ']'"]),
        (f'[{GOOD}, {{"b"', f" 1}}, {GOOD}]", 1, ["row 1", "Expecting ':'"]),
        (f"[{GOOD}]", f" [{GOOD}]", 1, ["row 1", "follows the end"]),
        ("[", "[" * 100_000, 0, ["row 0", "recursion"]),
        ("", "", 0, ["row 0", "empty"]),
        ("", "\x89PNG\r\n", 0, ["row 0", "one object a line"]),
        (f'{GOOD}\n{{"b"', f": \n{GOOD}\n", 2, ["row 1", "one object a line"]),
        (f"{GOOD}\n{GOOD}", f"{{}}\n{GOOD}\n", 2, ["row 1", "Extra data"]),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path, before, after, sound, words):
    """Lists are followed up to where they break off, lines beyond."""
    path = tmp_path / "broken.json"
    path.write_text(before + after)
    summary = check_file(path)
    (sentence,) = summary.problems
    assert (summary.records, summary.faulty) == (sound + 1, 1)
    assert all(word in sentence for word in [str(path), *words])
    if "character" in sentence:
        place = int(sentence.split("character ")[1].split()[0].replace(",", ""))
        assert place - len(before if before.startswith("[") else before.split("\n")[-1]) in (
            0,
            1,
            3,
        )  # spaces skipped
    with pytest.raises(ValueError) as caught:
        list(read_instructions(path))
    assert str(caught.value) == sentence


def test_bytes_of_another_encoding_cost_their_record_only(tmp_path):
    lines = [
        json.dumps(said(ASKED, ("gpt", text), id=text), ensure_ascii=False)
        for text in ("café", "tea", "thé")
    ]
    for path, whole in (
        (tmp_path / "x.jsonl", "\n".join(lines)),
        (tmp_path / "x.json", f"[{','.join(lines)}]"),
    ):
        path.write_bytes(whole.encode("latin-1"))
        summary = check_file(path)
        assert (summary.records, summary.faulty) == (3, 2) and "row 2" in summary.problems[1]


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
        "zip": replace(TALK, id="y", turns=(("Why?",),)),
    }
    for reason, item in bad.items():
        with pytest.raises(ValueError, match=reason) as caught:
            write_instructions(iter([TALK, item]), path)
        assert f"{path}: row 1 (id {item.id!r})" in str(caught.value)
    with pytest.raises(ValueError, match="jsonl"):
        write_instructions([TALK], tmp_path / "out.txt")
    assert [file.name for file in tmp_path.iterdir()] == [
        "out.json"
    ] and path.read_bytes() == PUBLISHED.encode()


def test_the_first_record_does_not_wait_for_the_rest(tmp_path):
    path = tmp_path / "endless.json"
    with open(path, "wb") as file:
        file.write(
            b"["
            + json.dumps(record()).encode()
            + b","
            + json.dumps(record()).encode()
            + b', {"id": "'
        )
        file.truncate(1 << 40)  # a terabyte that is not there, and no end of the text in sight
    assert len(list(islice(read_instructions(path), 2))) == 2
    assert "broken or cut off" in check_file(path).problems[0]


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path, form):
    path, again, n = tmp_path / f"many.{form}", tmp_path / f"again.{form}", 1_500
    answers = (f"{i} " + "word " * 8_000 for i in range(n))
    tracemalloc.start()
    assert (
        write_instructions(
            (replace(ROSES, id=text[:4], turns=((QUESTION, text),)) for text in answers), path
        )
        == n
    )
    assert check_file(path).records == write_instructions(read_instructions(path), again) == n
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 50e6 and peak < 10e6  # bytes
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("folder", [None, "arrow"])
def test_a_dataset_holds_the_records_in_order(tmp_path, folder):
    items = [
        replace(item, id=f"{i}") for i, item in enumerate([ROSES, TALK, CORNER] * 700)
    ]  # more than a batch
    write_instructions(items, tmp_path / "x.jsonl")
    folder = folder and tmp_path / folder
    for source in (tmp_path / "x.jsonl", iter(items)):
        dataset = to_dataset(source, folder)
        assert dataset["id"][:] == [item.id for item in items]
        assert dataset["image"][:3] == ["train/love/0001.jpg", "", "a b/ü.png"]
        assert dataset["conversations"][:] == [
            [
                {"from": "human" if k % 2 == 0 else "gpt", "value": text}
                for k, text in enumerate(sum(item.turns, ()))
            ]
            for item in items
        ]
        mapped = dataset.cache_files[0]["filename"]
        assert folder is None or mapped == str(folder / "instructions.arrow")
    assert to_dataset([]).column_names == ["id", "image", "conversations"]


def test_command_line_and_absent_images(tmp_path):
    def call(*arguments):
        return subprocess.run(
            [sys.executable, *map(str, arguments)], capture_output=True, text=True
        )

    path, check = tmp_path / "x.jsonl", ("-m", "tinyemo.cli", "check")
    path.write_text(
        text_of(
            [record(image="here.png"), record(id="y", image="gone.png"), record(id="y")], "jsonl"
        )
    )
    for name in ("here.png", "x.png"):
        (tmp_path / name).touch()
    good, absent = call(*check, path), call(*check, path, "--images", tmp_path)
    assert (good.returncode, absent.returncode) == (0, 1)
    assert "repeated ids 1 faulty 0" in " ".join(good.stdout.split()) and "row" not in good.stdout
    assert "faulty 1" in " ".join(absent.stdout.split())
    assert f"{path}: row 1 (id 'y'): image: no file 'gone.png'" in absent.stdout
    for arguments in ((tmp_path / "nowhere.json",), (path, "--images", tmp_path / "nowhere")):
        lost = call(*check, *arguments)
        assert lost.returncode == 1 and "nowhere" in lost.stderr and "Traceback" not in lost.stderr
    light = call(
        "-c",
        "import sys, tinyemo.data.instructions; sys.exit(bool({'torch', 'datasets'} & {*sys.modules}))",
    )
    assert light.returncode == 0
