"""Abstention: a model that may keep silent where it is unsure, and how much that helps.

Takes the test predictions of one run; gives the risk-coverage curve (El-Yaniv and Wiener 2010) and the area under
it, AURC (Geifman et al. 2019), between two bounds: keeping silent at random, and an oracle that keeps silent exactly
where the model errs. Confidence is the probability of the named label; items of equal confidence count in random
order. All numbers are means over seeds.
"""

import numpy as np
import pandas as pd

from tinyemo.evaluation.calibration import confidence_of
from tinyemo.evaluation.bootstrap import score_interval

COVERAGES = (0.2, 0.5, 0.8, 1.0)


def risk_coverage(predictions: pd.DataFrame) -> pd.DataFrame:
    """Share of errors among the k surest of N items, k = 1 to N: columns `coverage, risk, random, oracle`."""
    _, wrong = _by_confidence(predictions)
    answered = np.arange(1, wrong.shape[1] + 1)
    errors = wrong.sum(axis=1, keepdims=True)  # (S, 1)
    return pd.DataFrame(
        {
            "coverage": answered / len(answered),
            "risk": (wrong.cumsum(axis=1) / answered).mean(axis=0),
            "random": errors.mean() / len(answered),
            "oracle": (np.maximum(answered - (len(answered) - errors), 0) / answered).mean(axis=0),
        }
    )


def abstention_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """AURC with its 95 % interval over items, that of random and oracle abstention, accuracy at COVERAGES.

    Keys: aurc, aurc_low, aurc_high, random, oracle, accuracy_at_20, ..., accuracy_at_100 (per cent answered).
    """
    order, wrong = _by_confidence(predictions)
    curve = risk_coverage(predictions)

    def aurc(rows: np.ndarray) -> float:
        times = np.bincount(rows, minlength=wrong.shape[1])[
            order
        ]  # (S, N): an item counts as often as it was drawn
        answered = times.cumsum(axis=1)
        risk = (times * wrong).cumsum(axis=1) / np.maximum(answered, 1)
        return float((risk * times).sum(axis=1).mean() / len(rows))

    low, high = score_interval(aurc, len(curve))
    at = {
        f"accuracy_at_{share:.0%}".rstrip("%"): 1
        - float(curve["risk"][max(round(share * len(curve)), 1) - 1])
        for share in COVERAGES
    }
    return {
        "aurc": float(curve["risk"].mean()),
        "aurc_low": low,
        "aurc_high": high,
        "random": float(curve["random"].mean()),
        "oracle": float(curve["oracle"].mean()),
        **at,
    }


def _by_confidence(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Item numbers, surest first, and the share of errors at each place: (S, N) each; a tie shares its errors."""
    orders, errors = [], []
    for _, one in predictions.sort_values("id").groupby("seed"):
        confidence, right = confidence_of(one)
        shared = pd.Series((~right).astype(float)).groupby(confidence).transform("mean").to_numpy()
        orders.append(np.argsort(-confidence, kind="stable"))
        errors.append(shared[orders[-1]])
    return np.stack(orders), np.stack(errors)
