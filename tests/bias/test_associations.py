"""Associations: WEAT against its formula in loops, images against permutations and known truths."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tinyemo.bias.associations import (
    CHECK,
    emotion_words,
    read_word_lists,
    table_space,
    text_association,
    weat,
)
from tinyemo.bias.image_associations import association_parts, image_association
from tinyemo.bias.references import MIN_EFFECT
from tinyemo.bias.values import attribute_values
from tinyemo.emotions import LABEL_SETS, labels_of

EKMAN = labels_of("ekman")


def vectors(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_weat_is_the_published_formula_and_its_p_counts_every_partition():
    a, b, x, y = (vectors(n, 6, seed=n) + torch.eye(6)[n % 2] for n in (3, 4, 5, 6))

    def cosine(u, v):
        return float(u @ v / (u.norm() * v.norm()))

    s = [np.mean([cosine(w, v) for v in a]) - np.mean([cosine(w, v) for v in b]) for w in [*x, *y]]

    def difference(chosen):
        return np.mean([s[i] for i in chosen]) - np.mean(
            [s[i] for i in range(11) if i not in chosen]
        )

    found, observed = weat(a, b, x, y), difference(range(5))
    every = [difference(chosen) for chosen in combinations(range(11), 5)]
    assert found["effect"] == pytest.approx(observed / np.std(s, ddof=1))
    tails = [
        np.mean([d >= observed - 1e-12 for d in every]),
        np.mean([d <= observed + 1e-12 for d in every]),
    ]
    assert found["p"] == pytest.approx(min(2 * min(tails), 1))
    reach = stats.t.ppf(0.975, stats.ttest_ind(s[:5], s[5:], equal_var=False).df)
    error = np.sqrt(np.var(s[:5], ddof=1) / 5 + np.var(s[5:], ddof=1) / 6)
    assert found["high"] - found["effect"] == pytest.approx(reach * error / np.std(s, ddof=1))


def test_limits_stop_at_the_largest_possible_d():
    x, y = (torch.eye(6)[k] + 1e-3 * vectors(n, 6, seed=n) for k, n in enumerate((4, 5)))
    found = weat(torch.eye(6)[:1], torch.eye(6)[1:2], x, y)
    spreadless = 1 / np.std([1.0] * 4 + [0.0] * 5, ddof=1)
    assert found["low"] < found["effect"] <= found["high"] == pytest.approx(spreadless)


def a_space(towards, unknown=()):
    """Random words; those of `towards` have a common direction with an emotion."""
    emotions = {word: label for label, words in emotion_words("ekman").items() for word in words}

    def place(words):
        if strange := set(words) & set(unknown):
            raise ValueError(f"unknown: {strange}")
        return torch.stack(
            [
                vectors(24, seed=sum(map(ord, word)) * 31 + len(word))
                + (
                    6 * torch.eye(24)[EKMAN.index(label)]
                    if (label := {**emotions, **towards}.get(word))
                    else 0
                )
                for word in words
            ]
        )

    return place


def test_a_biased_list_is_found_and_unknown_words_are_named():
    lists = {
        "shape": {"round": list("abcdefgh"), "square": list("ijklmnop"), "flat": list("qrstuvwx")}
    }
    space = a_space({word: "fear" for word in "abcdefgh"}, unknown=("h", "q", "dread"))
    table = text_association(space, lists)
    assert table.columns[:10].tolist() == [
        "detector",
        "what",
        "where",
        "effect",
        "low",
        "high",
        "unit",
        "p",
        "q",
        "found",
    ]
    fear = table[(table["where"] == "fear")].set_index("what")
    assert (
        fear.index.tolist() == ["shape: round, not square", "shape: round, not flat"]
        and fear["found"].all()
    )
    assert (
        (fear["low"] > 1).all()
        and fear["words"].tolist() == [7, 7]
        and fear["other_words"].tolist() == [8, 7]
    )
    assert fear["left_out"].tolist() == ["h, dread", "h, q, dread"]
    assert (table.loc[table.groupby("what")["effect"].idxmax(), "where"] == "fear").all()
    assert np.allclose(table["q"], stats.false_discovery_control(table["p"]))


def test_poles_of_too_few_known_words_are_not_tested_and_an_unknown_emotion_is_an_error():
    lists = {"shape": {"round": list("abcd"), "square": list("efgh")}}
    table = text_association(a_space({}, unknown=("a",)), lists)
    assert table["effect"].isna().all() and (table["p"] == 1).all() and not table["found"].any()
    with pytest.raises(ValueError, match="emotion 'disgust': none of its words is in the space"):
        text_association(a_space({}, unknown=emotion_words("ekman")["disgust"]), lists)


def test_random_lists_are_found_no_more_often_than_alpha():
    rng = np.random.default_rng(0)
    found = 0
    for trial in range(40):
        words = [f"{trial} {i} {rng.integers(1_000_000)}" for i in range(12)]
        found += text_association(a_space({}), {"none": {"x": words[:6], "y": words[6:]}})[
            "found"
        ].any()
    assert found <= 6  # of 40 families at alpha .05: 7 or more with probability .003


@pytest.fixture(scope="module")
def images():
    """Embeddings of 900 items; `injected` is nearer to fear, `company` occurs with label joy."""
    rng = np.random.default_rng(1)
    y = rng.choice(6, size=900, p=[0.1, 0.1, 0.15, 0.35, 0.2, 0.1])
    injected = rng.random(900) < 0.15
    company = rng.random(900) < np.where(y == 3, 0.7, 0.1)
    other = rng.random(900) < 0.3
    anchors = vectors(6, 24, seed=5)
    x = (
        3 * anchors[y]
        + 8 * vectors(900, 24, seed=6)
        + 2 * torch.tensor(injected)[:, None] * anchors[2]
    )
    values = attribute_values(
        pd.DataFrame(
            {
                "attr_kind": [
                    [
                        name
                        for name, shown in zip(("injected", "company", "other"), row, strict=True)
                        if shown
                    ]
                    for row in zip(injected, company, other, strict=True)
                ]
            }
        )
    )
    return x, anchors, y, values


def test_an_injected_value_is_found_and_one_that_only_occurs_with_a_label_is_not(images):
    x, anchors, y, values = images
    table = image_association(x, anchors, y, EKMAN, values).set_index(["what", "where"])
    assert (
        table.loc[("kind: injected", "fear"), "found"]
        and table.loc[("kind: injected", "fear"), "low"] > 0.2
    )
    assert not table.drop("kind: injected")["found"].any()
    assert table["items"].groupby("what").first().to_dict() == dict(
        zip(values.names, values.counts, strict=True)
    )


def test_image_association_is_least_squares_and_its_p_that_of_permutations_within_labels(
    images,
):
    x, anchors, y, values = images
    table = image_association(x, anchors, y, EKMAN, values).set_index(["what", "where"])
    shown, (what, where) = values.of("kind: other"), ("kind: other", "joy")
    cosines = (
        torch.nn.functional.cosine_similarity(x[:, None], anchors[None], dim=2).double().numpy()
    )
    s = cosines[:, 3] - np.delete(cosines, 3, axis=1).mean(axis=1)
    slope = np.linalg.lstsq(np.column_stack([shown, np.eye(6)[y]]), s, rcond=None)[0][0]
    sd = np.sqrt(sum(((s[y == k] - s[y == k].mean()) ** 2).sum() for k in range(6)) / (900 - 6))
    row = table.loc[(what, where)]
    assert row["effect"] == pytest.approx(slope / sd)

    rng, scores = np.random.default_rng(0), []
    for _ in range(2000):
        dealt = shown.copy()
        for k in range(6):
            dealt[y == k] = rng.permutation(shown[y == k])
        scores.append(sum((dealt * (y == k)) @ (s - s[y == k].mean()) for k in range(6)))
    observed = sum((shown * (y == k)) @ (s - s[y == k].mean()) for k in range(6))
    assert row["p"] == pytest.approx(np.mean(np.abs(scores) >= abs(observed)), abs=0.04)
    assert (row["high"] - row["low"]) / 3.92 == pytest.approx(
        np.std(scores) / observed * row["effect"], rel=0.05
    )


def test_parts_name_the_origin_of_an_injected_association(images):
    x, anchors, y, values = images
    clean = [3 * anchors[y] + 8 * vectors(900, 24, seed=seed) for seed in range(20, 24)]
    towards = a_space({"company": "joy"}, unknown=("injected", "other"))
    moved = pd.DataFrame({"what": "kind: injected", "where": ["fear"], "effect": 0.1})
    kept = association_parts(
        values,
        y,
        "ekman",
        (x, anchors),
        moved,
        controls=clean,
        encoder=(clean[0], anchors),
        space=towards,
    )
    row = kept.set_index(["what", "where"]).loc[("kind: injected", "fear")]
    assert row["carried_by"] == "added" and row["added_low"] > 0 and np.isnan(row["anchors"])
    inherited = association_parts(
        values,
        y,
        "ekman",
        (x, anchors),
        moved,
        controls=[x + vectors(900, 24, seed=s) for s in range(4)],
        encoder=(x, anchors),
    )
    assert (
        inherited.set_index(["what", "where"]).loc[("kind: injected", "fear"), "carried_by"]
        == "encoder"
    )
    company = kept.set_index(["what", "where"]).loc[("kind: company", "joy")]
    assert company["anchors"] > 1 and company["anchors_low"] > 0
    with pytest.raises(ValueError, match="three controls or more, got 1"):
        association_parts(values, y, "ekman", (x, anchors), moved, controls=clean[:1])


@pytest.mark.parametrize(
    "effect, carried", [(0.1, True), (MIN_EFFECT, True), (0.039, False), (-0.1, False)]
)
def test_parts_carry_only_pairs_that_the_model_moves_in_their_direction(images, effect, carried):
    x, anchors, y, values = images
    moved = pd.DataFrame({"what": "kind: injected", "where": ["fear"], "effect": effect})
    parts = association_parts(values, y, "ekman", (x, anchors), moved, encoder=(x, anchors))
    rows = parts.set_index(["what", "where"])["carried_by"]
    assert rows["kind: injected", "fear"] == ("projector, encoder" if carried else "")
    assert (rows.drop(("kind: injected", "fear")) == "").all()  # not moved at all


def test_the_word_lists_are_consistent_and_bad_ones_are_named(tmp_path):
    lists = read_word_lists()
    emotions = {
        word
        for label_set in LABEL_SETS
        for words in emotion_words(label_set).values()
        for word in words
    }
    assert not emotions & {
        word.lower() for poles in lists.values() for words in poles.values() for word in words
    }
    name, _, contrast = CHECK.partition(": ")
    assert list(lists[name])[:2] == contrast.split(", not ")
    for poles in lists.values():
        words = [word for words in poles.values() for word in words]
        assert len(words) == len(set(words))
    file = tmp_path / "lists.yaml"
    for text, message in (
        ("- a", "expected lists of two poles"),
        ("a: {b: [c, d, e, f]}", "list 'a'.*two poles"),
        ("a: {b: [c, d, e, f], g: [h, i, j, h]}", "list 'a', pole 'g': .* 4 different words"),
        ("a: {b: [1, d, e, f], g: [h]}", "pole 'b'"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=f"lists.yaml.*{message}"):
            read_word_lists(file)


def test_minilm_passes_the_flowers_and_insects_check(test_data):
    table = text_association(table_space(test_data / "label_embeddings" / "minilm_l6"))
    joy = table.set_index(["what", "where"]).loc[(CHECK, "joy")]
    assert (
        joy["found"] and joy["low"] > 0.5 and joy["words"] == 9
    )  # of 25: the others are several tokens
