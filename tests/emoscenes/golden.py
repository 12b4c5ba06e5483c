"""The recorded pictures and texts of EmoScenes, against which every change of its code is compared.

`scene_lines` draws 200 scenes: 15 of each of the eight datasets, and 80 of every style.
`text_lines` writes 2,000 texts of every kind. Both are fixed by their seeds. The recorded lines are
in tests/emoscenes/golden/. After an intended change, write them anew with

    PYTHONPATH=tests/emoscenes python -c "import golden; golden.record()"
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from emoscenes.drawing.picture import draw
from emoscenes.evidence import evidence
from emoscenes.scenes import Scene, sample_decorrelated, sample_scenes
from emoscenes.sets import SCENE_SETS
from emoscenes.text.captions import CAPTION_KINDS, caption, feeling_texts
from emoscenes.text.questions import describe, question_about, sentiment_question
from emoscenes.text.rationales import conversation, rationale
from tinyemo.emotions import FROM_PARROTT

FOLDER = Path(__file__).parent / "golden"
SIZES = (64, 96)  # pixels
THUMBNAIL = 4  # pixels


def scenes_of_sets() -> Iterator[tuple[str, Scene]]:
    """(name of the dataset, scene): 15 scenes of each of the eight sets, then 80 of all styles."""
    for number, (name, one) in enumerate(SCENE_SETS.items()):
        sample = sample_decorrelated if one.decorrelated else sample_scenes
        for scene in sample(15, [314, number])[0]:
            yield name, replace(scene, style=one.style)
    for scene in sample_scenes(80, [314, 8])[0]:
        yield "scenes", scene


def scene_lines() -> list[str]:
    """One line of JSON per picture: dataset, style, size, hash of the pixels, thumbnail."""
    lines = []
    for name, scene in scenes_of_sets():
        finish = SCENE_SETS[name].finish if name in SCENE_SETS else None
        for size in SIZES:
            image = draw(scene, size)
            image = finish(image) if finish else image
            small = image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
            line = {
                "dataset": name,
                "style": scene.style,
                "size": size,
                "sha256": hashlib.sha256(image.tobytes()).hexdigest()[:24],
                "thumbnail": small.tobytes().hex(),
                "pillow": PIL.__version__,
            }
            lines.append(json.dumps(line))
    return lines


def text_lines() -> dict[str, list[str]]:
    """File name -> one line per text. Every text has a random generator of its own."""
    lines: dict[str, list[str]] = {
        "captions.txt": [],
        "feeling_texts.txt": feeling_texts(400, 7),
        "descriptions.txt": [],
        "questions.jsonl": [],
        "sentiment_questions.jsonl": [],
    }
    for number, kind in enumerate(CAPTION_KINDS):
        for i, scene in enumerate(_drawn(100, 1)):
            lines["captions.txt"].append(caption(scene, _generator(number, i), kind))
    for i, scene in enumerate(_drawn(250, 2)):
        lines["descriptions.txt"].append(describe(asdict(scene), _generator(10, i)))
    for i, scene in enumerate(_drawn(250, 3)):
        turn = question_about(asdict(scene), _generator(11, i))
        lines["questions.jsonl"].append(json.dumps(turn))
    for i, (scene, label, label_set) in enumerate(_explained(200, 4)):
        turn = sentiment_question(asdict(scene), label, label_set, _generator(12, i))
        lines["sentiment_questions.jsonl"].append(json.dumps(turn))
    lines["rationales.txt"] = [
        *_rationales(200, 5),
        *_rationales(100, 6, held_out=True),
        *_rationales(50, 7, full=True),
    ]
    lines["conversations.jsonl"] = [*_conversations(100, 8), *_conversations(50, 9, held_out=True)]
    return lines


def _rationales(n: int, seed: int, **options: bool) -> list[str]:
    return [
        rationale(asdict(scene), label, label_set, _generator(seed, i), **options)
        for i, (scene, label, label_set) in enumerate(_explained(n, seed))
    ]


def _conversations(n: int, seed: int, **options: bool) -> list[str]:
    return [
        json.dumps(conversation(asdict(scene), label, label_set, _generator(seed, i), **options))
        for i, (scene, label, label_set) in enumerate(_explained(n, seed))
    ]


def _generator(kind: int, i: int) -> np.random.Generator:
    return np.random.default_rng([314, kind, i])


def _drawn(n: int, seed: int) -> list[Scene]:
    return sample_scenes(n, [314, 100 + seed])[0]


def _explained(n: int, seed: int) -> list[tuple[Scene, str, str]]:
    """n of (scene, label, label set), the sets in turn; only scenes with evidence for the label."""
    scenes, fine_labels = sample_scenes(4 * n, [314, 100 + seed])
    found = []
    for scene, fine in zip(scenes, fine_labels.tolist(), strict=True):
        label_set = ("parrott", "ekman", "mikels")[len(found) % 3]
        label = FROM_PARROTT[label_set].get(fine)
        if label and evidence(asdict(scene), label, label_set):
            found.append((scene, label, label_set))
    assert len(found) >= n
    return found[:n]


def record() -> None:
    """Write all files of tests/emoscenes/golden/ anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, lines in {"scenes.jsonl": scene_lines(), **text_lines()}.items():
        (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
