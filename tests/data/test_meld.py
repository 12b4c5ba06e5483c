"""Reading MELD's files: a small folder with made-up lines, and the real counts."""

import pandas as pd
import pytest

from tinyemo.data.conversations import label_utterances
from tinyemo.data.meld import read_meld

COLUMNS = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,"
    "StartTime,EndTime"
)
TRAIN = [
    (0, 0, "Nora", "neutral", "The kettle’s on."),
    (0, 1, "Tim", "joy", "Tea – lovely, don’t wait."),
    (0, 3, "Nora", "anger", "That was my cup!"),
    (1, 0, "Tim", "sadness", "It’s broken."),
]
DEV = [(0, 0, "Nora", "fear", "Is the gas off?"), (0, 1, "Ida", "surprise", "It is!")]


def write_split(folder, word, rows, encoding="utf-8", extra=()):
    lines = [COLUMNS]
    for number, (dialogue, utterance, speaker, emotion, text) in enumerate(rows, 1):
        start, end = f"00:01:0{utterance},500", f"00:01:0{utterance + 1},250"
        lines.append(
            f'{number},"{text}",{speaker},{emotion},none,{dialogue},{utterance},1,2,'
            f'"{start}","{end}"'
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{word}_sent_emo.csv"
    path.write_bytes("\r\n".join([*lines, *extra, ""]).encode(encoding))
    return path


@pytest.fixture
def folder(tmp_path):
    write_split(tmp_path, "train", TRAIN)
    write_split(tmp_path, "dev", DEV)
    return tmp_path


def test_dialogues_of_all_splits_get_distinct_names(folder):
    rows = read_meld(folder).utterances
    assert rows["id"].tolist() == [
        *("MELD/train/dia0_utt0", "MELD/train/dia0_utt1", "MELD/train/dia0_utt3"),
        *("MELD/train/dia1_utt0", "MELD/dev/dia0_utt0", "MELD/dev/dia0_utt1"),
    ]
    assert rows["dialogue"].tolist() == ["train/dia0"] * 3 + ["train/dia1"] + ["dev/dia0"] * 2
    assert (rows["group"] == rows["dialogue"]).all()
    assert rows["split"].tolist() == ["train"] * 4 + ["validation"] * 2
    assert rows["turn"].tolist() == [0, 1, 2, 0, 0, 1]
    assert rows["speaker"].tolist() == ["Nora", "Tim", "Nora", "Tim", "Nora", "Ida"]
    assert rows["code"].tolist() == ["neutral", "joy", "anger", "sadness", "fear", "surprise"]
    assert rows["attr_start"].tolist() == [60.5, 61.5, 63.5, 60.5, 60.5, 61.5]


def test_what_is_missing_is_counted(folder):
    left_out = read_meld(folder).left_out
    assert left_out.values.tolist() == [
        ["utterance number that train_sent_emo.csv leaves out", 1, "train/dia0/2"],
        ["no folder train_splits (audio, video and face are missing)", 4, "dia0_utt0"],
        ["no folder dev_splits_complete (audio, video and face are missing)", 2, "dia0_utt0"],
    ]


def test_both_forms_of_damaged_apostrophes_are_repaired(folder):
    expected = read_meld(folder).utterances["text"].tolist()
    assert expected[0] == "The kettle’s on."
    write_split(folder, "train", TRAIN, "cp1252")
    assert read_meld(folder).utterances["text"].tolist() == expected
    # cp1252 read as Latin-1 and written as UTF-8: ’ became U+0092
    damaged = [(*row, text.encode("cp1252").decode("latin-1")) for *row, text in TRAIN]
    assert damaged[0][-1] == "The kettle\x92s on."
    write_split(folder, "train", damaged)
    assert read_meld(folder).utterances["text"].tolist() == expected


def test_a_row_that_stands_twice_counts_once(folder):
    write_split(folder, "train", [*TRAIN, TRAIN[1]])
    conversations = read_meld(folder)
    assert len(conversations.utterances) == 6
    reasons = conversations.left_out.set_index("reason")["items"]
    assert reasons["row that stands twice in train_sent_emo.csv"] == 1


def test_empty_texts_and_unreadable_times_are_kept_and_counted(folder):
    row = '9,"",Tim,joy,none,2,0,1,2,"noon","00:00:02,000"'
    write_split(folder, "train", TRAIN, extra=[row])
    conversations = read_meld(folder)
    reasons = conversations.left_out.set_index("reason")["items"]
    assert reasons["empty text in train_sent_emo.csv"] == 1
    assert reasons["time that is not HH:MM:SS,mmm in train_sent_emo.csv"] == 1
    kept = conversations.utterances.set_index("id").loc["MELD/train/dia2_utt0"]
    assert kept["text"] == "" and pd.isna(kept["attr_start"]) and kept["attr_end"] == 2


def test_clips_of_the_release_are_named(folder):
    clips = folder / "train" / "train_splits"
    clips.mkdir(parents=True)
    for name in ("dia0_utt0", "dia0_utt1", "dia9_utt9"):
        (clips / f"{name}.mp4").touch()
    conversations = read_meld(folder)
    rows = conversations.utterances.set_index("id")
    clip = str(clips / "dia0_utt1.mp4")
    assert (rows.loc["MELD/train/dia0_utt1", ["audio", "video", "face"]] == clip).all()
    assert rows.loc["MELD/train/dia1_utt0", "video"] == ""
    reasons = conversations.left_out.set_index("reason")["items"]
    assert reasons["no clip in train_splits (audio, video and face are missing)"] == 2
    assert reasons["clip in train_splits that no row names"] == 1


def test_train_alone_is_enough_and_necessary(tmp_path):
    write_split(tmp_path / "data", "train", TRAIN)
    assert len(read_meld(tmp_path).utterances) == 4  # in a folder below the given one
    with pytest.raises(FileNotFoundError, match="train_sent_emo.csv; expected the CSV files"):
        read_meld(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Dialogue_ID", "Scene", "column 'Dialogue_ID' is missing: expected Utterance, Speaker"),
        (",joy,", ",glee,", "row 2, column 'Emotion': got 'glee', expected one of anger, "),
        (
            ",1,0,1,2,",
            ",one,0,1,2,",
            "row 4, column 'Dialogue_ID': got 'one', expected a whole",
        ),
        (",0,1,1,2,", ",0,0,1,2,", "row 2, column 'id': got 'MELD/train/dia0_utt0', expected"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(folder, old, new, message):
    path = folder / "train_sent_emo.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=f"train_sent_emo.csv: {message}"):
        read_meld(folder)


def test_real_files_have_their_counts(test_data):
    if not (test_data / "meld").is_dir():
        pytest.skip("no MELD in the folder of real data")
    conversations = read_meld(test_data / "meld")
    rows = conversations.utterances
    for split, items, dialogues, speakers in (
        ("train", 9989, 1038, 260),
        ("validation", 1109, 114, 47),
    ):
        part = rows[rows["split"] == split]
        assert (len(part), part["dialogue"].nunique()) == (items, dialogues)
        assert part["speaker"].nunique() == speakers
    records, _ = label_utterances(rows, "meld7")
    labels = {"neutral": 4710, "joy": 1743, "surprise": 1205, "anger": 1109}
    labels |= {"sadness": 683, "disgust": 271, "fear": 268}
    train = records[records["split"] == "train"]
    assert train["label"].value_counts().to_dict() == labels
    reasons = conversations.left_out.set_index("reason")["items"]
    assert reasons["utterance number that train_sent_emo.csv leaves out"] == 100
    assert reasons["utterance number that dev_sent_emo.csv leaves out"] == 4
    assert rows["attr_end"].gt(rows["attr_start"]).all()
    assert not rows["text"].str.contains("[\x80-\x9f]").any()


def test_a_list_of_utterances_that_is_not_read_is_counted(folder):
    write_split(folder / "old", "train", TRAIN)
    (folder / "train_sent_emo.csv").rename(folder / "train_sent_emo (1).csv")
    conversations = read_meld(folder)
    assert len(conversations.utterances) == 6
    reasons = conversations.left_out.set_index("reason")
    row = reasons.loc["list of utterances that is not read"]
    assert (row["items"], row["example"]) == (1, str(folder / "train_sent_emo (1).csv"))
