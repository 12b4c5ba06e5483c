"""What the small LM reads: in the words of EmoReason, of scenes of its own, without what is kept for the test."""

from emoscenes.mentions import mentions
from emoscenes.scenes import make_records
from emoscenes.text.reading import conversation_texts
from tinyemo.data.instructions import IMAGE_TOKEN
from tinyemo.emoreason.prompts import read_reasoning_question


def test_conversations_are_whole_and_depend_on_the_seed_alone():
    talks = conversation_texts(60, seed=3)
    assert talks == conversation_texts(60, seed=3) != conversation_texts(60, seed=4)
    assert 4 * 60 < len(talks) < 7 * 60
    assert all(
        question and answer and IMAGE_TOKEN not in question
        for turns in talks
        for question, answer in turns
    )
    explained = [turns for turns in talks if read_reasoning_question(turns[0][0])]
    assert len(explained) > 60 and all(mentions(turns[0][1]) for turns in explained)


def test_it_reads_of_no_scene_that_a_notebook_shows():
    shown, _ = make_records(300, 0, 0, seed=0)
    read, _ = make_records(300, 0, 0, seed=1000)
    assert not set(shown["group"]) & set(read["group"])
