"""The choice of the reader by what a source holds, and the file of the utterance table."""

import pandas as pd
import pytest
from iemocap_tree import made_up_dialogues, write_tree

from tinyemo.data.conversation_sources import (
    kind_of,
    read_conversations,
    read_utterances,
    write_utterances,
)

MELD = (
    "Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID,StartTime,EndTime\n"
    'Is it raining?,Ida,neutral,0,0,"00:00:01,000","00:00:02,000"\n'
)


@pytest.fixture
def sources(tmp_path):
    """One source of each kind."""
    paths = {"iemocap": write_tree(tmp_path / "iemocap", made_up_dialogues(1, 1))}
    paths["meld"] = tmp_path / "meld"
    paths["clips"] = tmp_path / "clips"
    for kind in ("meld", "clips"):
        paths[kind].mkdir()
    (paths["meld"] / "train_sent_emo.csv").write_text(MELD)
    (paths["clips"] / "a.mp4").touch()
    paths["csv"] = tmp_path / "talks.CSV"
    paths["csv"].write_text("dialogue,text,votes_ang,votes_sad\nd0,Go away!,2,1\nd0,Why?,,\n")
    return paths


def test_the_reader_is_chosen_by_what_the_source_holds(sources, tmp_path):
    assert {kind: kind_of(source) for kind, source in sources.items()} == {
        kind: kind for kind in sources
    }
    datasets = {
        kind: read_conversations(source).utterances["dataset"][0]
        for kind, source in sources.items()
    }
    assert datasets == {"iemocap": "IEMOCAP", "meld": "MELD", "clips": "clips", "csv": "talks"}
    (tmp_path / "around").mkdir()
    for name in ("iemocap", "meld"):
        sources[name].rename(tmp_path / "around" / name)
        assert kind_of(tmp_path / "around") == name
        (tmp_path / "around" / name).rename(sources[name])


def test_a_source_of_no_known_kind_is_one_sentence_that_says_what_is_expected(sources, tmp_path):
    with pytest.raises(FileNotFoundError, match="not found: .*nowhere; expected a folder of clips"):
        read_conversations(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="a.mp4: a file that is no CSV; expected a folder of clip"):
        read_conversations(sources["clips"] / "a.mp4")
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match=r"none: no clip in it; .* The source may be a folder of"):
        read_conversations(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no session of IEMOCAP found"):
        read_conversations(sources["iemocap"] / "Session1")
    with pytest.raises(FileNotFoundError, match="no session of IEMOCAP found"):
        read_conversations(sources["clips"], "iemocap")
    with pytest.raises(ValueError, match="unknown kind of source 'video': expected one of iemocap"):
        read_conversations(sources["clips"], "video")


@pytest.mark.parametrize("kind", ["iemocap", "meld", "clips", "csv"])
def test_a_table_is_read_as_it_was_written(sources, kind, tmp_path):
    table = read_conversations(sources[kind]).utterances
    path = write_utterances(table, tmp_path / "utterances.parquet")
    again = read_utterances(path)
    for column in table:
        pd.testing.assert_series_equal(again[column], table[column], check_dtype=False)
    assert again["votes"].tolist() == table["votes"].tolist()  # lists of lists, not arrays


def test_a_file_that_is_no_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a parquet table at .*x.parquet"):
        read_utterances(tmp_path / "x.parquet")
    (tmp_path / "x.parquet").write_text("no table")
    with pytest.raises(ValueError, match="x.parquet: not a readable parquet table"):
        read_utterances(tmp_path / "x.parquet")


def test_a_table_without_votes_in_a_row_is_refused(sources, tmp_path):
    path = tmp_path / "utterances.parquet"
    read_conversations(sources["csv"]).utterances.assign(votes=None).to_parquet(path)
    with pytest.raises(ValueError, match="utterances.parquet: row 1 .*column 'votes': got None"):
        read_utterances(path)
