"""The eight photo datasets in small: their real layouts and quirks, with generated images."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tinyemo.data.photos import PHOTO_SETS
from tinyemo.emotions import labels_of

DISK = {
    "cheerfulness": "cheerfullness",
    "irritability": "irritabilty",
}  # how WEBEmo spells its folders
SHORT = {"sadness": "Sad", "contentment": "Content"}  # how Abstract heads its columns


def draw(path: Path, label: str, rng: np.random.Generator) -> Path:
    """A small image with the tint of its label and random forms: learnable, no two equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tint = np.random.default_rng(list(label.encode())).integers(0, 120, 3)
    forms = (rng.integers(0, 130, (5, 5, 1)) + tint).astype(np.uint8)
    picture = Image.fromarray(forms).resize((40, 40), Image.Resampling.BICUBIC)
    if path.suffix == ".png":
        picture.save(path, "PNG")
    else:
        picture.save(path, "JPEG", quality=90)
    return path


def make_layout(name: str, root: Path, per_class: int = 4, seed: int = 0) -> Path:
    """The dataset's folder in `root`, with `per_class` images per class (and split).

    With one seed, Emotion6 and EmotionROI hold the same images; in EmotionROI every second one is
    in the test list.
    """
    photo_set = PHOTO_SETS[name]
    top, labels = Path(root) / photo_set.folder, labels_of(photo_set.label_set)
    same_images = "Emotion6" if name == "EmotionROI" else name
    rng = np.random.default_rng([seed, *same_images.encode()])
    LAYOUTS[name](top, labels, per_class, rng)
    return top


def _cornell(top, labels, per_class, rng) -> list[str]:
    names = [f"{label}/{number}.jpg" for label in labels for number in range(1, per_class + 1)]
    for name in names:
        draw(top / "images" / name, name.split("/")[0], rng)
    return names


def _emotion6(top, labels, per_class, rng) -> None:
    names = _cornell(top, labels, per_class, rng)
    (top / "images/joy/1.jpg").rename(top / "images/joy/1.JPG")
    (top / "images/joy/._1.jpg").write_bytes(b"what another system leaves behind")
    columns = ["valence", "arousal", *(f"prob. {label}" for label in (*labels, "neutral"))]
    lines = [" ".join(f"[{column}]" for column in ["image_filename", *columns])]
    for name in names:
        label = labels.index(name.split("/")[0])
        votes = rng.multinomial(15, (np.eye(7)[label] * 7 + 1) / 14)
        shares = [f"{vote / 15:.6g}" for vote in votes]
        lines.append("\t".join([name, f"{rng.uniform(1, 9):.1f}", "3.8", *shares]))
    (top / "ground_truth.txt").write_text("\r\n".join(lines) + "\r\n")


def _emotion_roi(top, labels, per_class, rng) -> None:
    names = _cornell(top, labels, per_class, rng)
    lists = top / "training_testing_split"
    lists.mkdir()
    (lists / "training.txt").write_text("\n".join(names[::2]) + "\n\n")
    (lists / "testing.txt").write_text("\r\n".join(names[1::2]))


def _webemo(top, labels, per_class, rng) -> None:
    for split in ("train", "validation", "test"):
        for label in labels:
            for number in range(per_class):
                draw(top / split / DISK.get(label, label) / f"{number:03d}.jpg", label, rng)


def _emoset(top, labels, per_class, rng) -> None:
    """Records of val and train have three elements, those of test four; some annotations lack
    fields.
    """
    (top / "annotation").mkdir(parents=True)
    start = 0
    for split in ("train", "val", "test"):
        listed = []
        for label in labels:
            for number in range(start, start + per_class):
                stem = f"{label}/{label}_{number:05d}"
                draw(top / f"image/{stem}.jpg", label, rng)
                note = {
                    "image_id": Path(stem).name,
                    "emotion": label,
                    "brightness": 0.3,
                    "colorfulness": 1.0,
                }
                if number % 2:
                    note |= {
                        "scene": "alley",
                        "object": ["Person", "Alarm clock"],
                        "facial_expression": "happy",
                        "human_action": ["abseiling"],
                    }
                (top / f"annotation/{stem}.json").parent.mkdir(exist_ok=True)
                (top / f"annotation/{stem}.json").write_text(json.dumps(note))
                middle = [Path(stem).name] if split == "test" else []
                listed.append([label, *middle, f"image/{stem}.jpg", f"annotation/{stem}.json"])
        (top / f"{split}.json").write_text(json.dumps(listed))
        start += per_class


def _fi(top, labels, per_class, rng) -> None:
    for label in labels:
        for number in range(per_class):
            draw(top / f"emotion_dataset/{label}/{label}_{number:04d}.jpg", label, rng)
    draw(top / "emotion_dataset/awe/awe_0000.png", "awe", rng)  # one name, two endings


def _artphoto(top, labels, per_class, rng) -> None:
    for label in labels:
        word = label.replace("sadness", "sad")
        for number in range(per_class):
            draw(top / f"testImages_artphoto/{word}_{number:04d}.jpg", label, rng)


def _abstract(top, labels, per_class, rng) -> None:
    """Votes of which 9 > 10 if compared as text, and one painting with a tie and no label."""
    lines = [",".join(["''", *(f"'{SHORT.get(label, label.capitalize())}'" for label in labels)])]
    for number in range(len(labels) * per_class + 1):
        first, tie = number % len(labels), number == len(labels) * per_class
        votes = rng.integers(0, 9, len(labels))
        votes[first], votes[first - 1] = 10, 10 if tie else 9
        draw(top / f"testImages_abstract/abstract_{number:04d}.jpg", labels[first], rng)
        lines.append(",".join([f"'abstract_{number:04d}.jpg'", *map(str, votes)]))
    (top / "testImages_abstract/ABSTRACT_groundTruth.csv").write_text("\n".join(lines) + "\n")


def _unbiasedemo(top, labels, per_class, rng) -> None:
    for label in labels:
        for number in range(per_class):
            keyword = ("dog", "birthday party")[number % 2]
            draw(top / f"images/{label}/{keyword}/{number // 2}.jpg", label, rng)


LAYOUTS = {
    "Emotion6": _emotion6,
    "EmotionROI": _emotion_roi,
    "WEBEmo": _webemo,
    "EmoSet": _emoset,
    "FI": _fi,
    "ArtPhoto": _artphoto,
    "Abstract": _abstract,
    "UnbiasedEmo": _unbiasedemo,
}
