"""evaluation/table.py and published.py: accuracies, marks and statuses of constructed runs."""

import numpy as np
import pandas as pd
import pytest
from prediction_tables import predictions_of

from tinyemo.data.audit import contaminated_ids, statuses
from tinyemo.data.duplicates import COLUMNS, find_duplicates
from tinyemo.data.records import check_records
from tinyemo.emotions import labels_of
from tinyemo.evaluation.bootstrap import compare_two, correctness_by_run
from tinyemo.evaluation.published import PUBLISHED, published_table
from tinyemo.evaluation.score_figures import accuracy_by_dataset
from tinyemo.evaluation.table import audit_runs, score_by_dataset, wide_table

N = 400


def status(**by_dataset) -> pd.DataFrame:
    """dataset=(status, share) -> a table with those columns of the audit that are read here."""
    rest = {"expected_false_alarms": 0.5, "words": 6, "words_trained": 4}
    return pd.DataFrame(
        [
            {"dataset": name, "status": word, "share": share, **rest}
            for name, (word, share) in by_dataset.items()
        ]
    )


def right(share: float, seed: int, seeds: int = 2) -> np.ndarray:
    """(seeds, N) bool: exactly `share` of each row is True, at random positions."""
    return np.random.default_rng(seed).permuted(
        np.tile(np.arange(N) < round(share * N), (seeds, 1)), axis=1
    )


@pytest.fixture(scope="module")
def runs():
    """The arguments of `score_by_dataset` for three runs on two datasets.

    `leaky` was trained on the first 40 test items of b and is right on all of them.
    """
    leaky, leaked = right(0.5, 3), [f"b/{i:05}" for i in range(40)]
    leaky[:, :40] = True
    table = pd.concat(
        [
            predictions_of(
                {"good": right(0.8, 1), "weak": right(0.5, 2), "leaky": right(0.75, 4)}, "a"
            ),
            predictions_of({"good": right(0.58, 5), "weak": right(0.4, 6), "leaky": leaky}, "b"),
            predictions_of({"good": right(0.0, 7)}, "b", split="validation"),
        ]
    )
    statuses = {
        "good": status(a=("clean", 0.0), b=("clean", 0.0)),
        "weak": status(a=("clean", 0.0), b=("unknown", np.nan)),
        "leaky": status(a=("clean", 0.0), b=("contaminated", 0.1)),
    }
    return table, statuses, {"leaky": set(leaked)}, {"good": ["a"], "weak": ["a"], "leaky": ["c"]}


def cell(long, run, dataset):
    return long[(long["run"] == run) & (long["dataset"] == dataset)].iloc[0]


def test_scores_of_all_items_and_of_the_clean_items(runs):
    long = score_by_dataset(*runs)
    assert len(long) == 6
    good = cell(long, "good", "a")
    assert good["accuracy"] == pytest.approx(right(0.8, 1).mean())
    assert good["sd"] == pytest.approx(right(0.8, 1).mean(axis=1).std(ddof=1))
    assert (
        good["low"] < good["accuracy"] < good["high"]
        and good["items"] == N
        and good["majority"] == 1
    )
    assert (good["clean_accuracy"], good["clean_low"]) == (good["accuracy"], good["low"])
    assert (
        good["words_trained"] == "4/6"
        and good["trained_on"]
        and not cell(long, "leaky", "a")["trained_on"]
    )
    leaky = cell(long, "leaky", "b")
    assert leaky["contaminated"] == 0.1
    rest = right(0.5, 3)[:, 40:].mean(axis=0)
    assert leaky["clean_accuracy"] == pytest.approx(rest.mean())
    half = 1.96 * np.sqrt(rest.mean() * (1 - rest.mean()) / 360)
    assert (leaky["clean_low"], leaky["clean_high"]) == pytest.approx(
        (rest.mean() - half, rest.mean() + half), abs=0.001
    )
    assert pd.isna(cell(long, "weak", "b")["clean_accuracy"])


def test_best_run_is_found_among_comparable_runs_on_clean_items(runs):
    table, statuses, contaminated, trained_on = runs
    long = score_by_dataset(*runs)
    best = {(row.run, row.dataset) for row in long.itertuples() if row.best}
    # leaky is the only zero-shot run on a, so it has no mark there
    assert best == {("good", "a"), ("good", "b")}
    # with the leaked items, the difference between good and leaky is not significant
    b = table[(table["dataset"] == "b") & (table["split"] == "test")]
    items = correctness_by_run(b)
    assert compare_two(items, "good", "leaky")["low"] < 0
    # leaky leads only because of the items that it was trained on: it is not the best
    leaking = right(0.5, 8)
    leaking[:, :200] = True
    b = predictions_of({"good": right(0.6, 5), "weak": right(0.4, 6), "leaky": leaking}, "b")
    ids = {"leaky": {f"b/{i:05}" for i in range(200)}}
    named = score_by_dataset(b, statuses, ids, trained_on)
    hidden = score_by_dataset(b, statuses | {"leaky": status(b=("clean", 0.0))}, {}, trained_on)
    assert not cell(named, "leaky", "b")["best"]
    assert cell(hidden, "leaky", "b")["best"]
    # contaminated by unknown items: no clean accuracy, and only the other runs are compared
    unnamed = score_by_dataset(b, statuses, {}, trained_on)
    assert pd.isna(cell(unnamed, "leaky", "b")["clean_accuracy"])
    assert list(unnamed.loc[unnamed["best"], "run"]) == ["good"]


def test_wide_table_shows_accuracy_interval_marks_and_status(runs):
    wide = wide_table(score_by_dataset(*runs), ["b", "a", "FI"], []).set_index("model")
    assert list(wide.columns) == ["b", "a", "FI"] and list(wide.index) == [
        "majority class",
        "good",
        "weak",
        "leaky",
    ]
    good, leaky = right(0.8, 1).mean(), right(0.5, 3)
    leaky[:, :40] = True
    assert wide.loc["good", "a"].startswith(f"{good:.3f}†* [.7") and wide.loc["good", "a"].endswith(
        "] clean"
    )
    assert wide.loc["leaky", "b"].startswith(f"{leaky.mean():.3f} [.")
    assert wide.loc["leaky", "b"].endswith(
        f"contaminated 10.0 %: {leaky[:, 40:].mean():.2f} on the clean rest"
    )
    assert wide.loc["weak", "b"].endswith("] unknown")
    assert (wide["FI"] == "absent").all() and wide.loc["majority class", "a"] == "1.000"


def test_figure_shows_the_marks_and_verdicts_of_the_table(runs):
    figure = accuracy_by_dataset(score_by_dataset(*runs), "constructed")
    a, b = (
        {
            (
                line.get_marker(),
                line.get_color(),
                line.get_markerfacecolor() == "white",
                line.get_ydata()[0],
            )
            for line in axis.lines
            if line.get_marker() != "None"
        }
        for axis in figure.axes
    )
    assert [axis.get_title() for axis in figure.axes] == ["a", "b"]
    grey, blue, red = "#8c8c8c", "#0072B2", "#c8553d"
    assert a == {("*", grey, False, 0), ("o", grey, False, 1), ("o", blue, False, 2)}
    assert b == {
        ("*", blue, False, 0),
        ("o", blue, True, 1),
        ("o", blue, True, 2),
        ("D", red, False, 2),
    }


def test_run_without_predictions_for_a_dataset_has_a_dash(runs):
    table, *rest = runs
    kept = table[(table["run"] != "weak") | (table["dataset"] != "b")]
    wide = wide_table(score_by_dataset(kept, *rest), ["a", "b"], [])
    assert wide.set_index("model").loc["weak", "b"] == "—"


def test_verdicts_come_from_the_audit():
    """Ten of 40 test items of b are in the training part of a; c has no records to compare."""
    parts = [("a", "train"), ("b", "test")]
    records = check_records(
        pd.DataFrame(
            [
                {
                    "id": f"{name}/{i:05}",
                    "dataset": name,
                    "split": split,
                    "label": "joy",
                    "label_set": "ekman",
                }
                for name, split in parts
                for i in range(40)
            ]
        )
    )
    features = np.random.default_rng(0).normal(size=(80, 32)).astype(np.float32)
    features[40:50] = features[:10]
    pairs = find_duplicates(records, features, images=False)
    trained_on = {"on a": ["a"], "on c": ["c"]}
    long = score_by_dataset(
        predictions_of({run: np.arange(40) < 20 for run in trained_on}, "b"),
        {
            run: statuses(records, pairs, names, {"joy", "fear"}, {})
            for run, names in trained_on.items()
        },
        {run: contaminated_ids(records, pairs, names) for run, names in trained_on.items()},
        trained_on,
    )
    leaky, unknown = cell(long, "on a", "b"), cell(long, "on c", "b")
    assert (leaky["status"], leaky["contaminated"], leaky["words_trained"]) == (
        "contaminated",
        0.25,
        "2/6",
    )
    # the ten leaked items are among the twenty that it predicts correctly
    assert leaky["clean_accuracy"] == pytest.approx(10 / 30)
    assert unknown["status"] == "unknown" and pd.isna(unknown["clean_accuracy"])


def test_real_images_in_a_folder_with_a_synthetic_name_share_a_table_with_real_ones(runs):
    wide = wide_table(score_by_dataset(*runs), ["a", "scenes-paris", "FI"], drawn=[])
    assert list(wide) == ["model", "a", "scenes-paris", "FI"]
    assert published_table(["scenes-paris"], drawn=[])["scenes-paris"].eq("—").all()


def test_invalid_tables_are_refused(runs):
    table, statuses, contaminated, trained_on = runs
    long = score_by_dataset(*runs)
    with pytest.raises(
        ValueError, match=r"synthetic datasets \(scenes-ekman\) and real ones \(FI\)"
    ):
        wide_table(long, ["scenes-ekman", "FI"], ["scenes-ekman"])
    with pytest.raises(ValueError, match="without an interval"):
        wide_table(pd.concat([long, PUBLISHED]), ["a"], [])
    with pytest.raises(ValueError, match="synthetic datasets"):
        published_table(["scenes-ekman"], ["scenes-ekman"])
    with pytest.raises(
        ValueError, match="statuses of run 'good': 0 rows for dataset 'a', expected one"
    ):
        score_by_dataset(
            table, statuses | {"good": status(b=("clean", 0.0))}, contaminated, trained_on
        )
    with pytest.raises(ValueError, match="no row has split 'test'"):
        score_by_dataset(table[table["split"] == "train"], *runs[1:])
    mixed = table.assign(label_set=np.where(table["run"] == "good", "ekman", "mikels"))
    with pytest.raises(
        ValueError, match="'a' is predicted under ekman, mikels: expected one label set per dataset"
    ):
        score_by_dataset(mixed, *runs[1:])


def test_published_means_agree_with_the_papers_table():
    ours = PUBLISHED[PUBLISHED["run"].str.startswith("TinyEmo") & ~PUBLISHED["trained_on"]]
    means = 100 * ours.groupby("run", sort=False)["accuracy"].mean()
    assert [round(x, 2) for x in means] == [57.62, 55.24, 55.73, 56.28]
    assert (ours.groupby("run").size() == 5).all()
    assert len(PUBLISHED) == 74 and PUBLISHED["trained_on"].sum() == 15


def test_published_table_marks_trained_and_contaminated_cells():
    table = published_table(["EmotionROI", "Emotion6", "EmoSet"], []).set_index("published")
    assert list(table.columns) == ["params", "EmotionROI", "Emotion6", "EmoSet"]
    assert (
        table.index[0] == "CLIP ViT-B/32"
        and table.index[-1] == "TinyEmo-3.21B"
        and len(table) == 12
    )
    assert list(table.loc["TinyEmo-3.21B"]) == [
        "3.21B",
        "0.705† unknown",
        "0.773 contaminated",
        "0.838† unknown",
    ]
    assert list(table.loc["EmoVIT"]) == [
        "7.91B",
        "0.539 unknown",
        "0.578 unknown",
        "0.834† unknown",
    ]
    assert table.loc["S2-VER", "EmoSet"] == "—"


def test_published_projector_is_audited_by_the_training_data_its_authors_name():
    names = {"Emotion6": "ekman", "FI": "mikels"}
    records = check_records(
        pd.DataFrame(
            [
                {
                    "id": f"{name}/test/{label}",
                    "dataset": name,
                    "split": "test",
                    "label": label,
                    "label_set": label_set,
                }
                for name, label_set in names.items()
                for label in labels_of(label_set)
            ]
        )
    )
    pairs = pd.DataFrame(columns=list(COLUMNS))
    found = audit_runs(
        records, pairs, {"published": dict.fromkeys(names, ("EmotionROI", "EmoSet"))}
    )
    table = found["statuses"]["published"].set_index("dataset")
    assert list(table["status"]) == ["contaminated", "unknown"]  # EmotionROI has Emotion6's images
    assert list(table["words_trained"]) == [6, 8] and found["trained_on"] == {"published": []}
