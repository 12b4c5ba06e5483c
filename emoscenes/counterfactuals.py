"""Counterfactual scenes: the same scene drawn again with one attribute changed, everything else as it was.

Takes scenes and a way from scenes to features; gives the true causal effect of every attribute value on what a model
says, beside the effect that the world's own law has. This is what no photograph can offer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from emoscenes.scenes import ATTRIBUTES, Scene, probabilities

Encode = Callable[[list[Scene]], Tensor]  # n scenes -> features (n, D)
Predict = Callable[[Tensor], Tensor | np.ndarray]  # features (n, D) -> probabilities (n, C)


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """B scenes, each drawn once with every one of V attribute values; the V lists have the scenes in one order."""

    attributes: tuple[str, ...]  # (V,)
    values: tuple[str, ...]  # (V,)
    scenes: list[list[Scene]]  # V lists of B
    x: Tensor  # their features (V, B, D)
    contrast: np.ndarray  # (V, V): effects = contrast @ the means of the V lists

    @classmethod
    def draw(cls, scenes: Sequence[Scene], encode: Encode) -> "Counterfactuals":
        """Draw them. What "without a value" means: the other values of its attribute, as often as in `scenes`."""
        pairs = [(attribute, value) for attribute, values in ATTRIBUTES.items() for value in values]
        versions = [
            [replace(scene, **{attribute: value}) for scene in scenes] for attribute, value in pairs
        ]
        x = encode([scene for version in versions for scene in version])
        attributes, values = zip(*pairs, strict=True)
        share = np.array([np.mean([getattr(scene, a) == v for scene in scenes]) for a, v in pairs])
        same = np.array(attributes)[:, None] == np.array(attributes)
        others = (same & ~np.eye(len(pairs), dtype=bool)) * np.maximum(
            share, 1e-9
        )  # evenly where none is shown
        contrast = np.eye(len(pairs)) - others / others.sum(axis=1, keepdims=True)
        return cls(attributes, values, versions, x.reshape(len(pairs), len(scenes), -1), contrast)

    @property
    def names(self) -> list[str]:
        """(V,) "attribute: value"."""
        return [f"{a}: {v}" for a, v in zip(self.attributes, self.values, strict=True)]

    def effects(self, predict: Predict) -> np.ndarray:
        """(V, C): mean p(k) of a model on the scenes drawn with a value less that on them drawn without it."""
        p = torch.as_tensor(predict(self.x.flatten(0, 1))).double().numpy()
        return self.contrast @ p.reshape(*self.x.shape[:2], -1).mean(axis=1)

    def true_effects(self, label_set: str) -> np.ndarray:
        """(V, C): the same of the world's true p(k | scene)."""
        return self.contrast @ np.stack(
            [probabilities(version, label_set).mean(axis=0) for version in self.scenes]
        )

    def table(
        self, models: Mapping[str, Predict], words: Sequence[str], label_set: str
    ) -> pd.DataFrame:
        """Columns what, where, law, and one of effects a model: a row a value and label."""
        columns = {"law": self.true_effects(label_set)} | {
            name: self.effects(model) for name, model in models.items()
        }
        return pd.DataFrame(
            {
                "what": np.repeat(self.names, len(words)),
                "where": list(words) * len(self.names),
                **{name: effects.ravel() for name, effects in columns.items()},
            }
        )
