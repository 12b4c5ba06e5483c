"""The utterance table: its checks, and media fragments."""

import numpy as np
import pandas as pd
import pytest

from tinyemo.data.left_out import LeftOut
from tinyemo.data.utterances import (
    COLUMNS,
    KNOWN_CODES,
    check_utterances,
    media_fragment,
    missing_turns,
)


def utterance_table() -> pd.DataFrame:
    """Two dialogues of two turns in two sessions."""
    table = pd.DataFrame(
        {
            "id": ["toy/a0", "toy/a1", "toy/b0", "toy/b1"],
            "dataset": "toy",
            "split": ["train", "train", "test", "test"],
            "group": ["one", "one", "two", "two"],
            "dialogue": ["a", "a", "b", "b"],
            "turn": [0, 1, 0, 1],
            "speaker": "",
            "text": ["Hello.", "", "Yes.", "No."],
            "audio": "",
            "video": "",
            "face": "",
            "code": ["neu", "", "xxx", "joy"],
            "votes": [[["neu"], ["neu", "sad"]], [], [["ang"], ["sad"]], []],
            "self_votes": [[], [], [["ang"]], []],
            "attr_start": [0.0, 1.5, 0.0, np.nan],
        }
    )
    for column in ("end", "valence", "activation", "dominance"):
        table[f"attr_{column}"] = np.nan
    return table


def changed(row: int, column: str, value: object) -> pd.DataFrame:
    table = utterance_table().astype({column: object})
    table.at[row, column] = value
    return table


def test_a_correct_table_keeps_its_rows_and_gets_its_columns_in_order():
    table = utterance_table().assign(attr_scene="kitchen")
    shuffled = table[sorted(table.columns)].set_index(pd.Index([7, 5, 3, 1]))
    checked = check_utterances(shuffled)
    assert checked.columns.tolist() == [*COLUMNS, "attr_scene"]
    assert checked.index.tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(checked[table.columns.tolist()], table)


@pytest.mark.parametrize(
    ("row", "column", "value", "expected"),
    [
        (1, "id", "toy/a0", "an id that no earlier row has"),
        (1, "id", "", "something other than empty text"),
        (2, "text", None, "expected text"),
        (2, "split", "dev", "one of train, validation, test"),
        (0, "code", "bored", "got 'bored', expected one of ang, hap, "),
        (2, "votes", [["ang"], []], "one list per annotator, each of one or more of"),
        (2, "votes", [["bored"]], "each of one or more of ang"),
        (2, "self_votes", ["ang"], "a list with one list per annotator"),
        (0, "attr_start", "0.0", "a floating-point number, or NaN"),
        (2, "dialogue", "c", "turns that count from 0"),
        (3, "dialogue", "a", "all rows of a dialogue together"),
        (1, "turn", 2, "turns that count from 0"),
        (1, "group", "two", "one group per dialogue"),
        (3, "split", "train", "one split per group"),
    ],
)
def test_wrong_cells_are_refused_with_row_and_column(row, column, value, expected):
    if (column, value) == ("dialogue", "c"):
        row = 3  # dialogue c would begin with turn 1
    with pytest.raises(ValueError, match="own table: row .*, column ") as error:
        check_utterances(changed(row, column, value), "own table")
    assert f"row {row + 1} " in str(error.value)
    assert expected in str(error.value)


def test_missing_and_unknown_columns_are_refused():
    with pytest.raises(ValueError, match="column 'turn' is missing: expected id, dataset"):
        check_utterances(utterance_table().drop(columns="turn"))
    with pytest.raises(ValueError, match="unknown column 'mood': expected .* or attr_<name>"):
        check_utterances(utterance_table().assign(mood="good"))


def test_codes_of_all_label_sets_are_known():
    assert {"ang", "xxx", "joy", "worried", "contempt"} <= set(KNOWN_CODES)


def test_media_fragments_name_seconds_and_the_half_of_the_picture():
    assert media_fragment("clip.avi", 6.29, 8.24) == "clip.avi#t=6.29,8.24"
    left = media_fragment("clip.avi", 0.0, 1234.5678, "left")
    assert left == "clip.avi#t=0,1234.5678&xywh=percent:0,0,50,100"
    assert media_fragment("clip.avi", 10, 20, "right").endswith("#t=10,20&xywh=percent:50,0,50,100")


def test_what_is_left_out_is_counted_by_reason_with_its_first_example():
    left_out = LeftOut()
    left_out.add("no sound", "a")
    left_out.add_all("no text", [])
    left_out.add_all("no picture", ["b", "c"])
    left_out.add("no sound", "d", 3)
    assert left_out.table().values.tolist() == [["no sound", 4, "a"], ["no picture", 2, "b"]]
    assert LeftOut().table().columns.tolist() == ["reason", "items", "example"]


def test_gaps_in_the_numbers_of_turns_are_found():
    dialogues = pd.Series(["a", "a", "b", "b", "c"])
    numbers = pd.Series([1, 4, 2, 3, 1])
    assert missing_turns(dialogues, numbers) == ["a/2", "a/3", "b/1"]
