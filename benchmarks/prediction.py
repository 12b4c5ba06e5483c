"""How fast pictures are answered, against the image encoder alone.

    python benchmarks/prediction.py [--pictures 200] [--size 64] [--explained 20] [--repeats 5]

Drawings of EmoScenes are saved as PNG files. The encoder alone gets the same pictures decoded and
preprocessed, in batches of the same size; the plain loop reads a batch, then encodes it. All take
turns; the table shows the medians of their pictures per second, and the ratios. The last row is the
rate of explanations.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

import tinyemo
from emoscenes.drawing.image_files import save_drawing
from emoscenes.drawing.picture import draw
from emoscenes.scenes import sample_scenes
from tinyemo.features.encoders import load_image_encoder, read_pixels

BATCH = 32


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(pictures: int, size: int, explained: int, repeats: int) -> pd.DataFrame:
    predictor = tinyemo.load("emoscenes")
    encoder = load_image_encoder(predictor.bundle.encoder)
    scenes, _ = sample_scenes(pictures, seed=5)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, scene in enumerate(scenes):
            paths.append(save_drawing(draw(scene, size), Path(folder, f"{number}.png")))
        pixels = torch.stack([read_pixels(path, encoder.preprocess) for path in paths])

        def bare() -> None:
            for batch in pixels.split(BATCH):
                encoder.encode(batch)

        def plain() -> None:
            for start in range(0, len(paths), BATCH):
                batch = paths[start : start + BATCH]
                encoder.encode(
                    torch.stack([read_pixels(path, encoder.preprocess) for path in batch])
                )

        def whole() -> None:
            list(predictor.answers(paths, batch_size=BATCH))

        def explain() -> None:
            list(predictor.answers(paths[:explained], explain=True))

        works = {
            "encoder alone, pictures in memory": bare,
            "plain loop: read, then encode": plain,
            "predict, from files": whole,
        }
        taken = {name: [] for name in works}
        for work in (*works.values(), explain):  # loads, and warms up
            work()
        for _ in range(repeats):
            for name, work in works.items():
                taken[name].append(seconds(work))
        of_explain = seconds(explain)
    rows = []
    for name, times in taken.items():
        row = {"what": name, "pictures per second": pictures / statistics.median(times)}
        for base in list(works)[:2]:
            ratios = [one / other for one, other in zip(taken[base], times, strict=True)]
            row[f"times {base.split(',')[0].split(':')[0]}"] = statistics.median(ratios)
        rows.append(row)
    rows.append({"what": "explain, from files", "pictures per second": explained / of_explain})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--explained", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    print(measure(**vars(parser.parse_args())).round(3).to_markdown(index=False))


if __name__ == "__main__":
    main()
