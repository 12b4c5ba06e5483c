"""Does an explanation name evidence for the emotion, and nothing that is not in the scene?

Measured on scenes whose attributes are known. Takes texts (each written about a scene under a
condition, with the label that was given), the scenes' attributes, and a GroundTruth (see
text_checks.py). Gives scores per text, and tables and paired differences with intervals over
scenes and trainings.

How well a text names the evidence is defined in evidence_scores.py. These scores are computed for
the label that was given and, with the prefix "true_", for the scene's own label. If no label could
be read (the given label is ""), the scores for the given label are 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tinyemo.emoreason.requests import attributes_of
from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import (
    crossed_means,
    crossed_test,
    holm,
    mean_interval,
    percentile_interval,
)
from tinyemo.evaluation.evidence_scores import SCORES, distinct, evidence_scores
from tinyemo.evaluation.probes import fit_probe
from tinyemo.evaluation.proportions import resampled_share_interval
from tinyemo.evaluation.text_checks import GroundTruth

MEASURES = (
    "correct",
    *SCORES,
    *(f"true_{name}" for name in SCORES),
    "claims",
    "invented",
    "faults",
    "copied",
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
    truth: GroundTruth,
) -> pd.DataFrame:
    """`texts` (columns id, condition, given, text, and any others) with these columns added:

        correct                 1 if the given label is the scene's, else 0
        claims                  number of different claims about decisive attributes
        pieces, true_pieces     number of pieces of evidence for the given label, for the true one
        precision, ...          the scores of evidence_scores.py for the given label;
                                true_precision, ... for the true one
        invented                objects that the text claims and the scene does not show
        faults                  everything that is wrong with the text: false claims of any
                                attribute and emotions against the given label
        copied                  1 if the text repeats the given label (or a coarser or finer word
                                for it) as felt, and names no other emotion; else 0, also without a
                                label. It shows that a label was copied, not that it fits
        unknown                 words that are not in the checker's vocabulary

    `records` hold the scenes' attributes (attr_ columns), label and label_set. Takes about a
    millisecond per text. ValueError: a column is missing, a text is about no record, or a label is
    not in its set.
    """
    _check_columns(texts, records, truth.checker.ATTRIBUTES)
    scenes = {}
    for row in records.to_dict("records"):
        scenes[row["id"]] = _Scene(attributes_of(row), row["label"], row["label_set"])
    known: dict[tuple[str, str, str], dict[str, float]] = {}  # conditions often share texts
    rows = []
    for key in texts[["id", "given", "text"]].itertuples(index=False, name=None):
        name, given, text = key
        _check_text(name, given, scenes)
        if key not in known:
            known[key] = _score(text, given, scenes[name], truth)
        rows.append(known[key])
    return texts.join(pd.DataFrame(rows, index=texts.index))


def summarise(
    scores: pd.DataFrame, measures: Sequence[str] = MEASURES, seed: int = 0
) -> pd.DataFrame:
    """One row per condition and measure: mean, 95 % interval (low, high), sd, trainings, scenes.

    A two-level bootstrap resamples scenes and trainings (`bootstrap.crossed_means`). If all values
    are 0 or 1, the mean is a proportion and gets Wilson's interval, as wide as the resamples show
    (`proportions.resampled_share_interval`). The column
    `training` tells the trainings apart; without it all texts are of one training. `sd` is the
    standard deviation between the trainings' means, NaN for a single one. Several texts of one
    training about one scene are averaged first. Scenes without a value are left out; `scenes`
    counts those that have one in any training.
    """
    rows = []
    for condition in scores["condition"].unique():
        for measure in measures:
            values = _by_training(scores, condition, measure)
            row = {"condition": condition, "measure": measure}
            row |= dict.fromkeys(("mean", "low", "high", "sd"), np.nan)
            row |= {"trainings": len(values), "scenes": values.shape[1]}
            if values.size:
                row |= _summary(values.to_numpy(), seed)
            rows.append(row)
    return pd.DataFrame(rows)


def _summary(values: np.ndarray, seed: int) -> dict[str, float]:
    """Mean of values (T, N), its interval, and the standard deviation between trainings."""
    means = np.nanmean(values, axis=1)  # (T,)
    mean = means.mean()
    resampled = crossed_means(values, seed)
    is_share = np.isin(values, (0, 1)) | np.isnan(values)
    if is_share.all():
        low, high = resampled_share_interval(mean, resampled, values.shape[1])
    else:
        low, high = percentile_interval(resampled)
    sd = means.std(ddof=1) if len(means) > 1 else np.nan
    return {"mean": mean, "low": float(low), "high": float(high), "sd": sd}


def differences(
    scores: pd.DataFrame, comparisons: Iterable[tuple[str, str, str]], seed: int = 0
) -> pd.DataFrame:
    """Differences between two conditions: comparisons (condition, other condition, measure).

    The first condition minus the other, for each training on the scenes where both have a value.
    Columns `condition, other, measure, trainings, scenes, difference, low, high, p, p_holm` as of
    `bootstrap.crossed_test`; the correction is over all rows. ValueError: two conditions without a
    scene in common.
    """
    rows = []
    for condition, other, measure in comparisons:
        both = _by_training(scores, condition, measure) - _by_training(scores, other, measure)
        both = both.dropna(axis=0, how="all").dropna(axis=1, how="all")
        if both.empty:
            raise ValueError(
                f"conditions {condition!r} and {other!r}: found no scene, expected at least "
                f"one where both have {measure!r}"
            )
        row = {"condition": condition, "other": other, "measure": measure}
        row |= {"trainings": both.shape[0], "scenes": both.shape[1]}
        rows.append(row | crossed_test(both.to_numpy(), seed))
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


def _by_training(scores: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    """Values of a condition: one row per training, one column per scene that has a value."""
    part = scores[scores["condition"] == condition]
    training = part["training"] if "training" in part else pd.Series(0, part.index)
    values = part[measure].astype(float)
    values = values.groupby([training, part["id"]]).mean().unstack()
    return values.dropna(axis=0, how="all").dropna(axis=1, how="all")


def _score(text: str, given: str, scene: _Scene, truth: GroundTruth) -> dict[str, float]:
    """One row of `score_texts`."""
    check = truth.checker.check(text, scene.attributes, given)
    claims = distinct(claim.values for claim in check.claims if claim.attribute in truth.decisive)
    pieces, true_pieces = (), ()
    if given:
        pieces = truth.pieces(scene.attributes, given, scene.label_set)
    if scene.label:
        true_pieces = truth.pieces(scene.attributes, scene.label, scene.label_set)
    row = {
        "correct": float(given == scene.label),
        "claims": len(claims),
        "pieces": len(pieces),
        "true_pieces": len(true_pieces),
    }
    row |= evidence_scores(claims, pieces) if given else dict.fromkeys(SCORES, 0.0)
    for name, value in evidence_scores(claims, true_pieces).items():
        row[f"true_{name}"] = value
    false_objects = [c for c in check.claims if c.attribute == "object" and not c.is_true]
    row["invented"] = len(false_objects)
    row["faults"] = len(check.faults)
    names_only_given = bool(check.felt) and not check.contradictions
    row["copied"] = float(bool(given) and names_only_given)
    row["unknown"] = len(check.unknown)
    return row


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
