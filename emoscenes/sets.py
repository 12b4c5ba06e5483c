"""Eight embedded datasets: the twin of TinyEmo's table, in which one projector meets eight photo collections.

Owns: what sets them apart. Three are there to be trained on, under Ekman's, Mikels' and Parrott's labels, as
EmotionROI (small), EmoSet and WEBEmo (large) are; they hold scenes in the style of photographs only. Five have a
test part alone, and each breaks one thing:

    scenes-split          nothing: other scenes of the same kind        (as Emotion6)
    scenes-rendering      the camera: mirrored, bleached, coarse grey   (as FI)
    scenes-style          the style: paintings                          (as ArtPhoto)
    scenes-abstract       the style: abstract forms                     (as Abstract)
    scenes-decorrelated   the company that attributes keep              (as UnbiasedEmo)

Takes names, sizes and a seed; gives records with images. Labels follow the one law of `scenes`, so the limit
of each set is known.
"""

from collections.abc import Sequence
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
    """The picture as another camera and a poor printer would show it."""
    image = ImageOps.posterize(ImageOps.mirror(image), 4)
    return ImageOps.autocontrast(ImageEnhance.Color(image).enhance(0.4), cutoff=2)


@dataclass(frozen=True)
class SceneSet:
    """One embedded dataset. Training items: `share` times what is asked for; a set without has a test part only."""

    label_set: str
    share: int = 0
    votes: int = 1  # annotators an item; with more than one the records carry their shares
    style: str = "photo"
    decorrelated: bool = False
    finish: object = None  # picture -> picture

    def limit(self) -> float:
        """The Bayes-optimal accuracy of its test part, exact."""
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
    scenes, labels = (sample_decorrelated if one.decorrelated else sample_scenes)(n, seed)
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
    """Records of the named sets with their images, each under its own label set (items without a place there go).

    A set to train on gets share * n_train training and a sixth of that validation scenes; every set n_test test
    scenes. `leaked` is the share of scenes-split's test pictures that are also saved, smaller and as JPEG of quality
    80, among the training pictures of scenes-parrott: a leak for the audit to find. ValueError: an unknown name.
    """
    tables = []
    for name in names:
        if name not in SCENE_SETS:
            raise ValueError(
                f"unknown embedded dataset {name!r}: expected one of {', '.join(SCENE_SETS)}"
            )
        one = SCENE_SETS[name]
        n = one.share * n_train
        place = (
            list(SCENE_SETS).index(name) + 1
        )  # every set has scenes of its own, and none of notebook 00's
        records, scenes = make_records(
            n,
            n // 6,
            n_test,
            1000 * place + seed,
            one.votes,
            dataset=name,
            sample=partial(_sample, one=one),
        )
        records = draw_records(records, scenes, Path(folder) / name, size, workers, one.finish)
        if one.votes == 1:
            records = records.drop(
                columns=[column for column in records if column.startswith("p_")]
            )
        tables.append(records)
    if leaked:
        tables.append(_copies(pd.concat(tables), leaked, size, seed))
    return pd.concat(
        [
            relabel(table, SCENE_SETS[name].label_set)
            for name, table in pd.concat(tables, ignore_index=True).groupby("dataset", sort=False)
        ],
        ignore_index=True,
    )


def _copies(records: pd.DataFrame, share: float, size: int, seed: int) -> pd.DataFrame:
    """Training records of scenes-parrott that show test pictures of scenes-split (of those that keep a label there)."""
    kept = records["label"].isin(FROM_PARROTT[SCENE_SETS["scenes-split"].label_set])
    test = (records["dataset"] == "scenes-split") & (records["split"] == "test")
    chosen = records[test & kept].sample(frac=share, random_state=seed)
    small = round(0.85 * size)
    paths = [Path(path).with_name(f"{Path(path).stem}-copy.jpg") for path in chosen["image"]]
    for source, target in zip(chosen["image"], paths, strict=True):
        copy = read_image(source).resize((small, small), Image.Resampling.BICUBIC)
        write_atomically(target, lambda path, copy=copy: copy.save(path, format="jpeg", quality=80))
    ids = [f"scenes-parrott/train/copy-{i:06d}" for i in range(len(chosen))]
    shares = [column for column in records if column.startswith("p_")]
    return chosen.drop(columns=shares).assign(
        id=ids, dataset="scenes-parrott", split="train", image=[str(path) for path in paths]
    )
