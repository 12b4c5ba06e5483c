"""The model of the dialogues: probabilities, stationarity, likelihoods, labels; what is refused."""

from itertools import product

import numpy as np
import pytest
import yaml

from emoscenes.dialogue_model import (
    MODEL,
    PATH,
    STREAMS,
    UNSEEN,
    label_codes,
    majority,
    read_model,
)


def test_all_tables_are_distributions():
    assert MODEL.prior.sum() == pytest.approx(1)
    tables = [MODEL.transitions, MODEL.votes, MODEL.label_given_emotion, *MODEL.cues.values()]
    for table in tables:
        assert table.min() >= 0
        assert np.allclose(table.sum(axis=-1), 1)


@pytest.mark.parametrize("coupling", ["independent", "the same emotion"])
def test_the_prior_does_not_change_from_turn_to_turn(coupling):
    before = np.outer(MODEL.prior, MODEL.prior)  # p(own last, the partner's last)
    if coupling == "the same emotion":
        before = np.diag(MODEL.prior)
    assert np.allclose(np.einsum("ab,abe->e", before, MODEL.transitions), MODEL.prior)


def test_likelihood_sums_over_the_hidden_events():
    rng = np.random.default_rng(0)
    counts = [table.shape[-1] for table in MODEL.cues.values()]
    cues = rng.integers(counts, size=(3, 4))
    cues[1, 2] = UNSEEN
    expected = np.zeros((3, len(MODEL.traits), len(MODEL.codes)))
    for row, trait, emotion in np.ndindex(expected.shape):
        for ironic, overflowing in product((0, 1), repeat=2):
            p = MODEL.irony[trait, emotion] if ironic else 1 - MODEL.irony[trait, emotion]
            q = MODEL.overflow[trait, emotion]
            p *= q if overflowing else 1 - q
            for column, stream in enumerate(STREAMS):
                if cues[row, column] != UNSEEN:
                    table = MODEL.cues[stream]
                    p *= table[trait, ironic, overflowing, emotion, cues[row, column]]
            expected[row, trait, emotion] += p
    assert np.allclose(MODEL.likelihood(cues), expected)


def test_irony_turns_the_words_and_is_marked_in_the_voice():
    hap, sad = MODEL.codes.index("hap"), MODEL.codes.index("sad")
    for trait in range(len(MODEL.traits)):
        plain, ironic = MODEL.cues["text"][trait, :, 0]  # (E, cues) each
        assert plain[hap].argmax() == hap and ironic[hap].argmax() == sad
        assert np.array_equal(plain[sad], ironic[hap])
        voice = MODEL.cues["audio"][trait, :, 0, hap]  # (2, cues)
        marked = voice[:, 1::2].sum(axis=1)
        assert marked == pytest.approx([0.06, 0.94])
        assert np.allclose(voice[0, ::2] + voice[0, 1::2], voice[1, ::2] + voice[1, 1::2])


def test_a_rare_emotion_has_no_opposite():
    for code in ("dis", "fea", "sur"):
        own = MODEL.codes.index(code)
        assert MODEL.irony[:, own].max() == MODEL.overflow[:, own].max() == 0


def test_two_of_three_annotators_make_the_label():
    p = MODEL.votes
    expected = p**3 + 3 * p**2 * (1 - p)  # all three, or exactly two, name the code
    assert np.allclose(MODEL.label_given_emotion[:, :-1], expected)
    assert majority([2, 0, 2], 5) == 2
    assert majority([2, 0, 1], 5) == 5


def test_coarser_label_sets_join_codes():
    assert label_codes("iemocap4")["happiness"] == ["hap", "exc"]
    assert list(label_codes("iemocap6")) == [
        "anger",
        "excitement",
        "frustration",
        "happiness",
        "neutral",
        "sadness",
    ]
    assert label_codes("iemocap10") == label_codes("iemocap9")
    with pytest.raises(ValueError, match="'meld7' does not fit the dialogues: expected iemocap4, "):
        label_codes("meld7")


def with_entry(path, value):
    """The shipped table with another value at `path`."""
    table = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    *parents, last = path
    part = table
    for key in parents:
        part = part[key]
    part[last] = value
    return table


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("inertia",), 0.9, "inertia, response: expected a sum below 1"),
        (("streams", "face", "clear"), 0.95, r"streams, face: expected clear \+ near below 1"),
        (("streams", "audio", "marks"), "haste", "streams, audio: expected an event"),
        (("response_groups",), [["ang"]], "response_groups: expected each code in exactly one"),
        (("streams", "text", "groups", 0), ["ang"], "streams, text, groups: expected each code"),
        (("votes", "ang"), {"ang": 0.1}, "votes, ang: expected other codes than its own"),
        (("votes", "ang"), {"fru": 0.6}, "votes, ang: expected a sum below 0.5"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tmp_path, path, value, message):
    changed = tmp_path / "own.yaml"
    changed.write_text(yaml.safe_dump(with_entry(path, value), sort_keys=False))
    with pytest.raises(ValueError, match=f"own.yaml, {message}"):
        read_model(changed)
