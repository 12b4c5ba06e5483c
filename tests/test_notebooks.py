"""The smoke graph, run once for all of these: what the notebooks leave behind is whole and says the truth.

`smoke_results` (conftest) runs the profile through the Snakefile into a temporary folder.
"""

import json

import pandas as pd
import pytest
from PIL import Image

STEMS = ("00_start_here", "01_feature_extraction", "02_projector_training", "05_evaluation",
         "11_unseen_classes")
FIGURES = {
    "00_start_here": {"sample_scenes", "clip_learning", "one_image_one_emotion"},
    "01_feature_extraction": {"neighbours"},
    "02_projector_training": {"learning_curves", "accuracy"},
    "05_evaluation": {"scores", "recall", "confusion_ekman", "confusion_mikels", "confusion_parrott",
                      "calibration", "embedding_map", "nearest_images"},
    "11_unseen_classes": {"similarity", "unseen_classes", "why"},
}


def metrics(results, stem):
    return json.loads((results / "smoke" / stem / "metrics.json").read_text())


@pytest.mark.parametrize("stem", STEMS)
def test_a_run_leaves_its_metrics_manifest_and_readable_figures(smoke_results, stem):
    folder = smoke_results / "smoke" / stem
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert all(isinstance(value, int | float) for value in metrics(smoke_results, stem).values())
    figures = {path.stem: path for path in (folder / "figures").glob("*.png")}
    assert set(figures) == FIGURES[stem]
    for path in figures.values():
        assert path.stat().st_size < 250_000
        low, high = Image.open(path).convert("L").getextrema()
        assert high - low > 100, f"{path} is blank"


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_is_shown_in_the_notebook_that_makes_it(smoke_results, stem):
    notebook = json.loads((smoke_results / "smoke" / stem / "notebook.ipynb").read_text())
    shown = [output for cell in notebook["cells"] for output in cell.get("outputs", [])
             if "image/png" in output.get("data", {})]
    assert len(shown) == len(FIGURES[stem])


@pytest.mark.parametrize("label_set", ["ekman", "mikels", "parrott"])
def test_the_projector_beats_the_majority_class_and_stays_under_the_bayes_limit(smoke_results, label_set):
    m = metrics(smoke_results, "02_projector_training")
    assert m[f"{label_set}/test/accuracy_low"] > m[f"{label_set}/test/majority"]
    assert m[f"{label_set}/test/accuracy_low"] < m[f"{label_set}/test/bayes"]
    assert m[f"{label_set}/test/minus_best_probe_low"] < m[f"{label_set}/test/minus_best_probe_high"]


def test_the_recorded_accuracy_is_that_of_the_saved_predictions(smoke_results):
    for stem in ("02_projector_training", "05_evaluation"):
        table = pd.read_parquet(smoke_results / "smoke" / stem / "predictions.parquet")
        table = table[(table["run"] == "projector") & (table["label_set"] == "ekman")]
        accuracy = (table["pred"] == table["label"]).groupby(table["seed"]).mean().mean()
        assert metrics(smoke_results, stem)["ekman/test/accuracy"] == pytest.approx(accuracy)
        assert set(table["split"]) == {"test"} and not table.duplicated(["id", "seed"]).any()


def test_meaning_carries_zero_shot_and_its_absence_does_not(smoke_results):
    m = metrics(smoke_results, "02_projector_training")
    assert m["zero_shot/label_words_low"] > m["zero_shot/chance"]
    assert m["zero_shot/permuted_words"] < m["zero_shot/label_words_low"]


def test_an_unseen_class_is_found_better_than_by_chance_and_ridge_is_beaten(smoke_results):
    m = metrics(smoke_results, "11_unseen_classes")
    assert m["ridge/mean/auroc_low"] > 0.5 and m["unseen/mean/gain_low"] > 0
    assert m["unseen/mean/recall_low"] > 1 / 6 and m["unseen/mean/auroc"] > m["permuted/mean/auroc"]
