"""Does an explanation name evidence for the emotion, and nothing that is not in the scene?

Measured on scenes whose attributes are known. Takes texts (each written about a scene under a
condition, with the label that was given), the scenes' attributes, a function that gives the
evidence for a label, and a checker that reads texts (see text_checks.py). Gives scores per text,
tables with intervals over scenes, and paired differences. The measures are our own design:

    P           the pieces of evidence for a label L in the scene, the heaviest first
    claims      statements of the text about decisive attributes (those that can be evidence)
    precision   share of the claims that are in the scene and in P
    recall      share of the k heaviest pieces of P that are named; k is the number of claims,
                at most 3 and at most |P|
    f1          their harmonic mean

Each claim counts once. A word may fit several values ("flower", "garbage"). Then it is a claim of
those of them that the scene has. It is no additional claim if a finer word of the text names one of
them. It names a piece of evidence only if exactly one piece of P fits it. A claim that is not true
of the scene, or that is no evidence for L, lowers precision.

If P is empty, all three scores are NaN, because there is nothing to name. Otherwise a text without
claims has 0 in all three. The scores are computed for the label that was given and, with the prefix
"true_", for the scene's own label. If no label could be read (the given label is ""), the scores
for the given label are 0.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tinyemo.emoreason.requests import attributes_of
from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import holm, mean_interval, paired_test
from tinyemo.evaluation.probes import fit_probe
from tinyemo.evaluation.text_checks import Checker, Claim, Evidence, Pair

Values = frozenset[str]  # what one claim may mean

EXPECTED_PIECES = 3  # of evidence, at most, that a text is expected to name
SCORES = ("precision", "recall", "f1")
MEASURES = (
    "correct",
    *SCORES,
    *(f"true_{name}" for name in SCORES),
    "invented",
    "faults",
    "consistent",
    "unknown",
)


@dataclass(frozen=True)
class _Scene:
    """A scene that texts are about."""

    attributes: Mapping[str, object]
    label: str
    label_set: str


def score_texts(
    texts: pd.DataFrame,
    records: pd.DataFrame,
    evidence: Evidence,
    decisive: Collection[str],
    checker: Checker,
) -> pd.DataFrame:
    """`texts` (columns id, condition, given, text) with these columns added:

        correct                 1 if the given label is the scene's, else 0
        claims                  number of claims
        pieces, true_pieces     number of pieces of evidence for the given label, for the true one
        precision, recall, f1   for the given label; true_precision, ... for the true one
                                (defined in the text at the top of this module)
        invented                objects that the text claims and the scene does not show
        faults                  everything that is wrong with the text: false claims of any
                                attribute and emotions against the given label
        consistent              1 if the text names the given label, or a coarser or finer word for
                                it, as felt, and no other emotion; else 0, also without a label
        unknown                 words that are not in the checker's vocabulary

    `records` hold the scenes' attributes (attr_ columns), label and label_set. `decisive` names the
    attributes that can be evidence. Takes about a millisecond per text. ValueError: a column is
    missing, a text is about no record, or a label is not in its set.
    """
    _check_columns(texts, records, checker.ATTRIBUTES)
    scenes = {}
    for row in records.to_dict("records"):
        scenes[row["id"]] = _Scene(attributes_of(row), row["label"], row["label_set"])
    known: dict[tuple[str, str, str], dict[str, float]] = {}  # conditions often share texts
    rows = []
    for key in texts[["id", "given", "text"]].itertuples(index=False, name=None):
        name, given, text = key
        _check_text(name, given, scenes)
        if key not in known:
            known[key] = _score(text, given, scenes[name], evidence, decisive, checker)
        rows.append(known[key])
    return texts.join(pd.DataFrame(rows, index=texts.index))


def summarise(
    scores: pd.DataFrame, measures: Sequence[str] = MEASURES, seed: int = 0
) -> pd.DataFrame:
    """One row per condition and measure: mean, 95 % bootstrap interval (low, high), scenes.

    Scenes are resampled. Several texts about one scene are averaged first, and scenes without a
    value are left out; `scenes` counts those that have one.
    """
    rows = []
    for condition in scores["condition"].unique():
        for measure in measures:
            values = _by_scene(scores, condition, measure).to_numpy()
            mean, low, high = np.nan, np.nan, np.nan
            if len(values):
                mean = values.mean()
                low, high = mean_interval(values, seed)
            row = {"condition": condition, "measure": measure, "mean": mean}
            rows.append(row | {"low": low, "high": high, "scenes": len(values)})
    return pd.DataFrame(rows)


def differences(
    scores: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    measures: Sequence[str] = MEASURES,
    seed: int = 0,
) -> pd.DataFrame:
    """The first condition of each pair minus the other, on scenes where both have a value.

    Columns `condition, other, measure, scenes, difference, low, high, p, p_holm` as in
    `bootstrap.compare_runs`; the correction is over all rows. ValueError: two conditions without a
    scene in common.
    """
    rows = []
    for condition, other in pairs:
        for measure in measures:
            both = _by_scene(scores, condition, measure) - _by_scene(scores, other, measure)
            both = both.dropna()
            if both.empty:
                raise ValueError(
                    f"conditions {condition!r} and {other!r}: found no scene, expected at least "
                    f"one where both have {measure!r}"
                )
            row = {"condition": condition, "other": other, "measure": measure}
            rows.append(row | {"scenes": len(both)} | paired_test(both.to_numpy(), seed))
    return pd.DataFrame(rows).assign(p_holm=holm([row["p"] for row in rows]))


def tower_error(
    records: pd.DataFrame,
    features: np.ndarray,
    attribute: str = "object",
    seed: int = 0,
) -> dict[str, float]:
    """How often a linear probe on frozen features predicts an attribute wrongly.

    The error shows how well the features of the frozen encoder separate the values of the
    attribute. Compare it with the number of invented objects.
    `features` (N, D), row by row those of the records: mean patch tokens, or pooled. The probe is
    fitted and tuned on split "train"; gives {"error", "low", "high", "items"} on split "test", with
    the interval over its items. ValueError: the attribute is no column, a split is empty, or as
    `probes.fit_probe`.
    """
    column = f"attr_{attribute}"
    features = np.asarray(features)
    if column not in records or len(features) != len(records):
        raise ValueError(
            f"probe of {attribute!r}: expected a column {column} and one row of features for each "
            f"of the {len(records)} records, got {len(features)}"
        )
    train = (records["split"] == "train").to_numpy()
    test = (records["split"] == "test").to_numpy()
    if not train.any() or not test.any():
        raise ValueError(
            f"probe of {attribute!r}: expected records in the splits train and test, got "
            f"{train.sum()} in train and {test.sum()} in test"
        )
    true = records[column].astype(str).to_numpy()
    values, targets = np.unique(true[train], return_inverse=True)
    probe = fit_probe("logreg", features[train], targets, seed)
    predicted = values[probe.predict_proba(features[test]).argmax(axis=1)]
    wrong = (predicted != true[test]).astype(float)
    low, high = mean_interval(wrong, seed)
    return {"error": float(wrong.mean()), "low": low, "high": high, "items": len(wrong)}


def _by_scene(scores: pd.DataFrame, condition: str, measure: str) -> pd.Series:
    """Mean of a condition's texts per scene, without scenes that have no value."""
    part = scores[scores["condition"] == condition]
    return part[measure].astype(float).groupby(part["id"]).mean().dropna()


def _score(
    text: str,
    given: str,
    scene: _Scene,
    evidence: Evidence,
    decisive: Collection[str],
    checker: Checker,
) -> dict[str, float]:
    """One row of `score_texts`."""
    check = checker.check(text, scene.attributes, given)
    decisive_claims = [claim for claim in check.claims if claim.attribute in decisive]
    claims = _distinct(decisive_claims)
    pieces = evidence(scene.attributes, given, scene.label_set) if given else []
    true_pieces = evidence(scene.attributes, scene.label, scene.label_set) if scene.label else []
    row = {
        "correct": float(given == scene.label),
        "claims": len(claims),
        "pieces": len(pieces),
        "true_pieces": len(true_pieces),
    }
    for_given = _against(claims, pieces) if given else (0.0, 0.0, 0.0)
    for_true = _against(claims, true_pieces)
    for i, name in enumerate(SCORES):
        row[name] = for_given[i]
        row[f"true_{name}"] = for_true[i]
    false_objects = [c for c in check.claims if c.attribute == "object" and not c.is_true]
    is_consistent = bool(given) and bool(check.felt) and not check.contradictions
    row["invented"] = len(false_objects)
    row["faults"] = len(check.faults)
    row["consistent"] = float(is_consistent)
    row["unknown"] = len(check.unknown)
    return row


def _distinct(claims: Iterable[Claim]) -> list[Values]:
    """The possible values of each claim, without repetitions, and without a generic claim if the
    text has a finer one."""
    meant = {claim.values for claim in claims}
    return [values for values in meant if not any(other < values for other in meant)]


def _against(claims: Sequence[Values], pieces: Sequence[Pair]) -> tuple[float, float, float]:
    """Precision, recall and F1 of claims against the evidence for one label."""
    if not pieces:
        return np.nan, np.nan, np.nan
    if not claims:
        return 0.0, 0.0, 0.0
    evident = [value for _, value in pieces]
    heaviest = evident[: min(len(claims), EXPECTED_PIECES)]
    hits = [claim.intersection(evident) for claim in claims]
    named = {value for hit in hits if len(hit) == 1 for value in hit}
    precision = float(np.mean([bool(hit) for hit in hits]))
    recall = len(named.intersection(heaviest)) / len(heaviest)
    if precision + recall == 0:
        return precision, recall, 0.0
    return precision, recall, 2 * precision * recall / (precision + recall)


def _check_text(name: str, given: str, scenes: Mapping[str, _Scene]) -> None:
    """ValueError unless the text is about one of the scenes, under a label of its set or none."""
    if name not in scenes:
        raise ValueError(
            f"text about {name!r}: expected the id of one of the {len(scenes)} records"
        )
    labels = labels_of(scenes[name].label_set)
    if given and given not in labels:
        raise ValueError(
            f"text about {name!r}: its given label is {given!r}, expected one of "
            f"{', '.join(labels)}, or '' for none"
        )


def _check_columns(texts: pd.DataFrame, records: pd.DataFrame, attributes: Iterable[str]) -> None:
    needed = {
        "texts": ["id", "condition", "given", "text"],
        "records": ["id", "label", "label_set", *(f"attr_{name}" for name in attributes)],
    }
    for name, table in (("texts", texts), ("records", records)):
        for column in needed[name]:
            if column not in table:
                raise ValueError(
                    f"{name}: column {column!r} is missing, expected {', '.join(needed[name])}"
                )
