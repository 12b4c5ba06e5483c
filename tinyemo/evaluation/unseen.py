"""Unseen classes: can a class be recognised from its word alone, without training images of it?

Each class is left out of training in turn. Then its anchor, made from its word, is the only
information about it. Hyperparameters are chosen by leaving out one of the *seen* classes in the
same way, within the training items. We ask two questions about the test items. Does the cosine to
the unseen anchor rank the images of this class first (AUROC, chance .5)? Is the class found among
all classes, after a penalty was subtracted from the cosines to the seen classes (generalised
zero-shot learning, Chao et al. 2016, arXiv 1605.04253)?

A penalty that is high enough assigns every image to the unseen class. So the recall of the unseen
class means nothing without its false-positive rate, the share of the *other* classes' images that
are assigned to it. A method without any information has the same recall as false-positive rate. The
penalty is chosen at a stated false-positive rate, in the trials with seen classes. The scores are
in `unseen_scores`.

A ridge regression predicts an anchor from the features. Its prediction is a weighted sum of the
seen anchors, sum_k share_k(x) anchor_k (as in ConSE, Norouzi et al. 2014). The weights share_k(x)
depend on the image and on the training labels, and not on the anchors. So they are computed once,
and many kinds of anchors can then be compared at low cost.

Shapes: N training items, M test items, C classes, R regressions.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import KernelCenterer, normalize

from tinyemo.evaluation.unseen_scores import auroc, margin_to_seen

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

    def choose(
        self, candidates: Sequence[tuple[int, np.ndarray]], rate: float
    ) -> list[tuple[int, float]]:
        """For each class left out, the index of the best candidate, and its penalty.

        A candidate is the index of a regression and anchors (C, D). The best one has the highest
        mean AUROC of other classes, each left out together with this one; no item of this class is
        used. `rate` is the false-positive rate of `choose_penalty`.
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
            penalty = choose_penalty(trials[best], self.y, c, rate)
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


def choose_penalty(trials: dict[int, np.ndarray], y: np.ndarray, unseen: int, rate: float) -> float:
    """The highest penalty of seen cosines with at most this false-positive rate in the trials.

    `trials[h]`: cosines (N, C) of items labelled `y`, with the classes h and `unseen` left out;
    rows and column of `unseen` are not used. A false positive of trial h is an item of a third
    class that is assigned to h. All trials are pooled. ValueError: a rate that is not between 0
    and 1.
    """
    if not 0 < rate < 1:
        raise ValueError(f"false-positive rate {rate}: expected a share above 0 and below 1")
    negatives = []
    for h, trial in trials.items():
        others = (y != unseen) & (y != h)
        margin, _ = margin_to_seen(trial[others], h, unseen)
        negatives.append(margin)
    # an item is assigned to h if its margin is below the penalty
    return float(np.quantile(np.concatenate(negatives), rate, method="lower"))
