"""A bundle: all trained parts that are needed to answer about a picture, and where they are.

Owns the file bundle.json of a folder. Takes a folder; gives a Bundle. Nothing is loaded here (see
predictor.py). models.py knows the bundles that have names.

    encoder      the image encoder, as `load_image_encoder` names it, and its weights
    anchors      the language model that gives the anchors, its tokenizer, the grounding text
    projectors   label set -> projector; `other_words` names the one for all other labels
    explainer    the MM-LLM that explains, and the labels that it was trained to explain
    domain       what pictures the parts know, and the program that such pictures name in their
                 metadata; all other pictures get a note

In bundle.json, a folder or file inside the bundle is written relative to it; everything else is a
hub id or a name of open_clip.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyemo.hub import HUB_ID
from tinyemo.io import write_atomically

BUNDLE = "bundle.json"
LOCAL = "local-dir:"  # how open_clip names a folder


@dataclass(frozen=True)
class Bundle:
    """The places of the parts: paths, hub ids or names of open_clip."""

    name: str
    encoder: str
    lm: str
    projectors: Mapping[str, str]  # label set -> projector
    other_words: str  # the label set whose projector all other labels use
    encoder_weights: str = ""
    tokenizer: str = ""  # "": that of the language model
    template: str = "{emotion}"
    explainer: str = ""  # "": there is none
    explained: tuple[str, ...] = ()  # the labels that it was trained to explain
    without_explainer: str = "no explainer: this bundle has none"
    domain: str = ""  # such as "drawings of EmoScenes"; "": no limit is known
    software: str = ""  # pictures of the domain name it in their metadata (see io.made_with)

    def projector_of(self, label_set: str) -> str:
        """The projector for a label set; for labels without one, that of `other_words`."""
        return self.projectors.get(label_set) or self.projectors[self.other_words]


def read_bundle(folder: str | Path, name: str = "") -> Bundle:
    """The bundle of a folder.

    FileNotFoundError: no bundle.json. ValueError: it is damaged, or names a file that is not there.
    """
    folder = Path(folder)
    file = folder / BUNDLE
    if not file.is_file():
        raise FileNotFoundError(f"{folder}: no bundle (no {BUNDLE}), or an incomplete one")

    def place(text: str) -> str:
        inside = folder / text.removeprefix(LOCAL)
        if not text or not (inside.exists() or text.startswith(LOCAL)):
            return text
        if not inside.exists():
            raise ValueError(f"{file}: it names {text!r}, which is not in the folder")
        return f"{LOCAL if text.startswith(LOCAL) else ''}{inside}"

    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        encoder, anchors = content["encoder"], content["anchors"]
        explainer, domain = content["explainer"] or {}, content["domain"] or {}
        projectors = {name: place(text) for name, text in content["projectors"].items()}
        if content["other_words"] not in projectors:
            raise ValueError(f"other_words is none of {', '.join(projectors) or 'no projector'}")
        bundle = Bundle(
            name or folder.name,
            place(encoder["name"]),
            place(anchors["lm"]),
            projectors,
            content["other_words"],
            encoder["weights"],
            place(anchors["tokenizer"]),
            anchors["template"],
            place(explainer.get("model", "")),
            tuple(explainer.get("labels", ())),
            domain=domain.get("about", ""),
            software=domain.get("software", ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"key {error} is missing" if isinstance(error, KeyError) else error
        raise ValueError(f"{file}: not the description of a bundle: {reason}") from error
    for text in (bundle.lm, *projectors.values(), bundle.explainer):
        if text and not Path(text).exists() and not HUB_ID.fullmatch(text):
            raise ValueError(f"{file}: it names {text!r}, which is not in the folder")
    return bundle


def write_bundle(bundle: Bundle, folder: str | Path) -> Path:
    """Write bundle.json; the parts inside `folder` become relative. It is written last."""
    folder = Path(folder).resolve()

    def place(text: str) -> str:
        path = Path(text.removeprefix(LOCAL))
        if not text or not path.is_absolute() or not path.is_relative_to(folder):
            return text
        start = LOCAL if text.startswith(LOCAL) else ""
        return f"{start}{path.relative_to(folder)}"

    explainer = {"model": place(bundle.explainer), "labels": list(bundle.explained)}
    domain = {"about": bundle.domain, "software": bundle.software}
    content = {
        "encoder": {"name": place(bundle.encoder), "weights": bundle.encoder_weights},
        "anchors": {
            "lm": place(bundle.lm),
            "tokenizer": place(bundle.tokenizer),
            "template": bundle.template,
        },
        "projectors": {name: place(text) for name, text in bundle.projectors.items()},
        "other_words": bundle.other_words,
        "explainer": explainer if bundle.explainer else None,
        "domain": domain if bundle.domain else None,
    }
    text = json.dumps(content, indent=1) + "\n"
    return write_atomically(folder / BUNDLE, lambda file: file.write_text(text, encoding="utf-8"))
