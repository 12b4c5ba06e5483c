"""The data of a study: vectors of stores, missing streams, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emoscenes.dialogues import make_dialogues
from tinyemo.features.store import FeatureStore
from tinyemo.models.anchors import load_tokenizer
from tinyemo.training.conversation_data import (
    conversation_data,
    default_tokenizer,
    vectors_of_arrays,
    vectors_of_stores,
)


@pytest.fixture(scope="module")
def made():
    return make_dialogues(200, seed=5, missing=0.3)


def data_of(made, streams):
    return conversation_data(made.utterances, "iemocap6", streams, "tokenizer")


def test_utterances_that_are_not_in_a_store_lack_the_stream(made, tmp_path):
    ids = made.utterances["id"]
    stored = ids[::3].tolist()[::-1]
    pooled = torch.randn(len(stored), 4)
    store = FeatureStore.write(tmp_path / "audio", stored, pooled)
    found = vectors_of_stores(made.utterances, {"audio": store})["audio"]
    assert list(np.flatnonzero(found.present)) == list(range(0, 200, 3))
    for row, name in enumerate(stored):
        place = ids.tolist().index(name)
        torch.testing.assert_close(found.vectors[place], pooled[row])


def test_a_store_of_other_utterances_is_refused(made, tmp_path):
    store = FeatureStore.write(tmp_path / "audio", ["other/1"], torch.randn(1, 4))
    with pytest.raises(ValueError, match="none of the 200 utterances"):
        vectors_of_stores(made.utterances, {"audio": store})


def test_missing_vectors_of_arrays_are_finite(made):
    found = vectors_of_arrays(made.streams, made.present)["audio"]
    assert torch.isfinite(found.vectors).all()
    assert 0 < found.present.sum() < 200


def test_labels_prior_and_shares_are_those_of_the_records(made):
    data, left_out = data_of(made, vectors_of_arrays(made.streams, made.present))
    assert len(data.records) + left_out["items"].sum() >= 200
    some = data.records["id"].tolist()[:50]
    counts = data.chosen(some)["label"].value_counts(normalize=True)
    for label, share in zip(data.labels, data.prior(some), strict=True):
        assert share == pytest.approx(counts.get(label, 0))
    assert (data.utterances["id"].to_numpy()[data.rows(some)] == some).all()
    assert set(data.undecided["id"]).isdisjoint(data.records["id"])


def test_a_stream_that_a_whole_session_lacks_is_refused(made):
    streams = vectors_of_arrays(made.streams, made.present)
    lacking = (made.utterances["group"] == "session2").to_numpy()
    audio = replace(streams["audio"], present=streams["audio"].present & ~lacking)
    with pytest.raises(ValueError, match="'audio': no utterance of group 'session2' has it"):
        data_of(made, {**streams, "audio": audio})


def test_the_key_follows_the_data(made):
    streams = vectors_of_arrays(made.streams, made.present)
    data, _ = data_of(made, streams)
    changed = replace(streams["face"], vectors=streams["face"].vectors + 1)
    other, _ = data_of(made, {**streams, "face": changed})
    assert data.key == data_of(made, streams)[0].key != other.key


def test_the_key_follows_the_tokenizer_and_not_its_folder(made, tmp_path):
    streams = vectors_of_arrays(made.streams, made.present)
    keys = []
    for folder, table in (
        ("a", made.utterances),
        ("moved", made.utterances),
        ("b", made.utterances.assign(text="quite other words")),
    ):
        tokenizer = default_tokenizer(table, "", tmp_path / folder)
        data, _ = conversation_data(made.utterances, "iemocap6", streams, tokenizer)
        keys.append(data.key)
    assert keys[0] == keys[1] != keys[2]


def test_the_default_tokenizer_knows_prompts_and_frequent_words(made, tmp_path):
    folder = default_tokenizer(made.utterances, "", tmp_path / "tokenizer")
    tokenizer = load_tokenizer(folder)
    for word in ("speaker", "happiness", "yes", "assistant"):
        assert tokenizer.unk_token_id not in tokenizer(word)["input_ids"]
    assert default_tokenizer(made.utterances, "some/lm", tmp_path) == "some/lm"
