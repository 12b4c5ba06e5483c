"""A table of accuracies: one row per run, one column per dataset, and the audit's result for each.

Takes predictions of several runs on several datasets and the audit's statuses on each run. Gives
the table in long form (one row per run and dataset, for figures and further computation) and in
wide form (cells to read). Only rows of split "test" are scored. Real photographs and EmoScenes
never share a wide table; published numbers have a table of their own (evaluation/published.py).
"""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from tinyemo.data.audit import contaminated_ids, statuses
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import correctness_by_run, significantly_best
from tinyemo.evaluation.classification import accuracy_metrics, majority_accuracy
from tinyemo.evaluation.proportions import share_interval

TRAINED, BEST = "†", "*"
NO_CELL = "—"
COPIED = (
    "contaminated",
    "cannot tell",
)  # statuses with copies, which the clean accuracy leaves out
UNKNOWN = float("nan")
LEGEND = (
    "Accuracy, mean over seeds, [95 % interval over items, for these weights]. "
    f"{TRAINED} the run was trained on this dataset; all other cells are zero-shot. "
    f"{BEST} significantly better than every other run of its column (paired bootstrap of items "
    "and seeds, Holm, 5 %). Zero-shot runs and runs trained on the dataset are compared "
    "separately, on the items that are clean for all of them. Then the result of the audit. clean: "
    "no test item was found in the run's training data. contaminated: this share of the items was "
    "found there. cannot tell: this share has near copies there, no more than the errors of the "
    "search explain. unknown: the training data is not available for a comparison. The result is "
    "about the data that the run was trained on, not about the data of its frozen encoder."
)


def score_by_dataset(
    predictions: pd.DataFrame,
    statuses: Mapping[str, pd.DataFrame],
    contaminated: Mapping[str, Collection[str]],
    trained_on: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Score every run on every dataset for which it has test predictions.

    The other arguments have one entry per run: the `statuses` and the ids of `contaminated` test
    items from data/audit.py, and the names of the datasets that the run was trained on. Columns:

        run, dataset, trained_on       trained_on is True or False
        targets                        what the labels were in training: the column of this name of
                                       the predictions, empty without it
        accuracy, sd, low, high        mean and sd over seeds (sd is NaN for one seed); 95 %
                                       interval over items, for these weights
        items, majority                number of test items; accuracy of their most frequent label
        status, contaminated           the audit's status; the share of items with copies, NaN
                                       where it is unknown
        expected_false_alarms          how many of them to expect if there is no copy, at most
        words_trained                  "5/6": five of the six label words were trained on
        clean_accuracy, clean_low,     on the items that are not in the run's training data; NaN
        clean_high                     where the status is unknown, where no clean item is left,
                                       or where it is not known which items are contaminated
        best                           True for the run of `significantly_best`. Zero-shot and
                                       trained-on runs are compared separately, and so are runs
                                       with other targets, because other labels are other
                                       information. Only items count that are clean for all
                                       compared runs. A contaminated run without clean items is not
                                       compared.

    ValueError: no test items, a dataset under two label sets, runs with predictions for different
    items, or a run and dataset without exactly one status.
    """
    test = predictions[predictions["split"] == "test"]
    if test.empty:
        raise ValueError("predictions: no row has split 'test', expected at least one")
    rows = []
    for dataset, part in test.groupby("dataset", sort=False):
        label_sets = part["label_set"].unique()
        if len(label_sets) > 1:
            raise ValueError(
                f"dataset {dataset!r} is predicted under {', '.join(label_sets)}: "
                "expected one label set per dataset"
            )
        items = correctness_by_run(part)  # (items, trainings)
        clean = pd.DataFrame(index=items.index)  # (items, runs), True: not in the training data
        column = []
        for run, one in part.groupby("run", sort=False):
            clean[run] = ~items.index.isin(list(contaminated.get(run, ())))
            audited = _audited(statuses, run, dataset)
            row = {"run": run, "dataset": dataset, "trained_on": dataset in trained_on.get(run, ())}
            row["targets"] = one["targets"].iloc[0] if "targets" in one else ""
            column.append(row | _score(one, audited, items.loc[clean[run], run].mean(axis=1)))
        kinds = {(row["trained_on"], row["targets"]) for row in column}
        for kind in kinds:
            group = [row for row in column if (row["trained_on"], row["targets"]) == kind]
            _mark_best(group, items, clean)
        rows += column
    return pd.DataFrame(rows)


def _audited(statuses: Mapping[str, pd.DataFrame], run: str, dataset: str) -> pd.Series:
    """The row of the audit's table for one run and dataset."""
    table = statuses.get(run, pd.DataFrame(columns=["dataset"]))
    found = table[table["dataset"] == dataset]
    if len(found) != 1:
        raise ValueError(
            f"statuses of run {run!r}: {len(found)} rows for dataset {dataset!r}, expected one"
        )
    return found.iloc[0]


def _score(one: pd.DataFrame, audited: pd.Series, clean_items: pd.Series) -> dict:
    """The numbers of one cell; `clean_items` is the correctness of the items that are clean."""
    metrics = accuracy_metrics(one)
    whole = metrics["accuracy"], metrics["accuracy_low"], metrics["accuracy_high"]
    items = one["id"].nunique()
    clean = UNKNOWN, UNKNOWN, UNKNOWN
    if audited["status"] == "clean":
        clean = whole
    elif audited["status"] in COPIED and 0 < len(clean_items) < items:
        clean = float(clean_items.mean()), *share_interval(clean_items.to_numpy())
    return {
        "accuracy": whole[0],
        "sd": metrics["accuracy_sd"] if one["seed"].nunique() > 1 else UNKNOWN,
        "low": whole[1],
        "high": whole[2],
        "items": items,
        "majority": majority_accuracy(one),
        "status": audited["status"],
        "contaminated": audited["share"],
        "expected_false_alarms": audited["expected_false_alarms"],
        "words_trained": f"{audited['words_trained']}/{audited['words']}",
        "clean_accuracy": clean[0],
        "clean_low": clean[1],
        "clean_high": clean[2],
    }


def _mark_best(group: list[dict], items: pd.DataFrame, clean: pd.DataFrame) -> None:
    """Set `best` in the rows of runs that are compared with each other on one dataset."""
    compared = []
    for row in group:
        without_clean = row["status"] == "contaminated" and pd.isna(row["clean_accuracy"])
        if not without_clean:
            compared.append(row["run"])
    clean_for_all = clean[compared].all(axis=1)
    winner = significantly_best(items.loc[clean_for_all, compared])
    for row in group:
        row["best"] = row["run"] == winner


def audit_runs(
    records: pd.DataFrame,
    duplicates: pd.DataFrame,
    trained_on: Mapping[str, Mapping[str, Sequence[str]]],
) -> dict[str, dict]:
    """The arguments of `score_by_dataset` besides predictions, as keywords.

    `trained_on[run][dataset]`: the datasets on which the model that predicts `dataset` was trained.
    These may differ between the datasets of one run, because one row of the table may combine
    several trainings of one kind. They may include datasets without records, whose label sets and
    overlaps are taken from data/photos.py. `records` and `duplicates` are the audit's
    (data/audit.py).
    """
    overlaps = {name: source.shares_images_with for name, source in PHOTO_SETS.items()}
    label_sets = {name: source.label_set for name, source in PHOTO_SETS.items()}
    label_sets |= records.groupby("dataset")["label_set"].first().to_dict()
    by_run = {"statuses": {}, "contaminated": {}, "trained_on": {}}
    for run, sources in trained_on.items():
        rows, leaked, own = [], set(), []
        for dataset, names in sources.items():
            words = set()
            for name in names:
                if name in label_sets:
                    words.update(labels_of(label_sets[name]))
            table = statuses(records, duplicates, names, words, overlaps)
            rows.append(table[table["dataset"] == dataset])
            ids = records.loc[records["dataset"] == dataset, "id"]
            leaked |= contaminated_ids(records, duplicates, names).intersection(ids)
            if dataset in names:
                own.append(dataset)
        by_run["statuses"][run] = pd.concat(rows, ignore_index=True)
        by_run["contaminated"][run] = leaked
        by_run["trained_on"][run] = own
    return by_run


def table_metrics(long: pd.DataFrame, gains: pd.DataFrame) -> dict[str, float]:
    """Flat metrics of a table of `score_by_dataset` and one of `bootstrap.compare_runs`.

    Blanks in names become underscores.
    """
    metrics = {}
    for row in long.to_dict("records"):
        name = f"{row['run']}/{row['dataset']}/accuracy"
        metrics[name] = row["accuracy"]
        for key in ("sd", "low", "high"):
            if pd.notna(row[key]):
                metrics[f"{name}_{key}"] = row[key]
    zero_shot = long[~long["trained_on"]]
    for run, accuracies in zero_shot.groupby("run", sort=False)["accuracy"]:
        metrics[f"{run}/zero_shot_mean"] = accuracies.mean()
    for row in gains.to_dict("records"):
        name = f"{row['run']} minus {row['other']}/{row['dataset']}"
        metrics[name] = row["difference"]
        metrics[f"{name}_low"] = row["low"]
        metrics[f"{name}_high"] = row["high"]
    return {name.replace(" ", "_"): value for name, value in metrics.items()}


def wide_table(long: pd.DataFrame, columns: Sequence[str], drawn: Collection[str]) -> pd.DataFrame:
    """One row per run and one column per dataset of `columns`; the first row is the majority class.

    Cells read "0.713 [.70, .73] clean", with the marks of `LEGEND`. "absent": no run has
    predictions for the dataset; a dash: this run has none. `drawn`: the datasets that EmoScenes
    drew (records.drawn_datasets). ValueError: real datasets and EmoScenes together, or rows without
    an interval.
    """
    check_columns(columns, drawn)
    if "low" not in long or long["low"].isna().any():
        raise ValueError(
            "accuracies without an interval: expected only rows of score_by_dataset; "
            "published numbers have a table of their own (published_table)"
        )
    majority = long.drop_duplicates("dataset").set_index("dataset")["majority"]
    first = {"model": "majority class"}
    for dataset, share in majority.items():
        first[dataset] = f"{share:.3f}"
    rows = [first]
    for run, cells in long.groupby("run", sort=False):
        row = {"model": run} | dict.fromkeys(majority.index, NO_CELL)
        for cell in cells.to_dict("records"):
            row[cell["dataset"]] = _cell(cell)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["model", *columns], fill_value="absent")


def _cell(row: dict) -> str:
    marks = TRAINED * row["trained_on"] + BEST * row["best"]
    status = row["status"]
    if status in COPIED and pd.notna(row["contaminated"]):
        status += f" {100 * row['contaminated']:.1f} %"
        if pd.notna(row["clean_accuracy"]):
            status += f": {row['clean_accuracy']:.2f} on the clean rest"
    low = f"{row['low']:.2f}".removeprefix("0")
    high = f"{row['high']:.2f}".removeprefix("0")
    return f"{row['accuracy']:.3f}{marks} [{low}, {high}] {status}"


def check_columns(columns: Sequence[str], drawn: Collection[str]) -> None:
    """ValueError if datasets that EmoScenes drew and real ones would share one table."""
    synthetic = [name for name in columns if name in drawn]
    real = [name for name in columns if name not in synthetic]
    if synthetic and real:
        raise ValueError(
            f"synthetic datasets ({', '.join(synthetic)}) and real ones ({', '.join(real)}) in one "
            "table: expected two tables"
        )
