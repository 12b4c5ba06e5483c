"""The judge against a real server whose answers a proxy replaces: asked once, read strictly, told what a file says."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.evaluation.judge import PROMPT_FILE, Judge, judge_texts
from tinyemo.evaluation.reasoning import summarise

REFERENCES = {"a": ("horror", "The ghost brings horror."), "b": ("joy", "The roses bring joy.")}
TEXTS = pd.DataFrame(
    [
        ("a", "projector", "A ghost: horror."),
        ("a", "true", "A ghost: horror."),
        ("a", "no image", "A {reference}: envy."),
        ("b", "projector", "The roses bring joy."),
    ],
    columns=["id", "condition", "text"],
    index=[3, 1, 4, 8],
)


def judge(server, **changes):
    return Judge(
        **{"model": server.model, "max_tokens": 8, "concurrency": 1, "retries": 0} | changes
    )


def answers(proxy, *texts):
    """The server's next answers, in order."""
    left = list(texts)
    proxy.edit = lambda body: body["choices"][0]["message"].update(content=left.pop(0))


def test_equal_texts_are_judged_once_and_nothing_is_paid_for_twice(server, proxy, tmp_path):
    answers(
        proxy,
        "Clue overlap: 8\nLabel overlap: 10",
        "Clue overlap: 0\nLabel overlap: 3\n",
        "Clue overlap: 10 \n\nLabel overlap: 10",
    )
    scores = judge_texts(TEXTS, REFERENCES, judge(server), tmp_path / "replies.jsonl")
    assert scores.index.tolist() == [3, 1, 4, 8] and (scores["verdict"] == "read").all()
    assert scores[["clue_overlap", "label_overlap"]].to_numpy().tolist() == [
        [8, 10],
        [8, 10],
        [0, 3],
        [10, 10],
    ]
    assert proxy.paid.total() == 3
    again = judge_texts(TEXTS[::-1], REFERENCES, judge(server), tmp_path / "replies.jsonl")
    assert proxy.paid.total() == 3 and again.loc[scores.index].equals(scores)
    table = summarise(scores, ["clue_overlap"]).set_index("condition")
    assert table.loc["projector", ["mean", "scenes"]].tolist() == [9, 2]


@pytest.mark.parametrize(
    "reply",
    [
        "Clue overlap: 11\nLabel overlap: 10",
        "Clue overlap: 8/10\nLabel overlap: 9/10",
        "Clue overlap: 8",
        "8, 9",
        "Clue overlap: 8\nLabel overlap: 9\nThe clues agree.",
        "Clue overlap: -1\nLabel overlap: 7.5",
        "",
    ],
)
def test_what_cannot_be_read_is_counted_and_not_guessed_at(server, proxy, tmp_path, reply):
    answers(proxy, reply, "Clue overlap: 1\nLabel overlap: 2")
    scores = judge_texts(TEXTS.iloc[[0, 3]], REFERENCES, judge(server), tmp_path / "replies.jsonl")
    assert scores["verdict"].tolist() == ["unreadable", "read"]
    assert np.isnan(scores["clue_overlap"].iloc[0]) and scores["label_overlap"].iloc[1] == 2


def test_what_stays_unanswered_is_asked_again(server, proxy, tmp_path):
    answers(proxy, "Clue overlap: 1\nLabel overlap: 2", "Clue overlap: 3\nLabel overlap: 4")
    proxy.fault = lambda asked: "400" if "The ghost" in asked else None
    scores = judge_texts(TEXTS.iloc[[0, 3]], REFERENCES, judge(server), tmp_path / "replies.jsonl")
    assert scores["verdict"].tolist() == ["unanswered", "read"]
    proxy.fault = lambda asked: None
    scores = judge_texts(TEXTS.iloc[[0, 3]], REFERENCES, judge(server), tmp_path / "replies.jsonl")
    assert scores["clue_overlap"].tolist() == [3, 1] and proxy.paid.total() == 2


def test_a_users_prompt_takes_the_place_of_ours(server, proxy, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text('Compare "{text}" with "{reference}" ({label}); JSON is written {"so": 1}.')
    answers(proxy, *["Clue overlap: 5\nLabel overlap: 5"] * 2)
    one = TEXTS.iloc[[2]]
    judge_texts(one, REFERENCES, judge(server, prompt_file=own), tmp_path / "replies.jsonl")
    # what a text holds is no slot
    assert list(proxy.paid) == [
        'Compare "A {reference}: envy." with "The ghost brings horror." (horror); '
        'JSON is written {"so": 1}.'
    ]
    judge_texts(
        one, REFERENCES, judge(server), tmp_path / "replies.jsonl"
    )  # another prompt is another question
    asked = list(proxy.paid)[1]
    expected = (
        PROMPT_FILE.read_text()
        .replace("{label}", "horror")
        .replace("{text}", "A {reference}: envy.")
    )
    assert asked == expected.replace("{reference}", "The ghost brings horror.", 1)
    own.write_text("Compare {text} with nothing.")
    with pytest.raises(
        ValueError, match="own.txt: expected {reference} and {text} .* found no {reference}"
    ):
        judge(server, prompt_file=own)
    with pytest.raises(FileNotFoundError, match="none.txt"):
        judge(server, prompt_file=tmp_path / "none.txt")


def test_a_text_without_reference_is_refused_before_anyone_is_asked(server, proxy, tmp_path):
    for references in ({"a": REFERENCES["a"]}, REFERENCES | {"b": ("joy", " ")}):
        with pytest.raises(ValueError, match="text about 'b': expected a reference"):
            judge_texts(TEXTS, references, judge(server), tmp_path / "replies.jsonl")
    assert not proxy.times
