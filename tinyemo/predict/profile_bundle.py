"""The finished runs of a profile as a bundle.

Takes a profile's name, or the folder of its runs; gives the Bundle of the models that notebooks 00,
02 and 04 trained there.
"""

from pathlib import Path

import pandas as pd

from tinyemo.emotions import TEMPLATES, file_name_of, labels_of
from tinyemo.paths import exists, locate, runs_dir, small_models
from tinyemo.predict.bundle import Bundle
from tinyemo.runs import manifest
from tinyemo.runs.folder import METRICS
from tinyemo.runs.profiles import Profile

START, FEATURES = "00_start_here", "01_feature_extraction"
PROJECTORS, EXPLAINER = "02_projector_training", "04_mm_llm_finetuning"


def bundle_of_profile(model: str) -> Bundle | None:
    """The models of a profile's runs; None where notebook 02 has no finished run in it.

    ValueError: it was run on given features, so that the image encoder is not known.
    """
    named = runs_dir() / model
    folder = named if exists(named) else Path(model).expanduser()
    trained = _finished(folder, PROJECTORS)
    if trained is None:
        return None
    parameters = _parameters(trained)
    if parameters.get("features_root"):
        raise ValueError(
            f"{trained}: its projectors were trained on the features "
            f"{parameters['features_root']!r}, so that no image encoder is known here; expected a "
            "run that encoded pictures itself"
        )
    label_sets = parameters["label_sets"]
    projectors = {}
    for name in label_sets:
        projectors[name] = str(trained / "projectors" / f"{file_name_of(name)}-0")
    encoder, weights = _encoder(folder)
    checkpoint = parameters["anchors"]
    explaining = _finished(folder, EXPLAINER)
    explained = labels_of(_parameters(explaining)["label_set"]) if explaining else ()
    return Bundle(
        model,
        encoder,
        str(locate(checkpoint)) if checkpoint else small_models(_needed(folder, START)).lm,
        projectors,
        other_words=max(label_sets, key=lambda name: len(labels_of(name))),
        encoder_weights=weights,
        template=TEMPLATES[parameters["template"]],
        explainer=str(explainer_of(explaining)) if explaining else "",
        explained=explained,
        without_explainer=f"no explainer: notebook 04 was not run in {folder}",
    )


def explainer_of(run: Path) -> Path:
    """The model of a run of notebook 04 that explains a given label: its first training."""
    trainings = pd.read_csv(run / "tables" / "trainings.csv")
    kept = trainings[trainings["chosen"] & (trainings["arm"] == "conditioned")]
    return run / kept.sort_values("training")["model"].iloc[0]


def _encoder(folder: Path) -> tuple[str, str]:
    """Name and weights of the image encoder that notebook 01 used."""
    parameters = _parameters(_needed(folder, FEATURES))
    name = parameters["encoder_name"]
    if name:
        return name, parameters["pretrained"]
    return small_models(_needed(folder, START)).encoder, ""


def _parameters(run: Path) -> dict:
    return manifest.read(run).get("parameters", {})


def _needed(folder: Path, stem: str) -> Path:
    run = _finished(folder, stem)
    if run is None:
        raise FileNotFoundError(f"{folder}: no finished run of notebook {stem}, which is needed")
    return run


def _finished(folder: Path, stem: str) -> Path | None:
    """The finished run of a notebook in a profile's folder, or in that of the profile's base."""
    places = [folder / stem]
    try:
        base = Profile.find(folder.name).source(PROJECTORS, stem)
        places.append(folder.parent / base.name / stem)
    except FileNotFoundError:
        pass  # the folder of no known profile
    return next((place for place in places if (place / METRICS).exists()), None)
