"""The projector beside the tuned probes, on the same test items: one table and the flat metrics of a run."""

import pandas as pd

from tinyemo.emotions import labels_of
from tinyemo.evaluation.classification import fraction_of_bayes, paired_difference, summary


def compare(
    predictions: pd.DataFrame, label_set: str, probe_cv: dict[str, float], limit: float | None = None
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score the runs "projector" and "probe_<name>" of one label set's test predictions.

    `probe_cv` holds the probes' cross-validated accuracies by name: the better one there is the one that the
    projector is compared with. `limit` is the Bayes-optimal accuracy where it is known. Gives a table with a
    row a model, and metrics named test/..., cv/...
    """
    labels = labels_of(label_set)
    by_run = dict(list(predictions[predictions["label_set"] == label_set].groupby("run", sort=False)))
    scores = {run: summary(table, labels) for run, table in by_run.items()}
    ours = scores["projector"]
    best = f"probe_{max(probe_cv, key=probe_cv.get)}"
    difference = paired_difference(by_run["projector"], by_run[best])
    share = {run: fraction_of_bayes(one["accuracy"], limit, one["majority"]) if limit else (None, None)
             for run, one in scores.items()}
    rows = [
        {"label set": label_set, "model": run.replace("_", " "), "accuracy": one["accuracy"],
         "sd": one["accuracy_sd"] if by_run[run]["seed"].nunique() > 1 else None,
         "low": one["accuracy_low"], "high": one["accuracy_high"], "macro-F1": one["macro_f1"],
         "majority": one["majority"], "limit": limit, "CV accuracy": probe_cv.get(run.removeprefix("probe_")),
         "of limit": share[run][0], "above majority": share[run][1],
         **(dict(zip(("minus best probe", "from", "to"), difference, strict=True)) if one is ours else {})}
        for run, one in scores.items()
    ]
    metrics = {f"test/{key}": value for key, value in ours.items()}
    metrics |= {f"test/{run}": one["accuracy"] for run, one in scores.items() if run != "projector"}
    metrics |= {f"cv/probe_{name}": accuracy for name, accuracy in probe_cv.items()}
    metrics |= dict(zip(("test/minus_best_probe", "test/minus_best_probe_low", "test/minus_best_probe_high"),
                        difference, strict=True))
    if limit is not None:
        metrics |= {"test/bayes": limit, "test/fraction_of_bayes": share["projector"][0],
                    "test/fraction_of_bayes_above_majority": share["projector"][1]}
    return pd.DataFrame(rows), metrics
