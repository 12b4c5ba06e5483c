"""Which label set the labels of a dataset form, and which labels are refused."""

import logging
import re

import pytest

from tinyemo.data.datasets import read_csv, read_datasets
from tinyemo.data.folders import read_folder
from tinyemo.data.labels import Labelling


def make_classes(folder, *names):
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for item in range(5):
            (folder / name / f"{number}-{item}.png").touch()
    return folder


def label_set_of(records):
    (name,) = set(records["label_set"])
    return name


def test_class_folders_define_a_label_set_in_alphabetical_order(tmp_path):
    records = read_folder(make_classes(tmp_path / "own", "storm", "Calm", "happy"))
    assert label_set_of(records) == "labels: calm, happy, storm"
    assert set(records["label"]) == {"calm", "happy", "storm"}


def test_a_csv_defines_a_label_set_and_keeps_its_own_words(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    table = tmp_path / "own.csv"
    table.write_text("image,label,p_sad,p_calm\na.png,sad,0.7,0.3\nb.png,calm,,\nc.png,sad,,\n")
    records = read_csv(table)
    assert label_set_of(records) == "labels: calm, sad"
    # the words of a built-in label set have its spelling
    table.write_text("image,label\na.png,sad\nb.png,Joy\n")
    records = read_csv(table)
    assert label_set_of(records) == "ekman"
    assert records["label"].tolist() == ["sadness", "joy"]


def test_listed_labels_give_the_order_and_any_other_label_is_an_error(tmp_path):
    folder = make_classes(tmp_path / "own", "storm", "Calm")
    labelling = Labelling(labels=["storm", "Calm", "fog"])
    records = read_folder(folder, label_set=labelling)
    assert label_set_of(records) == "labels: storm, Calm, fog"
    assert set(records["label"]) == {"storm", "Calm"}
    with pytest.raises(ValueError, match="own: unknown label calm: expected the labels of"):
        read_folder(folder, label_set=Labelling(labels=["storm"]))


def test_listed_labels_of_a_built_in_set_are_a_set_of_their_own(tmp_path):
    folder = make_classes(tmp_path / "own", "joy", "anger")
    assert label_set_of(read_folder(folder)) == "ekman"
    two = read_folder(folder, label_set=Labelling(labels=["joy", "anger"]))
    assert label_set_of(two) == "labels: joy, anger"


@pytest.mark.parametrize("label_set", ["ekman", "mikels", "labels: calm, storm"])
def test_where_a_label_set_is_named_any_other_label_is_an_error(tmp_path, label_set):
    folder = make_classes(tmp_path / "own", "bliss")
    with pytest.raises(ValueError, match=f"own: unknown label bliss: .*'{label_set}'"):
        read_folder(folder, label_set=label_set)


def test_a_synonym_is_replaced_only_if_asked_for(tmp_path):
    folder = make_classes(tmp_path / "own", "Happy", "anger")
    assert label_set_of(read_folder(folder)) == "labels: anger, happy"
    records = read_folder(folder, label_set=Labelling(synonyms={"happy": "joy"}))
    assert label_set_of(records) == "ekman"
    assert set(records["label"]) == {"joy", "anger"}
    merged = make_classes(tmp_path / "merged", "happy", "glad", "calm")
    both = Labelling(synonyms={"happy": "joyful", "glad": "joyful"})
    assert label_set_of(read_folder(merged, label_set=both)) == "labels: calm, joyful"


def test_a_synonym_that_no_label_needs_is_an_error(tmp_path):
    folder = str(make_classes(tmp_path / "own", "calm", "anger"))
    labelling = Labelling(synonyms={"happpy": "joy"})
    with pytest.raises(ValueError, match="synonyms: 'happpy' is the label of nothing in"):
        read_datasets([folder], tmp_path, labelling=labelling)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"label_set": "ekman", "labels": ["a"]}, "expected only one of the two"),
        ({"synonyms": {"a": "b", "b": "c"}}, "'b' is itself replaced"),
        ({"labels": ["calm", True]}, "got True, expected text in quotes"),
        ({"synonyms": {"happy": 3}}, "got 3, expected text in quotes"),
    ],
)
def test_contradictory_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Labelling(**options)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Joy", "joy"),
        ("calm sea", "calm  sea"),
        ("calm sea", "calmsea"),
        ("calm-sea", "calm_sea"),
        ("fiert\u00e9", "fierte\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("\ufb01ne", "fine"),
    ],
)
def test_labels_that_differ_only_in_form_are_an_error(tmp_path, one, other):
    folder = make_classes(tmp_path / "own", one, other)
    message = f"own: labels {ascii(one)} and {ascii(other)} differ only by case, spaces or Unicode"
    message_reversed = f"own: labels {ascii(other)} and {ascii(one)} differ"
    with pytest.raises(ValueError, match=f"{re.escape(message)}|{re.escape(message_reversed)}"):
        read_folder(folder)


@pytest.mark.parametrize("label", ["joy ", "joy\u00a0", "joy\u200b", "a,b"])
def test_a_label_with_what_cannot_be_seen_is_an_error(tmp_path, label):
    (tmp_path / "a.png").touch()
    (tmp_path / "own.csv").write_text(f'image,label\na.png,"{label}"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="own.csv: row 1: label '"):
        read_csv(tmp_path / "own.csv")


def test_decomposed_names_are_the_same_labels_as_composed_ones(tmp_path):
    """The file system of macOS decomposes names."""
    records = read_folder(make_classes(tmp_path / "own", "fierte\u0301", "calme"))
    assert label_set_of(records) == "labels: calme, fiert\u00e9"


def test_a_set_that_nearly_is_a_built_in_one_is_logged(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    read_folder(make_classes(tmp_path / "own", "joy", "anger", "sadnes"))
    assert "the labels anger, joy, sadnes are a label set of their own; ekman has only" in (
        caplog.text
    )
    caplog.clear()
    read_folder(make_classes(tmp_path / "other", "calm", "storm"))
    assert not caplog.text
