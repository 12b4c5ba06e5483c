"""Distributions: does the model know how divided people are, and not only what most of them say?

Takes annotators' votes and predictions tables; gives distances between distributions over C labels, and the distance
that people keep among themselves. Distances: KL(annotators || model) in nats, Chebyshev (the largest difference of
a share) and cosine similarity, three of those usual in label distribution learning (Geng 2016).
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from tinyemo.emotions import GROUPS, labels_of
from tinyemo.evaluation.bootstrap import mean_interval

HALVINGS = 10  # random halvings of each item's annotators; their distances are averaged
ALONE, OTHERS = "average of all items", "the other half of the annotators"


def distances(target: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Row by row between distributions (N, C): `kl, chebyshev, cosine`. KL is inf where a vote had probability 0."""
    target, predicted = (
        np.asarray(target, dtype=np.float64),
        np.asarray(predicted, dtype=np.float64),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(target > 0, target * np.log(target / predicted), 0)
    lengths = np.linalg.norm(target, axis=1) * np.linalg.norm(predicted, axis=1)
    return pd.DataFrame(
        {
            "kl": terms.sum(axis=1),
            "chebyshev": np.abs(target - predicted).max(axis=1),
            "cosine": (target * predicted).sum(axis=1) / lengths,
        }
    )


def vote_counts(records: pd.DataFrame, label_set: str, votes: int | pd.Series) -> pd.DataFrame:
    """Votes for each label of `label_set`: (N, C) int, index `id`, of records whose p_ columns are shares of `votes`.

    `votes`: the number of annotators of every item, or of each. Parrott's votes are summed by group; those without
    a place in the set fall out, and with them the items that have no vote left or never had one.
    """
    own = (records["label_set"] == label_set).all()
    shares = {
        label: records.reindex(
            columns=[f"p_{fine}" for fine in ([label] if own else GROUPS[label_set][label])]
        )
        for label in labels_of(label_set)
    }
    counts = pd.DataFrame(
        {label: (part.sum(axis=1) * votes).round() for label, part in shares.items()}
    )
    counts = counts.fillna(0).astype(int)
    return counts.set_index(records["id"])[(counts.sum(axis=1) > 0).to_numpy()]


def halvings(counts: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random halvings of each item's voters: pairs of counts (N, C) that sum to `counts`; the second may be one more.

    Votes are drawn without replacement: each annotator is in one half.
    """
    rng, (n, c), voters = np.random.default_rng(seed), counts.shape, counts.sum(axis=1)
    vote = np.repeat(np.arange(n * c), counts.ravel())  # (votes,) item * C + label, sorted by item
    item = vote // c
    place = np.arange(len(vote)) - (voters.cumsum() - voters)[item]  # of a vote among its item's
    for _ in range(HALVINGS):
        shuffled = vote[np.lexsort((rng.random(len(vote)), item))]
        first = np.bincount(shuffled[place < (voters // 2)[item]], minlength=n * c).reshape(n, c)
        yield first, counts - first


def distribution_table(models: Mapping[str, pd.DataFrame], counts: pd.DataFrame) -> pd.DataFrame:
    """How near each model comes to the annotators' shares: a row a model, means over items and seeds.

    `models`: test predictions by name, of the same items; `counts`: `vote_counts`. Columns `model, kl, kl_low,
    kl_high, chebyshev, cosine` against all annotators of an item, and with the prefix `half_` against a random half
    of them. The last two rows are the null model, which gives each item the average shares, and, against a half
    alone, what people reach: the votes of the other half, with one vote of the null model added, since a label that
    nobody chose would make KL infinite. A half is a rough estimate, so a good model can do better than people.
    Items with fewer than two votes are left out.
    """
    asked = next(iter(models.values()))["id"].unique()
    counts = counts[counts.index.isin(asked) & (counts.sum(axis=1) > 1)]
    votes = counts.to_numpy()
    shares = votes / votes.sum(axis=1, keepdims=True)
    average = np.broadcast_to(shares.mean(axis=0), shares.shape)
    columns = [f"p_{label}" for label in counts]
    predicted = {
        name: [
            one.set_index("id").loc[counts.index, columns].to_numpy()
            for _, one in table.groupby("seed")
        ]
        for name, table in models.items()
    } | {ALONE: [average]}
    halves = list(halvings(votes))

    def mean(pairs: list[tuple[np.ndarray, np.ndarray]], prefix: str = "") -> dict[str, float]:
        tables = [distances(target / target.sum(axis=1, keepdims=True), p) for target, p in pairs]
        items = sum(tables) / len(tables)
        kl = dict(
            zip(
                ("kl", "kl_low", "kl_high"),
                (items["kl"].mean(), *mean_interval(items["kl"])),
                strict=True,
            )
        )
        return {
            f"{prefix}{name}": value
            for name, value in (kl | items.drop(columns="kl").mean().to_dict()).items()
        }

    rows = [
        {
            "model": name,
            **mean([(votes, p) for p in members]),
            **mean([(second, p) for _, second in halves for p in members], "half_"),
        }
        for name, members in predicted.items()
    ]
    others = [
        (second, (first + average) / (first.sum(axis=1, keepdims=True) + 1))
        for first, second in halves
    ]
    return pd.DataFrame([*rows, {"model": OTHERS, **mean(others, "half_")}])
