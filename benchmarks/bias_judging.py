"""How bias_detection.py judges the detectors by the truth: its tables and figures.

A finding is true if the model's counterfactual effect differs from the effect on the true posterior
by more than .05, false if by less than .03, and not counted in between. The false-discovery
proportion of a set without biases is 1 if anything is found in it. The FDR is the mean proportion
over sets. Recall is over the injected pairs that are true: what the data show and the model did not
learn is no bias of the model (the share of all injected pairs is given beside it).

The thresholds of each detector (alpha and minimum effect) are chosen on every other pair of sets,
one with and one without biases: the highest recall whose FDR is within the target. The other half
of the sets judges.

Written: detectors.csv, recall.csv and power.png; matched.csv and curve.png, in which all detectors
have the same FDR (`matched`, `curve`); about.json.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import pandas as pd
from scipy.stats import beta, spearmanr

from tinyemo.bias.power_figures import power_curve, recall_curve
from tinyemo.evaluation.bootstrap import percentile_interval
from tinyemo.runs import manifest

COMBINATION = "data and model"
TRUE, FALSE = 0.05, 0.03
ALPHAS = (0.2, 0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-6, 1e-9)
MIN_EFFECTS = {  # by the unit of the effects
    "mean probability": (0.0, 0.02, 0.03, 0.035, 0.04, 0.045, 0.05, 0.06),
    "risk difference": (0.0, 0.05, 0.1, 0.15, 0.2),
    "log odds ratio": (0.0, 0.25, 0.5, 1.0, 1.5),
}
TARGETS = (0.05, 0.10)  # of the FDR
MATCHED = (0.02, 0.05, 0.07, 0.10)  # FDRs to which all detectors are matched
SAFETY = (
    0.8  # thresholds are chosen for this share of a target, so that the other half keeps the whole
)
WAYS = ("best in hindsight", "chosen before")
PREVALENCES = {"under .10": (0, 0.1), ".10 to .20": (0.1, 0.2), "over .20": (0.2, 1)}
EXCESS_EDGES = (0.0, 0.03, 0.05, 0.1, 0.2, 1.0)
DRAWS = 10_000  # of the bootstrap
TITLE = "Injected biases that a model has learned"


@dataclass(frozen=True, eq=False)
class Swept:
    """The outcome of a detector on one half of the sets, at each threshold."""

    unit: str
    thresholds: list[tuple[float, float]]
    fdp: np.ndarray  # (thresholds, sets) float, false-discovery proportions
    without_bias: np.ndarray  # (sets,) bool
    found: np.ndarray  # (thresholds, pairs) bool, the injected pairs that were found
    learned: np.ndarray  # (pairs,) bool, the injected pairs that the model has learned

    @property
    def fdr(self) -> np.ndarray:
        """(thresholds,)"""
        return self.fdp.mean(axis=1)

    @property
    def recall(self) -> np.ndarray:
        """(thresholds,)"""
        return self.found[:, self.learned].mean(axis=1)

    def best(self, limit: float) -> int | None:
        """The threshold of the highest recall whose FDR is within the limit; None if no FDR is."""
        fdr, recall = self.fdr, self.recall
        within = np.flatnonzero(fdr <= limit)
        return max(within, key=lambda t: (recall[t], -fdr[t]), default=None)


BothHalves = dict[str, tuple[Swept, Swept]]  # detector -> its choosing half, its judging half


def sweep(detector: str, sets: list[dict]) -> Swept:
    """Apply all thresholds of a detector to some sets."""
    unit = sets[0]["tables"][detector]["unit"].iloc[0]
    thresholds = list(product(ALPHAS, MIN_EFFECTS[unit]))
    all_fdp, all_found = [], []
    for alpha, min_effect in thresholds:
        fdp, found = [], []
        for one in sets:
            decided = decide(one["tables"][detector], alpha, min_effect)
            proportion, of_injected = outcome(decided, one)
            fdp.append(proportion)
            found.append(of_injected)
        all_fdp.append(fdp)
        all_found.append(np.concatenate(found))
    without_bias = np.array([not one["biases"] for one in sets])
    learned = [one["excess"].ravel()[one["injected"]] > TRUE for one in sets]
    return Swept(
        unit,
        thresholds,
        np.array(all_fdp),
        without_bias,
        np.stack(all_found),
        np.concatenate(learned),
    )


def decide(table: pd.DataFrame, alpha: float, min_effect: float) -> np.ndarray:
    """(rows,) bool: found at these thresholds."""
    significant = table["q"] <= alpha
    large = table["effect"].abs() >= min_effect
    found = significant & large
    return found.to_numpy()


def outcome(found: np.ndarray, one: dict) -> tuple[float, np.ndarray]:
    """The false-discovery proportion of one set, and which of its injected pairs were found."""
    if not one["biases"]:
        return float(found.any()), np.zeros(0, bool)
    excess = one["excess"].ravel()
    false = (found & (excess < FALSE)).sum()
    true = (found & (excess > TRUE)).sum()
    return false / max(1, false + true), found[one["injected"]]


def bound(fdp: np.ndarray, side: float) -> float:
    """Clopper and Pearson's 95 % bound on a mean proportion: the upper one if side > 0.

    It is too wide, because proportions vary less than zeros and ones.
    """
    k, n = fdp.sum(), len(fdp)
    if side > 0:
        return float(beta.ppf(0.95, k + 1, n - k)) if k < n else 1.0
    return float(beta.ppf(0.05, k, n - k + 1)) if k > 0 else 0.0


def recall(found: np.ndarray, of: np.ndarray) -> dict[str, float]:
    """The share found of the pairs `of` (mask), with Clopper and Pearson's 95 % interval."""
    k = int(found[of].sum())
    n = int(of.sum())
    row = {"recall": k / n if n else np.nan}
    row["low"] = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    row["high"] = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    row["pairs"] = n
    return row


def matched(swept: BothHalves, owner: np.ndarray, draws: int = DRAWS) -> pd.DataFrame:
    """Recall on the judging half if all detectors have the same FDR.

    One row per way, target and detector.

    owner: (pairs,) the set of each judged pair.

    "best in hindsight" takes the best threshold whose FDR on the judging half itself is within the
    target. It describes that half and does not apply to new sets. "chosen before" takes the
    threshold from the choosing half, with the share SAFETY of the target. A detector without any
    threshold within the target finds nothing: recall 0, no alpha.

    `lead` is the recall of the combination minus the recall of the detector, with a paired
    bootstrap interval of 95 % over the sets that have true pairs. The pairs of a set stay together,
    and the thresholds stay as they were chosen. `best_single` marks the single detector with the
    highest recall (of two, the one with the lower FDR) on the half where the thresholds were
    chosen.
    """
    learned = next(iter(swept.values()))[1].learned
    _, set_of_pair = np.unique(owner[learned], return_inverse=True)
    sets = set_of_pair.max() + 1
    rng = np.random.default_rng(0)
    weights = rng.multinomial(sets, np.full(sets, 1 / sets), size=draws)  # (draws, sets)

    rows = []
    for (half, way), target in product(zip((1, 0), WAYS, strict=True), MATCHED):
        limit = target if half else SAFETY * target
        chosen = {name: halves[half].best(limit) for name, halves in swept.items()}
        found = {name: _found(swept[name][1], at)[learned] for name, at in chosen.items()}
        single = _best_single(swept, half, chosen)
        for name, (_, judging) in swept.items():
            at = chosen[name]
            row = {"way": way, "target": target, "detector": name, "pairs": learned.sum()}
            row["recall"] = found[name].mean()
            row["fdr"] = 0.0 if at is None else judging.fdr[at]
            thresholds = (np.nan, np.nan) if at is None else judging.thresholds[at]
            row["alpha"], row["min_effect"] = thresholds
            if name != COMBINATION:
                lead = found[COMBINATION].astype(float) - found[name]
                row["best_single"] = name == single
                row |= _lead(lead, set_of_pair, weights)
            rows.append(row)
    return pd.DataFrame(rows)


def _found(swept: Swept, at: int | None) -> np.ndarray:
    """(pairs,) bool: found at a threshold; nothing is found without a threshold."""
    if at is None:
        return np.zeros(len(swept.learned), bool)
    return swept.found[at]


def _best_single(swept: BothHalves, half: int, chosen: dict[str, int | None]) -> str:
    """The single detector with the highest recall on a half, and of equal ones the lowest FDR."""

    keys = {}
    for name, halves in swept.items():
        at, of_half = chosen[name], halves[half]
        if name == COMBINATION:
            continue
        keys[name] = 0.0, 0.0
        if at is not None:
            keys[name] = of_half.recall[at], -of_half.fdr[at]
    return max(keys, key=keys.get)


def _lead(lead: np.ndarray, set_of_pair: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """The mean of a lead (pairs,) and its bootstrap interval, by weights (draws, sets)."""
    totals = weights @ np.bincount(set_of_pair, lead)
    pairs = weights @ np.bincount(set_of_pair)
    low, high = percentile_interval(totals / pairs)
    return {"lead": lead.mean(), "lead_low": low, "lead_high": high}


def curve(swept: BothHalves) -> pd.DataFrame:
    """What each detector can reach on the judging half: each recall with its lowest FDR.

    As in an ROC curve, no threshold is chosen: all of them are shown.
    """
    corners = []
    for name, (_, judging) in swept.items():
        order = np.lexsort((-judging.recall, judging.fdr))
        fdr, recall = judging.fdr[order], judging.recall[order]
        highest_before = np.maximum.accumulate([-1.0, *recall[:-1]])
        higher = np.flatnonzero(recall > highest_before)
        corner = {"detector": name, "fdr": fdr[higher], "recall": recall[higher]}
        corners.append(pd.DataFrame(corner))
    return pd.concat(corners, ignore_index=True)


def at_targets(swept: BothHalves, pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each detector at its chosen thresholds: errors and recall, and recall by kinds of pairs.

    pairs: the injected pairs of the judging half. A detector without any threshold within the
    target gets the threshold of its lowest FDR.
    """
    rows, by_kind = [], []
    for (detector, (choosing, judging)), target in product(swept.items(), TARGETS):
        at = choosing.best(SAFETY * target)
        if at is None:
            at = choosing.fdr.argmin()
        fdp, found, learned = judging.fdp[at], judging.found[at], judging.learned
        row = {"detector": detector, "target": target}
        row["alpha"], row["min_effect"] = judging.thresholds[at]
        row["unit"] = judging.unit
        row["fdr"] = fdp.mean()
        row["fdr_low"] = bound(fdp, -1)
        row["fdr_upper"] = bound(fdp, 1)
        row["fdr_without_bias"] = fdp[judging.without_bias].mean()
        row["fdr_with_bias"] = fdp[~judging.without_bias].mean()
        row["recall"] = found[learned].mean()
        for strength in sorted(pairs["strength"].unique()):
            of = (pairs["strength"] == strength).to_numpy()
            row[f"recall_{strength:.2f}"] = recall(found, of & learned)["recall"]
            row[f"found_{strength:.2f}"] = recall(found, of)["recall"]
        rows.append(row)
        for by, level, of in groups(pairs, learned):
            labels = {"detector": detector, "target": target, "by": by, "level": level}
            by_kind.append(labels | recall(found, of))
    return pd.DataFrame(rows), pd.DataFrame(by_kind)


def report(sets: list[dict], args: argparse.Namespace, seconds: float) -> None:
    """Write all tables and figures of the sets that `bias_detection.judged` gives."""
    choosing = [one for one in sets if one["seed"] // 2 % 2 == 0]
    judging = [one for one in sets if one["seed"] // 2 % 2 == 1]
    swept = {}
    for detector in sets[0]["tables"]:
        swept[detector] = sweep(detector, choosing), sweep(detector, judging)
    pairs = injected_pairs(judging)
    tables = {}
    tables["detectors"], tables["recall"] = at_targets(swept, pairs)
    tables["matched"] = matched(swept, pairs["set"].to_numpy())
    args.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(args.out / f"{name}.csv", index=False, float_format="%.4g")
    for name, figure in figures(swept, tables).items():
        figure.savefig(args.out / f"{name}.png", bbox_inches="tight")

    about = {
        "profile": args.world.parent.name,
        "commit": manifest.git_state()["commit"],
        "sets": len(sets),
        "without_bias": sum(not one["biases"] for one in sets),
        "references": args.references,
        "seconds": round(seconds),
        "agreement": agreements(sets),
    }
    (args.out / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    for name, table in tables.items():
        if name != "matched":
            table = table[table["target"] == TARGETS[-1]]
        print(table.to_string(), end="\n\n")
    print(json.dumps(about, indent=1))


def injected_pairs(sets: list[dict]) -> pd.DataFrame:
    """One row per injected pair of some sets."""
    rows = []
    for one in sets:
        excess = one["excess"].ravel()
        for cell, bias, prevalence in zip(
            one["injected"], one["biases"], one["prevalence"], strict=True
        ):
            _, _, _, strength, kind = bias
            row = {"set": one["seed"], "n": one["n"], "prevalence": prevalence}
            row |= {"strength": strength, "kind": kind, "excess": excess[cell]}
            rows.append(row)
    return pd.DataFrame(rows)


def figures(swept: BothHalves, tables: dict[str, pd.DataFrame]) -> dict:
    """power.png and curve.png, for the last target."""
    target = TARGETS[-1]
    errors, by_kind = tables["detectors"], tables["recall"]
    errors = errors[errors["target"] == target]
    errors = errors.rename(columns={"fdr_low": "low", "fdr_upper": "high"})
    power = by_kind[(by_kind["target"] == target) & (by_kind["by"] == "strength")]
    power = power.rename(columns={"level": "strength"}).astype({"strength": float})
    chosen_before = tables["matched"]["way"] == WAYS[1]
    before = tables["matched"][chosen_before].dropna(subset="alpha")
    return {
        "power": power_curve(power, errors, TITLE, target),
        "curve": recall_curve(curve(swept), before, TITLE),
    }


def agreements(sets: list[dict]) -> dict[str, list[float]]:
    """Rank correlation of estimated effects with causal effects of more than .02: see `over_sets`.

    adjusted: the model's effects on test scenes, adjusted for the other attributes. raw: the mean
    with a value minus the mean without it. excess: beyond the reference models, against the causal
    effects beyond those of sets without biases.
    """
    without_bias = {}
    for n in {one["n"] for one in sets}:
        causal = [one["causal"] for one in sets if one["n"] == n and not one["biases"]]
        without_bias[n] = np.mean(causal, axis=0)
    correlations = {"adjusted": [], "raw": [], "excess": []}
    for one in sets:
        causal = one["causal"]
        excess = one["tables"]["model"]["effect"].to_numpy().reshape(causal.shape)
        compared = {"adjusted": (one["effects"], causal), "raw": (one["raw"], causal)}
        if one["biases"]:
            compared["excess"] = excess, causal - without_bias[one["n"]]
        for name, (estimated, true) in compared.items():
            large = np.abs(true) > 0.02
            if large.sum() >= 10:
                correlation = spearmanr(estimated[large], true[large]).statistic
                correlations[name].append(correlation)
    return {name: over_sets(each) for name, each in correlations.items()}


def over_sets(each: list[float]) -> list[float]:
    """Of one number per set: the mean, and the 2.5 % and 97.5 % quantiles of the sets."""
    mean = np.mean(each)
    low, high = percentile_interval(each)
    return [round(float(x), 4) for x in (mean, low, high)]


def groups(pairs: pd.DataFrame, learned: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
    """The judged pairs of each row of recall.csv: (by, level, mask).

    Only true pairs count, except in "all injected" and in "excess effect".
    """
    strength = pairs["strength"]
    levels = sorted(strength.unique())
    for level in levels:
        yield "strength", f"{level:.2f}", (strength == level).to_numpy() & learned
    for level in levels:
        yield "all injected", f"{level:.2f}", (strength == level).to_numpy()
    for column in ("kind", "n"):
        for level in sorted(pairs[column].unique()):
            yield column, str(level), (pairs[column] == level).to_numpy() & learned
    for name, edges in PREVALENCES.items():
        yield "prevalence", name, pairs["prevalence"].between(*edges).to_numpy() & learned
    for low, high in pairwise(EXCESS_EDGES):
        of_size = pairs["excess"].between(low, high).to_numpy()
        yield "excess effect", f"{low:.2f} to {high:.2f}", of_size
