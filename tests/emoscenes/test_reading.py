"""Texts that the small language model is pretrained on: EmoReason's English, own scenes."""

from emoscenes import checker
from emoscenes.scenes import make_records
from emoscenes.text.reading import conversation_texts
from tinyemo.data.instructions import IMAGE_TOKEN
from tinyemo.emoreason.prompts import read_reasoning_question


def test_conversations_are_complete_and_depend_only_on_the_seed():
    talks = conversation_texts(60, seed=3)
    assert talks == conversation_texts(60, seed=3) != conversation_texts(60, seed=4)
    assert 4 * 60 < len(talks) < 7 * 60
    for turns in talks:
        for question, answer in turns:
            assert question and answer and IMAGE_TOKEN not in question
    explained = [turns for turns in talks if read_reasoning_question(turns[0][0])]
    assert len(explained) > 60 and all(checker.read(turns[0][1]).mentions for turns in explained)


def test_no_scene_of_the_texts_is_shown_in_a_notebook():
    shown, _ = make_records(300, 0, 0, seed=0)
    described, _ = make_records(300, 0, 0, seed=1000)
    assert not set(shown["group"]) & set(described["group"])
