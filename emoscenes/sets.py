"""The eight datasets of EmoScenes, modelled on TinyEmo's table of eight photo datasets.

Three are for training. They use the labels of Ekman, Mikels and Parrott, and stand for EmotionROI
(small), EmoSet and WEBEmo (large). They hold scenes in the style of photographs. Five have a test
part only, and each changes one thing:

    scenes-split          the sample of scenes only                     (as Emotion6)
    scenes-rendering      the camera: mirrored, faded, fewer colours    (as FI)
    scenes-style          the style: paintings                          (as ArtPhoto)
    scenes-abstract       the style: abstract pictures                  (as Abstract)
    scenes-decorrelated   the correlations between attributes           (as UnbiasedEmo)

Takes names, sizes and a seed; gives records with images. p(label | attributes) is that of
`emoscenes.scenes` in all of them, so the best possible accuracy of each is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageEnhance, ImageOps

from emoscenes.drawing.image_files import draw_records
from emoscenes.scenes import Scene, bayes_accuracy, make_records, sample_decorrelated, sample_scenes
from tinyemo.data.records import relabel
from tinyemo.emotions import FROM_PARROTT
from tinyemo.io import read_image, write_atomically


def reprint(image: Image.Image) -> Image.Image:
    """The picture with the look of another camera and of a poor print."""
    image = ImageOps.posterize(ImageOps.mirror(image), 4)
    faded = ImageEnhance.Color(image).enhance(0.4)
    return ImageOps.autocontrast(faded, cutoff=2)


@dataclass(frozen=True)
class SceneSet:
    """One dataset of EmoScenes."""

    label_set: str
    share: int = 0  # training items: this times the number that is asked for; 0: test part only
    votes: int = 1  # annotators per item; with more than one, records carry label distributions
    style: str = "photo"
    decorrelated: bool = False  # attributes are independent of each other
    finish: Callable[[Image.Image], Image.Image] | None = None  # changes a finished picture

    def limit(self) -> float:
        """The best possible expected accuracy on its test part, exact."""
        return bayes_accuracy(self.label_set, self.decorrelated)


SCENE_SETS: dict[str, SceneSet] = {
    "scenes-ekman": SceneSet("ekman", share=1, votes=10),
    "scenes-mikels": SceneSet("mikels", share=4),
    "scenes-parrott": SceneSet("parrott", share=6),
    "scenes-split": SceneSet("ekman", votes=10),
    "scenes-rendering": SceneSet("mikels", finish=reprint),
    "scenes-style": SceneSet("mikels", style="painting"),
    "scenes-abstract": SceneSet("mikels", votes=10, style="abstract"),
    "scenes-decorrelated": SceneSet("ekman", decorrelated=True),
}


def _sample(n: int, seed: list[int], one: SceneSet) -> tuple[list[Scene], np.ndarray]:
    sample = sample_decorrelated if one.decorrelated else sample_scenes
    scenes, labels = sample(n, seed)
    return [replace(scene, style=one.style) for scene in scenes], labels


def draw_scene_sets(
    names: Sequence[str],
    n_train: int,
    n_test: int,
    seed: int,
    folder: str | Path,
    size: int = 64,
    workers: int = 2,
    leaked: float = 0.0,
) -> pd.DataFrame:
    """Records of the named datasets with their images, each under its own label set.

    A training set gets share * n_train training scenes and a sixth of that for validation; every
    set gets n_test test scenes. Scenes whose label has no counterpart in the label set are left
    out. `leaked` is the share of scenes-split's test pictures that are also saved, smaller and as
    JPEG of quality 80, among the training pictures of scenes-parrott: a leak that the audit has to
    find. ValueError: an unknown name.
    """
    tables = []
    for name in names:
        if name not in SCENE_SETS:
            raise ValueError(
                f"unknown dataset of EmoScenes {name!r}: expected one of {', '.join(SCENE_SETS)}"
            )
        tables.append(_draw_set(name, n_train, n_test, seed, Path(folder) / name, size, workers))
    if leaked:
        tables.append(_copies(pd.concat(tables), leaked, size, seed))
    together = pd.concat(tables, ignore_index=True)
    relabelled = []
    for name, table in together.groupby("dataset", sort=False):
        relabelled.append(relabel(table, SCENE_SETS[name].label_set))
    return pd.concat(relabelled, ignore_index=True)


def _draw_set(
    name: str, n_train: int, n_test: int, seed: int, folder: Path, size: int, workers: int
) -> pd.DataFrame:
    """Records of one dataset with its images, under Parrott's labels."""
    one = SCENE_SETS[name]
    n = one.share * n_train
    # Each set has its own scenes, different from those of the first notebook.
    own_seed = 1000 * (list(SCENE_SETS).index(name) + 1) + seed
    sample = partial(_sample, one=one)
    records, scenes = make_records(
        n, n // 6, n_test, own_seed, one.votes, dataset=name, sample=sample
    )
    records = draw_records(records, scenes, folder, size, workers, one.finish)
    if one.votes == 1:  # one annotator gives a label and no distribution
        records = records.drop(columns=[column for column in records if column.startswith("p_")])
    return records


def _copies(records: pd.DataFrame, share: float, size: int, seed: int) -> pd.DataFrame:
    """Training records of scenes-parrott that show test pictures of scenes-split.

    Copied are pictures whose label has a counterpart in the label set of scenes-split.
    """
    kept = records["label"].isin(FROM_PARROTT[SCENE_SETS["scenes-split"].label_set])
    test = (records["dataset"] == "scenes-split") & (records["split"] == "test")
    chosen = records[test & kept].sample(frac=share, random_state=seed)
    small = round(0.85 * size)
    targets = []
    for source in chosen["image"]:
        target = Path(source).with_name(f"{Path(source).stem}-copy.jpg")
        copy = read_image(source).resize((small, small), Image.Resampling.BICUBIC)
        write_atomically(target, lambda path, copy=copy: copy.save(path, format="jpeg", quality=80))
        targets.append(str(target))
    ids = [f"scenes-parrott/train/copy-{i:06d}" for i in range(len(chosen))]
    shares = [column for column in records if column.startswith("p_")]
    return chosen.drop(columns=shares).assign(
        id=ids, dataset="scenes-parrott", split="train", image=targets
    )
