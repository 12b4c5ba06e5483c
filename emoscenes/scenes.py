"""EmoScenes: scenes, the model of p(emotion | attributes), and records with splits and biases.

Owns the ground truth of the synthetic dataset. Takes seeds and counts; gives scenes, labels,
records and exact probabilities. All numbers of the model are in `probability_table.yaml`.

The model is log-linear and generates the label first. A Parrott label k is drawn from PRIOR. Then
expression, object, background and action are drawn from p(value | k), independently given k. Then
weather, time, style and colorfulness are drawn given the background, and brightness uniformly. So

    log p(k | scene) = log PRIOR[k] + sum_i w[i, value_i, k] + const,    w[i, v, k] = log p(v | k),

where i runs over the four attributes that are drawn given k; all others cancel. A value is
*decisive* when p(v | k) differs between labels, and *inert* when it is the same for all. SIGNATURES
lists the decisive values and the labels that they make likely; more than half of all values are
inert.

Weather, time, style and colorfulness are inert but correlated with the background: graveyards are
mostly at night, mountains mostly painted, beaches colourful. A model must not use them as causes.
The label sets of Ekman and Mikels follow through `emotions.GROUPS`, given that the Parrott label
has a counterpart there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from emoscenes.injected_biases import InjectedBias, swap_values
from emoscenes.probability_table import (
    ATTRIBUTES,
    COLORFULNESS_GIVEN_BACKGROUND,
    CONTINUOUS,
    DECISIVE_SHARE,
    GIVEN_BACKGROUND,
    ODDS,
    PARROTT,
    PRIOR,
    SIGNATURES,
)
from tinyemo.data.records import DRAWN, check_records
from tinyemo.emotions import FROM_PARROTT, GROUPS, labels_of


@dataclass(frozen=True)
class Scene:
    """One scene: seven discrete attributes (see ATTRIBUTES), two in [0, 1], and a seed.

    The seed fixes how the scene is drawn: sides, colours, small shifts.
    """

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


# (n, seed) -> n scenes and their Parrott labels (n,)
Sampler = Callable[[int, list[int]], tuple[list[Scene], np.ndarray]]


def is_decisive(attribute: str, value: str) -> bool:
    """Whether p(value | label) differs between labels."""
    return value in SIGNATURES.get(attribute, {})


@cache
def value_given_label(attribute: str) -> np.ndarray:
    """p(value | Parrott label) of a modelled attribute: (values, 25) float64, columns sum to 1."""
    values, signatures = ATTRIBUTES[attribute], SIGNATURES[attribute]
    decisive = np.array([value in signatures for value in values])  # (values,)
    odds = np.zeros((len(values), len(PARROTT)))
    for row, value in enumerate(values):
        if decisive[row]:
            own_label = np.isin(PARROTT, signatures[value])  # (25,)
            odds[row] = np.where(own_label, ODDS[attribute], 1.0)
    share = DECISIVE_SHARE[attribute]
    table = share * odds / odds.sum(axis=0)
    table[~decisive] = (1.0 - share) / (~decisive).sum()
    return table


def _posterior(joint: np.ndarray, label_set: str) -> np.ndarray:
    """Weights of Parrott labels (N, 25) -> p(label of the set) (N, C).

    Parrott labels without a counterpart in the set are left out.
    """
    grouped = []
    for label in labels_of(label_set):
        members = [PARROTT.index(fine) for fine in GROUPS[label_set][label]]
        grouped.append(joint[:, members].sum(axis=1))
    weights = np.stack(grouped, axis=1)  # (N, C)
    return weights / weights.sum(axis=1, keepdims=True)


def probabilities(scenes: Sequence[Scene], label_set: str = "parrott") -> np.ndarray:
    """True p(label | attributes): (N, C) float64, columns in the order of
    `labels_of(label_set)`."""
    log_prior = np.log(PRIOR)
    log_joint = np.tile(log_prior, (len(scenes), 1))  # (N, 25)
    for attribute in SIGNATURES:
        values = ATTRIBUTES[attribute]
        rows = [values.index(getattr(scene, attribute)) for scene in scenes]
        log_likelihood = np.log(value_given_label(attribute))  # (values, 25)
        log_joint += log_likelihood[rows]
    return _posterior(np.exp(log_joint), label_set)


def true_posterior(records: pd.DataFrame, label_set: str = "parrott") -> np.ndarray:
    """`probabilities` of the scenes of a records table, from their attr_ columns."""
    columns = [records[f"attr_{name}"] for name in (*ATTRIBUTES, *CONTINUOUS)]
    scenes = [Scene(*values, seed=0) for values in zip(*columns, strict=True)]
    return probabilities(scenes, label_set)


def bayes_accuracy(label_set: str = "parrott", decorrelated: bool = False) -> float:
    """The best possible expected accuracy of a classifier of scenes, exact.

    Enumerates all combinations of the modelled attributes. For Ekman and Mikels: among scenes whose
    label has a counterpart in the set. `decorrelated`: on scenes of `sample_decorrelated`.
    """
    joint = PRIOR[None]  # p(values, label): (combinations, 25)
    product = np.ones(1)  # product of the attributes' own p(value): (combinations,)
    for attribute in SIGNATURES:
        table = value_given_label(attribute)  # (values, 25)
        joint = (joint[:, None] * table[None]).reshape(-1, len(PARROTT))
        product = np.outer(product, table @ PRIOR).ravel()
    if decorrelated:
        joint = joint * (product / joint.sum(axis=1))[:, None]
    has_counterpart = [label in FROM_PARROTT[label_set] for label in PARROTT]
    weight = joint[:, has_counterpart].sum(axis=1)  # (combinations,)
    highest = _posterior(joint, label_set).max(axis=1)
    return float((highest * weight).sum() / weight.sum())


def draw_columns(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One column number for each row of probabilities p (N, K), drawn from that row: (N,) int64."""
    cumulative = p.cumsum(axis=1)
    return (rng.random(len(p))[:, None] > cumulative[:, :-1]).sum(axis=1)


def sample_scenes(n: int, seed: int | list[int]) -> tuple[list[Scene], np.ndarray]:
    """n independent scenes and their Parrott labels (n,) str, drawn jointly: the label first."""
    rng = np.random.default_rng(seed)
    labels = draw_columns(np.tile(PRIOR, (n, 1)), rng)
    chosen = {}  # attribute -> its values' positions (n,)
    for attribute in SIGNATURES:
        chosen[attribute] = draw_columns(value_given_label(attribute).T[labels], rng)
    backgrounds = [ATTRIBUTES["background"][position] for position in chosen["background"]]
    for attribute, odds_given in GIVEN_BACKGROUND.items():
        count = len(ATTRIBUTES[attribute])
        odds = [odds_given.get(background, [1] * count) for background in backgrounds]
        odds = np.array(odds, dtype=float).reshape(n, count)
        chosen[attribute] = draw_columns(odds / odds.sum(axis=1, keepdims=True), rng)
    shapes = [COLORFULNESS_GIVEN_BACKGROUND.get(background, [1, 1]) for background in backgrounds]
    a, b = np.array(shapes).reshape(n, 2).T
    brightness = rng.random(n).tolist()
    colorfulness = rng.beta(a, b).tolist()
    seeds = rng.integers(2**52, size=n).tolist()

    scenes = []
    for i in range(n):
        discrete = {name: values[chosen[name][i]] for name, values in ATTRIBUTES.items()}
        scene = Scene(
            **discrete,
            brightness=round(brightness[i], 3),
            colorfulness=round(colorfulness[i], 3),
            seed=seeds[i],
        )
        scenes.append(scene)
    return scenes, np.array(PARROTT)[labels]


def sample_decorrelated(n: int, seed: int | list[int]) -> tuple[list[Scene], np.ndarray]:
    """As `sample_scenes`, but with independent attributes.

    Each attribute is permuted over the scenes, so it keeps its own frequencies and is correlated
    with no other. p(label | attributes) is unchanged, and the labels are drawn from it.
    """
    drawn, _ = sample_scenes(n, seed)
    rng = np.random.default_rng([*np.atleast_1d(seed), 2])
    permuted = {}
    for name in (*ATTRIBUTES, *CONTINUOUS):
        permuted[name] = rng.permutation([getattr(scene, name) for scene in drawn]).tolist()
    scenes = []
    for i, scene in enumerate(drawn):
        scenes.append(replace(scene, **{name: values[i] for name, values in permuted.items()}))
    return scenes, draw_labels(scenes, rng)


def draw_labels(scenes: Sequence[Scene], rng: np.random.Generator) -> np.ndarray:
    """One Parrott label per scene, drawn from its true posterior: (N,) str."""
    return np.array(PARROTT)[draw_columns(probabilities(scenes), rng)]


def make_records(
    n_train: int,
    n_validation: int,
    n_test: int,
    seed: int,
    votes: int = 10,
    biases: Sequence[InjectedBias] = (),
    dataset: str = "scenes",
    sample: Sampler = sample_scenes,
) -> tuple[pd.DataFrame, list[Scene]]:
    """Three independent splits as one records table (label set "parrott"), and its scenes in order.

    `sample` draws n scenes and their labels by seed.

    `label` is one draw from p(label | attributes), so no classifier is better than
    `bayes_accuracy`. `p_<label>` are the shares of `votes` simulated annotators who draw from the
    same probabilities; `label` is the vote of the first. `attr_<name>` are the attributes, `group`
    names the scene by its seed. `image` is empty until the scenes are drawn
    (`drawing.image_files.draw_records`).

    `biases` are injected into the training split only (see `emoscenes.injected_biases`): the
    attribute is swapped between random scenes with and without the label. Labels and votes stay
    with their scene, and `probabilities` of the swapped scenes remains the true posterior.
    ValueError: a strength that cannot be reached.
    """
    parts, scenes = [], []
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    for position, (split, n) in enumerate(sizes.items()):
        drawn, labels = sample(n, [seed, position])
        rng = np.random.default_rng([seed, position, 1])
        counts = _votes(drawn, labels, votes, rng)
        if split == "train":
            for bias in biases:
                drawn = _inject(drawn, labels, bias, rng)
        part = {
            "id": [f"{dataset}/{split}/{i:06d}" for i in range(n)],
            "dataset": dataset,
            "split": split,
            "label": labels,
            "label_set": "parrott",
            "origin": DRAWN,
        }
        part |= {f"p_{label}": counts[:, k] / votes for k, label in enumerate(PARROTT)}
        for name in (*ATTRIBUTES, *CONTINUOUS):
            part[f"attr_{name}"] = [getattr(scene, name) for scene in drawn]
        part["group"] = [f"scene-{scene.seed}" for scene in drawn]
        parts.append(pd.DataFrame(part))
        scenes += drawn
    return check_records(pd.concat(parts, ignore_index=True), "EmoScenes"), scenes


def _votes(
    scenes: Sequence[Scene], labels: np.ndarray, votes: int, rng: np.random.Generator
) -> np.ndarray:
    """Votes for each Parrott label: (N, 25) float64. The first annotator's vote is in `labels`."""
    p = probabilities(scenes)
    counts = (labels[:, None] == np.array(PARROTT)).astype(float)
    for _ in range(votes - 1):
        counts[np.arange(len(scenes)), draw_columns(p, rng)] += 1
    return counts


def _inject(
    scenes: Sequence[Scene], labels: np.ndarray, bias: InjectedBias, rng: np.random.Generator
) -> list[Scene]:
    """The scenes after swapping the bias's attribute between scenes with and without the label."""
    attribute = bias[0]
    if attribute not in ATTRIBUTES:
        raise ValueError(f"cannot inject {bias}: expected an attribute of {', '.join(ATTRIBUTES)}")
    before = np.array([getattr(scene, attribute) for scene in scenes])
    after = swap_values(before, labels, bias, rng).tolist()
    biased = []
    for scene, value in zip(scenes, after, strict=True):
        biased.append(replace(scene, **{attribute: value}))
    return biased
