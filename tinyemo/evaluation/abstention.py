"""Abstention: how much the error falls if a model leaves its least certain items unanswered.

Takes the test predictions of one run. Gives the risk-coverage curve (El-Yaniv and Wiener 2010) and
the area under it, AURC (Geifman et al. 2019). Two bounds are given with them: items left out at
random, and an oracle that leaves out exactly the items that the model predicts wrongly.

Confidence is the probability of the predicted label. Items of equal confidence count in random
order. All numbers are means over seeds. Shapes: S seeds, N items.
"""

import numpy as np
import pandas as pd

from tinyemo.evaluation.bootstrap import score_interval
from tinyemo.evaluation.calibration import confidence_of

COVERAGES = (0.2, 0.5, 0.8, 1.0)


def risk_coverage(predictions: pd.DataFrame) -> pd.DataFrame:
    """Share of errors among the k most confident items: columns `coverage, risk, random, oracle`.

    One row per k from 1 to N; `coverage` is k / N.
    """
    _, wrong = _by_confidence(predictions)  # (S, N)
    n = wrong.shape[1]
    answered = np.arange(1, n + 1)
    risk = (wrong.cumsum(axis=1) / answered).mean(axis=0)  # (N,)
    errors = wrong.sum(axis=1, keepdims=True)  # (S, 1)
    # the oracle answers all N - errors correct items first
    oracle_errors = np.maximum(answered - (n - errors), 0)  # (S, N)
    return pd.DataFrame(
        {
            "coverage": answered / n,
            "risk": risk,
            "random": errors.mean() / n,
            "oracle": (oracle_errors / answered).mean(axis=0),
        }
    )


def abstention_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """AURC with its 95 % interval over items, the AURC of both bounds, and accuracy at COVERAGES.

    Keys: aurc, aurc_low, aurc_high, random, oracle, accuracy_at_20, ..., accuracy_at_100 (the
    number is the percentage of items that are answered).
    """
    order, wrong = _by_confidence(predictions)  # (S, N) each
    curve = risk_coverage(predictions)
    n = len(curve)

    def resampled_aurc(rows: np.ndarray) -> float:
        times = np.bincount(rows, minlength=n)  # (N,) how often each item was drawn
        times = times[order]  # (S, N) most confident first
        answered = times.cumsum(axis=1)
        errors = (times * wrong).cumsum(axis=1)
        risk = errors / np.maximum(answered, 1)
        return float((risk * times).sum(axis=1).mean() / len(rows))

    low, high = score_interval(resampled_aurc, n)
    scores = {"aurc": float(curve["risk"].mean()), "aurc_low": low, "aurc_high": high}
    scores["random"] = float(curve["random"].mean())
    scores["oracle"] = float(curve["oracle"].mean())
    for coverage in COVERAGES:
        answered = max(round(coverage * n), 1)
        percent = round(100 * coverage)
        scores[f"accuracy_at_{percent}"] = 1 - float(curve["risk"][answered - 1])
    return scores


def _by_confidence(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Item numbers, most confident first, and the share of errors at each place: (S, N) each.

    Items of equal confidence share their errors equally.
    """
    orders, errors = [], []
    for _, one in predictions.sort_values("id").groupby("seed"):
        confidence, right = confidence_of(one)  # (N,) each
        wrong = pd.Series((~right).astype(float))
        shared = wrong.groupby(confidence).transform("mean").to_numpy()
        order = np.argsort(-confidence, kind="stable")
        orders.append(order)
        errors.append(shared[order])
    return np.stack(orders), np.stack(errors)
