"""The shipped models: what they answer about drawings and other pictures, and about any words."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

import tinyemo
from emoscenes.checker import check
from emoscenes.drawing.picture import draw
from emoscenes.scenes import make_records
from tinyemo.emotions import GROUPS, labels_of
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_anchors
from tinyemo.models.projector import load_projector


@pytest.fixture(scope="module")
def predictor():
    return tinyemo.load("emoscenes")


@pytest.fixture(scope="module")
def drawn():
    """Scenes of a seed that no training has: (labels of Ekman's set, scenes, drawings)."""
    records, scenes = make_records(150, 1, 1, seed=4321)
    return records, scenes, [draw(scene, 64) for scene in scenes]


def test_the_accuracy_on_new_scenes_is_near_the_best_possible_one(predictor, drawn):
    records, _, pictures = drawn
    found = predictor.predict(pictures, "parrott")
    # the best possible is .64; three standard errors of 152 scenes are .12
    assert (found["pred"] == records["label"]).mean() > 0.5
    shares = found[[f"p_{label}" for label in labels_of("parrott")]].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert not found["note"].any()


def test_probabilities_are_a_softmax_of_cosines_to_the_anchors(predictor, drawn):
    pictures, words = drawn[2][:5], ["awe", "boredom", "relief"]
    bundle = predictor.bundle
    encoder, projector = (
        load_image_encoder(bundle.encoder),
        load_projector(bundle.projectors["parrott"]),
    )
    pooled, _ = encoder.encode(torch.stack([encoder.preprocess(one) for one in pictures]))
    with torch.no_grad():
        embedded = normalize(projector(pooled), dim=1)
    cosines = embedded @ normalize(load_anchors(bundle.lm, words), dim=1).T
    expected = torch.softmax(cosines / projector.temperature, dim=1)
    found = predictor.predict(pictures, labels=words)
    np.testing.assert_allclose(found[[f"p_{word}" for word in words]], expected, atol=1e-5)


def test_explanations_are_true_of_their_own_picture(predictor, drawn):
    _, scenes, pictures = drawn
    texts = predictor.explain(pictures[:20], "parrott")["text"]

    def false_texts(shown):
        checked = [check(text, asdict(scene)) for text, scene in zip(texts, shown, strict=True)]
        assert all(one.claims for one in checked)
        return sum(not all(claim.is_true for claim in one.claims) for one in checked)

    assert false_texts(scenes[:20]) <= 4
    assert false_texts(scenes[20:40]) >= 12


def test_without_the_picture_only_the_label_decides(predictor, drawn):
    seen = predictor.explain(drawn[2][:30], "parrott")
    unseen = predictor.explain(drawn[2][:30], "parrott", withhold=True)
    assert seen["pred"].tolist() == unseen["pred"].tolist()
    repeated = unseen.groupby("pred")["text"].nunique()
    assert (repeated == 1).all() and repeated.size < 30
    assert (seen["text"] != unseen["text"]).mean() > 0.5


def test_a_group_of_labels_is_explained_by_its_likeliest_member(predictor, drawn):
    found = predictor.explain(drawn[2][:30], "ekman")
    finer = predictor.predict(drawn[2][:30], "parrott")
    joyful = found.index[found["pred"] == "joy"]
    assert len(joyful) > 2
    for row in joyful:
        members = [f"p_{word}" for word in GROUPS["ekman"]["joy"]]
        word = finer.loc[row, members].astype(float).idxmax().removeprefix("p_")
        assert found.loc[row, "note"] == f"explained as {word}, the likeliest kind of joy"
        assert found.loc[row, "text"]


def test_a_word_that_the_explainer_does_not_know_is_not_explained(predictor, drawn):
    found = predictor.explain(drawn[2][:2], labels=["boredom", "awe"])
    assert found["text"].isna().all()
    assert found["note"].str.contains("no explanation: the explainer was not trained with").all()


def test_a_picture_that_is_no_drawing_of_emoscenes_gets_a_note(predictor, drawn, tmp_path):
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8))
    photograph.save(tmp_path / "photo.jpg")
    notes = predictor.predict([tmp_path / "photo.jpg", drawn[2][0]])["note"].tolist()
    assert "knows drawings of EmoScenes only" in notes[0] and notes[1] == ""


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_answered(
    predictor, drawn, tmp_path
):
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    images = [drawn[2][0], tmp_path / "damaged.png", drawn[2][1]]
    answers = list(predictor.answers(images, batch_size=2))
    assert [bool(answer.label) for answer in answers] == [True, False, True]
    assert "damaged.png" in answers[1].error
    with pytest.raises(ValueError, match="damaged.png"):
        predictor.predict(images)
    assert list(predictor.answers([])) == []


def test_answers_do_not_depend_on_the_batch(predictor, drawn):
    one = list(predictor.answers(drawn[2][:7], batch_size=2))
    other = list(predictor.answers(drawn[2][:7], batch_size=7))
    assert [answer.label for answer in one] == [answer.label for answer in other]
