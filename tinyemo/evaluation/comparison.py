"""Several models on the same test items: one table to read, and the flat metrics of a run.

Takes predictions of split "test"; gives tables with one row per model, and metrics for
metrics.json.
"""

from collections.abc import Collection, Sequence

import pandas as pd

from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import compare_two, correctness_by_run
from tinyemo.evaluation.classification import fraction_of_bayes, summary
from tinyemo.evaluation.table import score_by_dataset

MAIN_RUN = "projector"  # its metrics are named without the run
CLEAN = ("clean_accuracy", "clean_low", "clean_high")
# columns of `score_by_dataset` and keys of `summary` that `audited_scores` shows
AUDIT = ("status", "contaminated", "expected_false_alarms")
AUDITED = ("accuracy", "low", "high", *AUDIT, *CLEAN, "words_trained")
SUMMARY_COLUMNS = {"macro_f1": "macro-F1", "uar": "UAR", "ece": "ECE", "majority": "majority"}


def compare(
    predictions: pd.DataFrame,
    label_set: str,
    probe_cv: dict[str, float],
    limit: float | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score the projectors and probes of one label set.

    A run is named "projector" or "probe_<name>", with a suffix if there are several of a kind. The
    column `targets` says what a run was trained on. A projector is compared only with probes that
    were trained on the same targets; among them with the one that has the best cross-validated
    accuracy in `probe_cv`, by run. `limit` is the Bayes-optimal accuracy, None where it is not
    known. Returns a table with one row per run, and metrics named test/... and cv/...; those of the
    run "projector" have no further name.

    ValueError: two compared runs have predictions for different items, or a projector has no probe
    with the same targets.
    """
    labels = labels_of(label_set)
    own = predictions[predictions["label_set"] == label_set]
    by_run = dict(list(own.groupby("run", sort=False)))
    scores = {run: summary(table, labels) for run, table in by_run.items()}
    targets = {run: table["targets"].iloc[0] for run, table in by_run.items()}
    gains = _gains_over_probes(own, targets, probe_cv)

    rows, metrics = [], {}
    for run, one in scores.items():
        several_seeds = by_run[run]["seed"].nunique() > 1
        row = {
            "label set": label_set,
            "model": run.replace("_", " "),
            "trained on": targets[run],
            "accuracy": one["accuracy"],
            "sd": one["accuracy_sd"] if several_seeds else None,
            "low": one["accuracy_low"],
            "high": one["accuracy_high"],
            "macro-F1": one["macro_f1"],
            "majority": one["majority"],
            "limit": limit,
            "CV accuracy": probe_cv.get(run),
        }
        row["of limit"], row["above majority"] = _of_limit(one, limit)
        if run == MAIN_RUN:
            metrics |= {f"test/{key}": value for key, value in one.items()}
        else:
            metrics[f"test/{run}"] = one["accuracy"]
        if run in gains:
            test = gains[run]
            row["minus best probe"] = test["difference"]
            row["from"], row["to"] = test["low"], test["high"]
            name = "test/" if run == MAIN_RUN else f"test/{run}_"
            metrics[f"{name}minus_best_probe"] = test["difference"]
            metrics[f"{name}minus_best_probe_low"] = test["low"]
            metrics[f"{name}minus_best_probe_high"] = test["high"]
        rows.append(row)

    metrics |= {f"cv/{run}": accuracy for run, accuracy in probe_cv.items()}
    if limit is not None:
        of_limit, above_majority = _of_limit(scores[MAIN_RUN], limit)
        metrics["test/bayes"] = limit
        metrics["test/fraction_of_bayes"] = of_limit
        metrics["test/fraction_of_bayes_above_majority"] = above_majority
    return pd.DataFrame(rows), metrics


def _gains_over_probes(
    predictions: pd.DataFrame, targets: dict[str, str], probe_cv: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Each projector minus the best probe with the same targets, as in `bootstrap.compare_two`."""
    gains = {}
    for run in targets:
        if run in probe_cv:
            continue
        rivals = [probe for probe in probe_cv if targets[probe] == targets[run]]
        if not rivals:
            raise ValueError(
                f"run {run!r}, trained on {targets[run]}: no probe was trained on the same, "
                "expected at least one"
            )
        best = max(rivals, key=probe_cv.get)
        compared = predictions[predictions["run"].isin((run, best))]
        gains[run] = compare_two(correctness_by_run(compared), run, best)
    return gains


def _of_limit(
    scores: dict[str, float], limit: float | None
) -> tuple[float, float] | tuple[None, None]:
    """`fraction_of_bayes` of one model's `summary`, or None where the limit is not known."""
    if not limit:
        return None, None
    return fraction_of_bayes(scores["accuracy"], limit, scores["majority"])


def audited_scores(
    predictions: pd.DataFrame,
    statuses: pd.DataFrame,
    contaminated: Collection[str],
    trained_on: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, float | None]]:
    """Score all runs under their label sets, with the audit's status beside every number.

    All runs were trained on the same data, the datasets `trained_on`: `statuses` and the ids
    `contaminated` of this data are those of data/audit.py. `best` is given only among runs with the
    same `targets`, if the predictions have this column. Returns a table with one row per label
    set, dataset and model, and metrics named [<label set>/][<dataset>/]test/[<run>_]... The first
    two parts are left out where there is only one, and the run for "projector". An unknown value is
    None.
    """
    several_label_sets = predictions["label_set"].nunique() > 1
    several_datasets = predictions["dataset"].nunique() > 1
    rows, metrics = [], {}
    for label_set, part in predictions.groupby("label_set", sort=False):
        runs = part["run"].unique()
        table = score_by_dataset(
            part,
            statuses=dict.fromkeys(runs, statuses),
            contaminated=dict.fromkeys(runs, contaminated),
            trained_on=dict.fromkeys(runs, trained_on),
        )
        for cell in table.to_dict("records"):
            run, dataset = cell["run"], cell["dataset"]
            one = part[(part["run"] == run) & (part["dataset"] == dataset)]
            scores = summary(one, labels_of(label_set))

            row = {"label set": label_set, "dataset": dataset, "model": run.replace("_", " ")}
            if "targets" in one:
                row["trained on"] = cell["targets"]
            for key in AUDITED:
                row[key.replace("_", " ")] = cell[key]
            for key, column in SUMMARY_COLUMNS.items():
                row[column] = scores[key]
            row["best"] = cell["best"]
            rows.append(row)

            prefix = f"{label_set}/" if several_label_sets else ""
            if several_datasets:
                prefix += f"{dataset}/"
            prefix += "test/"
            if run != MAIN_RUN:
                prefix += f"{run}_"
            for key, value in scores.items():
                metrics[prefix + key] = value
            for key in ("contaminated", *CLEAN):
                metrics[prefix + key] = cell[key] if pd.notna(cell[key]) else None
    return pd.DataFrame(rows), metrics
