"""Held-out classes: what is known of a class from its word alone, when no image of it was trained on.

Each class is left out in turn, and only its anchor, made of its word, says what it is. What is chosen is
chosen by leaving out one of the *seen* classes in the same way, within the training items. Two questions to
the test items: does the cosine to the unseen anchor rank its images first (AUROC, chance .5), and is the class
found among all (generalised zero-shot recall) once seen classes pay a penalty (Chao et al. 2016, arXiv 1605.04253)?

A ridge regression from features to anchors gives sum_k share_k(x) anchor_k, a weighted sum of the seen
anchors (as in ConSE, Norouzi et al. 2014), whatever the anchors are. So shares are computed once, and many
anchors are compared for the price of one.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import KernelCenterer

RESAMPLES = 500  # of test items and seeds, for an interval


def standing(vectors: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Where words (C, D) stand between poles, P pairs of opposite words (P, D) each: (C,) of mean 0 and sd 1.

    The axis is the mean difference of the pairs' unit vectors (SemAxis, An et al. 2018, arXiv 1806.05521).
    """
    place = _unit(vectors) @ (_unit(positive) - _unit(negative)).mean(axis=0)
    return (place - place.mean()) / place.std()


def blend(
    vectors: np.ndarray,
    place: np.ndarray,
    meaning: float = 1.0,
    own: float = 0.0,
    common: float = 0.0,
    pole: float = 0.0,
) -> np.ndarray:
    """Unit anchors (C, D + C + 2) of four weighted parts, each on axes of its own.

    meaning: the word's vector (C, D). own: an axis that no other word has, all equally far apart. common: an
    axis that all share. pole: the word's `place` (C,), see `standing`.
    """
    parts = (
        meaning * _unit(vectors),
        own * np.eye(len(vectors)),
        np.full((len(vectors), 1), common),
    )
    return _unit(np.hstack([*parts, pole * place[:, None]]))


class LeftOut:
    """Shares of the seen classes, by ridge regressions that saw neither the class left out nor the item.

    A regression is a pair: the penalty of its squared weights, and gamma of the kernel exp(-gamma |x - x'|^2) or
    None, linear; on features of unit length, scaled to a variance of one in all.
    `x` (N, D), `y` (N,) of classes 0 to C-1: the training items; `test_x` (M, D). `outer` (C, R, M, C): class c
    left out, regression r, shares of the test items. `inner[c, h]` (R, N, C): both c and h left out, shares of
    the training items on held-out folds, which the seed draws. ValueError: fewer than four classes.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        test_x: np.ndarray,
        regressions: Sequence[tuple[float, float | None]],
        folds: int = 4,
        seed: int = 0,
    ):
        self.y, self.classes, self.regressions = y, int(y.max()) + 1, tuple(regressions)
        if self.classes < 4:
            raise ValueError(
                f"labels of {self.classes} classes: expected at least 4, for two are left out at a time"
            )
        unit = _unit(np.concatenate([x, test_x]).astype(np.float64))
        self.squares = 2 - 2 * unit @ unit.T  # squared distances
        test = np.arange(len(x), len(unit))
        parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y))
        self.outer = np.stack(
            [self._shares(np.flatnonzero(y != c), test) for c in range(self.classes)]
        )
        self.inner = {}
        for c, h in combinations(range(self.classes), 2):
            shares = np.empty((len(self.regressions), len(y), self.classes))
            for train, held in parts:
                shares[:, held] = self._shares(train[(y[train] != c) & (y[train] != h)], held)
            self.inner[c, h] = self.inner[h, c] = shares

    def _shares(self, train: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(R, len(at), C): regressions of the training rows' one-hot labels, asked at other rows."""
        squares = self.squares[np.ix_(np.r_[train, at], train)]
        squares = squares / (squares[: len(train)].mean() / 2)
        target = np.eye(self.classes)[self.y[train]]
        mean, shares = target.mean(axis=0), []
        for ridge, gamma in self.regressions:
            kernel = -squares / 2 if gamma is None else np.exp(-gamma * squares)
            if gamma is None:  # centred, these are the inner products of centred features
                kernel = KernelCenterer().fit(kernel[: len(train)]).transform(kernel)
            model = KernelRidge(alpha=ridge, kernel="precomputed").fit(
                kernel[: len(train)], target - mean
            )
            shares.append(model.predict(kernel[len(train) :]) + mean)
        return np.stack(shares)

    def choose(self, candidates: Sequence[tuple[int, np.ndarray]]) -> list[tuple[int, float]]:
        """For each class, the place of the best candidate (a regression's place, anchors) and its penalty.

        The best has the highest mean AUROC of another class left out beside it; no item of the class is looked at.
        """
        choices = []
        for c in range(self.classes):
            rows, others = self.y != c, [h for h in range(self.classes) if h != c]
            trials = [
                {h: cosines(self.inner[c, h][r], anchors) for h in others}
                for r, anchors in candidates
            ]
            best = int(
                np.argmax(
                    [
                        sum(auroc(one[h][rows, h], self.y[rows] == h)[0] for h in others)
                        for one in trials
                    ]
                )
            )
            choices.append((best, choose_penalty(trials[best], self.y, c)))
        return choices

    def test(
        self, candidates: Sequence[tuple[int, np.ndarray]], choices: Sequence[tuple[int, float]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cosines (C, M, C) of the test items by class left out, and penalties (C,), of what was chosen."""
        tests = [
            cosines(self.outer[c, candidates[k][0]], candidates[k][1])
            for c, (k, _) in enumerate(choices)
        ]
        return np.stack(tests), np.array([penalty for _, penalty in choices])


def cosines(shares: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Cosines (N, C) of the embeddings shares @ anchors to the anchors: (N, C) shares, (C, D) unit anchors."""
    products = shares @ (anchors @ anchors.T)
    return products / np.sqrt(np.maximum((products * shares).sum(axis=1, keepdims=True), 1e-12))


def choose_penalty(trials: dict[int, np.ndarray], y: np.ndarray, unseen: int) -> float:
    """The penalty of seen cosines with the highest harmonic mean of hidden and seen accuracy, averaged over trials.

    trials[h]: cosines (N, C) of items labelled `y`, with classes h and `unseen` left out; rows and column of the
    latter take no part.
    """
    known = y != unseen
    read = {h: _margin(trial[known], h, unseen) for h, trial in trials.items()}
    grid = np.quantile(
        np.concatenate([margin for margin, _ in read.values()]), np.linspace(0, 1, 201)
    )[:, None]
    means = []
    for h, (margin, named) in read.items():
        is_h = y[known] == h
        seen = (margin >= grid) & (named == y[known])
        means.append(_harmonic((margin[is_h] < grid).mean(axis=1), seen[:, ~is_h].mean(axis=1)))
    return float(grid[np.mean(means, axis=0).argmax(), 0])


def draws(tests: np.ndarray, penalties: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of a method, each (1 + RESAMPLES, C): row 0 of all test items and seeds, the others resampled.

    `tests` (S, C, M, C): cosines by seed and class left out; `penalties` (S, C), of the seen cosines; `y` (M,).
    Items and seeds are drawn anew in every row, alike for all methods and classes: rows may be subtracted.
    auroc: of the plain cosine to the unseen anchor. relative: of that cosine minus the highest seen one.
    recall: of the unseen class among all. seen: accuracy on the other items. harmonic: mean of these two.
    """
    seeds, classes, items, _ = tests.shape
    weights, of_seed = np.ones((1 + RESAMPLES, items)), np.full((1 + RESAMPLES, seeds), 1 / seeds)
    weights[1:] = np.random.default_rng(0).multinomial(items, np.full(items, 1 / items), RESAMPLES)
    of_seed[1:] = np.random.default_rng(1).multinomial(seeds, of_seed[0], RESAMPLES) / seeds
    scores = {
        name: np.zeros((1 + RESAMPLES, classes)) for name in ("auroc", "relative", "recall", "seen")
    }
    for s, c in np.ndindex(seeds, classes):
        is_c, (margin, named) = y == c, _margin(tests[s, c], c)
        found = margin < penalties[s, c]
        one = {
            "auroc": auroc(tests[s, c, :, c], is_c, weights),
            "relative": auroc(-margin, is_c, weights),
            "recall": weights @ (found & is_c) / (weights @ is_c),
            "seen": weights @ (~found & (named == y) & ~is_c) / (weights @ ~is_c),
        }
        for name, values in one.items():
            scores[name][:, c] += of_seed[:, s] * values
    return scores | {"harmonic": _harmonic(scores["recall"], scores["seen"])}


def score_table(
    scores: dict[str, dict[str, np.ndarray]], words: Sequence[str], reference: str
) -> pd.DataFrame:
    """The `draws` of methods by name as rows: method, class (a word, or mean), score, value, low, high (95 %).

    One more score, gain: AUROC minus that of the method `reference`, paired.
    """
    rows = []
    for method, one in scores.items():
        gain = one["auroc"] - scores[reference]["auroc"]
        for name, values in (one | {"gain": gain}).items():
            for label, drawn in zip(
                (*words, "mean"), (*values.T, values.mean(axis=1)), strict=True
            ):
                rows.append(
                    (method, label, name, drawn[0], *np.quantile(drawn[1:], [0.025, 0.975]))
                )
    return pd.DataFrame(rows, columns=["method", "class", "score", "value", "low", "high"])


def auroc(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """(B,) areas under the ROC curve of scores (N,), one a row of item weights (B, N); ties count half."""
    weights = np.ones((1, len(scores))) if weights is None else weights
    order = np.argsort(scores)
    ranked, sign, weights = scores[order], positive[order], weights[:, order]
    below = np.pad(
        np.cumsum(weights * ~sign, axis=1), ((0, 0), (1, 0))
    )  # weight of the negatives under a place
    beaten = (
        below[:, np.searchsorted(ranked, ranked)]
        + below[:, np.searchsorted(ranked, ranked, "right")]
    ) / 2
    return (weights * sign * beaten).sum(axis=1) / ((weights @ sign) * below[:, -1])


def _margin(cosine: np.ndarray, unseen: int, *absent: int) -> tuple[np.ndarray, np.ndarray]:
    """By how much the best seen class beats the unseen one (N,), and which it is (N,)."""
    seen = np.delete(np.arange(cosine.shape[1]), [unseen, *absent])
    best = seen[cosine[:, seen].argmax(axis=1)]
    return cosine[np.arange(len(cosine)), best] - cosine[:, unseen], best


def _harmonic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 2 * a * b / np.maximum(a + b, 1e-12)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
