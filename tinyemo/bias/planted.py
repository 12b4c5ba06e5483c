"""A planted case: scenes with known biases, a model that learnt from them, and all it has to be compared with.

Takes the small CLIP and LM of the embedded world and a list of plants; gives training scenes with and without the
plants, unbiased test scenes, and trainings on clean scenes (references) or on permuted labels (controls). Detectors,
notebook 06 and the benchmarks start here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from PIL import Image
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from torch import Tensor

from emoscenes.biased_sets import ScenePool, TrainingSet, encode_scenes
from emoscenes.counterfactuals import Counterfactuals
from emoscenes.drawing.picture import draw
from emoscenes.injected_biases import InjectedBias
from emoscenes.scenes import sample_scenes
from emoscenes.text.captions import CAPTION_KINDS, caption
from emoscenes.text.reading import words_read
from tinyemo.bias.mitigation import MITIGATIONS, Mitigated, before_and_after
from tinyemo.bias.values import AttributeValues, attribute_values
from tinyemo.bias.vocabulary import over_represented, read_vocabulary, vocabulary_of
from tinyemo.emotions import labels_of
from tinyemo.features.encoders import ImageEncoder, load_image_encoder
from tinyemo.models.anchor_spaces import text_anchors
from tinyemo.models.anchors import embedding_table, load_anchors
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import PRESETS, fit_projector

LABEL_SET = "ekman"
KINDS = ("clean", "permuted")  # of trainings to compare with


@dataclass(frozen=True, eq=False)
class PlantedCase:
    """`train` holds the plants, `clean` is its twin without them, `test` has none."""

    train: TrainingSet
    clean: TrainingSet
    test: TrainingSet
    plants: tuple[InjectedBias, ...]
    pool: ScenePool
    anchors: Tensor  # (C, d_llm) of `words`
    encoder: ImageEncoder
    world: Path  # notebook 00's run folder
    size: int  # of train, before labels without a place are left out

    @classmethod
    def draw(
        cls,
        world: Path,
        n_pool: int,
        n_train: int,
        n_test: int,
        company: Sequence[InjectedBias],
        misread: Sequence[InjectedBias],
        seed: int = 0,
        workers: int = 2,
    ) -> "PlantedCase":
        """A case in the world that notebook 00's run folder holds; plants as in `ScenePool.training_set`."""
        encoder = load_image_encoder(f"local-dir:{world / 'clip'}")
        encode = partial(encode_scenes, encoder=encoder)
        pool, test = (
            ScenePool(scenes, encode(scenes, workers=workers), encode)
            for scenes in (
                sample_scenes(n, [seed, 60 + i])[0] for i, n in enumerate((n_pool, n_test))
            )
        )
        return cls(
            pool.training_set(n_train, seed, company, misread),
            pool.training_set(n_train, seed),
            test.training_set(n_test, seed),
            (*misread, *company),
            pool,
            load_anchors(world / "lm", labels_of(LABEL_SET)),
            encoder,
            world,
            n_train,
        )

    @property
    def words(self) -> list[str]:
        """(C,) labels."""
        return list(labels_of(LABEL_SET))

    @property
    def planted(self) -> list[tuple[str, str]]:
        """("attribute: value", label) of each plant, as detector tables name them."""
        return [
            (f"{attribute}: {value}", label.rpartition(":")[2])
            for attribute, value, label, _ in self.plants
        ]

    @cached_property
    def values(self) -> AttributeValues:
        """Of the test scenes."""
        return attribute_values(self.test.records)

    @cached_property
    def in_training(self) -> AttributeValues:
        """Of the training scenes."""
        return attribute_values(self.train.records)

    def guilt(self) -> pd.DataFrame:
        """One row a plant: its risk difference in training, and how much of it the law of the world explains."""
        rows = []
        for what, label in self.planted:
            shown, k = self.in_training.of(what), self.words.index(label)
            said, explained = (
                y[shown].mean() - y[~shown].mean()
                for y in (self.train.y == k, self.train.posterior[:, k])
            )
            rows.append(
                {
                    "what": what,
                    "where": label,
                    "scenes": int(shown.sum()),
                    "risk difference": said,
                    "explained": explained,
                }
            )
        return pd.DataFrame(rows)

    def fit(
        self, x: Tensor, y: np.ndarray | Tensor, seed: int, item_weights: Tensor | None = None
    ) -> MetricProjector:
        """The recipe in question, on features (N, D) and labels (N,)."""
        return fit_projector(
            x, torch.as_tensor(y), self.anchors, PRESETS["quick"], seed, item_weights=item_weights
        )[0]

    def answers(self, model: MetricProjector) -> np.ndarray:
        """A model's probabilities (M, C) float64 of the test scenes."""
        return model.classify(self.test.x, self.anchors).double().numpy()

    def compared_with(self, kind: str, number: int) -> tuple[np.ndarray, Tensor]:
        """Answers (M, C) and embeddings (M, d_llm) of a training on clean scenes, or on permuted labels of `train`."""
        drawn = self.pool.training_set(self.size, 1000 + number) if kind == "clean" else self.train
        y = drawn.y if kind == "clean" else np.random.default_rng(number).permutation(drawn.y)
        model = self.fit(drawn.x, y, number)
        return self.answers(model), model.embed(self.test.x)

    def comparisons(
        self, references: int, controls: int, workers: int = 2
    ) -> dict[str, list[tuple]]:
        """`compared_with` of so many clean and permuted trainings, by kind, `workers` at a time."""
        jobs = [
            (kind, r)
            for kind, count in zip(KINDS, (references, controls), strict=True)
            for r in range(count)
        ]
        done = Parallel(workers)(delayed(self.compared_with)(*job) for job in jobs)
        return {
            kind: [one for one, job in zip(done, jobs, strict=True) if job[0] == kind]
            for kind in KINDS
        }

    def words_of_projector(
        self, model: MetricProjector, p: np.ndarray, permuted: Sequence[tuple], seed: int = 0
    ) -> pd.DataFrame:
        """`vocabulary.over_represented` in the language model's space, against trainings on permuted labels."""
        vocabulary = read_vocabulary(*embedding_table(self.world / "lm"), known=words_read())
        reading = model.embed(self.test.x).numpy(), p.argmax(axis=1)
        controls = [(embedded.numpy(), one.argmax(axis=1)) for one, embedded in permuted]
        return over_represented(reading, self.words, self.anchors, vocabulary, controls, seed=seed)

    def words_of_encoder(
        self, p: np.ndarray, clean: Sequence[tuple], seed: int = 0
    ) -> pd.DataFrame:
        """The same in CLIP's space, where images lie near the words of their captions, against clean references."""
        known, x = caption_words(), self.test.x.numpy()
        vocabulary = vocabulary_of(known, self.encoder.encode_text(known))
        controls = [(x, one.argmax(axis=1)) for one, _ in clean]
        meanings = text_anchors(self.encoder, self.words)
        found = over_represented(
            (x, p.argmax(axis=1)), self.words, meanings, vocabulary, controls, seed=seed
        )
        return found.assign(detector="words of the encoder")

    def redrawn(self, n: int, seed: int = 0, workers: int = 2) -> Counterfactuals:
        """n scenes of their own, each drawn with every attribute value."""
        return Counterfactuals.draw(
            sample_scenes(n, [seed, 62])[0], partial(self.pool.encode, workers=workers)
        )

    def called(self, p: np.ndarray) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
        """For each plant, ids of the test scenes that p (M, C) calls by its label: with its value, and without."""
        ids, names = self.test.records["id"], p.argmax(axis=1)
        found = {}
        for what, where in self.planted:
            shown, so = self.values.of(what), names == self.words.index(where)
            found[what, where] = (ids[so & shown].tolist(), ids[so & ~shown].tolist())
        return found

    def picture(self, name: str, size: int = 96) -> Image.Image:
        """A test scene by its id, drawn."""
        return draw(self.test.scenes[self._row(name)], size)

    def label(self, name: str) -> str:
        """The true label of a test scene by its id."""
        return self.test.records["label"].iloc[self._row(name)]

    def _row(self, name: str) -> int:
        return int(np.flatnonzero(self.test.records["id"] == name)[0])

    def mitigated(self, targets: Sequence[str], seeds: int, workers: int = 2) -> pd.DataFrame:
        """`mitigation.before_and_after` of `remedies`, on the test scenes."""
        group = np.stack([self.values.of(what) for what in targets], axis=1)
        return before_and_after(
            self.test.y, group, self.remedies(targets, seeds, workers), "never biased"
        )

    def remedies(
        self, targets: Sequence[str], seeds: int, workers: int = 2
    ) -> dict[str, np.ndarray]:
        """Labels (seeds, M) that models give the test scenes: before, after each of MITIGATIONS, never biased.

        `targets` are the attribute values ("weather: rain") whose tie to the labels is to be cut.
        """
        group = np.stack([self.in_training.of(what) for what in targets], axis=1)
        x, y, clean = self.train.x, torch.from_numpy(self.train.y), self.clean
        ways = {"before": Mitigated(x, y)} | {
            name: treat(x, y, group) for name, treat in MITIGATIONS.items()
        }
        ways["never biased"] = Mitigated(clean.x, torch.from_numpy(clean.y))

        def labels(way: Mitigated, seed: int) -> np.ndarray:
            model = self.fit(way.x, way.y, seed, way.item_weights)
            return model.classify(way.eraser(self.test.x), self.anchors).argmax(dim=1).numpy()

        done = Parallel(workers)(
            delayed(labels)(way, seed) for way in ways.values() for seed in range(seeds)
        )
        return {name: np.stack(done[i * seeds : (i + 1) * seeds]) for i, name in enumerate(ways)}


def caption_words(scenes: int = 500) -> list[str]:
    """The words of the captions that the small CLIP learns from, stop-words left out: it knows no others."""
    rng, drawn = np.random.default_rng(0), sample_scenes(scenes, [0, 63])[0]
    texts = (caption(scene, rng, kind) for scene in drawn for kind in CAPTION_KINDS)
    words = {word for text in texts for word in re.findall("[a-z]{3,}", text.lower())}
    return sorted(words - ENGLISH_STOP_WORDS)
