"""Reading IEMOCAP's tree: against the made-up dialogues that were written, and the real counts."""

import numpy as np
import pytest
from iemocap_tree import (
    avi_file,
    evaluation_file,
    made_up_dialogues,
    transcript_file,
    wav_file,
    write_empty_media,
    write_tree,
)

from tinyemo.data.conversations import label_utterances, unlabelled_votes
from tinyemo.data.iemocap import read_iemocap

DIALOGUE = "Ses01F_scene01"


@pytest.fixture
def spoken():
    return made_up_dialogues()


@pytest.fixture
def tree(tmp_path, spoken):
    return write_tree(tmp_path / "IEMOCAP", spoken)


def replace(path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def add(path, line: str) -> None:
    path.write_text(path.read_text("utf-8") + line + "\n", encoding="utf-8")


def counts(left_out) -> dict[str, int]:
    """Reason without its remark in brackets -> items."""
    reasons = [reason.split(" (")[0] for reason in left_out["reason"]]
    return dict(zip(reasons, left_out["items"], strict=True))


def test_every_utterance_is_read_as_it_was_written(tree, spoken):
    utterances = read_iemocap(tree).utterances
    assert utterances["id"].tolist() == [f"IEMOCAP/{said.id}" for said in spoken]
    for column in ("text", "code", "votes", "self_votes", "dialogue"):
        assert utterances[column].tolist() == [getattr(said, column) for said in spoken]
    assert utterances["speaker"].tolist() == [f"Ses0{s.session}_{s.speaker}" for s in spoken]
    assert utterances["group"].tolist() == [f"Ses0{s.session}" for s in spoken]
    assert np.allclose(utterances["attr_start"], [said.start for said in spoken], atol=1e-4)
    assert (utterances["attr_valence"] == 2.5).all()
    assert (utterances["split"] == "train").all()


def test_a_rating_of_zero_is_not_known(tree):
    assert read_iemocap(tree).utterances["attr_dominance"].isna().all()


def test_turns_are_in_order_of_their_start(tree):
    transcript = transcript_file(tree, DIALOGUE)
    lines = transcript.read_text("utf-8").splitlines()
    transcript.write_text("\n".join(lines[::-1]))
    utterances = read_iemocap(tree).utterances
    for _, rows in utterances.groupby("dialogue"):
        assert rows["attr_start"].is_monotonic_increasing
        assert rows["turn"].tolist() == list(range(len(rows)))


def test_a_folder_around_the_sessions_is_accepted(tree):
    assert len(read_iemocap(tree.parent).utterances) == len(read_iemocap(tree).utterances)


def test_folders_of_dialogues_beside_the_sessions_are_counted(tree, spoken):
    (tree / "Session2").rename(tree / "session2")
    (tree / "Session6" / "dialog" / "EmoEvaluation").mkdir(parents=True)
    conversations = read_iemocap(tree)
    assert set(conversations.utterances["group"]) == {"Ses01"}
    found = counts(conversations.left_out)
    assert found["folder with dialogues that is none of Session1 to Session5"] == 2


def test_audio_and_the_speakers_half_of_the_picture_are_named(tree, spoken):
    write_empty_media(tree, spoken)
    conversations = read_iemocap(tree)
    assert conversations.left_out.empty
    rows = conversations.utterances
    assert rows["audio"].tolist() == [str(wav_file(tree, said)) for said in spoken]
    assert (rows["face"] == rows["video"]).all()
    for said, video in zip(spoken, rows["video"], strict=True):
        wears_markers = said.dialogue[5] == said.speaker
        left = 0 if wears_markers else 50
        path, fragment = video.split("#t=")
        times, area = fragment.split("&xywh=percent:")
        start, end = map(float, times.split(","))
        assert path == str(avi_file(tree, said.dialogue))
        assert (start, end) == pytest.approx((said.start, said.end), abs=1e-4)
        assert area == f"{left},0,50,100"


def test_the_half_of_the_picture_can_be_overridden_for_a_session(tree, spoken):
    write_empty_media(tree, spoken)
    before = read_iemocap(tree).utterances
    after = read_iemocap(tree, marker_half={"Ses02": "right"}).utterances
    changed = before["video"] != after["video"]
    assert (changed == (before["group"] == "Ses02")).all()
    with pytest.raises(ValueError, match="marker_half: got 'Ses06': 'left'"):
        read_iemocap(tree, marker_half={"Ses06": "left"})


def test_missing_media_are_counted(tree, spoken):
    write_empty_media(tree, spoken)
    wav_file(tree, spoken[0]).unlink()
    avi_file(tree, DIALOGUE).unlink()
    conversations = read_iemocap(tree)
    assert counts(conversations.left_out) == {"no wav file": 1, "no avi file": 14}
    assert conversations.utterances["audio"][0] == ""


def test_an_utterance_that_does_not_end_after_its_start_has_no_picture(tree, spoken):
    write_empty_media(tree, spoken)
    replace(evaluation_file(tree, DIALOGUE), f"- {spoken[0].end:.4f}]", "- 1.0000]")
    conversations = read_iemocap(tree)
    assert conversations.utterances["video"][0] == ""
    assert counts(conversations.left_out) == {"end not after start": 1}


def test_files_with_other_line_ends_and_encodings_are_read(tree, spoken):
    replace(transcript_file(tree, DIALOGUE), spoken[0].text, "It’s a café.")
    for path in (evaluation_file(tree, DIALOGUE), transcript_file(tree, DIALOGUE)):
        text = path.read_text("utf-8").replace("\n", "\r\n\r\n")
        path.write_bytes(text.encode("cp1252"))
    utterances = read_iemocap(tree).utterances
    assert utterances["text"][0] == "It’s a café."
    assert len(utterances) == len(spoken)


def test_other_files_in_the_folder_of_evaluations_are_not_read(tree, spoken):
    folder = evaluation_file(tree, DIALOGUE).parent
    (folder / f"._{DIALOGUE}.txt").write_bytes(b"\x00\x05\x16\x07")
    for name in ("Attribute", "Categorical", "Self-evaluation"):
        (folder / name).mkdir()
        (folder / name / f"{DIALOGUE}_e1.txt").write_text("not read\n")
    conversations = read_iemocap(tree)
    assert len(conversations.utterances) == len(spoken)
    assert counts(conversations.left_out)["text file without the name of a dialogue"] == 1


def test_an_utterance_in_one_text_file_only_is_kept_and_counted(tree, spoken):
    first, second = spoken[:2]
    transcript = transcript_file(tree, DIALOGUE)
    replace(transcript, first.id, f"{DIALOGUE}_FXX0")
    add(transcript, f"M: [LAUGHTER]\nF: and no time\n{second.id} [garbled]: {second.text}")
    conversations = read_iemocap(tree)
    found = counts(conversations.left_out)
    assert found["transcript without evaluation"] == 1
    assert found["evaluation without transcript"] == 1
    assert found["transcript line without an utterance id and its times"] == 3
    rows = conversations.utterances.set_index("id")
    assert len(rows) == len(spoken) + 1
    unevaluated = rows.loc[f"IEMOCAP/{DIALOGUE}_FXX0"]
    assert (unevaluated["code"], unevaluated["votes"], unevaluated["turn"]) == ("", [], 0)
    assert unevaluated["speaker"] == "Ses01_F"
    assert rows.loc[f"IEMOCAP/{first.id}", "text"] == ""
    assert rows.loc[f"IEMOCAP/{first.id}", "code"] == first.code


def test_a_transcript_line_that_stands_twice_counts_once(tree, spoken):
    transcript = transcript_file(tree, DIALOGUE)
    add(transcript, transcript.read_text("utf-8").splitlines()[0])
    conversations = read_iemocap(tree)
    assert len(conversations.utterances) == len(spoken)
    assert counts(conversations.left_out)["transcript line that stands twice"] == 1


def test_an_empty_category_is_no_vote(tree, spoken):
    said = next(said for said in spoken if said.votes[0] == ["neu"])
    path = evaluation_file(tree, said.dialogue)
    block = path.read_text("utf-8").index(said.id)
    text = path.read_text("utf-8")
    path.write_text(text[:block] + text[block:].replace("Neutral;\t", "Neutral state; ;\t", 1))
    row = read_iemocap(tree).utterances.set_index("id").loc[f"IEMOCAP/{said.id}"]
    assert row["votes"] == said.votes


def empty_votes(tree, said):
    path = evaluation_file(tree, said.dialogue)
    lines = path.read_text("utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if said.id in line)
    for number in range(place + 1, place + 4):
        lines[number] = f"C-E{number - place}:\t;\t()"
    path.write_text("\n".join(lines))


def copy_as(tree, name):
    """A copy of the first dialogue's files in Session2, under `name`."""
    for file in (evaluation_file, transcript_file):
        source, target = file(tree, DIALOGUE), file(tree, "Ses02F_scene01").with_name(f"{name}.txt")
        target.write_text(source.read_text("utf-8"))


DAMAGES = {
    "unknown code": (
        lambda tree, said: replace(evaluation_file(tree, DIALOGUE), f"\t{said.code}\t", "\tbor\t"),
        r"Ses01F_scene01.txt, line 3: label code 'bor': expected one of ang, dis, ",
    ),
    "unknown vote": (
        lambda tree, said: replace(evaluation_file(tree, DIALOGUE), "C-E1:\t", "C-E1:\tBored; "),
        r"Ses01F_scene01.txt, line 4: an annotator chose 'bored': expected one of neutral, ",
    ),
    "votes of nothing": (empty_votes, r"the votes for 'Ses01F_scene01_F000' sum to nothing"),
    "evaluated twice": (
        lambda tree, said: replace(evaluation_file(tree, DIALOGUE), "_F001", "_F000"),
        r"Ses01F_scene01.txt, line \d+: utterance 'Ses01F_scene01_F000' stands twice",
    ),
    "transcribed twice": (
        lambda tree, said: replace(transcript_file(tree, DIALOGUE), "_F001", "_F000"),
        r"transcriptions/Ses01F_scene01.txt, line 3: utterance 'Ses01F_scene01_F000' stands twice",
    ),
    "damaged line": (
        lambda tree, said: replace(evaluation_file(tree, DIALOGUE), "[1.0000 - ", "[1.0000 to "),
        r"Ses01F_scene01.txt, line 3: got .*, expected \[start - end\], id, code",
    ),
    "no transcript": (
        lambda tree, said: transcript_file(tree, DIALOGUE).unlink(),
        r"has .*EmoEvaluation/Ses01F_scene01.txt but not .*transcriptions/Ses01F_scene01.txt",
    ),
    "no evaluation": (
        lambda tree, said: evaluation_file(tree, DIALOGUE).unlink(),
        r"has .*transcriptions/Ses01F_scene01.txt but not .*EmoEvaluation/Ses01F_scene01.txt",
    ),
    "dialogue twice": (
        lambda tree, said: copy_as(tree, DIALOGUE),
        r"two dialogues with the id 'Ses01F_scene01': .*Session1.* and .*Session2",
    ),
    "utterance in two dialogues": (
        lambda tree, said: copy_as(tree, "Ses02F_scene09"),
        r"two utterances with the id 'Ses01F_scene01_[FM]00\d'",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_trees_are_refused_in_one_sentence(tree, spoken, damage):
    make, message = DAMAGES[damage]
    make(tree, spoken[0])
    with pytest.raises(ValueError, match=message) as error:
        read_iemocap(tree)
    assert "\n" not in str(error.value)


def test_a_folder_without_sessions_says_where_the_release_is_from(tmp_path):
    with pytest.raises(FileNotFoundError, match="Session1.*sail.usc.edu"):
        read_iemocap(tmp_path)


# ---- real data


@pytest.fixture(scope="module")
def real(test_data):
    folder = test_data / "iemocap_text"
    if not folder.is_dir():
        pytest.skip("no IEMOCAP in the folder of real data")
    return read_iemocap(folder)


def test_real_sessions_have_their_counts(real):
    rows = real.utterances
    assert (len(rows), rows["dialogue"].nunique(), rows["speaker"].nunique()) == (7869, 120, 8)
    sessions = {"Ses01": 1819, "Ses02": 1811, "Ses03": 2136, "Ses04": 2103}
    assert rows["group"].value_counts().to_dict() == sessions
    codes = {"xxx": 1987, "fru": 1468, "neu": 1324, "ang": 933, "sad": 839, "exc": 742}
    codes |= {"hap": 452, "sur": 89, "fea": 30, "oth": 3, "dis": 2}
    assert rows["code"].value_counts().to_dict() == codes
    assert counts(real.left_out) == {"no wav file": 7869, "no avi file": 7869}


def test_all_real_utterances_without_a_majority_have_votes_or_are_counted(real):
    open_ones = real.utterances["code"] == "xxx"
    assert real.utterances["votes"][open_ones].map(len).min() >= 2
    without_votes = {"iemocap4": 18, "iemocap6": 1, "iemocap9": 0, "iemocap10": 0}
    for label_set, expected in without_votes.items():
        records, left_out = unlabelled_votes(real.utterances, label_set)
        outside = left_out["items"][left_out["reason"].str.startswith("no vote")].sum()
        assert (len(records), outside) == (1987 - expected, expected)


def test_real_label_sets_have_their_counts(real):
    for label_set, expected in {"iemocap4": 4290, "iemocap6": 5758, "iemocap9": 5879}.items():
        records, left_out = label_utterances(real.utterances, label_set)
        left = left_out[~left_out["reason"].str.startswith("kept")]
        assert len(records) == expected
        assert len(records) + left["items"].sum() == 7869
