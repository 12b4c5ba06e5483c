"""Folds: which ids stand where, and that leaks made on purpose are refused."""

import re

import numpy as np
import pandas as pd
import pytest

from tinyemo.data.folds import (
    Fold,
    check_fold,
    describe_folds,
    group_k_folds,
    inner_folds,
    leave_one_group_out,
    mark_folds,
    positions,
    split_fold,
    with_validation,
)
from tinyemo.emotions import labels_of

SESSIONS = ("Ses01", "Ses02", "Ses03", "Ses04")


def sessions_table() -> pd.DataFrame:
    """4 sessions x 3 dialogues x 8 turns; only Ses03 has sadness; two persons per session."""
    rows = []
    labels = ("anger", "happiness", "neutral", "sadness")
    for session in SESSIONS:
        for scene in range(3):
            for turn in range(8):
                label = labels[turn % (4 if session == "Ses03" else 3)]
                name = f"{session}_{scene}"
                row = {"id": f"toy/{name}_{turn}", "label": label, "group": session}
                row |= {"dialogue": name, "speaker": f"{session}_{'FM'[turn % 2]}"}
                rows.append(row)
    table = pd.DataFrame(rows)
    return table.assign(dataset="toy", split="train", label_set="iemocap4")


@pytest.fixture
def records():
    return sessions_table()


def groups_of(records: pd.DataFrame, ids: np.ndarray) -> set[str]:
    return set(records.set_index("id").loc[list(ids), "group"])


def test_each_group_is_tested_once_and_never_trained(records):
    folds = leave_one_group_out(records)
    assert [fold.name for fold in folds] == list(SESSIONS)
    for fold in folds:
        assert groups_of(records, fold.test) == {fold.name}
        assert groups_of(records, fold.train) == set(SESSIONS) - {fold.name}
        assert len(fold.train) + len(fold.test) == len(records)
        assert len(fold.validation) == 0
        check_fold(fold, records)
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == sorted(records["id"])


def test_the_next_group_can_be_the_validation_part(records):
    folds = leave_one_group_out(records, validation=True)
    validated = [groups_of(records, fold.validation) for fold in folds]
    assert validated == [{"Ses02"}, {"Ses03"}, {"Ses04"}, {"Ses01"}]
    for fold in folds:
        assert len(groups_of(records, fold.train)) == 2
        check_fold(fold, records)


def test_fixed_test_groups_make_one_fold(records):
    (fold,) = leave_one_group_out(records, test_groups=["Ses04"])
    assert fold.name == "Ses04"
    assert groups_of(records, fold.test) == {"Ses04"}
    assert groups_of(records, fold.train) == {"Ses01", "Ses02", "Ses03"}
    (both,) = leave_one_group_out(records, test_groups=["Ses03", "Ses04"], validation=True)
    assert both.name == "Ses03+Ses04"
    assert groups_of(records, both.validation) == {"Ses01"}


def test_inner_folds_divide_the_training_part_only(records):
    fold = leave_one_group_out(records)[1]
    inner = inner_folds(fold, records)
    assert [part.name for part in inner] == [f"Ses02, inner Ses0{number}" for number in (1, 3, 4)]
    for part in inner:
        check_fold(part, records)
        assert not set(fold.test) & {*part.train, *part.validation}
        assert len(part.test) == 0
    validated = np.concatenate([part.validation for part in inner])
    assert sorted(validated) == sorted(fold.train)


def test_k_folds_keep_groups_whole_and_labels_balanced(records):
    by_dialogue = records.assign(group=records["dialogue"])
    folds = group_k_folds(by_dialogue, k=4, seed=3)
    for fold in folds:
        check_fold(fold, by_dialogue, speakers_are_persons=False)
        labels = by_dialogue.set_index("id").loc[list(fold.test), "label"].value_counts()
        assert len(groups_of(by_dialogue, fold.test)) == 3
        assert labels["anger"] >= 6
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == sorted(records["id"])


def test_k_folds_depend_on_the_seed_and_not_on_the_order_of_the_rows(records):
    by_dialogue = records.assign(group=records["dialogue"])
    tested = [sorted(fold.test) for fold in group_k_folds(by_dialogue, k=4, seed=3)]
    shuffled = by_dialogue.sample(frac=1, random_state=1)
    assert [sorted(fold.test) for fold in group_k_folds(shuffled, k=4, seed=3)] == tested
    assert [sorted(fold.test) for fold in group_k_folds(by_dialogue, k=4, seed=4)] != tested


def test_a_published_split_is_a_fold_with_inner_folds_by_dialogue(records):
    split = records["group"].map({"Ses04": "validation"}).fillna("train")
    published = records.assign(split=split, group=records["dialogue"])
    fold = split_fold(published)
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (72, 0, 24)
    check_fold(fold, published)
    inner = inner_folds(fold, published, k=3, seed=0)
    assert sorted(np.concatenate([part.validation for part in inner])) == sorted(fold.train)
    with pytest.raises(ValueError, match="no record of split 'test': expected some of train, val"):
        split_fold(published, test="test")


def test_positions_are_those_of_the_ids(records):
    ids = records["id"].to_numpy()
    assert positions(ids[[5, 2]], ids).tolist() == [5, 2]
    assert positions(ids[:0], ids).tolist() == []
    with pytest.raises(ValueError, match="id 'x' is not among 96 ids"):
        positions(["x"], ids)


# ---- leaks made on purpose


def refused(fold, records, **options) -> tuple[int, list[str]]:
    """(how many ids the refusal counts, the ids that it names)."""
    with pytest.raises(ValueError, match=f"fold '{fold.name}': ") as error:
        check_fold(fold, records, **options)
    message = str(error.value)
    return int(re.search(r"(\d+) ids", message)[1]), re.findall(r"'(toy/\w+)'", message)


def test_a_random_split_of_utterances_is_refused_with_its_ids(records):
    order = np.random.default_rng(0).permutation(records["id"].to_numpy())
    count, named = refused(Fold("random", order[:72], order[:0], order[72:]), records)
    assert count == 24  # every test utterance is from a session that is also trained
    assert len(named) == 3 and set(named) <= set(order[72:])


def test_a_split_by_dialogue_is_refused_where_speakers_are_persons(records):
    by_dialogue = records.assign(group=records["dialogue"])
    fold = group_k_folds(by_dialogue, k=4, seed=3)[0]
    count, named = refused(fold, by_dialogue)
    assert set(named) <= set(fold.test)
    check_fold(fold, by_dialogue, speakers_are_persons=False)


@pytest.mark.parametrize("column", ["group", "dialogue", "speaker"])
def test_each_kind_of_overlap_is_refused_by_itself(records, column):
    others = {"group": records["id"], "dialogue": records["id"], "speaker": ""}
    alone = records.assign(**{**others, column: "shared"})
    ids = records["id"].to_numpy()
    fold = Fold("leaky", ids[:90], ids[:0], ids[90:])
    assert refused(fold, alone) == (6, ids[90:93].tolist())
    if column == "speaker":
        check_fold(fold, alone, speakers_are_persons=False)


def test_an_id_in_two_parts_is_refused(records):
    fold = leave_one_group_out(records)[0]
    leaky = Fold("leaky", np.append(fold.train, fold.test[:2]), fold.validation, fold.test)
    assert refused(leaky, records) == (2, fold.test[:2].tolist())
    validated = Fold("chosen on test", fold.train, fold.test[:1], fold.test)
    assert refused(validated, records) == (1, fold.test[:1].tolist())


def test_a_chained_fold_is_refused_with_its_ids(records):
    first, second, *_ = leave_one_group_out(records)
    check_fold(second, records, trained_on=second.train)
    # the second fold starts from the first one's model, which has trained on its test part
    count, named = refused(second, records, trained_on=first.train)
    assert count == len(second.test) == 24
    assert named == second.test[:3].tolist()


def test_weights_that_saw_the_same_session_are_refused(records):
    fold = leave_one_group_out(records)[0]
    others = Fold("part", fold.train, fold.validation, fold.test[:4])
    count, named = refused(others, records, trained_on=fold.test[4:])
    assert (count, named) == (4, fold.test[:3].tolist())
    check_fold(others, records, trained_on=["elsewhere/1"])


def test_ids_that_are_no_records_are_refused(records):
    fold = Fold("wrong", records["id"].to_numpy()[:0], np.array(["x"]), np.array([]))
    with pytest.raises(ValueError, match=r"fold 'wrong': 1 ids \('x'\) of validation: expected"):
        check_fold(fold, records)


# ---- tables, refusals


def test_a_label_that_a_part_lacks_is_listed(records):
    table = describe_folds(leave_one_group_out(records), records).set_index(["fold", "part"])
    assert labels_of("iemocap4")[3] == "sadness"
    assert table.loc[("Ses01", "test"), "absent"] == "sadness"
    assert table.loc[("Ses03", "train"), "absent"] == "sadness"
    assert table.loc[("Ses03", "test"), "absent"] == ""
    assert table.loc[("Ses02", "train"), "groups"] == "Ses01, Ses03, Ses04"
    assert table.loc[("Ses02", "test"), ["utterances", "dialogues"]].tolist() == [24, 3]


def test_records_are_marked_with_the_fold_that_tests_them(records):
    folds = leave_one_group_out(records)
    assert (mark_folds(records, folds)["fold"] == records["group"]).all()
    part = mark_folds(records, folds[:1])
    assert (part["fold"] == "").sum() == 72
    with pytest.raises(ValueError, match="is tested in the folds 'Ses01' and 'Ses01'"):
        mark_folds(records, folds[:1] * 2)


def test_impossible_folds_are_refused(records):
    with pytest.raises(ValueError, match="unknown test group 'Ses05': expected some of Ses01"):
        leave_one_group_out(records, test_groups=["Ses05"])
    one = records[records["group"] == "Ses01"]
    with pytest.raises(ValueError, match="testing Ses01 leaves 0 groups, expected at least 1"):
        leave_one_group_out(one)
    with pytest.raises(ValueError, match="k = 5: expected 2 to 4, the number of groups"):
        group_k_folds(records, k=5, seed=0)
    with pytest.raises(ValueError, match="record 'toy/Ses01_0_0' has no group"):
        leave_one_group_out(records.assign(group=""))
    with pytest.raises(ValueError, match="no records"):
        leave_one_group_out(records[:0])


def test_the_validation_part_is_taken_from_the_training_part(records):
    fold = leave_one_group_out(records)[0]
    divided = with_validation(fold, records, k=2)
    assert sorted([*divided.train, *divided.validation]) == sorted(fold.train)
    assert list(divided.test) == list(fold.test)
    assert len(divided.validation)
    check_fold(divided, records)
