"""Does an explanation rest on what speaks for the emotion, and on nothing that is not there? Measured on known scenes.

Takes texts (what was written about a scene under a condition, and the label that was given), the scenes' attributes
and a function that says what in a scene speaks for a label, the heaviest first; gives scores a text, tables with
intervals over scenes, and paired differences. Texts are read by `mentions` and `felt`, which know nothing of who wrote
them. The measures are our own design:

    P           the pieces of evidence for a label L in the scene, the heaviest first
    claims      what the text names of the decisive attributes (those that can be evidence), rightly or wrongly
    precision   share of the claims that are in the scene and in P
    recall      share of the k heaviest pieces of P that are named; k = number of claims, at most 3 and at most |P|
    f1          their harmonic mean

A claim counts once. A word that fits several values ("flower", "garbage") is the claim of those that the scene has,
and no further one where a finer word names one of them; it counts as naming a piece when it can mean only one of P. A
part that a drawing bears (a boat at the beach) is a claim of its whole. What the scene has and what speaks not for L
counts against precision, and so does what the scene has not. A text without claims has 0 of all three; where P is
empty there is nothing to name, and they are nan. All three stand for the label that was given and, as "true_...", for
the scene's own; where no label could be read ("" given), those for the given one are 0.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from emoscenes.checker_vocabulary import DRAWN, LEVELS, WORDS
from emoscenes.felt import contradictions, felt
from emoscenes.mentions import Mention, faults, mentions
from tinyemo.emoreason.requests import attributes_of
from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import holm, mean_interval, paired_test
from tinyemo.evaluation.probes import fit_probe

Evidence = Callable[[Mapping[str, object], str, str], Sequence[tuple[str, str]]]
Claim = frozenset[
    str
]  # of values: those of the scene that the words fit; if none, those that the words may mean

MOST = 3  # pieces of evidence that a text is expected to name
SCORES = ("precision", "recall", "f1")
MEASURES = (
    "correct",
    *SCORES,
    *(f"true_{name}" for name in SCORES),
    "invented",
    "faults",
    "consistent",
)


def score_texts(
    texts: pd.DataFrame,
    records: pd.DataFrame,
    evidence: Evidence,
    decisive: Collection[str],
) -> pd.DataFrame:
    """`texts` (columns id, condition, given, text) and beside each

        correct                 1 if the given label is the record's, else 0
        claims                  how many it makes
        pieces, true_pieces     how many pieces of evidence there are for the given label, for the true one
        precision, recall, f1   for the given label; true_precision, ... for the true one: see the module
        invented                objects that it says are there and the scene does not hold
        faults                  all that is wrong with it: things, places, faces, postures, weather, hour, light and
                                style that the scene does not have, emotions against the given label
        consistent              1 if it names the given label, or a coarser or finer word for it, as felt, and no other
                                emotion; 0 else, and where no label was given

    `records` hold the scenes' attributes (attr_ columns), label and label_set; `evidence(attributes, label, label_set)`
    gives the (attribute, value) pairs that speak for a label, the heaviest first; `decisive` names the attributes that
    can. About a millisecond a text. ValueError: a column is missing, a text is about no record, a label not in its set.
    """
    _check(texts, records)
    scenes = {
        row["id"]: (attributes_of(row), row["label"], row["label_set"])
        for row in records.to_dict("records")
    }
    known: dict[
        tuple[str, str, str], dict[str, float]
    ] = {}  # conditions often share label and text
    rows = []
    for name, given, text in texts[["id", "given", "text"]].itertuples(index=False):
        if name not in scenes:
            raise ValueError(
                f"text about {name!r}: expected the id of one of the {len(scenes)} records"
            )
        if given and given not in (labels := labels_of(scenes[name][2])):
            raise ValueError(
                f"text about {name!r}: its given label is {given!r}, expected one of {', '.join(labels)}, "
                "or '' for none"
            )
        if (name, given, text) not in known:
            known[name, given, text] = _score(text, given, *scenes[name], evidence, decisive)
        rows.append(known[name, given, text])
    return texts.join(pd.DataFrame(rows, index=texts.index))


def summarise(
    scores: pd.DataFrame, measures: Sequence[str] = MEASURES, seed: int = 0
) -> pd.DataFrame:
    """A row a condition and measure: mean, 95 % bootstrap interval (low, high), and over how many scenes.

    Scenes are resampled; several texts about one are averaged first, and scenes without a value left out.
    """
    rows = []
    for condition in scores["condition"].unique():
        for measure in measures:
            values = _by_scene(scores, condition, measure).to_numpy()
            low, high = mean_interval(values, seed) if len(values) else (np.nan, np.nan)
            rows.append(
                {
                    "condition": condition,
                    "measure": measure,
                    "mean": values.mean() if len(values) else np.nan,
                    "low": low,
                    "high": high,
                    "scenes": len(values),
                }
            )
    return pd.DataFrame(rows)


def differences(
    scores: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    measures: Sequence[str] = MEASURES,
    seed: int = 0,
) -> pd.DataFrame:
    """The first condition of each pair minus the other, by measure, on the scenes where both have a value.

    Columns `condition, other, measure, scenes, difference, low, high, p, p_holm`, as `bootstrap.compare_runs` has
    them; the correction is over all rows. ValueError: two conditions without a scene in common.
    """
    rows = []
    for condition, other in pairs:
        for measure in measures:
            both = _by_scene(scores, condition, measure) - _by_scene(scores, other, measure)
            both = both.dropna()
            if both.empty:
                raise ValueError(
                    f"conditions {condition!r} and {other!r}: expected scenes where both have {measure!r}"
                )
            rows.append(
                {
                    "condition": condition,
                    "other": other,
                    "measure": measure,
                    "scenes": len(both),
                    **paired_test(both.to_numpy(), seed),
                }
            )
    return pd.DataFrame(rows).assign(p_holm=holm([row["p"] for row in rows]))


def tower_error(
    records: pd.DataFrame,
    features: np.ndarray,
    attribute: str = "object",
    seed: int = 0,
) -> dict[str, float]:
    """How often a linear probe on frozen features misjudges an attribute: what invented objects have to be seen beside.

    `features` (N, D), row by row those of the records: mean patch tokens, or pooled. The probe is fitted and tuned on
    split "train"; gives {"error", "low", "high", "items"} on split "test", with the interval over its items.
    ValueError: the attribute is no column, a split is empty, or as `probes.fit_probe`.
    """
    column, features = f"attr_{attribute}", np.asarray(features)
    if column not in records or len(features) != len(records):
        raise ValueError(
            f"probe of {attribute!r}: expected a column {column} and one row of features for each of the "
            f"{len(records)} records, got {len(features)}"
        )
    train, test = ((records["split"] == split).to_numpy() for split in ("train", "test"))
    if not train.any() or not test.any():
        raise ValueError(
            f"probe of {attribute!r}: expected records of the splits train and test, got "
            f"{train.sum()} and {test.sum()}"
        )
    values, y = np.unique(records.loc[train, column].astype(str), return_inverse=True)
    guessed = values[
        fit_probe("logreg", features[train], y, seed).predict_proba(features[test]).argmax(axis=1)
    ]
    wrong = (guessed != records.loc[test, column].astype(str).to_numpy()).astype(float)
    low, high = mean_interval(wrong, seed)
    return {"error": float(wrong.mean()), "low": low, "high": high, "items": len(wrong)}


def _by_scene(scores: pd.DataFrame, condition: str, measure: str) -> pd.Series:
    """Means of a condition's texts by scene, where there are any."""
    part = scores[scores["condition"] == condition]
    return part[measure].astype(float).groupby(part["id"]).mean().dropna()


def _score(
    text: str,
    given: str,
    attributes: Mapping[str, object],
    true: str,
    label_set: str,
    evidence: Evidence,
    decisive: Collection[str],
) -> dict[str, float]:
    found, bears = mentions(text), _borne_out(attributes)
    claims = _claims([mention for mention in found if mention.attribute in decisive], bears)
    pieces, true_pieces = (
        evidence(attributes, label, label_set) if label else [] for label in (given, true)
    )
    return {
        "correct": float(given == true),
        "claims": len(claims),
        "pieces": len(pieces),
        "true_pieces": len(true_pieces),
        **dict(zip(SCORES, _against(claims, pieces) if given else (0.0, 0.0, 0.0), strict=True)),
        **{
            f"true_{name}": score
            for name, score in zip(SCORES, _against(claims, true_pieces), strict=True)
        },
        "invented": sum(
            mention.attribute == "object" and not _fits(mention, bears) for mention in found
        ),
        "faults": len(faults(text, attributes, given)),
        "consistent": float(bool(given and felt(text) and not contradictions(text, given))),
    }


def _borne_out(attributes: Mapping[str, object]) -> dict[str, str]:
    """Word -> the scene's value that bears it out: its own, and what is drawn with it."""
    shown = [value for name, value in attributes.items() if name not in LEVELS]
    return {word: value for value in shown for word in DRAWN.get(value, ())} | {
        value: value for value in shown
    }


def _fits(mention: Mention, bears: Mapping[str, str]) -> Claim:
    return frozenset(bears[word] for word in (*mention.values, mention.text) if word in bears)


def _claims(found: Iterable[Mention], bears: Mapping[str, str]) -> list[Claim]:
    meant = {_fits(mention, bears) or mention.values for mention in found}
    return [claim for claim in meant if not any(other < claim for other in meant)]


def _against(
    claims: Sequence[Claim], pieces: Sequence[tuple[str, str]]
) -> tuple[float, float, float]:
    """Precision, recall and F1 of claims against the evidence for one label."""
    if not pieces:
        return np.nan, np.nan, np.nan
    if not claims:
        return 0.0, 0.0, 0.0
    values = [value for _, value in pieces]
    hits = [claim.intersection(values) for claim in claims]
    heaviest = values[: min(len(claims), MOST)]
    named = {value for hit in hits if len(hit) == 1 for value in hit}
    precision, recall = (
        np.mean([bool(hit) for hit in hits]),
        len(named.intersection(heaviest)) / len(heaviest),
    )
    return (
        float(precision),
        recall,
        2 * precision * recall / (precision + recall) if precision + recall else 0.0,
    )


def _check(texts: pd.DataFrame, records: pd.DataFrame) -> None:
    attributes = [f"attr_{name}" for name in (*WORDS, *LEVELS)]
    for name, table, needed in (
        ("texts", texts, ("id", "condition", "given", "text")),
        ("records", records, ("id", "label", "label_set", *attributes)),
    ):
        if missing := [column for column in needed if column not in table]:
            raise ValueError(
                f"{name}: column {missing[0]!r} is missing, expected {', '.join(needed)}"
            )
