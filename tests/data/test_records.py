"""Records: checks name the wrong cell; splits are stratified, seeded and respect groups."""

import numpy as np
import pandas as pd
import pytest
from toy_records import table

from emoscenes.scenes import make_records
from tinyemo.data.records import (
    carve_validation,
    check_records,
    drawn_datasets,
    read_records,
    relabel,
    seeded_split,
    write_records,
)
from tinyemo.emotions import LABEL_SETS

EKMAN = LABEL_SETS["ekman"]


def with_cell(row: int, column: str, value: object) -> pd.DataFrame:
    records = table().astype(object)
    records.loc[row, column] = value
    return records


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (table().drop(columns="label"), "'label'|missing"),
        (table(lable="joy"), "'lable'|unknown column"),
        (with_cell(3, "id", "toy/000001"), "row 4|'id'|toy/000001"),
        (with_cell(4, "split", "dev"), "row 5|'split'|'dev'|validation"),
        (with_cell(5, "label", "awe"), "row 6|'label'|'awe'|surprise"),
        (with_cell(6, "label_set", "plutchik"), "row 7|plutchik|ekman"),
        (table(turn="x"), "row 1|'turn'|whole number"),
        (with_cell(8, "label", float("nan")), "row 9|'label'|text"),
        (table(p_joy=0.4, p_anger=0.4), "row 1|p_<label>|sum to 1"),
        (table(p_joy=0.5, p_awe=0.5), "row 1|p_<label>|'ekman'"),
        (table(p_joy="much"), "row 1|'p_joy'|'much'|a number"),
    ],
)
def test_invalid_tables_are_refused_in_one_sentence_that_names_the_cell(records, words):
    with pytest.raises(ValueError) as caught:
        check_records(records, "toy.parquet")
    sentence = str(caught.value)
    assert "toy.parquet" in sentence and "\n" not in sentence
    for word in words.split("|"):
        assert word in sentence


def test_a_table_is_read_as_it_was_written(tmp_path):
    records = table(attr_object=[["rose", "table"], []] * 6, p_joy=1.0, turn=range(12))
    path = write_records(records, tmp_path / "deep" / "records.parquet")
    back = read_records(path)
    assert back["attr_object"].map(list).tolist() == records["attr_object"].tolist()
    assert back["p_joy"].tolist() == [1.0] * 12
    assert back["turn"].tolist() == list(range(12))
    assert (back[["image", "text", "group"]] == "").all(axis=None)
    assert [file.name for file in path.parent.iterdir()] == ["records.parquet"]


def test_unreadable_tables_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.parquet"):
        read_records(tmp_path / "nowhere.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(ValueError, match="broken.parquet"):
        read_records(tmp_path / "broken.parquet")


def test_split_is_stratified_seeded_and_independent_of_the_order_of_rows():
    records = check_records(table(600))
    fractions = {"train": 0.8, "validation": 0.1, "test": 0.1}
    split = seeded_split(records, fractions, seed=3)
    counts = pd.crosstab(records["label"], split)
    assert (counts[["train", "validation", "test"]].to_numpy() == [80, 10, 10]).all()
    shuffled = records.sample(frac=1, random_state=0)
    again = seeded_split(shuffled, fractions, seed=3)
    assert again.sort_index().equals(split)
    assert (seeded_split(records, fractions, seed=4) != split).any()


def test_split_totals_hold_where_labels_are_rare():
    records = check_records(table(100, label_set="parrott"))  # four items per label
    fractions = {"train": 0.8, "validation": 0.1, "test": 0.1}
    split = seeded_split(records, fractions, seed=0)
    assert split.value_counts().to_dict() == {"train": 80, "validation": 10, "test": 10}
    assert pd.crosstab(records["label"], split)["train"].between(2, 4).all()


def test_groups_never_cross_splits():
    rng = np.random.default_rng(0)
    groups = [f"family-{g}" if g < 60 else "" for g in rng.integers(0, 90, 900)]
    records = check_records(table(900, group=groups))
    split = seeded_split(records, {"train": 0.7, "test": 0.3}, seed=1)
    grouped = records["group"] != ""
    splits_per_group = split[grouped].groupby(records["group"]).nunique()
    assert splits_per_group.max() == 1
    assert abs((split == "test").mean() - 0.3) < 0.01
    assert split[~grouped].nunique() == 2


@pytest.mark.parametrize("fractions", [{"train": 0.8, "test": 0.1}, {"train": 0.5, "dev": 0.5}, {}])
def test_fractions_must_be_shares_of_known_splits(fractions):
    with pytest.raises(ValueError, match="sum to 1"):
        seeded_split(check_records(table()), fractions, seed=0)


def test_validation_is_taken_from_train_only():
    records = check_records(table(180)).assign(split=["train"] * 120 + ["test"] * 60)
    carved = carve_validation(records, 0.1, seed=0)
    assert carved["split"].tolist()[120:] == ["test"] * 60
    validation = carved[carved["split"] == "validation"]
    assert validation["label"].value_counts().to_dict() == dict.fromkeys(EKMAN, 2)
    with pytest.raises(ValueError, match="12 validation items"):
        carve_validation(carved, 0.1, seed=0)
    with pytest.raises(ValueError, match="empty"):
        carve_validation(check_records(table(2)), 0.01, seed=0)


def test_relabelling_sums_shares_and_drops_labels_without_a_counterpart():
    records = check_records(
        table(4, label_set="parrott").assign(
            label=["zest", "lust", "horror", "zest"],
            p_zest=[0.4, 0.2, 0.0, 0.0],
            p_optimism=[0.2, 0.0, 0.1, 0.0],
            p_lust=[0.2, 0.8, 0.0, 1.0],
            p_horror=[0.2, 0.0, 0.9, 0.0],
        )
    )
    mikels = check_records(relabel(records, "mikels"))
    # lust has no counterpart, and all annotators of the last item chose lust
    assert mikels["id"].tolist() == ["toy/000000", "toy/000002"]
    assert mikels["label"].tolist() == ["excitement", "fear"]
    np.testing.assert_allclose(mikels["p_excitement"], [0.6 / 0.8, 0.1])
    np.testing.assert_allclose(mikels["p_fear"], [0.2 / 0.8, 0.9])
    assert relabel(records, "ekman")["label"].tolist() == ["joy", "fear"]
    assert len(relabel(records, "parrott")) == 4
    with pytest.raises(ValueError, match="'ekman', expected 'parrott'"):
        relabel(check_records(table()), "mikels")


def test_a_column_says_what_is_drawn_and_no_name_does(tmp_path):
    scenes, _ = make_records(4, 2, 2, seed=0, dataset="holiday")
    own = check_records(table(3).assign(dataset="scenes-ekman"))
    both = check_records(pd.concat([scenes, own], ignore_index=True))
    assert drawn_datasets(both) == ["holiday"]
    kept = read_records(write_records(both, tmp_path / "records.parquet"))
    assert drawn_datasets(relabel(kept[kept["dataset"] == "holiday"], "ekman")) == ["holiday"]
    mixed = pd.concat([scenes, own.assign(dataset="holiday")], ignore_index=True)
    assert drawn_datasets(mixed) == []
