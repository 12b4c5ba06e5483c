"""Label distributions against sums by hand, scored records, and the CSV reader."""

import numpy as np
import pytest
from iemocap_tree import made_up_dialogues, write_tree

from tinyemo.data.conversations import (
    label_utterances,
    read_utterances_csv,
    unlabelled_votes,
    vote_shares,
)
from tinyemo.data.iemocap import read_iemocap
from tinyemo.emotions import labels_of


@pytest.fixture(scope="module")
def utterances(tmp_path_factory):
    """28 utterances per session; of each session, four without a majority."""
    root = write_tree(tmp_path_factory.mktemp("tree"), made_up_dialogues())
    return read_iemocap(root).utterances


# ---- labels


def test_each_annotator_has_mass_one_shared_between_the_chosen_codes():
    votes = [
        [["ang"], ["ang"], ["sad"]],
        [["ang", "sad"], ["neu"]],  # anger 1/2, sadness 1/2, neutral 1
        [["hap", "exc"], ["neu"]],  # both codes are happiness: 1/2 + 1/2
        [["fru", "sad"], ["ang"]],  # frustration is outside: sadness 1/2, anger 1
        [["fru"], ["oth", "sur"]],  # nothing is left
        [],
    ]
    shares = vote_shares(votes, "iemocap4")
    assert labels_of("iemocap4") == ("anger", "happiness", "neutral", "sadness")
    nothing = [np.nan] * 4
    expected = [
        [2 / 3, 0, 0, 1 / 3],
        [1 / 4, 0, 2 / 4, 1 / 4],
        [0, 1 / 2, 1 / 2, 0],
        [2 / 3, 0, 0, 1 / 3],
        nothing,
        nothing,
    ]
    np.testing.assert_allclose(shares, expected)


def test_the_label_is_that_of_the_majority_code_and_the_rest_is_counted(utterances):
    records, left_out = label_utterances(utterances, "iemocap4")
    codes = utterances.set_index("id")["code"][records["id"]].tolist()
    words = {"ang": "anger", "hap": "happiness", "exc": "happiness"}
    words |= {"neu": "neutral", "sad": "sadness"}
    assert records["label"].tolist() == [words[code] for code in codes]
    reasons = left_out.set_index("reason")["items"].to_dict()
    assert reasons["no majority (xxx)"] == (utterances["code"] == "xxx").sum() == 8
    assert reasons["label outside iemocap4: fru"] == (utterances["code"] == "fru").sum() == 8
    assert len(records) + 8 + 8 == len(utterances)
    assert (records["group"] == "Ses0" + records["dialogue"].str[4]).all()


def test_self_reports_are_not_in_the_distribution(utterances):
    records, _ = label_utterances(utterances, "iemocap6")
    without = utterances.assign(self_votes=[[] for _ in utterances.index])
    same, _ = label_utterances(without, "iemocap6")
    columns = [f"p_{label}" for label in labels_of("iemocap6")]
    np.testing.assert_array_equal(records[columns], same[columns])


def test_utterances_that_were_not_evaluated_or_have_no_votes_are_counted(utterances):
    changed = utterances.copy()
    neutral = changed.index[changed["code"] == "neu"][:3]
    changed.at[neutral[0], "code"] = ""
    changed.at[neutral[1], "votes"] = []
    changed.at[neutral[2], "votes"] = [["fru"], ["oth"]]
    records, left_out = label_utterances(changed, "iemocap4")
    reasons = left_out.set_index("reason")["items"].to_dict()
    assert reasons["not evaluated"] == 1
    assert reasons["kept without a label distribution: no votes in the files"] == 1
    assert reasons["kept without a label distribution: no vote in iemocap4"] == 1
    rows = records.set_index("id").loc[changed["id"][neutral[1:]]]
    assert rows["p_neutral"].isna().all()
    assert (rows["label"] == "neutral").all()


def test_utterances_without_a_majority_keep_their_votes(utterances):
    records, left_out = unlabelled_votes(utterances, "iemocap6")
    # votes of "xxx" in the tree: anger; neutral and sadness; other
    expected = {"p_anger": 1 / 2, "p_neutral": 1 / 4, "p_sadness": 1 / 4, "p_frustration": 0}
    assert len(records) == 8
    for column, share in expected.items():
        np.testing.assert_allclose(records[column], share)
    assert set(records["label"]) == {"anger"}
    assert left_out["reason"].tolist() == ["kept, votes outside iemocap6 dropped"]


def test_utterances_without_a_vote_in_the_set_are_counted(utterances):
    changed = utterances.copy()
    row = changed.index[changed["code"] == "xxx"][0]
    changed.at[row, "votes"] = [["oth"], ["sur"]]
    records, left_out = unlabelled_votes(changed, "iemocap6")
    assert len(records) == 7
    assert left_out.values[0].tolist() == ["no vote in iemocap6", 1, changed["id"][row]]


def test_a_label_set_that_fits_nothing_is_refused(utterances):
    with pytest.raises(ValueError, match="no utterance has a label of 'meld7': .* got ang, "):
        label_utterances(utterances, "meld7")
    with pytest.raises(ValueError, match="unknown label set of conversations 'ekman': expected"):
        label_utterances(utterances, "ekman")
    with pytest.raises(ValueError, match="unknown label set of conversations 'ekman': expected"):
        unlabelled_votes(utterances, "ekman")


def test_the_label_set_of_another_dataset_is_refused_if_one_code_is_the_same(utterances):
    """IEMOCAP and MER2023 both have the code "sad"; no other code of IEMOCAP is in mer9."""
    assert (utterances["code"] == "sad").any()
    with pytest.raises(ValueError, match="only . utterances have a label of 'mer9': expected"):
        label_utterances(utterances, "mer9")


# ---- CSV

OWN = """dialogue,turn,speaker,text,audio,label,votes_ang,votes_sad,start,room
tea,2,Ann,"Two, please.",two.wav,ang,2,1,1.5,hall
tea,1,Bo,Sugar?,,,,,0.25,hall
walk,1,Ann,It rains.,two.wav,xxx,1,1,,park
walk,3,Ann,It stopped.,,sad,0,3,,park
"""


def write_csv(folder, text=OWN, encoding="utf-8"):
    (folder / "two.wav").touch()
    path = folder / "own.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_csv_becomes_an_utterance_table(tmp_path):
    path = write_csv(tmp_path)
    conversations = read_utterances_csv(path)
    rows = conversations.utterances
    assert rows["id"].tolist() == ["own/tea/1", "own/tea/2", "own/walk/1", "own/walk/3"]
    assert rows["turn"].tolist() == [0, 1, 0, 1]
    assert rows["text"].tolist() == ["Sugar?", "Two, please.", "It rains.", "It stopped."]
    sound = str(tmp_path / "two.wav")
    assert rows["audio"].tolist() == ["", sound, sound, ""]
    assert rows["code"].tolist() == ["", "ang", "xxx", "sad"]
    assert rows["votes"].tolist() == [
        [],
        [["ang"], ["ang"], ["sad"]],
        [["ang"], ["sad"]],
        [["sad"]] * 3,
    ]
    assert rows["group"].tolist() == ["tea", "tea", "walk", "walk"]
    assert rows["attr_start"].tolist()[:2] == [0.25, 1.5]
    assert rows["attr_start"].isna().tolist()[2:] == [True, True]
    assert conversations.left_out.values.tolist() == [
        ["turn number that no row has", 1, "walk/2"],
        ["column that is not read: room", 4, str(path)],
    ]


def test_without_turns_the_order_of_the_rows_counts(tmp_path):
    text = "dialogue,text,group,split\na,one,s1,dev\nb,uno,s2,train\na,two,s1,dev\n"
    rows = read_utterances_csv(write_csv(tmp_path, text), dataset="mine").utterances
    assert rows["id"].tolist() == ["mine/a/0", "mine/a/1", "mine/b/0"]
    assert rows["text"].tolist() == ["one", "two", "uno"]
    assert rows["group"].tolist() == ["s1", "s1", "s2"]
    assert rows["split"].tolist() == ["validation", "validation", "train"]


def test_a_csv_in_cp1252_is_read(tmp_path):
    text = "dialogue,text\na,It’s a café – closed.\n"
    rows = read_utterances_csv(write_csv(tmp_path, text, "cp1252")).utterances
    assert rows["text"].tolist() == ["It’s a café – closed."]


def test_a_part_of_a_file_is_a_media_fragment(tmp_path):
    text = 'dialogue,video\na,"two.wav#t=1,2"\n'
    rows = read_utterances_csv(write_csv(tmp_path, text)).utterances
    assert rows["video"].tolist() == rows["face"].tolist() == [f"{tmp_path}/two.wav#t=1,2"]


@pytest.mark.parametrize("fragment", ["t=2,1", "t=a,b", "t=1,2&xywh=1,2"])
def test_a_fragment_that_cannot_be_read_is_named_with_its_row(tmp_path, fragment):
    text = f'dialogue,video\na,two.wav\na,"two.wav#{fragment}"\n'
    with pytest.raises(ValueError, match=r"own.csv: row 2, column 'video': .*two.wav#"):
        read_utterances_csv(write_csv(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dialogue,", "scene,", r"got the columns scene, .*; expected dialogue \(required\)"),
        ("label,", "text,", "two columns 'text': expected one of each name"),
        ("tea,2,Ann", ",2,Ann", "row 1, column 'dialogue': got '', expected something other"),
        (",ang,2", ",angry?,2", r"row 1, column 'label': got 'angry\?', expected a label code"),
        ("votes_sad", "votes_blue", "column 'votes_blue': expected votes_<code>"),
        ("0,3,,park", "0,0,,park", "row 4: its votes sum to nothing: expected at least one vote"),
        ("0,3,,park", "0,1.5,,park", "row 4, column 'votes_sad': got '1.5', expected a whole"),
        (
            "0,3,,park",
            "0,many,,park",
            "row 4, column 'votes_sad': got 'many', expected a whole",
        ),
        ("tea,1,Bo", "tea,2,Bo", "row 2, column 'turn': got '2', expected a turn that no earlier"),
        ("tea,1,Bo", "tea,,Bo", "row 2, column 'turn': got '', expected a whole number"),
        (",0.25,", ",soon,", "row 2, column 'start': got 'soon', expected a number"),
    ],
)
def test_a_wrong_csv_is_refused_in_one_sentence(tmp_path, old, new, message):
    assert old in OWN
    with pytest.raises(ValueError, match=f"own.csv: {message}") as error:
        read_utterances_csv(write_csv(tmp_path, OWN.replace(old, new, 1)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dialogue,text\na,Yes, please.\n", "line 2: 3 cells, expected 2 as in the header"),
        ('dialogue,text\na,Yes.\nb,"No.\n', "line 3: not readable as CSV: unexpected end"),
        ("\n", "own.csv: an empty file, expected a CSV with a header"),
        ("dialogue,text\n", "own.csv: no utterance: expected one row per utterance"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_utterances_csv(write_csv(tmp_path, text))


def test_a_fault_that_shows_only_in_the_whole_table_names_the_row_of_the_file(tmp_path):
    """The rows are sorted by dialogue and turn before they are checked."""
    text = "dialogue,turn,text,split,id\na,2,x,train,1\nb,0,y,train,2\na,1,z,test,3\n"
    with pytest.raises(ValueError, match=r"own.csv: row 1 \(id 'own/1'\), column 'split'"):
        read_utterances_csv(write_csv(tmp_path, text))
    text = "dialogue,turn,text,id\na,2,x,1\nb,0,y,2\na,1,z,1\n"
    with pytest.raises(ValueError, match=r"own.csv: row 1 \(id 'own/1'\), column 'id'"):
        read_utterances_csv(write_csv(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    message = r"own.csv lists .*three.wav, which is not there \(row 1, column 'audio'; 1 of"
    with pytest.raises(FileNotFoundError, match=message):
        read_utterances_csv(write_csv(tmp_path, OWN.replace("two.wav", "three.wav")))
    with pytest.raises(FileNotFoundError, match="not found: .*absent.csv"):
        read_utterances_csv(tmp_path / "absent.csv")


@pytest.mark.parametrize("column", ["turn", "votes_ang"])
def test_numbers_that_are_no_turns_and_no_counts_of_annotators_are_refused(tmp_path, column):
    (tmp_path / "talk.csv").write_text(f"dialogue,text,{column}\nd,hello,1\nd,you,{'9' * 17}\n")
    with pytest.raises(ValueError, match=f"talk.csv: row 2, column '{column}': got '9999"):
        read_utterances_csv(tmp_path / "talk.csv")


def test_time_stamps_order_a_dialogue_as_turns_do(tmp_path):
    stamps = ["1700000000250", "1700000000000", "1700000004000"]  # milliseconds
    rows = [f"d,turn {stamp},{stamp}" for stamp in stamps]
    (tmp_path / "talk.csv").write_text("\n".join(["dialogue,text,turn", *rows]))
    found = read_utterances_csv(tmp_path / "talk.csv")
    assert found.utterances["text"].tolist() == [f"turn {stamp}" for stamp in sorted(stamps)]
    (gap,) = found.left_out.to_dict("records")
    assert gap["reason"] == "turn number that no row has"
    assert (gap["items"], gap["example"]) == (4001 - 3, "d/1700000000001")


FILES = {
    "semicolons": (b"dialogue;text\na;hello, you\n", "'dialogue;text' .separated by semicolons."),
    "tabs": (b"dialogue\ttext\na\thello\n", "separated by tabs"),
    "UTF-16": ("dialogue,text\na,hello\n".encode("utf-16"), "it has NUL characters"),
    "NUL in a text": (b"dialogue,text\na,hel\0lo\n", "it has NUL characters"),
    "a workbook": (b"PK\x03\x04\0\0" + bytes(range(256)), "it has NUL characters"),
    "two files in one": (
        b"dialogue,text\na,hello\ndialogue,text\nb,you\n",
        ", line 3: the header once more",
    ),
    "a name in two Unicode forms": (
        "dialogue,text\ncafe\u0301,hello\ncaf\u00e9,you\n".encode(),
        r"row 2, column 'dialogue': got 'caf.xe9', expected 'cafe.u0301' as in an earlier row",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_form_is_one_sentence(tmp_path, name):
    content, message = FILES[name]
    (tmp_path / "talk.csv").write_bytes(content)
    with pytest.raises(ValueError, match=f"talk.csv.*{message}") as caught:
        read_utterances_csv(tmp_path / "talk.csv")
    assert "\n" not in str(caught.value)


def test_line_ends_of_old_macs_are_read(tmp_path):
    (tmp_path / "talk.csv").write_bytes(b"dialogue,text\ra,hello\ra,you\r")
    table = read_utterances_csv(tmp_path / "talk.csv").utterances
    assert table["text"].tolist() == ["hello", "you"]


def test_a_column_without_a_name_is_counted(tmp_path):
    """pandas writes one where the index is not left out."""
    (tmp_path / "talk.csv").write_text(",dialogue,text\n0,a,hello\n")
    (row,) = read_utterances_csv(tmp_path / "talk.csv").left_out.to_dict("records")
    assert row["reason"] == "column that is not read: (without a name)"


def test_a_path_that_is_too_long_is_named_with_its_row(tmp_path):
    (tmp_path / "talk.csv").write_text(f"dialogue,audio\na,{'a' * 5000}\n")
    with pytest.raises(FileNotFoundError, match=r"talk.csv lists .*row 1, column 'audio'; 1 of"):
        read_utterances_csv(tmp_path / "talk.csv")
