"""Label distributions: does a model predict the shares of the annotators' votes?

Takes annotators' votes and predictions tables. Gives distances between distributions over C
labels, and the distance between two halves of the annotators. The measures are KL(annotators ||
model) in nats, Chebyshev distance (the largest difference of a share) and cosine similarity. All
three are usual in label distribution learning (Geng 2016).
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from tinyemo.emotions import GROUPS, labels_of
from tinyemo.evaluation.bootstrap import mean_interval

HALVINGS = 10  # random halvings of each item's annotators; their distances are averaged
# the last rows of `distribution_table`
AVERAGE = "average of all items"
OTHER_HALF = "the other half of the annotators"


def distances(target: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Distances row by row between distributions (N, C): columns `kl, chebyshev, cosine`.

    KL is inf where a label of `target` has probability 0 in `predicted`.
    """
    target = np.asarray(target, dtype=np.float64)
    predicted = np.asarray(predicted, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(target / predicted)
        terms = np.where(target > 0, target * log_ratio, 0)  # (N, C)
    lengths = np.linalg.norm(target, axis=1) * np.linalg.norm(predicted, axis=1)  # (N,)
    largest = np.abs(target - predicted).max(axis=1)
    cosine = (target * predicted).sum(axis=1) / lengths
    return pd.DataFrame({"kl": terms.sum(axis=1), "chebyshev": largest, "cosine": cosine})


def vote_counts(records: pd.DataFrame, label_set: str, votes: int | pd.Series) -> pd.DataFrame:
    """Votes for each label of `label_set`: (N, C) int, index `id`.

    The p_ columns of `records` are shares of `votes`, the number of annotators: one number, or one
    per item. For records under Parrott's labels, votes are summed by group. Votes for a label that
    has no counterpart in the set are left out. Items without any vote left are left out too.
    """
    same_set = (records["label_set"] == label_set).all()
    counts = {}
    for label in labels_of(label_set):
        members = [label] if same_set else GROUPS[label_set][label]
        shares = records.reindex(columns=[f"p_{name}" for name in members])  # (N, members)
        counts[label] = (shares.sum(axis=1) * votes).round()
    table = pd.DataFrame(counts).fillna(0).astype(int)
    voted = (table.sum(axis=1) > 0).to_numpy()
    return table.set_index(records["id"])[voted]


def halvings(counts: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """HALVINGS random halvings of each item's voters.

    Yields pairs of counts (N, C) int that sum to `counts`; for an odd number of voters the second
    half has one more. Votes are drawn without replacement: each annotator is in one half.
    """
    rng = np.random.default_rng(seed)
    n, c = counts.shape
    voters = counts.sum(axis=1)  # (N,)
    # one entry per vote: item * C + label, sorted by item
    vote = np.repeat(np.arange(n * c), counts.ravel())  # (V,)
    item = vote // c
    first_vote = voters.cumsum() - voters  # (N,) where each item's votes begin
    place = np.arange(len(vote)) - first_vote[item]  # (V,) of a vote among those of its item
    in_first = place < (voters // 2)[item]
    for _ in range(HALVINGS):
        shuffled = vote[np.lexsort((rng.random(len(vote)), item))]  # within each item
        first = np.bincount(shuffled[in_first], minlength=n * c)
        first = first.reshape(n, c)
        yield first, counts - first


def distribution_table(models: Mapping[str, pd.DataFrame], counts: pd.DataFrame) -> pd.DataFrame:
    """How near each model's probabilities are to the annotators' shares: one row per model.

    `models`: test predictions by name, of the same items; `counts`: table of `vote_counts`.
    Columns `model, kl, kl_low, kl_high, chebyshev, cosine` against all annotators of an item, and
    the same with the prefix `half_` against a random half of them; means over items and seeds.
    Items with fewer than two votes are left out.

    Two rows follow. AVERAGE is the null model: it predicts the average shares for each item.
    OTHER_HALF has only the half_ columns. It compares one half of the annotators with the other
    half. One vote of the null model is added to the other half, because a label without votes would
    make KL infinite. Half of the annotators give only a rough estimate, so a good model can have a
    smaller distance than OTHER_HALF.
    """
    predicted_items = next(iter(models.values()))["id"].unique()
    kept = counts.index.isin(predicted_items) & (counts.sum(axis=1) > 1)
    counts = counts[kept]
    votes = counts.to_numpy()  # (N, C)
    shares = votes / votes.sum(axis=1, keepdims=True)
    average = np.broadcast_to(shares.mean(axis=0), shares.shape)
    halves = list(halvings(votes))

    probabilities = {}  # one (N, C) array per seed
    for name, table in models.items():
        probabilities[name] = _by_seed(table, counts)
    probabilities[AVERAGE] = [average]

    rows = []
    for name, members in probabilities.items():
        row = {"model": name} | _mean_distances([(votes, p) for p in members])
        pairs = [(second, p) for _, second in halves for p in members]
        rows.append(row | _mean_distances(pairs, "half_"))

    pairs = []
    for first, second in halves:
        smoothed = (first + average) / (first.sum(axis=1, keepdims=True) + 1)
        pairs.append((second, smoothed))
    rows.append({"model": OTHER_HALF} | _mean_distances(pairs, "half_"))
    return pd.DataFrame(rows)


def _by_seed(predictions: pd.DataFrame, counts: pd.DataFrame) -> list[np.ndarray]:
    """Probabilities (N, C) of each seed, in the order of the rows and columns of `counts`."""
    columns = [f"p_{label}" for label in counts]
    tables = []
    for _, one in predictions.groupby("seed"):
        table = one.set_index("id").loc[counts.index, columns]
        tables.append(table.to_numpy())
    return tables


def _mean_distances(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], prefix: str = ""
) -> dict[str, float]:
    """Distances between votes and probabilities, averaged over the pairs, then over items."""
    tables = []
    for votes, predicted in pairs:
        shares = votes / votes.sum(axis=1, keepdims=True)
        tables.append(distances(shares, predicted))
    items = sum(tables) / len(tables)
    low, high = mean_interval(items["kl"])
    row = {"kl": items["kl"].mean(), "kl_low": low, "kl_high": high}
    row |= items.drop(columns="kl").mean().to_dict()
    return {f"{prefix}{name}": value for name, value in row.items()}
