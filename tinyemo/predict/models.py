"""The models that have names: the shipped one, the published ones, the finished runs of profiles.

Takes the name that `tinyemo predict --model` and `tinyemo.load` are given; gives the Bundle.
"""

from pathlib import Path

import yaml

from tinyemo.emotions import LABEL_SETS
from tinyemo.io import hint_for_unknown
from tinyemo.predict.bundle import BUNDLE, Bundle, read_bundle
from tinyemo.predict.profile_bundle import bundle_of_profile

SHIPPED = Path(__file__).parents[2] / "emoscenes" / "weights"
PUBLISHED: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("published.yaml").read_text(encoding="utf-8")
)
PUBLISHED_ENCODER = "ViT-L-14"
NOT_PUBLISHED = (
    "no explainer: no MM-LLM was published for this projector; notebook 04 trains one (make "
    "reproduce PROFILE=paper-700m ONLY=04_mm_llm_finetuning, on a GPU)"
)


def find_bundle(model: str) -> Bundle:
    """The bundle `model`: "emoscenes", a published name, a folder of one, or a finished profile.

    FileNotFoundError: none of these. ValueError: a damaged bundle.json.
    """
    if model == "emoscenes":
        return read_bundle(SHIPPED, model)
    if model in PUBLISHED:
        return published_bundle(model)
    folder = Path(model).expanduser()
    if (folder / BUNDLE).is_file():
        return read_bundle(folder, model)
    found = bundle_of_profile(model)
    if found is None:
        names = ["emoscenes", *PUBLISHED]
        raise FileNotFoundError(
            f"no model {model!r}: {hint_for_unknown(model, names)}, or the folder of a bundle "
            f"(with {BUNDLE}), or a profile whose notebook 02 was run"
        )
    return found


def published_bundle(name: str) -> Bundle:
    """A published projector, with one projector for all label sets."""
    places = PUBLISHED[name]
    return Bundle(
        name,
        PUBLISHED_ENCODER,
        places["lm"],
        dict.fromkeys(LABEL_SETS, places["projector"]),
        other_words="parrott",
        tokenizer=places.get("tokenizer", ""),
        without_explainer=NOT_PUBLISHED,
    )
