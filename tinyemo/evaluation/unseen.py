"""Unseen classes: can a class be recognised from its word alone, without training images of it?

Each class is left out of training in turn. Then its anchor, made from its word, is the only
information about it. Hyperparameters are chosen by leaving out one of the *seen* classes in the
same way, within the training items. We ask two questions about the test items. Does the cosine to
the unseen anchor rank the images of this class first (AUROC, chance .5)? Is the class found among
all classes, after a penalty was subtracted from the cosines to the seen classes (generalised
zero-shot recall, Chao et al. 2016, arXiv 1605.04253)?

A ridge regression predicts an anchor from the features. Its prediction is a weighted sum of the
seen anchors, sum_k share_k(x) anchor_k (as in ConSE, Norouzi et al. 2014). The weights share_k(x)
depend on the image and on the training labels, and not on the anchors. So they are computed once,
and many kinds of anchors can then be compared at low cost.

Shapes: N training items, M test items, C classes, R regressions, S seeds, B bootstrap rows.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import KernelCenterer, normalize

from tinyemo.evaluation.bootstrap import percentile_interval

RESAMPLES = 500  # of test items and seeds, for an interval
TINY = 1e-12  # instead of a division by zero
Regression = tuple[float, float | None]  # penalty of squared weights; gamma of the kernel, or None


def position_between(vectors: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Positions of words between two poles: (C,) with mean 0 and sd 1.

    `vectors` (C, D) are the words; `positive` and `negative` (P, D) are P pairs of opposite words.
    The axis is the mean difference of the pairs' unit vectors (SemAxis, An et al. 2018, arXiv
    1806.05521).
    """
    axis = (normalize(positive) - normalize(negative)).mean(axis=0)  # (D,)
    position = normalize(vectors) @ axis  # (C,)
    return (position - position.mean()) / position.std()


def blend(
    vectors: np.ndarray,
    position: np.ndarray,
    meaning: float = 1.0,
    own: float = 0.0,
    common: float = 0.0,
    pole: float = 0.0,
) -> np.ndarray:
    """Unit anchors (C, D + C + 2) of four weighted parts, each on axes of its own.

    meaning: the word's vector (C, D). own: one axis per word, which makes all words equally
    distant. common: an axis that all words share. pole: the word's `position` (C,), see
    `position_between`.
    """
    classes = len(vectors)
    of_word = meaning * normalize(vectors)  # (C, D)
    one_each = own * np.eye(classes)  # (C, C)
    shared = np.full((classes, 1), common)
    on_pole = pole * position[:, None]  # (C, 1)
    return normalize(np.hstack([of_word, one_each, shared, on_pole]))


class LeftOut:
    """Shares of the seen classes, by ridge regressions fitted without the class left out.

    A regression is a pair: the penalty of its squared weights, and gamma of the kernel exp(-gamma
    |x - x'|^2), or None for a linear one. Features have unit length and are scaled to a total
    variance of one.

    Args:
        x: training features (N, D).
        y: their classes 0 to C - 1, (N,).
        test_x: test features (M, D).
        regressions: R pairs (penalty, gamma).
        folds: folds of the training items.
        seed: draws the folds.

    Attributes:
        outer: (C, R, M, C): shares of the test items with class c left out, by regression r.
        inner: inner[c, h] (R, N, C): shares of the training items with both c and h left out, by
            regressions that were fitted to the other folds.

    ValueError: fewer than four classes.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        test_x: np.ndarray,
        regressions: Sequence[Regression],
        folds: int = 4,
        seed: int = 0,
    ):
        self.y = y
        self.classes = int(y.max()) + 1
        self.regressions = tuple(regressions)
        if self.classes < 4:
            raise ValueError(
                f"labels of {self.classes} classes: expected at least 4, "
                "because two are left out at a time"
            )
        features = np.concatenate([x, test_x]).astype(np.float64)  # (N + M, D)
        unit = normalize(features)
        self.squares = 2 - 2 * unit @ unit.T  # squared distances (N + M, N + M)

        test = np.arange(len(x), len(unit))
        outer = []
        for c in range(self.classes):
            seen = np.flatnonzero(y != c)
            outer.append(self._shares(seen, test))
        self.outer = np.stack(outer)

        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        splits = list(splitter.split(x, y))
        self.inner = {}
        for c, h in combinations(range(self.classes), 2):
            shares = np.empty((len(self.regressions), len(y), self.classes))
            for train, held_out in splits:
                seen = (y[train] != c) & (y[train] != h)
                shares[:, held_out] = self._shares(train[seen], held_out)
            self.inner[c, h] = self.inner[h, c] = shares

    def _shares(self, train: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Predictions (R, len(at), C) of one-hot labels, by regressions fitted to the rows
        `train`."""
        n = len(train)
        rows = np.r_[train, at]
        squares = self.squares[np.ix_(rows, train)]  # (n + len(at), n)
        squares = squares / (squares[:n].mean() / 2)  # total variance one
        target = np.eye(self.classes)[self.y[train]]  # (n, C)
        mean = target.mean(axis=0)
        shares = []
        for penalty, gamma in self.regressions:
            if gamma is None:
                # after centring, -squares / 2 holds the inner products of centred features
                kernel = -squares / 2
                kernel = KernelCenterer().fit(kernel[:n]).transform(kernel)
            else:
                kernel = np.exp(-gamma * squares)
            model = KernelRidge(alpha=penalty, kernel="precomputed")
            model.fit(kernel[:n], target - mean)
            shares.append(model.predict(kernel[n:]) + mean)
        return np.stack(shares)

    def choose(self, candidates: Sequence[tuple[int, np.ndarray]]) -> list[tuple[int, float]]:
        """For each class left out, the index of the best candidate, and its penalty.

        A candidate is the index of a regression and anchors (C, D). The best one has the highest
        mean AUROC of other classes, each left out together with this one; no item of this class is
        used.
        """
        choices = []
        for c in range(self.classes):
            seen = self.y != c
            others = [h for h in range(self.classes) if h != c]
            trials, totals = [], []
            for r, anchors in candidates:
                trial, total = {}, 0
                for h in others:
                    cosine = cosines(self.inner[c, h][r], anchors)  # (N, C)
                    total += auroc(cosine[seen, h], self.y[seen] == h)[0]
                    trial[h] = cosine
                trials.append(trial)
                totals.append(total)
            best = int(np.argmax(totals))
            penalty = choose_penalty(trials[best], self.y, c)
            choices.append((best, penalty))
        return choices

    def test(
        self, candidates: Sequence[tuple[int, np.ndarray]], choices: Sequence[tuple[int, float]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cosines (C, M, C) of the test items by class left out, and penalties (C,), as chosen."""
        tests, penalties = [], []
        for c, (best, penalty) in enumerate(choices):
            r, anchors = candidates[best]
            tests.append(cosines(self.outer[c, r], anchors))
            penalties.append(penalty)
        return np.stack(tests), np.array(penalties)


def cosines(shares: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Cosines (N, C) of the embeddings shares @ anchors to the anchors.

    `shares` is (N, C), `anchors` (C, D) of unit length.
    """
    products = shares @ (anchors @ anchors.T)  # (N, C)
    squared_lengths = (products * shares).sum(axis=1, keepdims=True)  # (N, 1)
    return products / np.sqrt(np.maximum(squared_lengths, TINY))


def choose_penalty(trials: dict[int, np.ndarray], y: np.ndarray, unseen: int) -> float:
    """The penalty of seen cosines with the best balance of hidden and seen accuracy.

    `trials[h]`: cosines (N, C) of items labelled `y`, with the classes h and `unseen` left out;
    rows and column of `unseen` are not used. The best penalty has the highest harmonic mean of the
    accuracy on items of h and on the others, averaged over h. 201 quantiles of the margins are
    tried.
    """
    known = y != unseen
    y = y[known]
    read = {}
    for h, trial in trials.items():
        read[h] = _margin(trial[known], h, unseen)
    margins = np.concatenate([margin for margin, _ in read.values()])
    grid = np.quantile(margins, np.linspace(0, 1, 201))
    grid = grid[:, None]  # (201, 1)
    balances = []
    for h, (margin, best_seen) in read.items():
        is_h = y == h
        found = (margin[is_h] < grid).mean(axis=1)  # (201,)
        seen_right = (margin >= grid) & (best_seen == y)  # (201, N)
        accuracy = seen_right[:, ~is_h].mean(axis=1)
        balances.append(_harmonic(found, accuracy))
    best = np.mean(balances, axis=0).argmax()
    return float(grid[best, 0])


def resampled_scores(
    tests: np.ndarray, penalties: np.ndarray, y: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of a method by name, each (B, C): row 0 of all test items and seeds, the others
    resampled.

    `tests` (S, C, M, C): cosines by seed and class left out; `penalties` (S, C), of the seen
    cosines; `y` (M,). Items and seeds are drawn again for every row, in the same way for all
    methods and classes. So the rows of two methods may be subtracted. B is 1 + RESAMPLES.

        auroc       of the cosine to the unseen anchor
        relative    AUROC of that cosine minus the highest seen one
        recall      of the unseen class among all classes
        seen        accuracy on the other items
        harmonic    harmonic mean of recall and seen
    """
    seeds, classes, items, _ = tests.shape
    item_weights = _resample_weights(items, 0)  # (B, M)
    seed_weights = _resample_weights(seeds, 1) / seeds  # (B, S)
    scores = {}
    for name in ("auroc", "relative", "recall", "seen"):
        scores[name] = np.zeros((1 + RESAMPLES, classes))
    for s, c in np.ndindex(seeds, classes):
        one = _scores_of(tests[s, c], c, penalties[s, c], y, item_weights)
        for name, values in one.items():
            scores[name][:, c] += seed_weights[:, s] * values
    scores["harmonic"] = _harmonic(scores["recall"], scores["seen"])
    return scores


def _resample_weights(n: int, seed: int) -> np.ndarray:
    """How often each of n things is drawn: (B, n). Row 0 has each once, the others are
    resampled."""
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + RESAMPLES, n))
    weights[1:] = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)
    return weights


def _scores_of(
    cosine: np.ndarray, unseen: int, penalty: float, y: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores (B,) of one seed and one class left out: cosines (M, C), item weights (B, M)."""
    is_unseen = y == unseen  # (M,)
    margin, best_seen = _margin(cosine, unseen)  # (M,) each
    found = margin < penalty
    recall = weights @ (found & is_unseen) / (weights @ is_unseen)
    seen_right = ~found & (best_seen == y) & ~is_unseen
    seen = weights @ seen_right / (weights @ ~is_unseen)
    area = auroc(cosine[:, unseen], is_unseen, weights)
    relative = auroc(-margin, is_unseen, weights)
    return {"auroc": area, "relative": relative, "recall": recall, "seen": seen}


def score_table(
    scores: dict[str, dict[str, np.ndarray]], words: Sequence[str], reference: str
) -> pd.DataFrame:
    """The `resampled_scores` of several methods as rows: method, class, score, value, low, high.

    `class` is a word, or "mean" over all; low and high are the 95 % interval. The additional score
    `gain` is the AUROC minus the AUROC of the method `reference`; its interval is from a paired
    bootstrap.
    """
    rows = []
    for method, one in scores.items():
        others = scores[reference]
        with_gain = one | {"gain": one["auroc"] - others["auroc"]}
        for name, values in with_gain.items():  # (B, C)
            columns = dict(zip(words, values.T, strict=True))
            columns["mean"] = values.mean(axis=1)
            for label, column in columns.items():  # (B,)
                low, high = percentile_interval(column[1:])
                rows.append((method, label, name, column[0], low, high))
    return pd.DataFrame(rows, columns=["method", "class", "score", "value", "low", "high"])


def auroc(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Areas under the ROC curve of scores (N,): (B,), one per row of item weights (B, N).

    Ties count half. Without weights B is 1.
    """
    if weights is None:
        weights = np.ones((1, len(scores)))
    order = np.argsort(scores)
    ranked = scores[order]
    is_positive = positive[order]
    weights = weights[:, order]
    negatives = np.cumsum(weights * ~is_positive, axis=1)
    negatives = np.pad(negatives, ((0, 0), (1, 0)))  # (B, N + 1) weight of negatives before a place
    first_equal = np.searchsorted(ranked, ranked)  # (N,)
    after_equal = np.searchsorted(ranked, ranked, "right")
    below = negatives[:, first_equal]  # (B, N)
    below_or_equal = negatives[:, after_equal]
    beaten = (below + below_or_equal) / 2
    area = (weights * is_positive * beaten).sum(axis=1)
    return area / ((weights @ is_positive) * negatives[:, -1])


def _margin(cosine: np.ndarray, unseen: int, *absent: int) -> tuple[np.ndarray, np.ndarray]:
    """Highest seen cosine minus the unseen one (N,), and the class of that seen cosine (N,)."""
    n, classes = cosine.shape
    seen = np.delete(np.arange(classes), [unseen, *absent])
    place = cosine[:, seen].argmax(axis=1)  # (N,) among the seen classes
    best_seen = seen[place]
    highest = cosine[np.arange(n), best_seen]
    return highest - cosine[:, unseen], best_seen


def _harmonic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 2 * a * b / np.maximum(a + b, TINY)
