"""Notebooks 06 and 15 on the smoke profile: their reports, review files and tables.

The reports need no other files, a run marks no finding, and the tables of notebook 15 agree with
each other and with EmoScenes' true posterior.
"""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
import torch

from tinyemo.bias.collected import CollectedDataset
from tinyemo.bias.findings import finding_id
from tinyemo.bias.review_file import read_review
from tinyemo.training.projector import PRESETS


@pytest.fixture(scope="module")
def folder(smoke_results):
    return smoke_results / "smoke" / "15_bias_in_collections"


@pytest.fixture(scope="module")
def tables(folder):
    return {
        path.stem: pd.read_csv(path, keep_default_na=False, na_values=[""])
        for path in (folder / "tables").glob("*.csv")
    }


LIMITS = "What must not be concluded"


@pytest.mark.parametrize(
    "stem, order",
    [("06_bias_analysis", ["Findings", LIMITS]), ("15_bias_in_collections", [LIMITS, "Findings"])],
)
def test_report_needs_no_other_files_and_no_finding_is_marked(smoke_results, stem, order):
    class Outside(HTMLParser):
        found = []

        def handle_starttag(self, tag, attrs):
            self.found += [
                value
                for name, value in attrs
                if name in ("src", "href") and not value.startswith(("#", "data:"))
            ]

    folder = smoke_results / "smoke" / stem
    page, parser = (folder / "report.html").read_text("utf-8"), Outside()
    parser.feed(page)
    assert not parser.found and "<script" not in page and "data:image/png;base64," in page
    assert [
        heading for heading in re.findall(r"<h2[^>]*>(.*?)</h2>", page) if heading in order
    ] == order
    findings, review = (
        pd.read_csv(folder / "tables" / "findings.csv", dtype=str),
        read_review(folder / "review.csv"),
    )
    assert set(review.loc[review["seen"] == "yes", "id"]) == set(findings["id"]) and set(
        review["mark"]
    ) == {""}


def test_metrics_agree_with_the_tables(folder, tables):
    m, findings = json.loads((folder / "metrics.json").read_text()), tables["findings"]
    counted = {
        key.removesuffix("/found").replace("_", " "): n
        for key, n in m.items()
        if key.endswith("/found") and n
    }
    assert (
        counted == findings["detector"].value_counts().to_dict()
        and sum(counted.values()) == m["findings"]
    )
    assert m["accuracy_low"] < m["accuracy"] < m["accuracy_high"]
    assert list(map(finding_id, findings["detector"], findings["what"], findings["where"])) == list(
        findings["id"]
    )


def test_words_repeat_with_another_seed_in_clip_space_only(tables):
    words, clip = tables["words"], tables["words_clip"]
    for table in (words, clip):  # what is found, and the first ten of each label
        assert (table["found"] | (table.groupby("where").cumcount() < 10)).all()
    assert clip["again"].mean() > 0.7 > 0.4 > words["again"].mean()
    assert words["found"].mean() < 0.1


def test_causes_of_emotions_are_found(tables):
    """Tears and scowls are causes; the detectors cannot tell that these are no biases."""
    findings = tables["findings"]
    pairs = set(
        map(
            tuple,
            findings.loc[findings["detector"] == "data and model", ["what", "where"]].to_numpy(),
        )
    )
    assert {("expression: crying", "sadness"), ("expression: scowling", "anger")} <= pairs
    by_pair = findings.set_index(["detector", "what", "where"])["effect"]
    assert (by_pair["erasure"]["expression: crying", "sadness"]) > 0.1
    assert set(tables["parts"].set_index(["what", "where"]).index) == pairs


def test_collected_dataset_needs_both_parts_and_gives_its_items(smoke_results, monkeypatch):
    monkeypatch.setenv("TINYEMO_DATA", str(smoke_results.parent / "data"))  # as in its runs
    collection = smoke_results / "smoke" / "09_dataset_collection"
    with pytest.raises(
        ValueError, match="'scenes-style' has no training or no test part: expected one of scenes-e"
    ):
        CollectedDataset.open(collection, "scenes-style")
    assert CollectedDataset.open(collection).name == "scenes-ekman"
    case = CollectedDataset.open(collection, "scenes-mikels")
    assert not set(case.train.records["id"]) & set(case.test.records["id"])
    known, values = case.attributes(15)
    assert known.names == values.names and min(known.counts.min(), values.counts.min()) >= 15
    shown = case.test.records["attr_expression"] == "smiling"
    assert (values.of("expression: smiling") == shown).all()
    anchors = torch.randn(len(case.words), 16, generator=torch.Generator().manual_seed(0))
    own, other, *controls = case.readings(anchors, PRESETS["quick"], controls=3, workers=1)
    right = [(predicted == case.test.y.numpy()).mean() for _, predicted in (own, other, *controls)]
    assert min(right[:2]) > 0.4 > max(right[2:]) and (own[0] != other[0]).any()
    assert (
        case.pictures(shown.to_numpy(), 2) == case.test.records.loc[shown, "image"].head(2).tolist()
    )
