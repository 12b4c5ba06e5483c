"""EmoScenes: the attributes of a scene, the model of what they make people feel, splits and plants.

Owns the ground truth. Takes seeds and counts, gives scenes, labels, records and exact probabilities.

The model is log-linear and generates the label first. A Parrott label k is drawn from PRIOR; then
expression, object, background and action are drawn from p(value | k), each on its own given k; then
weather, time, style and colorfulness given the background, and brightness uniformly. So

    log p(k | scene) = log PRIOR[k] + sum_i w[i, value_i, k] + const,    w[i, v, k] = log p(v | k),

where i runs over the four attributes drawn given k: all others cancel. A value is *decisive* when
p(v | k) differs between labels, *inert* when it is the same for all. SIGNATURES lists the decisive values
and the labels they speak for; every other value is inert, more than half of all. Weather, time, style and
colorfulness are inert but correlated with backgrounds (graveyards mostly at night, mountains mostly
painted, beaches colourful): what a model must not mistake for a cause.
Ekman and Mikels follow through `emotions.GROUPS`, conditional on the label having a place there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from tinyemo.data.records import check_records
from tinyemo.emotions import FROM_PARROTT, GROUPS, LABEL_SETS, labels_of

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "background": (
        "beach",
        "graveyard",
        "mountain",
        "dump",
        "forest",
        "city street",
        "bedroom",
        "desert",
        "park",
        "office",
    ),
    "weather": ("clear", "cloudy", "rain", "snow", "fog", "storm"),
    "time": ("day", "sunset", "night"),
    "object": (
        "rose",
        "trophy",
        "gift",
        "balloons",
        "lifebuoy",
        "sunflower",
        "firework",
        "teacup",
        "wilted flower",
        "broken heart",
        "alarm clock",
        "bonfire",
        "snake",
        "ghost",
        "trash can",
        "umbrella",
        "book",
        "chair",
        "guitar",
        "car",
        "lamp",
        "backpack",
        "camera",
        "bicycle",
    ),
    "expression": (
        "smiling",
        "crying",
        "scowling",
        "wide-eyed",
        "grimacing",
        "open-mouthed",
        "neutral",
    ),
    "action": ("standing", "sitting", "walking", "jumping", "waving", "crouching"),
    "style": ("photo", "painting", "abstract"),
}
CONTINUOUS = ("brightness", "colorfulness")
PARROTT = LABEL_SETS["parrott"]

# p(k) up to normalisation. Ekman groups: joy .28, sadness .22, anger .17, fear, disgust and surprise .11
# each of the mapped mass.
PRIOR_WEIGHTS: dict[str, float] = {
    "affection": 4.0,
    "cheerfulness": 5.0,
    "contentment": 3.5,
    "gratitude": 3.0,
    "optimism": 3.0,
    "pride": 3.5,
    "relief": 2.5,
    "zest": 3.5,
    "sadness": 6.0,
    "disappointment": 4.0,
    "neglect": 2.5,
    "shame": 2.5,
    "suffering": 4.0,
    "sympathy": 3.0,
    "rage": 6.5,
    "irritability": 4.0,
    "exasperation": 3.0,
    "envy": 3.5,
    "horror": 6.5,
    "nervousness": 4.5,
    "disgust": 11.0,
    "surprise": 6.5,
    "enthrallment": 4.5,
    "confusion": 3.0,
    "lust": 2.0,
}
PRIOR = np.array([PRIOR_WEIGHTS[label] for label in PARROTT])
PRIOR /= PRIOR.sum()

# attribute -> odds its decisive values give to a label of theirs, against one they say nothing of
ODDS = {"expression": 16.0, "object": 50.0, "background": 8.0, "action": 3.0}

# p(an attribute shows one of its decisive values), the same for every label: that makes the others inert
DECISIVE_SHARE = {"expression": 0.94, "object": 0.82, "background": 0.60, "action": 0.40}

# attribute -> decisive value -> the labels it speaks for; every value not named here is inert
SIGNATURES: dict[str, dict[str, tuple[str, ...]]] = {
    "expression": {
        "smiling": (
            "affection",
            "cheerfulness",
            "contentment",
            "gratitude",
            "optimism",
            "pride",
            "relief",
            "zest",
            "lust",
        ),
        "crying": ("sadness", "disappointment", "neglect", "shame", "suffering", "sympathy"),
        "scowling": ("rage", "irritability", "exasperation", "envy"),
        "wide-eyed": ("horror", "nervousness"),
        "grimacing": ("disgust",),
        "open-mouthed": ("surprise", "enthrallment", "confusion"),
    },
    "object": {
        "rose": ("affection", "sympathy", "lust"),
        "trophy": ("pride", "envy"),
        "gift": ("gratitude", "surprise"),
        "balloons": ("cheerfulness",),
        "lifebuoy": ("relief", "suffering"),
        "sunflower": ("optimism",),
        "firework": ("zest", "enthrallment"),
        "teacup": ("contentment",),
        "wilted flower": ("disappointment", "neglect"),
        "broken heart": ("sadness", "shame"),
        "alarm clock": ("irritability", "exasperation", "confusion"),
        "bonfire": ("rage",),
        "snake": ("nervousness",),
        "ghost": ("horror",),
        "trash can": ("disgust",),
    },
    "background": {
        "beach": ("affection", "cheerfulness", "gratitude", "relief", "zest", "optimism"),
        "graveyard": ("sadness", "suffering", "sympathy", "horror", "nervousness"),
        "mountain": ("surprise", "enthrallment", "pride", "confusion"),
        "dump": ("disgust", "rage", "exasperation", "neglect"),
        "bedroom": ("lust", "contentment", "shame", "disappointment", "irritability", "envy"),
    },
    "action": {
        "jumping": ("cheerfulness", "zest", "pride", "surprise", "rage", "optimism"),
        "crouching": ("shame", "neglect", "suffering", "nervousness", "sadness", "disgust"),
    },
}

# inert attributes, drawn given the background: odds of their values in order; backgrounds not named are even
GIVEN_BACKGROUND: dict[str, dict[str, tuple[float, ...]]] = {
    "weather": {"desert": (4, 2, 1, 1, 1, 2)},
    "time": {"graveyard": (1, 1, 3), "beach": (3, 2, 1)},
    "style": {"mountain": (1, 3, 1), "dump": (3, 1, 1)},
}
COLORFULNESS_GIVEN_BACKGROUND = {
    "beach": (3, 1.5),
    "graveyard": (1.5, 3),
    "dump": (1.5, 3),
}  # Beta(a, b)


@dataclass(frozen=True)
class Scene:
    """One scene: seven discrete attributes (see ATTRIBUTES), two in [0, 1], and the seed of its looks."""

    background: str
    weather: str
    time: str
    object: str
    expression: str
    action: str
    style: str
    brightness: float
    colorfulness: float
    seed: int


Sampler = Callable[
    [int, list[int]], tuple[list[Scene], np.ndarray]
]  # (n, seed) -> scenes, Parrott labels (n,)


def is_decisive(attribute: str, value: str) -> bool:
    """Whether a value says anything about the emotion (p(value | label) differs between labels)."""
    return value in SIGNATURES.get(attribute, {})


@cache
def value_given_label(attribute: str) -> np.ndarray:
    """p(value | Parrott label) of a modelled attribute: (values, 25) float64, columns sum to 1."""
    values, signatures = ATTRIBUTES[attribute], SIGNATURES[attribute]
    decisive = np.array([v in signatures for v in values])
    odds = [
        [ODDS[attribute] if k in signatures.get(v, ()) else 1.0 for k in PARROTT] for v in values
    ]
    odds = np.array(odds)
    odds[~decisive] = 0.0
    share = DECISIVE_SHARE[attribute]
    table = share * odds / odds.sum(axis=0)
    table[~decisive] = (1.0 - share) / (~decisive).sum()
    return table


def _posterior(joint: np.ndarray, label_set: str) -> np.ndarray:
    """Parrott weights (N, 25) -> p(label | label has a place in the set) (N, C)."""
    members = [[PARROTT.index(fine) for fine in GROUPS[label_set][k]] for k in labels_of(label_set)]
    grouped = np.stack([joint[:, m].sum(axis=1) for m in members], axis=1)
    return grouped / grouped.sum(axis=1, keepdims=True)


def probabilities(scenes: list[Scene], label_set: str = "parrott") -> np.ndarray:
    """True p(label | attributes): (N, C) float64, columns in the order of `labels_of(label_set)`."""
    log_joint = np.tile(np.log(PRIOR), (len(scenes), 1))
    for attribute in SIGNATURES:
        rows = [ATTRIBUTES[attribute].index(getattr(scene, attribute)) for scene in scenes]
        log_joint += np.log(value_given_label(attribute))[rows]
    return _posterior(np.exp(log_joint), label_set)


def true_posterior(records: pd.DataFrame, label_set: str = "parrott") -> np.ndarray:
    """`probabilities` of the scenes of a records table, from their attr_ columns."""
    columns = {name: records[f"attr_{name}"] for name in (*ATTRIBUTES, *CONTINUOUS)}
    return probabilities(
        [Scene(*values, seed=0) for values in zip(*columns.values(), strict=True)], label_set
    )


def bayes_accuracy(label_set: str = "parrott", decorrelated: bool = False) -> float:
    """The best accuracy any classifier of scenes can expect, exact: enumerates the modelled attributes.

    For Ekman and Mikels: among scenes whose label has a place in the set. `decorrelated`: on scenes of
    `sample_decorrelated`.
    """
    joint, alone = (
        PRIOR[None],
        np.ones(1),
    )  # p(values, label) (combinations, 25); product of p(value)
    for attribute in SIGNATURES:
        table = value_given_label(attribute)
        joint = (joint[:, None] * table[None]).reshape(-1, len(PARROTT))
        alone = np.outer(alone, table @ PRIOR).ravel()
    if decorrelated:
        joint = joint * (alone / joint.sum(axis=1))[:, None]
    placed = joint[:, [label in FROM_PARROTT[label_set] for label in PARROTT]].sum(axis=1)
    return float((_posterior(joint, label_set).max(axis=1) * placed).sum() / placed.sum())


def sample_scenes(n: int, seed: int | list[int]) -> tuple[list[Scene], np.ndarray]:
    """n independent scenes and their labels (n,) str, drawn jointly: label first, then attributes."""
    rng = np.random.default_rng(seed)

    def draw(
        cumulative: np.ndarray,
    ) -> np.ndarray:  # (n, values) cumulative probabilities -> (n,) positions
        return (rng.random(n)[:, None] > cumulative).sum(axis=1).clip(max=cumulative.shape[1] - 1)

    labels = draw(np.tile(PRIOR.cumsum(), (n, 1)))
    chosen = {a: draw(value_given_label(a).cumsum(axis=0).T[labels]) for a in SIGNATURES}
    backgrounds = [ATTRIBUTES["background"][b] for b in chosen["background"]]
    for attribute, table in GIVEN_BACKGROUND.items():
        even = (1,) * len(ATTRIBUTES[attribute])
        odds = np.array([table.get(b, even) for b in backgrounds], dtype=float).reshape(
            n, len(even)
        )
        chosen[attribute] = draw((odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1))
    shapes = np.array([COLORFULNESS_GIVEN_BACKGROUND.get(b, (1, 1)) for b in backgrounds]).reshape(
        n, 2
    )
    brightness, colorfulness = rng.random(n), rng.beta(shapes[:, 0], shapes[:, 1])
    seeds = rng.integers(2**52, size=n)
    scenes = [
        Scene(
            **{a: values[chosen[a][i]] for a, values in ATTRIBUTES.items()},
            brightness=round(float(brightness[i]), 3),
            colorfulness=round(float(colorfulness[i]), 3),
            seed=int(seeds[i]),
        )
        for i in range(n)
    ]
    return scenes, np.array(PARROTT)[labels]


def sample_decorrelated(n: int, seed: int | list[int]) -> tuple[list[Scene], np.ndarray]:
    """As `sample_scenes`, but no attribute goes with another: each keeps its own frequencies and is dealt out anew.

    The law of labels given attributes stays; what merely kept company with a cause no longer does.
    """
    drawn, _ = sample_scenes(n, seed)
    rng = np.random.default_rng([*np.atleast_1d(seed), 2])
    dealt = {
        name: rng.permutation([getattr(s, name) for s in drawn]).tolist()
        for name in (*ATTRIBUTES, *CONTINUOUS)
    }
    scenes = [
        replace(s, **{name: values[i] for name, values in dealt.items()})
        for i, s in enumerate(drawn)
    ]
    cumulative = probabilities(scenes).cumsum(axis=1)
    return scenes, np.array(PARROTT)[(rng.random(n)[:, None] > cumulative[:, :-1]).sum(axis=1)]


def _swap_attribute(
    scenes: list[Scene],
    labels: np.ndarray,
    attribute: str,
    value: str,
    label: str,
    strength: float,
    rng: np.random.Generator,
) -> list[Scene]:
    """Swap `attribute` between scenes with and without the label until the risk difference is `strength`."""
    if value not in ATTRIBUTES.get(attribute, ()):
        raise ValueError(
            f"cannot plant {attribute}={value!r}: expected a discrete attribute and its value"
        )
    label_set, _, word = label.rpartition(":")
    if word not in labels_of(label_set or "parrott"):
        raise ValueError(
            f"cannot plant label {label!r}: expected a Parrott label, or 'ekman:' or 'mikels:' "
            "and one of theirs"
        )
    has_value = np.array([getattr(scene, attribute) == value for scene in scenes])
    has_label = np.isin(labels, GROUPS[label_set or "parrott"][word])
    n, n_value, n_label = len(scenes), has_value.sum(), has_label.sum()
    both = (has_value & has_label).sum()
    swaps = 0
    if (
        0 < n_value < n
    ):  # strength = both/n_value - (n_label - both)/(n - n_value), solved for `both`
        wanted = (strength + n_label / (n - n_value)) / (1 / n_value + 1 / (n - n_value))
        swaps = int(round(wanted - both))
    sign = swaps >= 0  # True: give the value to scenes with the label
    receivers = np.flatnonzero(
        (has_value != sign) & (has_label == sign) if sign else has_label & has_value
    )
    givers = np.flatnonzero(has_value & ~has_label if sign else ~has_value & ~has_label)
    if not 0 < n_value < n or abs(swaps) > min(len(receivers), len(givers)):
        raise ValueError(
            f"cannot plant {attribute}={value!r} with {label!r} at strength {strength}: "
            f"too few of the {n} training scenes can swap"
        )
    biased = list(scenes)
    pairs = zip(rng.permutation(receivers), rng.permutation(givers), strict=False)
    for (i, j), _ in zip(pairs, range(abs(swaps)), strict=False):
        biased[i] = replace(scenes[i], **{attribute: getattr(scenes[j], attribute)})
        biased[j] = replace(scenes[j], **{attribute: getattr(scenes[i], attribute)})
    return biased


def make_records(
    n_train: int,
    n_validation: int,
    n_test: int,
    seed: int,
    votes: int = 10,
    biases: list[tuple[str, str, str, float]] | None = None,
    dataset: str = "scenes",
    sample: Sampler = sample_scenes,
) -> tuple[pd.DataFrame, list[Scene]]:
    """Three independent splits as one records table (label set "parrott"), and its scenes, row by row.

    `sample` draws n scenes and their labels by seed.

    `label` is one draw from p(. | attributes), so no classifier beats `bayes_accuracy`; `p_<label>` are the
    shares of `votes` annotators drawn from the same, the first of whom gave the label. `attr_<name>` hold
    the attributes, `group` the scene's own seed. `image` is empty: whoever draws fills it in.

    `biases`: (attribute, value, label, strength) each; the label is a Parrott label or "ekman:anger". In the
    training split alone, that attribute is swapped between random scenes with and without the label until
    P(label | value) - P(label | another value) is `strength`, to the nearest count: both marginals stay.
    Labels and votes stay with their scene, so `probabilities` remains the truth of the world.
    ValueError if the strength cannot be reached.
    """
    parts, scenes = [], []
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    for position, (split, n) in enumerate(sizes.items()):
        drawn, labels = sample(n, [seed, position])
        rng = np.random.default_rng([seed, position, 1])
        cumulative = probabilities(drawn).cumsum(axis=1)  # (n, 25)
        counts = (labels[:, None] == np.array(PARROTT)).astype(float)
        for _ in range(votes - 1):
            counts[np.arange(n), (rng.random(n)[:, None] > cumulative[:, :-1]).sum(axis=1)] += 1
        for attribute, value, label, strength in (biases or []) if split == "train" else []:
            drawn = _swap_attribute(drawn, labels, attribute, value, label, strength, rng)
        parts.append(
            pd.DataFrame(
                {
                    "id": [f"{dataset}/{split}/{i:06d}" for i in range(n)],
                    "dataset": dataset,
                    "split": split,
                    "label": labels,
                    "label_set": "parrott",
                    **{f"p_{label}": counts[:, k] / votes for k, label in enumerate(PARROTT)},
                    **{
                        f"attr_{name}": [getattr(s, name) for s in drawn]
                        for name in (*ATTRIBUTES, *CONTINUOUS)
                    },
                    "group": [f"scene-{s.seed}" for s in drawn],
                }
            )
        )
        scenes += drawn
    return check_records(pd.concat(parts, ignore_index=True), "EmoScenes"), scenes
