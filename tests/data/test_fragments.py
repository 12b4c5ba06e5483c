"""Media fragments: what the utterance table writes is read back, and the rest is refused."""

import math
from pathlib import Path

import pytest

from tinyemo.data.fragments import MediaPart, media_part, split_fragment
from tinyemo.data.utterances import media_fragment


def test_a_path_is_the_whole_file():
    assert media_part("a/b.mp4") == MediaPart(Path("a/b.mp4"), 0, math.inf, None)
    assert media_part(Path("a/b.mp4")).box(720, 480) is None


def test_what_the_utterance_table_writes_is_read_back():
    left = media_part(media_fragment("dir/clip.avi", 6.2901, 8.24, "left"))
    assert left == MediaPart(Path("dir/clip.avi"), 6.2901, 8.24, (0, 0, 50, 100), True)
    assert left.box(720, 480) == (0, 0, 360, 480)
    right = media_part(media_fragment("dir/clip.avi", 6.2901, 8.24, "right"))
    assert right.box(721, 480) == (360, 0, 721, 480)  # the box ends with the picture


def test_other_spellings_of_the_standard_are_read():
    assert media_part("a.avi#t=npt:3") == MediaPart(Path("a.avi"), 3, math.inf)
    assert media_part("a.avi#t=,2.5").end == 2.5
    pixels = media_part("a.avi#xywh=10,20,30,40")
    assert pixels.box(720, 480) == (10, 20, 40, 60)
    assert media_part("a.avi#xywh=pixel:10,20,30,40") == pixels
    assert pixels.box(5, 5) == (5, 5, 5, 5)  # outside a small picture: empty


def test_a_number_sign_in_the_name_of_a_file_is_no_fragment():
    assert media_part("take #2.wav").path == Path("take #2.wav")
    assert split_fragment("take #2.wav#t=1,2") == ("take #2.wav", "t=1,2")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a.avi#t=3,2", "from 3 s to 2 s is empty"),
        ("a.avi#t=2,2", "is empty"),
        ("a.avi#t=-1,2", "is empty"),
        ("a.avi#t=one,2", "'one'"),
        ("a.avi#t=nan,2", "NaN"),
        ("a.avi#t=1,2&track=2", "'track=2'"),
        ("a.avi#xywh=percent:0,0,50", "cannot read the region"),
        ("a.avi#xywh=inch:0,0,5,5", "cannot read the region"),
        ("a.avi#xywh=0,0,0,5", "is empty"),
    ],
)
def test_a_fragment_that_cannot_be_read_is_named_in_one_sentence(source, says):
    with pytest.raises(ValueError, match=f"^{source}: .*{says}") as caught:
        media_part(source)
    assert "\n" not in str(caught.value)
