"""Models beside each other on the same test items: one table and the flat metrics of a run."""

from collections.abc import Collection, Sequence

import pandas as pd

from tinyemo.emotions import labels_of
from tinyemo.evaluation.classification import fraction_of_bayes, paired_difference, summary
from tinyemo.evaluation.table import score_by_dataset


def compare(
    predictions: pd.DataFrame,
    label_set: str,
    probe_cv: dict[str, float],
    limit: float | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score the runs "projector" and "probe_<name>" of one label set's test predictions.

    `probe_cv` holds the probes' cross-validated accuracies by name: the better one there is the one that the
    projector is compared with. `limit` is the Bayes-optimal accuracy where it is known. Gives a table with a
    row a model, and metrics named test/..., cv/...
    """
    labels = labels_of(label_set)
    by_run = dict(
        list(predictions[predictions["label_set"] == label_set].groupby("run", sort=False))
    )
    scores = {run: summary(table, labels) for run, table in by_run.items()}
    ours = scores["projector"]
    best = f"probe_{max(probe_cv, key=probe_cv.get)}"
    difference = paired_difference(by_run["projector"], by_run[best])
    share = {
        run: fraction_of_bayes(one["accuracy"], limit, one["majority"]) if limit else (None, None)
        for run, one in scores.items()
    }
    rows = [
        {
            "label set": label_set,
            "model": run.replace("_", " "),
            "accuracy": one["accuracy"],
            "sd": one["accuracy_sd"] if by_run[run]["seed"].nunique() > 1 else None,
            "low": one["accuracy_low"],
            "high": one["accuracy_high"],
            "macro-F1": one["macro_f1"],
            "majority": one["majority"],
            "limit": limit,
            "CV accuracy": probe_cv.get(run.removeprefix("probe_")),
            "of limit": share[run][0],
            "above majority": share[run][1],
            **(
                dict(zip(("minus best probe", "from", "to"), difference, strict=True))
                if one is ours
                else {}
            ),
        }
        for run, one in scores.items()
    ]
    metrics = {f"test/{key}": value for key, value in ours.items()}
    metrics |= {f"test/{run}": one["accuracy"] for run, one in scores.items() if run != "projector"}
    metrics |= {f"cv/probe_{name}": accuracy for name, accuracy in probe_cv.items()}
    metrics |= dict(
        zip(
            ("test/minus_best_probe", "test/minus_best_probe_low", "test/minus_best_probe_high"),
            difference,
            strict=True,
        )
    )
    if limit is not None:
        metrics |= {
            "test/bayes": limit,
            "test/fraction_of_bayes": share["projector"][0],
            "test/fraction_of_bayes_above_majority": share["projector"][1],
        }
    return pd.DataFrame(rows), metrics


def judged_scores(
    predictions: pd.DataFrame,
    verdicts: pd.DataFrame,
    contaminated: Collection[str],
    trained_on: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, float | None]]:
    """Score all runs of test predictions under their label sets, the audit's verdict beside every number.

    All runs were trained on the same data: `verdicts` and `contaminated` are those of data/audit.py. Gives a table
    with a row a label set, dataset and model, and metrics named [<label set>/][<dataset>/]test/[<run>_]..., without
    the first two where there is only one, without the run for "projector". What is unknown is None.
    """
    rows, metrics = [], {}
    several = {name: predictions[name].nunique() > 1 for name in ("label_set", "dataset")}
    for label_set, part in predictions.groupby("label_set", sort=False):
        runs = list(part["run"].unique())
        one_of_all = (dict.fromkeys(runs, given) for given in (verdicts, contaminated, trained_on))
        for row in score_by_dataset(part, *one_of_all).to_dict("records"):
            one = part[(part["run"] == row["run"]) & (part["dataset"] == row["dataset"])]
            scores = summary(one, labels_of(label_set))
            rows.append(
                {
                    "label set": label_set,
                    "dataset": row["dataset"],
                    "model": row["run"].replace("_", " "),
                    "accuracy": row["accuracy"],
                    "low": row["low"],
                    "high": row["high"],
                    "verdict": row["verdict"],
                    "contaminated": row["contaminated"],
                    "clean accuracy": row["clean_accuracy"],
                    "clean low": row["clean_low"],
                    "clean high": row["clean_high"],
                    "words trained": row["words_trained"],
                    "macro-F1": scores["macro_f1"],
                    "UAR": scores["uar"],
                    "ECE": scores["ece"],
                    "majority": scores["majority"],
                    "best": row["best"],
                }
            )
            clean = {
                name: row[name] if pd.notna(row[name]) else None
                for name in ("contaminated", "clean_accuracy", "clean_low", "clean_high")
            }
            where = "".join(
                f"{name}/"
                for name, key in ((label_set, "label_set"), (row["dataset"], "dataset"))
                if several[key]
            )
            model = "" if row["run"] == "projector" else f"{row['run']}_"
            metrics |= {
                f"{where}test/{model}{key}": value for key, value in (scores | clean).items()
            }
    return pd.DataFrame(rows), metrics
