"""The sets of an experiment with injected biases, drawn from EmoScenes.

Takes an encoder (a function that maps scenes to features), the sizes of the sets, and the biases to
inject. Gives training scenes with and without the biases, unbiased test scenes, further training
sets without biases, and counterfactual scenes. `tinyemo.bias.experiment` trains and compares models
on them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from torch import Tensor

from emoscenes.biased_sets import ScenePool, TrainingSet
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.drawing.picture import draw
from emoscenes.injected_biases import InjectedBias
from emoscenes.scenes import Scene, sample_scenes
from emoscenes.text.captions import CAPTION_KINDS, caption

# Second parts of the seeds of the scenes, so that no scene is drawn twice
POOL, TEST, COUNTERFACTUAL, CAPTIONS = 60, 61, 62, 63
FURTHER_SETS = 1000  # seeds of further training sets without biases start here


@dataclass(frozen=True, eq=False)
class ExperimentSets:
    """The sets, and the pool that the training scenes are drawn from."""

    train: TrainingSet  # with the injected biases
    train_without_bias: TrainingSet  # the same scenes before the biases were injected
    test: TrainingSet  # other scenes, without biases
    biases: tuple[InjectedBias, ...]
    pool: ScenePool
    size: int  # of a training set, before scenes whose label is not in the label set are left out

    @classmethod
    def draw(
        cls,
        encode: Callable[[list[Scene]], Tensor],
        n_pool: int,
        n_train: int,
        n_test: int,
        attribute_biases: Sequence[InjectedBias],
        label_biases: Sequence[InjectedBias],
        seed: int = 0,
    ) -> "ExperimentSets":
        """Sample all sets.

        encode: n scenes -> features (n, D). n_pool, n_train, n_test: numbers of scenes. The biases
        are as in `ScenePool.training_set`.
        """
        pool_scenes, _ = sample_scenes(n_pool, [seed, POOL])
        test_scenes, _ = sample_scenes(n_test, [seed, TEST])
        pool = ScenePool(pool_scenes, encode(pool_scenes), encode)
        test_pool = ScenePool(test_scenes, encode(test_scenes), encode)
        return cls(
            pool.training_set(n_train, seed, attribute_biases, label_biases),
            pool.training_set(n_train, seed),
            test_pool.training_set(n_test, seed),
            (*label_biases, *attribute_biases),
            pool,
            n_train,
        )

    @property
    def injected(self) -> list[tuple[str, str]]:
        """("attribute: value", label) of each bias, as detector tables name them."""
        return [bias_pair(bias) for bias in self.biases]

    def draw_without_bias(self, number: int) -> TrainingSet:
        """A further training set of the same size without biases."""
        return self.pool.training_set(self.size, FURTHER_SETS + number)

    def counterfactuals(self, n: int, seed: int = 0) -> Counterfactuals:
        """n further scenes, each drawn with every attribute value."""
        scenes, _ = sample_scenes(n, [seed, COUNTERFACTUAL])
        return Counterfactuals.draw(scenes, self.pool.encode)

    def picture(self, name: str, size: int = 96) -> Image.Image:
        """The picture of a test scene, by its id."""
        return draw(self.test.scenes[self._test_row(name)], size)

    def label(self, name: str) -> str:
        """The label of a test scene, by its id."""
        return self.test.records["label"].iloc[self._test_row(name)]

    def _test_row(self, name: str) -> int:
        return int(np.flatnonzero(self.test.records["id"] == name)[0])


def bias_pair(bias: InjectedBias) -> tuple[str, str]:
    """("attribute: value", label) of a bias, as detector tables name it."""
    attribute, value, label, _ = bias
    return f"{attribute}: {value}", label.rpartition(":")[2]


def caption_words(scenes: int = 500) -> list[str]:
    """The words of the captions that the small CLIP is trained on, without stop words."""
    rng = np.random.default_rng(0)
    drawn, _ = sample_scenes(scenes, [0, CAPTIONS])
    words = set()
    for scene in drawn:
        for kind in CAPTION_KINDS:
            text = caption(scene, rng, kind).lower()
            words.update(re.findall("[a-z]{3,}", text))
    return sorted(words - ENGLISH_STOP_WORDS)
