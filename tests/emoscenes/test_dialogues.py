"""Dialogues: the table, votes, transcripts and vectors agree with the model that they come from."""

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from emoscenes.dialogue_model import MODEL, STREAMS, UNSEEN, majority
from emoscenes.dialogue_vectors import OFFSETS, directions
from emoscenes.dialogues import make_dialogues, sample_turns
from emoscenes.text.utterances import _SLOTS, _TABLE, PHRASES, PHRASES_PER_CODE
from tinyemo.data.conversations import label_utterances
from tinyemo.data.utterances import NO_MAJORITY
from tinyemo.emotion_words import EMOTION_WORDS
from tinyemo.emotions import CONVERSATION_LABEL_SETS, labels_of


@pytest.fixture(scope="module")
def dialogues():
    return make_dialogues(10_000, seed=0)


def test_the_same_seed_gives_the_same_dataset():
    one, again, other = (make_dialogues(203, seed=seed) for seed in (3, 3, 4))
    assert one.utterances.equals(again.utterances) and one.truth.equals(again.truth)
    for stream in STREAMS:
        assert np.array_equal(one.streams[stream], again.streams[stream])
        assert not np.allclose(one.streams[stream], other.streams[stream])
    assert not one.utterances["text"].equals(other.utterances["text"])
    assert len(one.utterances) == 203


def test_five_sessions_of_two_speakers_that_are_in_no_other(dialogues):
    table = dialogues.utterances
    assert table.groupby("group").size().to_dict() == {f"session{k}": 2000 for k in range(1, 6)}
    assert (table.groupby("group")["speaker"].nunique() == 2).all()
    assert table["speaker"].nunique() == 10
    traits = dialogues.truth["trait"].groupby(table["speaker"]).agg(["first", "nunique"])
    assert traits["nunique"].max() == 1
    assert traits["first"].value_counts().to_dict() == {"open": 5, "guarded": 5}


def test_lengths_and_times_of_dialogues(dialogues):
    table = dialogues.utterances
    lengths = table.groupby(["group", "dialogue"]).size()
    cut = lengths.groupby("group").tail(1).index
    assert lengths.drop(cut).between(*MODEL.turns).all()
    assert (table["attr_end"] > table["attr_start"]).all()
    gaps = table["attr_start"].diff()[table["turn"] > 0]
    assert gaps.min() > 0


@pytest.mark.parametrize("label_set", ["iemocap4", "iemocap6", "iemocap9"])
def test_records_of_every_label_set_follow_from_the_codes(dialogues, label_set):
    records, left_out = label_utterances(dialogues.utterances, label_set)
    assert set(records["label"]) == set(labels_of(label_set))
    assert records["label"].value_counts().min() >= 100
    without = left_out[~left_out["reason"].str.startswith("kept")].set_index("reason")["items"]
    assert len(records) + without.sum() == 10_000
    assert 1000 < without["no majority (xxx)"] < 1500


def test_codes_are_the_majority_of_votes_with_the_models_probabilities(dialogues):
    table, truth = dialogues.utterances, dialogues.truth
    words = [*MODEL.codes, NO_MAJORITY]
    for votes, code in zip(table["votes"], table["code"], strict=True):
        named = [MODEL.codes.index(one) for (one,) in votes]
        assert len(named) == 3 and words[majority(named, len(MODEL.codes))] == code
    for emotion, expected in zip(MODEL.codes, MODEL.label_given_emotion, strict=True):
        codes = table["code"][truth["emotion"] == emotion]
        shares = np.array([(codes == word).mean() for word in words])
        error = np.sqrt(expected * (1 - expected) / len(codes)) + 1e-3
        assert (np.abs(shares - expected) < 4 * error).all(), emotion


def test_sampled_turns_follow_the_transitions_and_the_cue_tables():
    rng = np.random.default_rng(0)
    lengths, traits = np.full(4000, 8), rng.integers(2, size=(4000, 2))
    turns = sample_turns(lengths, traits, rng)
    # two persons in turn: the speaker of turn 2 spoke in turn 0, the partner in turn 1
    speaker, emotion = turns.speaker, turns.emotion
    alternate = (speaker[:, 0] == speaker[:, 2]) & (speaker[:, 0] != speaker[:, 1])
    own, partner, new = emotion[alternate, 0], emotion[alternate, 1], emotion[alternate, 2]
    assert alternate.mean() == pytest.approx((1 - MODEL.same_speaker) ** 2, abs=0.03)
    expected = MODEL.transitions[own, partner]  # (n, E)
    for code in range(len(MODEL.codes)):
        p = expected[:, code]
        assert abs((new == code).mean() - p.mean()) < 4 * np.sqrt(p.mean() / len(p))
    assert (new == own).mean() == pytest.approx(expected[np.arange(len(own)), own].mean(), abs=0.04)

    counts = np.bincount(emotion.ravel(), minlength=9) / emotion.size
    assert np.allclose(counts, MODEL.prior, atol=0.015)
    for column, stream in enumerate(STREAMS):
        table = MODEL.cues[stream][turns.trait, turns.irony, turns.overflow, emotion]
        shown = np.bincount(turns.cues[..., column].ravel()) / emotion.size
        assert np.allclose(shown, table.mean(axis=(0, 1)), atol=0.008)


def test_transcripts_say_what_the_text_cue_names(dialogues):
    patterns = {}
    for code, phrases in PHRASES.items():
        assert len(phrases) == PHRASES_PER_CODE
        options = "|".join(re.sub(r"\\{\w+\\}", ".+", re.escape(phrase)) for phrase in phrases)
        patterns[code] = re.compile(f"({options})", re.IGNORECASE)
    assert list(PHRASES) == list(MODEL.codes)
    texts, cues = dialogues.utterances["text"], dialogues.truth["cue_text"]
    for text, cue in zip(texts[:2000], cues[:2000], strict=True):
        found = [code for code, pattern in patterns.items() if pattern.search(text)]
        assert found == [MODEL.codes[cue]], text
    assert texts.nunique() > 3000 and not texts.str.contains("[{}]|,,|\\?[.,]").any()


def test_no_transcript_contains_a_word_for_an_emotion():
    labels = {label for labels in CONVERSATION_LABEL_SETS.values() for label in labels}
    words = {*EMOTION_WORDS, *labels} - {"neutral", "other"}
    parts = [*_TABLE["openers"], *_TABLE["closers"]]
    for options in (*_SLOTS.values(), *PHRASES.values()):
        parts += options
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
    assert [part for part in parts if pattern.search(part)] == []


@pytest.mark.parametrize("stream", STREAMS)
def test_cues_of_unseen_speakers_can_be_read_from_the_vectors(dialogues, stream):
    vectors, cues = dialogues.streams[stream], dialogues.truth[f"cue_{stream}"]
    assert vectors.shape == (10_000, MODEL.widths[stream]) and vectors.dtype == np.float32
    train = (dialogues.utterances["group"] != "session5").to_numpy()
    subset = np.flatnonzero(train)[::4]
    reader = LogisticRegression(max_iter=100).fit(vectors[subset], cues[subset])
    assert reader.score(vectors[~train], cues[~train]) > 0.995


def test_speakers_differ_only_in_directions_without_a_cue(dialogues):
    truth, speaker = dialogues.truth, dialogues.utterances["speaker"]
    for stream in STREAMS:
        inner = dialogues.streams[stream] @ directions(stream).T  # (N, D)
        offsets = inner[:, -OFFSETS:]
        centres = np.array([offsets[speaker == one].mean(axis=0) for one in sorted(set(speaker))])
        assert centres.std(axis=0).mean() > 0.4
        within = offsets - centres[np.searchsorted(sorted(set(speaker)), speaker)]
        assert within.std() == pytest.approx(0.12, abs=0.005)
        for cue in sorted(set(truth[f"cue_{stream}"])):
            of_cue = within[truth[f"cue_{stream}"] == cue]
            assert np.abs(of_cue.mean(axis=0)).max() < 5 * 0.12 / np.sqrt(len(of_cue))


def test_missing_streams_are_marked_everywhere():
    whole, lacking = make_dialogues(2000, seed=1), make_dialogues(2000, seed=1, missing=0.2)
    assert lacking.utterances.equals(whole.utterances)
    for stream in STREAMS:
        present = lacking.present[stream]
        assert (~present).mean() == pytest.approx(0 if stream == "text" else 0.2, abs=0.04)
        assert np.isnan(lacking.streams[stream][~present]).all()
        assert np.array_equal(lacking.streams[stream][present], whole.streams[stream][present])
        assert ((lacking.truth[f"cue_{stream}"] == UNSEEN) == ~present).all()
        assert whole.present[stream].all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"n": 99}, "n=99: expected at least 100"), ({"missing": 1.0}, "missing=1.0: expected a sh")],
)
def test_impossible_sizes_and_shares_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_dialogues(**arguments)
