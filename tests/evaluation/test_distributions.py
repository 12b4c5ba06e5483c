"""evaluation/distributions.py: distances against scipy, halves of annotators against all halves."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from emoscenes.scenes import make_records, probabilities
from tinyemo.data.records import relabel
from tinyemo.emotions import labels_of
from tinyemo.evaluation import distributions as D


def test_distances_agree_with_scipy():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), size=(2, 40))
    p[0] = [1, 0, 0, 0, 0]
    found = D.distances(p, q)
    assert np.allclose(found["kl"], entropy(p, q, axis=1))
    assert np.allclose(found["chebyshev"], np.diag(cdist(p, q, "chebyshev")))
    assert np.allclose(found["cosine"], 1 - np.diag(cdist(p, q, "cosine")))
    assert D.distances(q[:1] * 0 + 0.2, p[:1])["kl"].item() == np.inf


def test_vote_counts_are_shares_times_voters_under_each_label_set():
    records, _ = make_records(1, 1, 200, seed=0)
    assert (D.vote_counts(records, "parrott", 10).sum(axis=1) == 10).all()
    counts, coarse = D.vote_counts(records, "ekman", 10), relabel(records, "ekman").set_index("id")
    both = counts.loc[coarse.index]
    shares = both.div(both.sum(axis=1), axis=0)
    assert np.allclose(shares, coarse[[f"p_{label}" for label in labels_of("ekman")]])
    # votes for a label without a place in the set are left out
    assert counts.sum(axis=1).max() == 10 and counts.sum(axis=1).min() < 10
    unvoted = records.assign(**{name: np.nan for name in records if name.startswith("p_")})
    assert D.vote_counts(unvoted, "ekman", 10).empty


def test_each_annotator_is_in_one_half_and_each_half_is_equally_likely():
    counts = np.array([[2, 2, 0], [0, 3, 2], [1, 0, 0]])
    drawn = [half for seed in range(300) for half in D.halvings(counts, seed)]
    for first, second in drawn:
        assert (first + second == counts).all() and first.sum(axis=1).tolist() == [2, 2, 0]
        assert second.min() >= 0
    both_of_one = np.mean([first[0, 0] == 2 for first, _ in drawn])
    assert both_of_one == pytest.approx(1 / 6, abs=0.025)  # 1 of the 6 pairs among 4 voters


def predictions(p, records, label_set):
    columns = {f"p_{label}": p[:, k] for k, label in enumerate(labels_of(label_set))}
    return pd.DataFrame({"id": records["id"].to_numpy(), "seed": 0, **columns})


def test_distances_to_a_half_are_the_mean_over_all_halves():
    items = np.array([[3, 1, 0], [2, 2, 1], [0, 0, 4], [1, 0, 0]])
    counts = pd.DataFrame(np.tile(items, (500, 1)), columns=list("abc")).rename_axis("id")
    given = pd.DataFrame({"id": counts.index, "seed": 0, "p_a": 0.5, "p_b": 0.3, "p_c": 0.2})
    table = D.distribution_table({"m": given}, counts).set_index("model")
    kept = counts[:3]  # the fourth item has one voter: no halves
    average = kept.div(kept.sum(axis=1), axis=0).mean().to_numpy()
    exact = {"others": [], "m": []}
    for row in kept.to_numpy():
        voters = np.repeat(np.arange(3), row)
        pairs = []
        for chosen in combinations(range(len(voters)), len(voters) // 2):
            first = np.bincount(voters[list(chosen)], minlength=3)
            pairs.append(
                ((first + average) / (first.sum() + 1), (row - first) / (row - first).sum())
            )
        exact["others"].append(np.mean([entropy(target, p) for p, target in pairs]))
        exact["m"].append(np.mean([entropy(target, [0.5, 0.3, 0.2]) for _, target in pairs]))
    assert table.loc[D.OTHER_HALF, "half_kl"] == pytest.approx(np.mean(exact["others"]), rel=0.02)
    assert table.loc["m", "half_kl"] == pytest.approx(np.mean(exact["m"]), rel=0.02)
    shares = kept.div(kept.sum(axis=1), axis=0).to_numpy()
    assert table.loc["m", "kl"] == pytest.approx(
        np.mean([entropy(row, [0.5, 0.3, 0.2]) for row in shares])
    )
    assert np.isnan(table.loc[D.OTHER_HALF, "kl"])


def test_true_posterior_is_nearest_to_the_votes():
    """The expected KL of n votes to their posterior is about (labels - 1) / 2n, the smallest."""
    records, scenes = make_records(1, 1, 1500, seed=1)
    test = records[records["split"] == "test"].reset_index(drop=True)
    posterior = probabilities(scenes[2:], "parrott")
    flat = np.full_like(posterior, 1 / 25)
    models = {
        "posterior": predictions(posterior, test, "parrott"),
        "flat": predictions(flat, test, "parrott"),
    }
    table = D.distribution_table(models, D.vote_counts(test, "parrott", 10)).set_index("model")
    rng = np.random.default_rng(0)
    simulated = np.mean(
        [entropy(rng.multinomial(10, p) / 10, p) for p in posterior for _ in range(5)]
    )
    assert table.loc["posterior", "kl"] == pytest.approx(simulated, abs=0.02)
    assert table.loc["posterior", "kl_low"] < simulated < table.loc["posterior", "kl_high"]
    assert table["half_kl"].idxmin() == "posterior"
    assert (
        table["half_kl"]["posterior"]
        < table["half_kl"][D.OTHER_HALF]
        < table["half_kl"][D.AVERAGE]
        < table["half_kl"]["flat"]
    )
    assert (
        table["half_cosine"].idxmax() == "posterior"
        and table["half_chebyshev"].idxmin() == "posterior"
    )
