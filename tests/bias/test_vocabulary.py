"""bias/vocabulary.py against injected words, written-out cosines and random residuals."""

import numpy as np
import pytest
import torch

from tinyemo.bias.vocabulary import Vocabulary, over_represented, read_vocabulary

C, D, N, W = 5, 128, 240, 800
LABELS = [f"emotion{k}" for k in range(C)]


class Pieces:
    """The part of a tokenizer that a vocabulary needs."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __len__(self):
        return len(self.pieces)

    def convert_ids_to_tokens(self, ids):
        return [self.pieces[i] for i in ids]


@pytest.fixture
def vocabulary():
    vectors = np.random.default_rng(0).normal(size=(W, D)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Vocabulary(tuple(f"word{i}" for i in range(W)), vectors, np.zeros((0, D), np.float32))


def projector_reading(vocabulary, hidden, rng, injected=None, strength=0.0):
    """A projector's output: images near their anchor, plus a random map of the hidden layer."""
    predicted = rng.integers(C, size=len(hidden))
    layer = rng.normal(size=(hidden.shape[1] + C, D)) / np.sqrt(D)
    separated = np.concatenate([hidden, rng.uniform(0.5, 2) * np.eye(C)[predicted]], axis=1)
    embeddings = 3 * vocabulary.vectors[predicted] + separated @ layer
    if injected is not None:
        embeddings[predicted == 2] += strength * vocabulary.vectors[injected]
    return embeddings.astype(np.float32), predicted


def table_of(vocabulary, seed, injected=None, strength=0.0, in_controls=False, **given):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(N, 10))
    controls = [
        projector_reading(vocabulary, hidden, rng, injected if in_controls else None, strength)
        for _ in range(20)
    ]
    reading = projector_reading(vocabulary, hidden, rng, injected, strength)
    options = {"permutations": 200, "resamples": 40, **given}
    return reading, over_represented(
        reading, LABELS, vocabulary.vectors[:C], vocabulary, controls, **options
    )


@pytest.mark.parametrize(
    ("mark", "inside"),
    [("▁", ""), ("Ġ", ""), ("", "##")],
    ids=["sentencepiece", "byte-level", "bert"],
)
def test_a_vocabulary_has_whole_words_only_and_no_frequency_direction(mark, inside):
    rng = np.random.default_rng(1)
    letters = [f"{mark}{''.join(rng.choice(list('bcdfgklm'), 6))}" for _ in range(300)]
    odd = [
        mark + "Rain",
        mark + "rain",
        mark + "the",
        mark + "ab",
        mark + "x86",
        mark + "日本語",
        inside + "ing",
    ]
    table = (
        rng.normal(size=(307, 32))
        + np.where(np.arange(307)[:, None] % 3 == 0, 8, 4) * np.eye(32)[0]
    )  # frequency
    vocabulary = read_vocabulary(torch.tensor(table, dtype=torch.float16), Pieces(letters + odd))
    assert set(vocabulary.words) == {piece.removeprefix(mark) for piece in letters} | {"rain"}
    assert np.allclose(np.linalg.norm(vocabulary.vectors, axis=1), 1, atol=1e-5)
    assert np.abs(vocabulary.vectors[:, 0]).mean() < 0.05 < np.abs(vocabulary.vectors[:, 1]).mean()
    rain = vocabulary.place(table[[300, 301]].mean(axis=0, keepdims=True))
    assert np.allclose(vocabulary.vectors[vocabulary.words.index("rain")], rain[0], atol=1e-2)
    known = read_vocabulary(
        torch.tensor(table), Pieces(letters + odd), {w.removeprefix(mark) for w in letters[:50]}
    )
    assert len(known.words) == 50


def test_words_in_the_removed_span_are_left_out(vocabulary):
    mixed = 2 * vocabulary.vectors[7] + vocabulary.vectors[9]
    beyond = vocabulary.without(vocabulary.vectors[[7]])
    cosines = beyond.place(mixed[None]) @ beyond.vectors.T
    assert "word7" not in beyond.words
    assert beyond.words[cosines.argmax()] == "word9"
    assert np.abs(beyond.vectors @ vocabulary.vectors[7]).max() < 1e-5


def test_effect_is_the_difference_of_mean_cosines_beyond_the_anchors(vocabulary):
    (embeddings, predicted), table = table_of(vocabulary, 3)
    q, _ = np.linalg.qr(vocabulary.vectors[:C].T.astype(float))
    outside = np.eye(D) - q @ q.T
    for row in table.groupby("where").nth(0).itertuples():
        word = outside @ vocabulary.vectors[int(row.what.removeprefix("word"))]
        cosine = [
            (outside @ e) @ word / np.linalg.norm(outside @ e) / np.linalg.norm(word)
            for e in embeddings
        ]
        own = predicted == LABELS.index(row.where)
        assert row.effect == pytest.approx(
            np.mean(np.array(cosine)[own]) - np.mean(np.array(cosine)[~own]), abs=1e-5
        )
        assert row.low < row.effect < row.high and row.items == own.sum()


def test_a_injected_word_is_found_and_stable(vocabulary):
    _, table = table_of(vocabulary, 4, injected=50, strength=3.0)
    row = table[(table["what"] == "word50") & (table["where"] == "emotion2")].iloc[0]
    assert (
        row["found"]
        and row["q"] <= 0.05
        and row["stability"] > 0.9
        and abs(row["control"]) < row["effect"] / 3
    )
    assert table["found"].sum() <= 2


def test_a_word_that_all_control_projectors_show_is_not_found(vocabulary):
    _, table = table_of(vocabulary, 4, injected=50, strength=3.0, in_controls=True)
    row = table[(table["what"] == "word50") & (table["where"] == "emotion2")]
    assert not row["found"].any()


def test_random_residual_directions_give_no_words_although_shuffled_images_alone_would(vocabulary):
    tables = [
        table_of(vocabulary, 100 + seed, permutations=100, resamples=2)[1] for seed in range(24)
    ]
    assert (
        np.mean([table["found"].any() for table in tables]) <= 0.14
    )  # .05 and two standard errors
    # by chance, less than half a word per table would be below 1e-4
    by_images_alone = [(table["p_images"] < 1e-4).sum() for table in tables]
    assert np.median(by_images_alone) > 10


def test_too_few_controls_another_width_and_a_single_predicted_label_are_refused(vocabulary):
    reading = np.zeros((N, D), np.float32), np.zeros(N, int)
    with pytest.raises(ValueError, match="3 controls; expected .* at least 20"):
        over_represented(reading, LABELS, vocabulary.vectors[:C], vocabulary, [reading] * 3)
    with pytest.raises(ValueError, match=r"\(2, 7\): expected width 128"):
        vocabulary.place(np.ones((2, 7)))
    with pytest.raises(ValueError, match="no label is predicted for 10 images"):
        over_represented(reading, LABELS, vocabulary.vectors[:C], vocabulary, [reading] * 20)


def test_minilm_words_are_read_from_its_embedding_table(test_data):
    from tinyemo.models.anchors import embedding_table

    table, tokenizer = embedding_table(test_data / "label_embeddings/minilm_l6")
    vocabulary = read_vocabulary(table, tokenizer)
    assert 15_000 < len(vocabulary.words) < 24_000 and not {"the", "joyed", "[unk]"} & set(
        vocabulary.words
    )
    rain = table[tokenizer.convert_tokens_to_ids("rain")][None].float()
    cosines = vocabulary.place(rain) @ vocabulary.vectors.T
    nearest = {vocabulary.words[i] for i in np.argsort(-cosines[0])[:6]}
    assert {"rain", "rainfall"} <= nearest
