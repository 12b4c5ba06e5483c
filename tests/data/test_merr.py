"""Reading the lists, transcripts and captions of MERR and MER2023."""

import json

import pytest

from tinyemo.data.conversations import label_utterances
from tinyemo.data.merr import read_merr

LIST = "clip_a 120 happy -10\nclip_b 96 neutral -10\n\nclip_c 33 doubt -10\n"
SENTENCES = "name,sentence\nclip_a,Look at that.\nclip_b,The lift is on its way.\nclip_z,Never.\n"
COARSE = {"clip_a": {"caption": "raised cheeks"}, "clip_z": {"caption": "wide eyes"}}
FINE = {"clip_a": {"smp_reason_caption": "She smiles while she speaks."}}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "list.txt").write_text(LIST)
    (tmp_path / "sentences.csv").write_text(SENTENCES)
    (tmp_path / "coarse.json").write_text(json.dumps(COARSE))
    (tmp_path / "fine.json").write_text(json.dumps(FINE))
    (tmp_path / "clips").mkdir()
    for name in ("clip_a.mp4", "clip_b.avi", "clip_y.mp4", "._clip_c.mp4", "notes.txt"):
        (tmp_path / "clips" / name).touch()
    return tmp_path


def read_all(files):
    captions = [files / "coarse.json", files / "fine.json"]
    return read_merr(files / "list.txt", files / "sentences.csv", captions, files / "clips")


def test_every_line_of_a_list_is_a_dialogue_of_its_own(files):
    rows = read_merr(files / "list.txt", dataset="MER2023", split="test").utterances
    assert rows["id"].tolist() == ["MER2023/clip_a", "MER2023/clip_b", "MER2023/clip_c"]
    assert rows["dialogue"].tolist() == ["clip_a", "clip_b", "clip_c"]
    assert rows["turn"].tolist() == [0, 0, 0]
    assert rows["code"].tolist() == ["happy", "neutral", "doubt"]
    assert rows["attr_frames"].tolist() == [120, 96, 33]
    assert set(rows["split"]) == {"test"}
    records, left_out = label_utterances(rows, "mer6")
    assert records["label"].tolist() == ["happy", "neutral"]
    assert left_out["reason"][0] == "label outside mer6: doubt"


def test_transcripts_captions_and_clips_are_joined_by_name(files):
    rows = read_all(files).utterances
    assert rows["text"].tolist() == ["Look at that.", "The lift is on its way.", ""]
    assert rows["attr_caption"].tolist() == ["raised cheeks", "", ""]
    assert rows["attr_reason"].tolist() == ["She smiles while she speaks.", "", ""]
    clips = [str(files / "clips" / name) for name in ("clip_a.mp4", "clip_b.avi")]
    assert rows["audio"].tolist() == [*clips, ""]
    assert rows["video"].tolist() == rows["face"].tolist() == [*clips, ""]


def test_what_does_not_match_is_counted(files):
    assert read_all(files).left_out.values.tolist() == [
        ["not a clip (expected .mp4, .avi, .mov, .mkv)", 2, str(files / "clips" / "._clip_c.mp4")],
        ["no transcript", 1, "clip_c"],
        ["transcript of a clip that is not in the list", 1, "clip_z"],
        ["no file", 1, "clip_c"],
        ["file of a clip that is not in the list", 1, "clip_y"],
        ["no caption", 2, "clip_b"],
        ["caption of a clip that is not in the list", 1, "clip_z"],
        ["no smp_reason_caption", 2, "clip_b"],
    ]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("list.txt", "clip_a 120", "list.txt, line 1: got 'clip_a 120', expected a name, a number"),
        ("list.txt", "clip_a 120 merry -10", "list.txt, line 1: .* one of neutral, angry"),
        ("list.txt", LIST + "clip_a 1 sad -10", "line 5: 'clip_a' stands in line 1 already"),
        ("list.txt", "\n", "list.txt: no line of the form"),
        ("sentences.csv", "name,text\na,b\n", "sentences.csv: column 'sentence' is missing"),
        ("sentences.csv", SENTENCES + "clip_a,No.\n", "row 1, column 'name': got 'clip_a', expec"),
        ("coarse.json", '{"clip_a": "smiles"}', "coarse.json: key 'clip_a': expected an object"),
        ("fine.json", '{"clip_a": {"caption": "other"}}', "fine.json: key 'clip_a': 'caption' dif"),
        ("clips/clip_a.avi", "", "clip_a.mp4: .*clip_a.avi has the same name"),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(files, file, content, message):
    (files / file).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        read_all(files)
    assert "\n" not in str(error.value)


def test_a_missing_folder_of_clips_is_named(files):
    with pytest.raises(FileNotFoundError, match="folder of clips not found: .*elsewhere"):
        read_merr(files / "list.txt", clips=files / "elsewhere")
