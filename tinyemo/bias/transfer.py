"""Dataset bias (Torralba and Efros 2011, "Unbiased look at dataset bias"): what a dataset teaches that others do not.

Takes a collection of datasets and a label set that their labels have in common; gives the train-on-A, test-on-B
matrix, what each dataset loses elsewhere, and how well the dataset can be named from the features of its items alone.
All are compared on equal terms: as many items of each emotion from every one, and none that two of them share.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from torch import Tensor

from tinyemo.bias.evidence import corrected
from tinyemo.data.records import seeded_split
from tinyemo.emotions import GROUPS, labels_of
from tinyemo.evaluation.classification import predictions_table
from tinyemo.evaluation.intervals import RESAMPLES, bootstrap
from tinyemo.evaluation.significance import ALPHA, correctness
from tinyemo.features.collection import Collection
from tinyemo.features.tensors import Part, parts_of

EVERYTHING, OTHERS = ("all datasets", "all emotions"), "all others"
FOLDS, PENALTY = 5, 1.0  # of the ridge regression that names datasets, on features whose variances sum to one


def common_labels(source: str, target: str) -> dict[str, str]:
    """Label of `source` -> the label of `target` that means or holds it; labels without one are absent.

    By Parrott's taxonomy where both sets have a place in it (Mikels' awe falls under Ekman's surprise, Ekman's joy
    under none of Mikels' labels), else by the word itself.
    """
    if source in GROUPS and target in GROUPS:
        return {label: found for label, fine in GROUPS[source].items()
                for found, group in GROUPS[target].items() if set(fine) <= set(group)}
    return {label: label for label in labels_of(source) if label in labels_of(target)}


def common_parts(collection: Collection, datasets: Sequence[str], label_set: str,
                 least: int) -> tuple[tuple[str, ...], dict[str, dict[str, Part]]]:
    """Words, and part -> dataset -> its items under `label_set`: "train" (with validation) and "test".

    A dataset without a training part gives half of its test part for it. Items that also stand in another dataset
    are left out, and labels of which some part has fewer than `least` items. ValueError: no two labels are left.
    """
    collection.require(list(datasets))
    pairs = collection.duplicates
    across = pairs[pairs["dataset_a"] != pairs["dataset_b"]]
    within = pairs[pairs["dataset_a"] == pairs["dataset_b"]]  # of these one item stays
    gone = {*across["id_a"], *across["id_b"], *within["id_b"]}
    records = collection.records[~collection.records["id"].isin(gone)]
    records = records.drop(columns=[column for column in records if column.startswith("p_")])
    parts = {"train": {}, "test": {}}
    for name in datasets:
        labels = common_labels(collection.label_sets[name], label_set)
        own = records[(records["dataset"] == name) & records["label"].isin(list(labels))]
        if own.empty:
            raise ValueError(f"dataset {name!r}: none of its labels has a place in {label_set!r}")
        own = own.assign(label=own["label"].map(labels), label_set=label_set,
                         split=own["split"].replace("validation", "train"))
        if not (own["split"] == "train").any():
            own["split"] = seeded_split(own, {"train": 0.5, "test": 0.5}, seed=0)
        for split, part in parts_of(own, collection.stores[name], label_set).items():
            parts[split][name] = part
    held = {word: min(int((part[name].records["label"] == word).sum()) if name in part else 0
                      for part in parts.values() for name in datasets) for word in labels_of(label_set)}
    words = tuple(word for word, items in held.items() if items >= least)
    if len(words) < 2:
        raise ValueError(f"the smallest parts of {', '.join(datasets)} hold {held}: expected {least} items of at least "
                         "two labels; leave a dataset out, or ask for fewer items")
    return words, parts


def equal_parts(parts: Mapping[str, Part], words: Sequence[str], most: int | None = None) -> dict[str, Part]:
    """As many items of each of the `words` from every dataset, at most `most`, drawn by seed; y counts the `words`."""
    rng, drawn = np.random.default_rng(0), {}
    rows = {name: [np.flatnonzero(part.records["label"] == word) for word in words] for name, part in parts.items()}
    sizes = [min([most or 10**9, *(len(one[k]) for one in rows.values())]) for k in range(len(words))]
    y = torch.arange(len(words)).repeat_interleave(torch.tensor(sizes))
    for name, part in parts.items():
        kept = np.concatenate([rng.choice(own, n, replace=False) for own, n in zip(rows[name], sizes, strict=True)])
        drawn[name] = Part(part.records.iloc[kept].reset_index(drop=True), part.x[kept], y, torch.eye(len(words))[y])
    return drawn


def train_and_test(train: Mapping[str, Part], test: Mapping[str, Part], words: Sequence[str],
                   fit: Callable[[Tensor, Tensor, int], Callable[[Tensor], Tensor]], seeds: int) -> pd.DataFrame:
    """Predictions (evaluation/classification.py) of every dataset's models on every dataset's test part.

    Parts are those of `equal_parts`. `fit(x, y, seed)` trains on features and labels, positions in `words`, and gives
    a function features -> probabilities (N, C). A seed is a bootstrap draw of the training items, and a training: the
    spread says what another training part of this size would have taught. `run` names the dataset trained on.
    """
    tables = []
    for name, seed in product(train, range(seeds)):
        rng, part = np.random.default_rng([seed, 1]), train[name]
        rows = np.concatenate([rng.choice(own, len(own)) for own in map(np.flatnonzero, part.votes.T.numpy())])
        predict = fit(part.x[rows], part.y[rows], seed)
        tables += [predictions_table(one.records, predict(one.x).numpy(), tuple(words), name, seed)
                   for one in test.values()]
    return pd.concat(tables, ignore_index=True)


def train_test_matrix(predictions: pd.DataFrame, alpha: float = ALPHA) -> pd.DataFrame:
    """Every model of `train_and_test` on every test part: detector table, `what` trained on, `where` tested on.

    `effect` is the drop: accuracy of the model trained where it is tested, minus this model's, on the same items; at
    home it is 0 and no candidate. The last row of each dataset, `where` is OTHERS, is the mean over the others' parts.
    Own columns: accuracy, its sd over seeds, its interval, items. Intervals and p are those of `_resampled`: they hold
    for other test items and for another training part.
    """
    names, by_seed, draws = _resampled(predictions)
    drop = _with_others(np.einsum("rbb->rb", draws)[:, None] - draws)  # (1 + R, A, B + 1)
    p = (1 + (np.abs(drop[1:] - drop[0]) >= np.abs(drop[0]) - 1e-12).sum(axis=0)) / len(drop)
    p[:, :-1][np.eye(len(names), dtype=bool)] = np.nan
    draws, n = _with_others(draws), predictions.groupby("dataset")["id"].nunique()[names].to_numpy()
    (low, high), (least, most) = (np.quantile(one[1:], [0.025, 0.975], axis=0).reshape(2, -1) for one in (drop, draws))
    table = pd.DataFrame({
        "what": np.repeat(names, len(names) + 1), "where": [*names, OTHERS] * len(names),
        "effect": drop[0].ravel(), "low": low, "high": high, "p": p.ravel(),
        "accuracy": draws[0].ravel(), "accuracy_sd": _with_others(by_seed).std(axis=0, ddof=1).ravel(),
        "accuracy_low": least, "accuracy_high": most,
        "items": np.column_stack([np.tile(n, (len(n), 1)), n.sum() - n]).ravel()})
    return corrected(table, "dataset", "accuracy lost", alpha, candidates=table["p"].notna())


def percent_drops(predictions: pd.DataFrame) -> pd.DataFrame:
    """What each dataset's models lose elsewhere (Torralba and Efros, table 1), a row a dataset trained on.

    Columns: dataset, self (accuracy at home), others (mean over the other test parts), drop = 100 (self - others) /
    self, low, high (95 %, of the drop). A home that is easy, or hard, for everybody's models shows as a drop, or gain.
    """
    names, _, draws = _resampled(predictions)
    home, others = np.einsum("raa->ra", draws), _with_others(draws)[..., -1]
    drop = 100 * (home - others) / home
    low, high = np.quantile(drop[1:], [0.025, 0.975], axis=0)
    return pd.DataFrame({"dataset": names, "self": home[0], "others": others[0], "drop": drop[0], "low": low,
                         "high": high})


def _with_others(values: np.ndarray) -> np.ndarray:
    """(..., A, A) -> (..., A, A + 1): the last column is the mean over the columns of the other datasets."""
    others = (values * (1 - np.eye(values.shape[-1]))).sum(axis=-1, keepdims=True) / (values.shape[-1] - 1)
    return np.concatenate([values, others], axis=-1)


def _resampled(predictions: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Datasets; accuracies (S, A, B) by seed, trained on A, tested on B; and (1 + R, A, B), row 0 the mean over seeds.

    The other rows draw the test items anew, alike for all models, and add to each model the deviation of one training
    from the mean of its S seeds, times sqrt(S / (S - 1)). The deviations of all models are one pool: S is small.
    """
    names, seeds = list(dict.fromkeys(predictions["run"])), predictions["seed"].nunique()
    if seeds < 2 or set(names) != set(predictions["dataset"]):
        tested = ", ".join(predictions["dataset"].unique())
        raise ValueError(f"predictions of {seeds} seed(s), trained on {', '.join(names)}, tested on {tested}: expected "
                         "at least two seeds, and every dataset in both places")
    right = predictions.assign(right=predictions["pred"] == predictions["label"])
    table = right.pivot_table(index=["run", "seed"], columns="dataset", values="right")[names]
    by_seed = np.stack([table.loc[name] for name in names], axis=1)
    draws, rng = np.empty((1 + RESAMPLES, len(names), len(names))), np.random.default_rng(0)
    for b, name in enumerate(names):
        items = correctness(predictions[predictions["dataset"] == name])[names].to_numpy()  # (N, A)
        drawn = rng.multinomial(len(items), np.full(len(items), 1 / len(items)), RESAMPLES)
        draws[:, :, b] = np.vstack([items.mean(axis=0), drawn @ items / len(items)])
    noise = (by_seed - by_seed.mean(axis=0)).reshape(-1, len(names)) * (seeds / (seeds - 1)) ** 0.5  # (S A, B)
    draws[1:] += noise[rng.integers(len(noise), size=(RESAMPLES, len(names)))]
    return names, by_seed, draws


def name_that_dataset(parts: Mapping[str, Part], words: Sequence[str], permutations: int = 400,
                      alpha: float = ALPHA) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Can items be told by their dataset? Detector table, and `dataset, named` of every item.

    `parts` are those of `equal_parts`. A ridge regression on unit-length features names the dataset of held-out items
    (cross-validation): among all datasets, over all emotions and within each (`where`), and between any two (`what` is
    "a / b"). `effect` is the accuracy above chance, its interval over items. p: names are permuted within emotion and
    fold, which leaves all else as it was; the least is 1 / (1 + permutations).
    """
    x = torch.nn.functional.normalize(torch.cat([part.x for part in parts.values()]), dim=1).numpy()
    y = torch.cat([part.y for part in parts.values()]).numpy()
    names = np.repeat(list(parts), [len(part.y) for part in parts.values()])
    questions = {EVERYTHING: np.ones(len(y), dtype=bool)}
    questions |= {(EVERYTHING[0], word): y == k for k, word in enumerate(words)}
    questions |= {(f"{a} / {b}", EVERYTHING[1]): np.isin(names, (a, b)) for a, b in combinations(parts, 2)}
    rows, named = [], {}
    for (what, where), among in questions.items():
        known, true = np.unique(names[among], return_inverse=True)
        codes, permuted = _named(x[among], true, y[among], permutations)
        named[what, where], hits, chance = known[codes], codes == true, 1 / len(known)
        low, high = bootstrap(hits)
        rows.append({"what": what, "where": where, "effect": hits.mean() - chance,
                     "low": low - chance, "high": high - chance,
                     "p": (1 + (permuted >= hits.mean() - 1e-12).sum()) / (1 + permutations),
                     "accuracy": hits.mean(), "chance": chance, "items": len(hits)})
    table = corrected(pd.DataFrame(rows), "dataset", "accuracy above chance", alpha)
    return table, pd.DataFrame({"dataset": names, "named": named[EVERYTHING]})


def _named(x: np.ndarray, true: np.ndarray, y: np.ndarray, permutations: int) -> tuple[np.ndarray, np.ndarray]:
    """Names (N,) given to held-out items, and the accuracies (permutations,) where the true names are permuted."""
    classes, folds, rng = int(true.max()) + 1, np.empty(len(y), dtype=int), np.random.default_rng(0)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for fold, (_, held) in enumerate(splitter.split(x, y * classes + true)):
        folds[held] = fold
    stratum, given = y * FOLDS + folds, np.tile(true, (1 + permutations, 1))  # row 0: as they are
    orders = np.argsort(stratum + rng.random((permutations, len(y))), axis=1)
    given[1:, np.argsort(stratum, kind="stable")] = true[orders]
    targets, named = np.eye(classes, dtype=np.float32)[given.T].reshape(len(y), -1), np.empty_like(given)
    x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0).sum())
    for held in (folds == fold for fold in range(FOLDS)):  # one factorisation serves all permutations
        scores = Ridge(PENALTY).fit(x[~held], targets[~held]).predict(x[held])
        named[:, held] = scores.reshape(held.sum(), -1, classes).argmax(axis=2).T
    return named[0], (named[1:] == given[1:]).mean(axis=1)
