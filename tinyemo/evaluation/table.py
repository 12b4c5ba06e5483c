"""One table of accuracies: a row a run, a column a dataset, and beside every number what it may be trusted for.

Takes predictions of several runs on several datasets and the audit's verdicts on each run; gives the table in long
form (a row a run and dataset, for figures and further work) and in wide form (cells to read). Only rows of split
"test" are scored. Real photographs and the embedded world never share a wide table, published numbers stand in
their own (evaluation/published.py).
"""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from tinyemo.data.audit import contaminated_ids, verdicts
from tinyemo.data.photos import PHOTO_SETS
from tinyemo.emotions import labels_of
from tinyemo.evaluation.classification import accuracy_metrics, majority_accuracy
from tinyemo.evaluation.intervals import bootstrap
from tinyemo.evaluation.significance import correctness, significantly_best

TRAINED, BEST = "†", "*"
NO_CELL = "—"
LEGEND = (
    f"Accuracy, mean over seeds, [95 % interval over items]. {TRAINED} the run was trained on this dataset; all other "
    f"cells are zero-shot. {BEST} significantly better than every other run of its column: zero-shot and trained-on "
    "runs compete apart, on the items that are clean for all of them (paired bootstrap, Holm, 5 %). Then the audit's "
    "verdict: clean; contaminated: so many test items stand in the run's training data; unknown: that data is not "
    "here to compare. It speaks of the data the run was trained on, not of what its frozen encoder saw before."
)


def score_by_dataset(
    predictions: pd.DataFrame,
    verdicts: Mapping[str, pd.DataFrame],
    contaminated: Mapping[str, Collection[str]],
    trained_on: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Score every run on every dataset whose test items it was asked.

    The other three are by run: `verdicts` and `contaminated` (ids of test items) from data/audit.py, and the names
    of the datasets that it was trained on. Columns:

        run, dataset, trained_on       trained_on is True or False
        accuracy, sd, low, high        mean and sd over seeds (NaN for one); 95 % bootstrap interval over items
        items, majority                test items; accuracy of naming their largest class
        verdict, contaminated          of the audit; the share of contaminated items, NaN where unknown
        words_trained                  "6/6": of so many label words so many were trained on
        clean_accuracy, clean_low, clean_high   on the items not found in its training data; NaN where the verdict is
                                       unknown, where no such item is left, or where which they are is unknown
        best                           see `significantly_best`; among zero-shot and among trained-on runs apart, on
                                       the items that are clean for all that compete. A contaminated run without
                                       clean items does not compete

    ValueError: no test items, a dataset under two label sets, runs that were not asked the same items, a run or
    dataset without a verdict.
    """
    test = predictions[predictions["split"] == "test"]
    if test.empty:
        raise ValueError("predictions hold no row of split 'test': nothing to score")
    rows = []
    for dataset, part in test.groupby("dataset", sort=False):
        if part["label_set"].nunique() > 1:
            raise ValueError(
                f"dataset {dataset!r} is predicted under {', '.join(part['label_set'].unique())}: "
                "expected one label set a dataset"
            )
        items = correctness(part)
        clean = pd.DataFrame(
            {run: ~items.index.isin(list(contaminated.get(run, ()))) for run in items}, items.index
        )
        column = []
        for run, one in part.groupby("run", sort=False):
            row = {"run": run, "dataset": dataset, "trained_on": dataset in trained_on.get(run, ())}
            row |= _score(one, _verdict(verdicts, run, dataset), items.loc[clean[run], run])
            column.append(row)
        for group in (True, False):
            rivals = [
                row["run"]
                for row in column
                if row["trained_on"] == group
                and not (row["verdict"] == "contaminated" and pd.isna(row["clean_accuracy"]))
            ]
            winner = significantly_best(items.loc[clean[rivals].all(axis=1), rivals])
            for row in column:
                if row["trained_on"] == group:
                    row["best"] = row["run"] == winner
        rows += column
    return pd.DataFrame(rows)


def judge(
    records: pd.DataFrame,
    duplicates: pd.DataFrame,
    taught: Mapping[str, Mapping[str, Sequence[str]]],
) -> dict[str, dict]:
    """What `score_by_dataset` needs besides predictions, from what every run learnt from.

    `taught[run][dataset]` names the datasets that the model was trained on which the run asks about `dataset`: a row
    of the table may stand for several trainings of one kind. Datasets that are not here may be named: their label
    sets and overlaps are those of data/photos.py. `records` and `duplicates` are the audit's (data/audit.py).
    """
    overlaps = {name: source.shares_images_with for name, source in PHOTO_SETS.items()}
    label_set = {name: source.label_set for name, source in PHOTO_SETS.items()}
    label_set |= records.groupby("dataset")["label_set"].first().to_dict()
    verdict, leaked = {}, {}
    for run, sources in taught.items():
        rows, leaked[run] = [], set()
        for dataset, names in sources.items():
            words = {
                word for name in names if name in label_set for word in labels_of(label_set[name])
            }
            table = verdicts(records, duplicates, names, words, overlaps)
            rows.append(table[table["dataset"] == dataset])
            own = records.loc[records["dataset"] == dataset, "id"]
            leaked[run] |= contaminated_ids(records, duplicates, names).intersection(own)
        verdict[run] = pd.concat(rows, ignore_index=True)
    seen = {
        run: [dataset for dataset, names in sources.items() if dataset in names]
        for run, sources in taught.items()
    }
    return {"verdicts": verdict, "contaminated": leaked, "trained_on": seen}


def table_metrics(long: pd.DataFrame, gains: pd.DataFrame) -> dict[str, float]:
    """A table of `score_by_dataset` and one of `significance.compare_runs` as flat metrics, blanks as underscores."""
    metrics = {}
    for row in long.to_dict("records"):
        name = f"{row['run']}/{row['dataset']}/accuracy"
        spread = {f"{name}_{key}": row[key] for key in ("sd", "low", "high")}
        metrics |= {name: row["accuracy"]} | {
            key: value for key, value in spread.items() if pd.notna(value)
        }
    for run, mean in (
        long[~long["trained_on"]].groupby("run", sort=False)["accuracy"].mean().items()
    ):
        metrics[f"{run}/zero_shot_mean"] = mean
    for row in gains.to_dict("records"):
        name = f"{row['run']} minus {row['other']}/{row['dataset']}"
        metrics |= {name: row["difference"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
    return {name.replace(" ", "_"): value for name, value in metrics.items()}


def _score(one: pd.DataFrame, verdict: pd.Series, rest: pd.Series) -> dict:
    """The numbers of one cell; `rest` is the correctness of the items that no audit found in the training data."""
    metrics, items = accuracy_metrics(one), one["id"].nunique()
    whole = metrics["accuracy"], metrics["accuracy_low"], metrics["accuracy_high"]
    clean, sd = (
        (float("nan"),) * 3,
        metrics["accuracy_sd"] if one["seed"].nunique() > 1 else float("nan"),
    )
    if verdict["verdict"] == "clean":
        clean = whole
    elif verdict["verdict"] == "contaminated" and 0 < len(rest) < items:
        clean = float(rest.mean()), *bootstrap(rest.to_numpy())
    return {
        "accuracy": whole[0],
        "sd": sd,
        "low": whole[1],
        "high": whole[2],
        "items": items,
        "majority": majority_accuracy(one),
        "verdict": verdict["verdict"],
        "contaminated": verdict["share"],
        "words_trained": f"{verdict['words_trained']}/{verdict['words']}",
        "clean_accuracy": clean[0],
        "clean_low": clean[1],
        "clean_high": clean[2],
    }


def _verdict(verdicts: Mapping[str, pd.DataFrame], run: str, dataset: str) -> pd.Series:
    table = verdicts.get(run, pd.DataFrame(columns=["dataset"]))
    found = table[table["dataset"] == dataset]
    if len(found) != 1:
        raise ValueError(
            f"verdicts of run {run!r}: {len(found)} rows for dataset {dataset!r}, expected one"
        )
    return found.iloc[0]


def wide_table(long: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """A row a run, a column each dataset of `columns`, after a first row for naming the largest class.

    Cells read "0.713 [.70, .73] clean", marked as `LEGEND` says; "absent" where no run was asked the dataset, a dash
    where this one was not. ValueError: real and embedded datasets together, or rows that have no interval.
    """
    check_columns(columns)
    if "low" not in long or long["low"].isna().any():
        raise ValueError(
            "accuracies without an interval: expected rows of score_by_dataset only; published numbers "
            "stand in a table of their own (published_table)"
        )
    cells = {(row["run"], row["dataset"]): _cell(row) for row in long.to_dict("records")}
    majority = long.drop_duplicates("dataset").set_index("dataset")["majority"]
    rows = [
        {"model": "majority class", **{name: f"{share:.3f}" for name, share in majority.items()}}
    ]
    rows += [
        {"model": run, **{name: cells.get((run, name), NO_CELL) for name in majority.index}}
        for run in dict.fromkeys(long["run"])
    ]
    return pd.DataFrame(rows).reindex(columns=["model", *columns], fill_value="absent")


def check_columns(columns: Sequence[str]) -> None:
    """ValueError if datasets of the embedded world (scenes-...) and real ones would stand in one table."""
    embedded = [name for name in columns if name.startswith("scenes-")]
    if embedded and len(embedded) < len(columns):
        real = [name for name in columns if name not in embedded]
        raise ValueError(
            f"embedded datasets ({', '.join(embedded)}) and real ones ({', '.join(real)}) in one table: "
            "expected two tables"
        )


def _cell(row: dict) -> str:
    marks, verdict = TRAINED * row["trained_on"] + BEST * row["best"], row["verdict"]
    if verdict == "contaminated" and pd.notna(row["contaminated"]):
        verdict += f" {100 * row['contaminated']:.1f} %"
        if pd.notna(row["clean_accuracy"]):
            verdict += f": {row['clean_accuracy']:.2f} on the clean rest"
    low, high = (f"{bound:.2f}".removeprefix("0") for bound in (row["low"], row["high"]))
    return f"{row['accuracy']:.3f}{marks} [{low}, {high}] {verdict}"
