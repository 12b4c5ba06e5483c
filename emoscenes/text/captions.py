"""Captions of scenes, and short texts in which people tell what scenes make them feel.

The two have different purposes and are kept apart. The small CLIP is trained on captions, to learn
the names of things: captions name only what is drawn and never an emotion. The small language model
is trained on feeling texts, to learn which things belong to which emotion word. Each feeling text
is about one sampled scene and the label drawn for it. It names the attributes that make this label
likely (`scenes.SIGNATURES`), and often a coarser word for the label (`emotions.FROM_PARROTT`).

Takes scenes and a seeded numpy generator; gives lower-case text from a small vocabulary
(captions.yaml).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from emoscenes.scenes import SIGNATURES, Scene, is_decisive, sample_scenes
from tinyemo.emotions import FROM_PARROTT

_PHRASES = yaml.safe_load((Path(__file__).parent / "captions.yaml").read_text("utf-8"))

WORDS: dict[str, dict[str, list[str]]] = _PHRASES["words"]  # attribute -> value -> ways to name it
CAPTION_KINDS = tuple(_PHRASES["captions"])  # object, person, place, full


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[rng.integers(len(options))]


def _light(scene: Scene) -> str:
    brightness = "dark" if scene.brightness < 0.4 else "bright"
    colour = "pale" if scene.colorfulness < 0.4 else "colourful"
    return f"{brightness} and {colour}"


def caption(scene: Scene, rng: np.random.Generator, kind: str) -> str:
    """One caption of the scene, of a kind of CAPTION_KINDS; never holds an emotion word."""
    templates = _PHRASES["captions"]
    if kind not in templates:
        raise ValueError(
            f"unknown kind of caption {kind!r}: expected one of {', '.join(CAPTION_KINDS)}"
        )
    parts = {}
    for name, ways in WORDS.items():
        value = getattr(scene, name)
        parts[name] = _pick(rng, ways[value])
    template = _pick(rng, templates[kind])
    person = _pick(rng, _PHRASES["persons"])
    return template.format(person=person, light=_light(scene), **parts)


def _name(attribute: str, value: str, rng: np.random.Generator) -> str:
    """A value as a noun phrase for a visible thing."""
    if attribute == "background":
        return f"the {value}"
    name = _pick(rng, WORDS[attribute][value])
    return name if attribute == "object" else f"someone {name}"


def _things(scene: Scene, label: str, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Things that make the label likely (or a placeholder), and inert things, of a scene."""
    shown = [(name, getattr(scene, name)) for name in SIGNATURES]
    evidence = []
    for name, value in shown:
        if label in SIGNATURES[name].get(value, ()):
            evidence.append((name, value))
    reasons = [_name(*evidence[i], rng) for i in rng.permutation(len(evidence))]
    inert = [_name(*pair, rng) for pair in shown if not is_decisive(*pair)]
    return reasons or ["something i cannot name"], inert


def feeling_texts(n: int, seed: int) -> list[str]:
    """n short texts, one scene and one label each: what it makes somebody feel, and why."""
    scenes, labels = sample_scenes(n, [seed, 2])
    rng = np.random.default_rng([seed, 3])
    return [_feeling_text(scene, label, rng) for scene, label in zip(scenes, labels, strict=True)]


def _feeling_text(scene: Scene, label: str, rng: np.random.Generator) -> str:
    """The sentence on the feeling, and by chance others before and after it."""
    reasons, inert = _things(scene, label, rng)
    related = {FROM_PARROTT[label_set].get(label, label) for label_set in ("ekman", "mikels")}
    coarser = sorted(related - {label})
    why = " and ".join(reasons[:2])
    sentences = [_pick(rng, _PHRASES["feelings"]).format(label=label, why=why)]
    if rng.random() < 0.3:
        thing = _name("object", scene.object, rng)
        face = _name("expression", scene.expression, rng)
        opening = _pick(rng, _PHRASES["openings"])
        sentences.insert(0, opening.format(scene=f"{thing} and {face}"))
    if coarser and rng.random() < 0.6:
        sentence = _pick(rng, _PHRASES["coarser_words"])
        sentences.append(sentence.format(coarse=_pick(rng, coarser), label=label))
    if coarser and rng.random() < 0.5:
        sentence = _pick(rng, _PHRASES["feelings"])
        sentences.append(sentence.format(label=_pick(rng, coarser), why=reasons[0]))
    if rng.random() < 0.2:
        sentences.append(_pick(rng, _PHRASES["definitions"][label]))
    if inert and rng.random() < 0.2:
        aside = _pick(rng, _PHRASES["asides"])
        sentences.append(aside.format(thing=_pick(rng, inert)))
    return " . ".join(sentences) + " ."
