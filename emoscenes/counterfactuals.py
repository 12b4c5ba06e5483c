"""Counterfactual scenes: the same scene drawn with another value of one attribute.

Takes scenes and the function that encodes them; gives features, and from these the causal effect of
every attribute value on the probabilities of a model, beside the effect on the true posterior. This
is not possible with photographs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from emoscenes.scenes import ATTRIBUTES, Scene, probabilities

Encode = Callable[[list[Scene]], Tensor]  # scenes -> features (N, D)
Predict = Callable[[Tensor], Tensor | np.ndarray]  # features (N, D) -> probabilities (N, C)


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """B scenes, each drawn once with each of the V attribute values.

    `scenes[v][b]` is scene b with value v.
    """

    attributes: tuple[str, ...]  # (V,)
    values: tuple[str, ...]  # (V,)
    scenes: list[list[Scene]]  # V lists of B scenes
    x: Tensor  # their features (V, B, D)
    contrast: np.ndarray  # (V, V); effects are contrast @ mean probabilities of the V lists

    @classmethod
    def draw(cls, scenes: Sequence[Scene], encode: Encode) -> "Counterfactuals":
        """Draw and encode them.

        A value is compared with the other values of its attribute, weighted by their frequencies in
        `scenes` (evenly where none of them occurs).
        """
        pairs = [(attribute, value) for attribute, values in ATTRIBUTES.items() for value in values]
        versions = []
        for attribute, value in pairs:
            versions.append([replace(scene, **{attribute: value}) for scene in scenes])
        x = encode([scene for version in versions for scene in version])

        frequencies = []
        for attribute, value in pairs:
            shown = [getattr(scene, attribute) == value for scene in scenes]
            frequencies.append(np.mean(shown))
        attributes, values = zip(*pairs, strict=True)
        same_attribute = np.array(attributes)[:, None] == np.array(attributes)  # (V, V)
        itself = np.eye(len(pairs), dtype=bool)
        others = (same_attribute & ~itself) * np.maximum(frequencies, 1e-9)
        contrast = np.eye(len(pairs)) - others / others.sum(axis=1, keepdims=True)
        x = x.reshape(len(pairs), len(scenes), -1)
        return cls(attributes, values, versions, x, contrast)

    @property
    def names(self) -> list[str]:
        """(V,) "attribute: value"."""
        return [f"{a}: {v}" for a, v in zip(self.attributes, self.values, strict=True)]

    def effects(self, predict: Predict) -> np.ndarray:
        """Causal effects on a model's probabilities: (V, C) float64.

        The mean p(k) on the scenes drawn with a value minus that on the scenes drawn without it.
        """
        p = torch.as_tensor(predict(self.x.flatten(0, 1)))  # (V * B, C)
        p = p.double().numpy().reshape(*self.x.shape[:2], -1)  # (V, B, C)
        by_value = p.mean(axis=1)  # (V, C)
        return self.contrast @ by_value

    def true_effects(self, label_set: str) -> np.ndarray:
        """The same effects on the true posterior p(k | scene): (V, C) float64."""
        by_value = [probabilities(version, label_set).mean(axis=0) for version in self.scenes]
        return self.contrast @ np.stack(by_value)

    def table(
        self, models: Mapping[str, Predict], words: Sequence[str], label_set: str
    ) -> pd.DataFrame:
        """One row per value and label: columns what, where, true effect, one per model.

        `true effect` is the effect on the true posterior.
        """
        columns = {
            "what": np.repeat(self.names, len(words)),
            "where": list(words) * len(self.names),
            "true effect": self.true_effects(label_set).ravel(),
        }
        for name, predict in models.items():
            columns[name] = self.effects(predict).ravel()
        return pd.DataFrame(columns)
