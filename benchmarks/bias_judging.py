"""How bias_detection.py judges the detectors: from their tables on sets whose truth is known to tables and figures.

A finding is true where the model's counterfactual effect differs from the law's by more than .05, false where by less
than .03, and not counted between. A clean set with any finding has a false-discovery proportion of 1; the FDR is the
mean proportion. Recall is over planted pairs that are true: what the data say and the model did not learn is no bias of
the model (the share found of all planted pairs stands beside it).

Each detector's threshold (its alpha, and the least effect) is chosen on every other pair of sets, one clean and one
planted: the highest recall whose FDR is within the target. The other half judges. Written: detectors.csv, recall.csv,
power.png; matched.csv and curve.png, which hold all detectors to the same FDR (`matched`, `curve`); about.json.
"""

import argparse
import json
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import beta, spearmanr

from tinyemo.bias.figures import power_curve, recall_curve
from tinyemo.runs import manifest

COMBINATION = "data and model"
TRUE, FALSE = 0.05, 0.03
ALPHAS = (0.2, 0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-6, 1e-9)
LEASTS = {
    "mean probability": (0.0, 0.02, 0.03, 0.035, 0.04, 0.045, 0.05, 0.06),
    "risk difference": (0.0, 0.05, 0.1, 0.15, 0.2),
    "log odds ratio": (0.0, 0.25, 0.5, 1.0, 1.5),
}
TARGETS = (0.05, 0.10)  # of the FDR
MATCHED = (0.02, 0.05, 0.07, 0.10)  # to which all are held alike
SPARE = 0.8  # of a target is asked for where a threshold is chosen, so that the other half keeps the whole
WAYS = ("best in hindsight", "chosen before")
PREVALENCES = {"under .10": (0, 0.1), ".10 to .20": (0.1, 0.2), "over .20": (0.2, 1)}


@dataclass(frozen=True, eq=False)
class Swept:
    """What a detector makes of one half of the sets at each threshold (alpha, least effect in its unit)."""

    unit: str
    thresholds: list[tuple[float, float]]
    fdp: np.ndarray  # false-discovery proportions, (thresholds, sets) float
    clean: np.ndarray  # sets with no plant, (sets,) bool
    found: np.ndarray  # planted pairs that were found, (thresholds, pairs) bool
    real: np.ndarray  # those that the model took up, (pairs,) bool

    @property
    def fdr(self) -> np.ndarray:
        return self.fdp.mean(axis=1)

    @property
    def recall(self) -> np.ndarray:
        return self.found[:, self.real].mean(axis=1)

    def best(self, limit: float) -> int | None:
        """The threshold of the highest recall whose FDR is within the limit; None where no FDR is."""
        fdr, reached = self.fdr, self.recall
        return max(np.flatnonzero(fdr <= limit), key=lambda t: (reached[t], -fdr[t]), default=None)


def sweep(detector: str, sets: list[dict]) -> Swept:
    unit = sets[0]["tables"][detector]["unit"].iloc[0]
    thresholds = list(product(ALPHAS, LEASTS[unit]))
    outcomes = [
        [outcome(decide(one["tables"][detector], *threshold), one) for one in sets]
        for threshold in thresholds
    ]
    return Swept(
        unit,
        thresholds,
        np.array([[fdp for fdp, _ in row] for row in outcomes]),
        np.array([not one["plants"] for one in sets]),
        np.stack([np.concatenate([found for _, found in row]) for row in outcomes]),
        np.concatenate([one["size"].ravel()[one["planted"]] > TRUE for one in sets]),
    )


def decide(table: pd.DataFrame, alpha: float, least: float) -> np.ndarray:
    return ((table["q"] <= alpha) & (table["effect"].abs() >= least)).to_numpy()


def outcome(found: np.ndarray, one: dict) -> tuple[float, np.ndarray]:
    """The false-discovery proportion of one set, and which of its planted pairs were found."""
    size = one["size"].ravel()
    if not one["plants"]:
        return float(found.any()), np.zeros(0, bool)
    false, true = (found & (size < FALSE)).sum(), (found & (size > TRUE)).sum()
    return false / max(1, false + true), found[one["planted"]]


def bound(fdp: np.ndarray, side: float) -> float:
    """Clopper and Pearson's 95 % bound on a mean proportion: too wide, as proportions vary less than 0 and 1 do."""
    k, n = fdp.sum(), len(fdp)
    if side > 0:
        return float(beta.ppf(0.95, k + 1, n - k)) if k < n else 1.0
    return float(beta.ppf(0.05, k, n - k + 1)) if k > 0 else 0.0


def recall(found: np.ndarray, of: np.ndarray) -> dict[str, float]:
    k, n = int(found[of].sum()), int(of.sum())
    low, high = (
        beta.ppf(0.025, k, n - k + 1) if k else 0.0,
        beta.ppf(0.975, k + 1, n - k) if k < n else 1.0,
    )
    return {"recall": k / n if n else np.nan, "low": low, "high": high, "pairs": n}


def matched(
    swept: dict[str, tuple[Swept, Swept]], owner: np.ndarray, draws: int = 10_000
) -> pd.DataFrame:
    """Recall on the judging half with every detector held to the same FDR: a row a way, target and detector.

    swept: detector -> what it makes of the choosing and of the judging half; owner (pairs,): each judged pair's set.
    "best in hindsight" takes the best threshold whose FDR on the judging half itself is within the target: it describes
    that half, and says nothing of new sets. "chosen before" takes it from the choosing half, where SPARE of the target
    is asked for. A detector none of whose thresholds is within stays silent: recall 0, no alpha.

    `lead` is the combination's recall less this detector's, with a paired bootstrap interval of 95 % over the sets that
    have true pairs; a set's pairs stay together, and the thresholds stay as they were chosen. `best_single` is the
    single detector of the highest recall (of two, the one of the lower FDR) on the half where thresholds were chosen.
    """
    rows, rng, real = [], np.random.default_rng(0), next(iter(swept.values()))[1].real
    _, place = np.unique(owner[real], return_inverse=True)
    n = place.max() + 1
    weights = rng.multinomial(n, np.full(n, 1 / n), size=draws)  # how often each set is drawn
    for (half, way), target in product(zip((1, 0), WAYS, strict=True), MATCHED):
        chosen = {
            name: own[half].best(target if half else SPARE * target) for name, own in swept.items()
        }
        found = {
            name: np.zeros(real.sum(), bool) if at is None else swept[name][1].found[at, real]
            for name, at in chosen.items()
        }
        reached = {
            name: (0.0, 0.0)
            if at is None
            else (swept[name][half].recall[at], -swept[name][half].fdr[at])
            for name, at in chosen.items()
        }
        single = max((name for name in swept if name != COMBINATION), key=reached.get)
        for name, (_, judging) in swept.items():
            at = chosen[name]
            row = {
                "way": way,
                "target": target,
                "detector": name,
                "pairs": real.sum(),
                "recall": found[name].mean(),
            }
            row["fdr"] = 0.0 if at is None else judging.fdr[at]
            row["alpha"], row["least"] = (np.nan, np.nan) if at is None else judging.thresholds[at]
            if name != COMBINATION:
                more = found[COMBINATION].astype(float) - found[name]
                drawn = weights @ np.bincount(place, more) / (weights @ np.bincount(place))
                low, high = np.quantile(drawn, [0.025, 0.975])
                row |= {
                    "best_single": name == single,
                    "lead": more.mean(),
                    "lead_low": low,
                    "lead_high": high,
                }
            rows.append(row)
    return pd.DataFrame(rows)


def curve(swept: dict[str, tuple[Swept, Swept]]) -> pd.DataFrame:
    """What each detector can reach on the judging half: the FDR from which on a recall is within reach, and the recall.

    In hindsight, as an ROC curve is: thresholds are not chosen, all of them are shown.
    """
    corners = []
    for name, (_, judging) in swept.items():
        order = np.lexsort((-judging.recall, judging.fdr))
        fdr, reached = judging.fdr[order], judging.recall[order]
        higher = np.flatnonzero(reached > np.maximum.accumulate([-1.0, *reached[:-1]]))
        corners.append(
            pd.DataFrame({"detector": name, "fdr": fdr[higher], "recall": reached[higher]})
        )
    return pd.concat(corners, ignore_index=True)


def at_targets(
    swept: dict[str, tuple[Swept, Swept]], pairs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each detector at the thresholds chosen for each target: errors and recall, and recall by kinds of pairs.

    pairs: the planted pairs of the judging half. A detector that keeps no target has the threshold of its least FDR.
    """
    rows, long = [], []
    for (detector, (choosing, judging)), target in product(swept.items(), TARGETS):
        at = choosing.best(SPARE * target)
        at = choosing.fdr.argmin() if at is None else at
        (alpha, least), fdp, found, real = (
            judging.thresholds[at],
            judging.fdp[at],
            judging.found[at],
            judging.real,
        )
        row = {
            "detector": detector,
            "target": target,
            "alpha": alpha,
            "least": least,
            "unit": judging.unit,
            "fdr": fdp.mean(),
            "fdr_low": bound(fdp, -1),
            "fdr_upper": bound(fdp, 1),
            "fdr_clean": fdp[judging.clean].mean(),
            "fdr_planted": fdp[~judging.clean].mean(),
            "recall": found[real].mean(),
        }
        for strength in sorted(pairs["strength"].unique()):
            of = (pairs["strength"] == strength).to_numpy()
            row |= {
                f"recall_{strength:.2f}": recall(found, of & real)["recall"],
                f"found_{strength:.2f}": recall(found, of)["recall"],
            }
        rows.append(row)
        for by, level, of in groups(pairs, real):
            long.append(
                {
                    "detector": detector,
                    "target": target,
                    "by": by,
                    "level": level,
                    **recall(found, of),
                }
            )
    return pd.DataFrame(rows), pd.DataFrame(long)


def report(sets: list[dict], args: argparse.Namespace, seconds: float) -> None:
    halves = [[one for one in sets if one["seed"] // 2 % 2 == h] for h in (0, 1)]
    swept = {name: tuple(sweep(name, half) for half in halves) for name in sets[0]["tables"]}
    pairs = pd.DataFrame(
        [
            {
                "set": one["seed"],
                "n": one["n"],
                "prevalence": prevalence,
                "strength": plant[3],
                "kind": plant[4],
                "size": one["size"].ravel()[cell],
            }
            for one in halves[1]
            for cell, plant, prevalence in zip(
                *(one[c] for c in ("planted", "plants", "prevalence")), strict=True
            )
        ]
    )
    errors, by = at_targets(swept, pairs)
    tables = {"detectors": errors, "recall": by, "matched": matched(swept, pairs["set"].to_numpy())}
    args.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(args.out / f"{name}.csv", index=False, float_format="%.4g")
    by, errors = by[by["target"] == TARGETS[-1]], errors[errors["target"] == TARGETS[-1]]
    power = (
        by[by["by"] == "strength"].rename(columns={"level": "strength"}).astype({"strength": float})
    )
    before = tables["matched"][tables["matched"]["way"] == WAYS[1]].dropna(subset="alpha")
    title = "Planted biases that a model took up"
    figures = {
        "power": power_curve(
            power,
            errors.rename(columns={"fdr_low": "low", "fdr_upper": "high"}),
            title,
            TARGETS[-1],
        ),
        "curve": recall_curve(curve(swept), before, title),
    }
    for name, figure in figures.items():
        figure.savefig(args.out / f"{name}.png", bbox_inches="tight")
    about = {
        "profile": args.world.parent.name,
        "commit": manifest.git_state()["commit"],
        "sets": len(sets),
        "clean": sum(not one["plants"] for one in sets),
        "references": args.references,
        "seconds": round(seconds),
        "agreement": agreements(sets),
    }
    (args.out / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    print(
        errors.to_string(),
        by.to_string(),
        tables["matched"].to_string(),
        json.dumps(about, indent=1),
        sep="\n\n",
    )


def agreements(sets: list[dict]) -> dict[str, list[float]]:
    """Rank correlation of estimated with causal effects of more than .02: mean over sets, 2.5 and 97.5 % of sets.

    adjusted: the model's effects on test scenes, other attributes held still; raw: the mean with a value less that
    without; excess: beyond the references, against the causal effects beyond those of clean sets.
    """
    clean = {
        n: np.mean([one["causal"] for one in sets if one["n"] == n and not one["plants"]], axis=0)
        for n in {one["n"] for one in sets}
    }
    found = {"adjusted": [], "raw": [], "excess": []}
    for one in sets:
        excess = one["tables"]["model"]["effect"].to_numpy().reshape(one["causal"].shape)
        beyond = one["causal"] - clean[one["n"]]
        for name, estimated, causal in (
            ("adjusted", one["effects"], one["causal"]),
            ("raw", one["raw"], one["causal"]),
            ("excess", excess, beyond),
        ):
            large = np.abs(causal) > 0.02
            if large.sum() >= 10 and (name != "excess" or one["plants"]):
                found[name].append(spearmanr(estimated[large], causal[large]).statistic)
    return {name: over_sets(each) for name, each in found.items()}


def over_sets(each: list[float]) -> list[float]:
    """Of a number a set: the mean, and 2.5 and 97.5 % of the sets."""
    return [round(float(x), 4) for x in (np.mean(each), *np.quantile(each, (0.025, 0.975)))]


def groups(pairs: pd.DataFrame, real: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """Which judged pairs make up a row of recall.csv: (by, level, mask); all but "planted" count true pairs only."""
    strengths, kinds, sizes = (
        sorted(pairs[column].unique()) for column in ("strength", "kind", "n")
    )
    found = [
        ("strength", f"{s:.2f}", (pairs["strength"] == s).to_numpy() & real) for s in strengths
    ]
    found += [("planted", f"{s:.2f}", (pairs["strength"] == s).to_numpy()) for s in strengths]
    found += [("kind", kind, (pairs["kind"] == kind).to_numpy() & real) for kind in kinds]
    found += [("n", str(n), (pairs["n"] == n).to_numpy() & real) for n in sizes]
    found += [
        ("prevalence", name, pairs["prevalence"].between(*edges).to_numpy() & real)
        for name, edges in PREVALENCES.items()
    ]
    edges = (0.0, 0.03, 0.05, 0.1, 0.2, 1.0)
    return found + [
        ("causal size", f"{a:.2f} to {b:.2f}", pairs["size"].between(a, b).to_numpy())
        for a, b in zip(edges, edges[1:], strict=False)
    ]
