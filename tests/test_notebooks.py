"""The smoke graph, run once for all of these: what the notebooks leave behind is whole and says the truth.

`smoke_results` (conftest) runs the profile through the Snakefile into a temporary folder.
"""

import json

import pandas as pd
import pytest
from PIL import Image

from tinyemo.data.instructions import read_instructions

FIGURES = {
    "00_start_here": {"sample_scenes", "clip_learning", "one_image_one_emotion"},
    "01_feature_extraction": {"neighbours"},
    "02_projector_training": {"learning_curves", "accuracy"},
    "03_emoreason_dataset": {"drops", "examples", "labels", "lengths"},
    "04_mm_llm_finetuning": {"stage_1", "captions", "stage_2", "explanations"},
    "05_evaluation": {
        "scores",
        "recall",
        "confusion_ekman",
        "confusion_mikels",
        "confusion_parrott",
        "calibration",
        "embedding_map",
        "nearest_images",
    },
    "06_bias_analysis": {
        "gaps",
        "causal",
        "detectors",
        "words",
        "pictures",
        "mitigation",
        "effects",
    },
    "09_dataset_collection": {"collection", "duplicates"},
    "10_zero_shot_table": {"zero_shot"},
    "11_unseen_classes": {"similarity", "unseen_classes", "why"},
    "12_ablations": {"differences"},
    "13_beyond_labels": {"risk_coverage"},
    "14_reasoning_evaluation": {"texts", "differences"},
    "15_bias_in_collections": {"words", "words_clip", "associations", "gaps", "pictures"},
    "16_dataset_bias": {"drops", "naming", "which_dataset", "seen_and_costly"},
}
STEMS = tuple(FIGURES)


def metrics(results, stem):
    return json.loads((results / "smoke" / stem / "metrics.json").read_text())


@pytest.mark.parametrize("stem", STEMS)
def test_a_run_leaves_its_metrics_manifest_and_readable_figures(smoke_results, stem):
    folder = smoke_results / "smoke" / stem
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert all(
        isinstance(value, int | float | str | None)
        for value in metrics(smoke_results, stem).values()
    )
    figures = {path.stem: path for path in (folder / "figures").glob("*.png")}
    assert set(figures) == FIGURES[stem]
    for path in figures.values():
        assert path.stat().st_size < 250_000
        low, high = Image.open(path).convert("L").getextrema()
        assert high - low > 100, f"{path} is blank"


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_is_shown_in_the_notebook_that_makes_it(smoke_results, stem):
    notebook = json.loads((smoke_results / "smoke" / stem / "notebook.ipynb").read_text())
    shown = [
        output
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == len(FIGURES[stem])


@pytest.mark.parametrize("label_set", ["ekman", "mikels", "parrott"])
def test_the_projector_beats_the_majority_class_and_stays_under_the_bayes_limit(
    smoke_results, label_set
):
    m = metrics(smoke_results, "02_projector_training")
    assert m[f"{label_set}/test/accuracy_low"] > m[f"{label_set}/test/majority"]
    assert m[f"{label_set}/test/accuracy_low"] < m[f"{label_set}/test/bayes"]
    assert (
        m[f"{label_set}/test/minus_best_probe_low"] < m[f"{label_set}/test/minus_best_probe_high"]
    )


def test_the_recorded_accuracy_is_that_of_the_saved_predictions(smoke_results):
    for stem in ("02_projector_training", "05_evaluation"):
        table = pd.read_parquet(smoke_results / "smoke" / stem / "predictions.parquet")
        table = table[
            (table["run"] == "projector")
            & (table["label_set"] == "ekman")
            & (table["split"] == "test")
        ]
        accuracy = (table["pred"] == table["label"]).groupby(table["seed"]).mean().mean()
        assert metrics(smoke_results, stem)["ekman/test/accuracy"] == pytest.approx(accuracy)
        assert not table.duplicated(["id", "seed"]).any()


def test_meaning_carries_zero_shot_and_its_absence_does_not(smoke_results):
    m = metrics(smoke_results, "02_projector_training")
    assert m["zero_shot/label_words_low"] > m["zero_shot/chance"]
    assert m["zero_shot/permuted_words"] < m["zero_shot/label_words_low"]


def test_instruction_data_are_true_of_their_pictures_and_every_request_is_accounted_for(
    smoke_results,
):
    folder, m = (
        smoke_results / "smoke" / "03_emoreason_dataset",
        metrics(smoke_results, "03_emoreason_dataset"),
    )
    tasks = ("caption", "vqa", "sentiment", "reasoning", "conversation")
    assert {m[f"{task}/precision"] for task in tasks} == {1} and min(
        m[f"{task}/mentions"] for task in tasks
    ) > 500
    assert m["reasoning/two_named"] >= 0.9
    about, drops = (
        pd.read_parquet(folder / "about.parquet"),
        pd.read_csv(folder / "tables" / "drops.csv"),
    )
    reasoned = about[(about["part"] == "finetuning") & (about["split"] == "train")]
    records = pd.read_parquet(
        smoke_results / "smoke" / "01_feature_extraction" / "records.parquet"
    ).set_index("id")
    assert set(reasoned["id"].str.partition("#")[0]) <= set(
        records.index[records["split"] == "train"]
    )
    asked = 3 * (records["split"] != "test").sum()
    assert (
        asked
        == (about["part"] == "pretraining").sum()
        + drops.loc[drops["part"] == "pretraining", "dropped"].sum()
    )
    for name, group in about.groupby("file"):
        held = list(read_instructions(folder / name))
        assert [one.id for one in held] == group["id"].tolist()
        by_image = {one.id: one.image for one in held}
        assert all(
            records.loc[one.partition("#")[0], "image"].endswith(by_image[one])
            for one in group["id"][:50]
        )


def test_the_planted_copies_are_found_and_the_table_says_so(smoke_results):
    m = metrics(smoke_results, "09_dataset_collection")
    assert m["planted_found"] == m["planted"] > 0
    long = pd.read_csv(smoke_results / "smoke/10_zero_shot_table/tables/zero_shot_long.csv")
    joint = long[long["run"] == "joint"].set_index("dataset")
    assert (
        joint.loc["scenes-split", "verdict"] == "contaminated"
        and joint.loc["scenes-split", "contaminated"] > 0.04
    )
    assert (joint["contaminated"].drop("scenes-split") < 0.01).all()


def test_learning_together_helps_where_nothing_was_trained_on(smoke_results):
    m = metrics(smoke_results, "10_zero_shot_table")
    assert m["joint_minus_label_set_alone/all_unseen_low"] > 0
    assert (
        m["label_set_held_out/scenes-parrott/accuracy_low"] > 1 / 25
    )  # words that no image was trained on


def test_an_unseen_class_is_found_better_than_by_chance_and_ridge_is_beaten(smoke_results):
    m = metrics(smoke_results, "11_unseen_classes")
    assert m["unseen/mean/auroc_low"] > 0.5 and m["unseen/mean/gain_low"] > 0
    assert (
        m["unseen/mean/recall_low"] > 1 / 6
    )  # what words add to no meaning is within the intervals at this size


def test_explanations_follow_the_label_even_at_this_size(smoke_results):
    m = metrics(smoke_results, "14_reasoning_evaluation")
    conditions = ("alone", "projector", "true", "wrong", "other_image", "no_image")
    assert all(
        m[f"{name}/f1_low"] <= m[f"{name}/f1"] <= m[f"{name}/f1_high"] for name in conditions
    )
    assert (
        m["true/correct"] == 1
        and m["wrong/correct"] == 0
        and m["other_image/correct"] == m["projector/correct"]
    )
    assert (
        m["projector/consistent"] > 0.5
    )  # mostly, the label that is given is the one that is explained
    texts = pd.read_parquet(smoke_results / "smoke/14_reasoning_evaluation/texts.parquet")
    assert (
        texts["text"].str.len().gt(20).mean() > 0.9
        and not texts.duplicated(["id", "condition"]).any()
    )


def test_both_models_trained_for_as_many_steps(smoke_results):
    m = metrics(smoke_results, "04_mm_llm_finetuning")
    assert m["finetuning/conditioned/steps"] == m["finetuning/alone/steps"] > 0


def test_datasets_that_look_different_are_named_and_the_matrix_is_that_of_the_predictions(
    smoke_results,
):
    folder, m = (
        smoke_results / "smoke" / "16_dataset_bias",
        metrics(smoke_results, "16_dataset_bias"),
    )
    assert m["naming/all_emotions/accuracy_low"] > 1 / m["datasets"]
    naming = pd.read_csv(folder / "tables" / "naming.csv").set_index("what")
    assert naming.loc["scenes-ekman / scenes-abstract", "found"]
    assert naming.loc["scenes-ekman / scenes-split", "accuracy"] < 0.65  # drawn in one way
    predictions = pd.read_parquet(folder / "predictions.parquet")
    right = (
        (predictions["pred"] == predictions["label"])
        .groupby([predictions["run"], predictions["dataset"]])
        .mean()
    )
    matrix = pd.read_csv(folder / "tables" / "matrix.csv").set_index(["what", "where"])["accuracy"]
    assert matrix[right.index].to_numpy() == pytest.approx(right.to_numpy(), abs=1e-5)


def test_injected_bias_is_found_and_the_naive_detector_finds_too_much(smoke_results):
    m, folder = (
        metrics(smoke_results, "06_bias_analysis"),
        smoke_results / "smoke" / "06_bias_analysis",
    )
    assert m["naive/found_without_bias"] > 20 > m["combined/found"] >= 1
    assert m["causal/rank_correlation"] > 0.7
    combined = pd.read_csv(folder / "tables" / "combined.csv").set_index(["what", "where"])
    assert combined.loc[("background: forest", "fear"), "found"]
