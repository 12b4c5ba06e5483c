"""The judge with a real server whose answers a proxy replaces."""

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


def make_judge(server, **changes):
    options = {"model": server.model, "max_tokens": 8, "concurrency": 1, "retries": 0}
    return Judge(**options | changes)


def set_answers(proxy, *texts):
    """The server's next answers, in order."""
    left = list(texts)
    proxy.edit = lambda body: body["choices"][0]["message"].update(content=left.pop(0))


def test_equal_texts_are_judged_once_and_cached_texts_not_again(server, proxy, tmp_path):
    set_answers(
        proxy,
        "Clue overlap: 8\nLabel overlap: 10",
        "Clue overlap: 0\nLabel overlap: 3\n",
        "Clue overlap: 10 \n\nLabel overlap: 10",
    )
    cache = tmp_path / "replies.jsonl"
    scores = judge_texts(TEXTS, REFERENCES, make_judge(server), cache)
    assert scores.index.tolist() == [3, 1, 4, 8]
    assert (scores["reply"] == "read").all()
    overlaps = scores[["clue_overlap", "label_overlap"]].to_numpy().tolist()
    assert overlaps == [[8, 10], [8, 10], [0, 3], [10, 10]]
    assert proxy.completions.total() == 3
    again = judge_texts(TEXTS[::-1], REFERENCES, make_judge(server), cache)
    assert proxy.completions.total() == 3
    assert again.loc[scores.index].equals(scores)
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
def test_a_reply_in_another_form_counts_as_unreadable(server, proxy, tmp_path, reply):
    set_answers(proxy, reply, "Clue overlap: 1\nLabel overlap: 2")
    two = TEXTS.iloc[[0, 3]]
    scores = judge_texts(two, REFERENCES, make_judge(server), tmp_path / "replies.jsonl")
    assert scores["reply"].tolist() == ["unreadable", "read"]
    assert np.isnan(scores["clue_overlap"].iloc[0])
    assert scores["label_overlap"].iloc[1] == 2


def test_an_unanswered_text_is_sent_again_next_time(server, proxy, tmp_path):
    set_answers(proxy, "Clue overlap: 1\nLabel overlap: 2", "Clue overlap: 3\nLabel overlap: 4")
    proxy.fault = lambda content: "500" if "The ghost" in content else None
    two, cache = TEXTS.iloc[[0, 3]], tmp_path / "replies.jsonl"
    scores = judge_texts(two, REFERENCES, make_judge(server), cache)
    assert scores["reply"].tolist() == ["unanswered", "read"]
    proxy.fault = lambda content: None
    scores = judge_texts(two, REFERENCES, make_judge(server), cache)
    assert scores["clue_overlap"].tolist() == [3, 1]
    assert proxy.completions.total() == 2


def test_a_refused_text_is_not_sent_again(server, proxy, tmp_path):
    set_answers(proxy, "Clue overlap: 1\nLabel overlap: 2")
    proxy.fault = lambda content: "400" if "The ghost" in content else None
    two, cache = TEXTS.iloc[[0, 3]], tmp_path / "replies.jsonl"
    for _ in range(2):
        scores = judge_texts(two, REFERENCES, make_judge(server), cache)
        assert scores["reply"].tolist() == ["refused", "read"]
    assert sum(len(times) for times in proxy.times.values()) == 2


def test_thoughts_before_the_scores_are_skipped(server, proxy, tmp_path):
    scores = "Clue overlap: 3\nLabel overlap: 9"
    set_answers(proxy, f"<think>Clue overlap: 7?</think>\n\n{scores}", f"<think>{scores}")
    judged = judge_texts(
        TEXTS.iloc[[0, 3]], REFERENCES, make_judge(server), tmp_path / "replies.jsonl"
    )
    assert judged["reply"].tolist() == ["read", "unreadable"]
    assert judged["clue_overlap"].iloc[0] == 3


def test_a_users_prompt_file_replaces_the_default_prompt(server, proxy, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text('Compare "{text}" with "{reference}" ({label}); JSON is written {"so": 1}.')
    set_answers(proxy, *["Clue overlap: 5\nLabel overlap: 5"] * 2)
    one, cache = TEXTS.iloc[[2]], tmp_path / "replies.jsonl"
    judge_texts(one, REFERENCES, make_judge(server, prompt_file=own), cache)
    # "{reference}" inside the judged text is not replaced
    assert list(proxy.completions) == [
        'Compare "A {reference}: envy." with "The ghost brings horror." (horror); '
        'JSON is written {"so": 1}.'
    ]
    # with another prompt, the cached reply does not count
    judge_texts(one, REFERENCES, make_judge(server), cache)
    sent = list(proxy.completions)[1]
    expected = PROMPT_FILE.read_text().replace("{label}", "horror")
    expected = expected.replace("{text}", "A {reference}: envy.")
    assert sent == expected.replace("{reference}", "The ghost brings horror.", 1)


def test_a_prompt_file_without_the_needed_slots_is_refused(server, proxy, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("Compare {text} with nothing.")
    message = "own.txt: expected {reference} and {text} .* found no {reference}"
    with pytest.raises(ValueError, match=message):
        make_judge(server, prompt_file=own)
    with pytest.raises(FileNotFoundError, match="none.txt"):
        make_judge(server, prompt_file=tmp_path / "none.txt")


def test_a_text_without_reference_is_refused_before_anything_is_sent(server, proxy, tmp_path):
    for references in ({"a": REFERENCES["a"]}, REFERENCES | {"b": ("joy", " ")}):
        with pytest.raises(ValueError, match="text about 'b': the reference for this id"):
            judge_texts(TEXTS, references, make_judge(server), tmp_path / "replies.jsonl")
    assert not proxy.times
