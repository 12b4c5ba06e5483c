"""What the audit finds of what was planted, among pictures and among 300,000 feature rows, and how long it takes.

    python benchmarks/audit.py [--scenes 1500] [--rows 300000] [--planted 3000] [--threads 2] [--seed 1]

Pictures: draws the eight embedded datasets with 5 % of the test pictures of scenes-split saved again, smaller and as
JPEG of quality 80, in the training part of scenes-parrott. Prints the share of them that is found and the false
alarms: test items of any dataset called contaminated that were not planted.

Features: draws rows that resemble CLIP features of photographs, as a training part, a validation part and the test
parts of two datasets, and plants copies of training rows in the test parts: half exact, half as a re-encoded JPEG
would have them, with a cosine of .97 to .99 and the noise spread over directions as the data are. Prints seconds,
recall, false alarms, the peak memory of the process, and, for some of the test items, what exact brute force
(faiss.IndexFlatIP) finds and how much longer it would take for all rows.
"""

import argparse
import resource
import tempfile
import time

import faiss
import numpy as np
import pandas as pd
import torch

from emoscenes.sets import SCENE_SETS, draw_scene_sets
from tinyemo.data.audit import contaminated_ids
from tinyemo.data.duplicates import COSINE, find_duplicates
from tinyemo.data.records import check_records

PARTS = (
    ("web", "train", 0.70),
    ("web", "validation", 0.08),
    ("web", "test", 0.12),
    ("other", "test", 0.10),
)


class ClipLike:
    """Unit rows with the mean, the spectrum and the crowding of CLIP ViT-L/14 features of Emotion6.

    A row = a common mean + its topic + what is its own, both with the falling spectrum of the real ones. Topics are
    broad or narrow; in the narrow ones different photographs come as near to each other as cosine .95.
    """

    def __init__(self, width: int, seed: int):
        self.rng = np.random.default_rng(seed)
        k = np.arange(1, width + 1)
        spectrum = k**-0.75 * np.exp(-k / 160)
        self.scale = np.sqrt(0.407 * spectrum / spectrum.sum()).astype(np.float32)
        self.turn = np.linalg.qr(self.rng.standard_normal((width, width)))[0].astype(np.float32)
        self.mean = 0.77 * self.turn[-1]

    def noise(self, n: int) -> np.ndarray:
        return (
            self.rng.standard_normal((n, len(self.scale)), dtype=np.float32)
            * self.scale
            @ self.turn
        )

    def rows(self, n: int) -> np.ndarray:
        topics = max(n // 200, 1)
        topic = self.rng.integers(topics, size=n)
        own = self.rng.uniform(0.15, 1.0, topics).astype(np.float32)[
            topic, None
        ]  # share of the variance
        x = self.mean + np.sqrt(1 - own) * self.noise(topics)[topic] + np.sqrt(own) * self.noise(n)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def copies(self, x: np.ndarray) -> np.ndarray:
        """Rows at a cosine of .97 to .99 from the given ones."""
        noise = self.noise(len(x))
        noise -= (noise * x).sum(1, keepdims=True) * x
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        cosine = self.rng.uniform(0.97, 0.99, (len(x), 1)).astype(np.float32)
        return cosine * x + np.sqrt(1 - cosine**2) * noise


def pictures(n_train: int, n_test: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        records = draw_scene_sets(list(SCENE_SETS), n_train, n_test, seed, folder, leaked=0.05)
        start = time.perf_counter()
        duplicates = find_duplicates(records)
        seconds = time.perf_counter() - start
    leaked = contaminated_ids(
        records, duplicates, ["scenes-ekman", "scenes-mikels", "scenes-parrott"]
    )
    test, copies = records["split"] == "test", records["id"].str.contains("/copy-")
    planted = set(records["id"][test & records["group"].isin(records["group"][copies])])
    clean = set(records["id"][test]) - planted
    print(f"pictures, seed {seed}           {len(records)} in {seconds:.1f} s")
    print(
        f"recall, re-encoded copies  {len(leaked & planted) / len(planted):.4f} of {len(planted)}"
    )
    print(
        f"false alarms               {len(leaked & clean) / len(clean):.4%} of {len(clean)} clean test items"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--scenes", type=int, default=1000, help="training scenes of scenes-ekman; others follow"
    )
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--planted", type=int, default=3000)
    parser.add_argument(
        "--asked", type=int, default=500, help="test items that brute force is asked"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    faiss.omp_set_num_threads(args.threads)
    torch.set_num_threads(args.threads)

    pictures(args.scenes, args.scenes, args.seed)
    draw = ClipLike(args.width, args.seed)
    x = draw.rows(args.rows)
    counts = [round(share * args.rows) for *_, share in PARTS]
    counts[0] += args.rows - sum(counts)
    part = np.repeat(np.arange(len(PARTS)), counts)
    records = check_records(
        pd.DataFrame(
            {
                "id": [f"{i:06d}" for i in range(args.rows)],
                "dataset": np.array([p[0] for p in PARTS], object)[part],
                "split": np.array([p[1] for p in PARTS], object)[part],
                "label": "joy",
                "label_set": "ekman",
            }
        )
    )
    test = (records["split"] == "test").to_numpy()
    source = draw.rng.choice(np.flatnonzero(part == 0), args.planted, replace=False)
    target = draw.rng.choice(np.flatnonzero(test), args.planted, replace=False)
    half = args.planted // 2
    x[target[:half]], x[target[half:]] = x[source[:half]], draw.copies(x[source[half:]])

    start = time.perf_counter()
    duplicates = find_duplicates(records, x)
    leaked = contaminated_ids(records, duplicates, ["web"])
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    ids = records["id"].to_numpy()
    called = np.isin(ids, list(leaked))
    print(f"{args.rows} x {args.width}, threshold {COSINE}, {args.threads} threads")
    print(f"audit                      {seconds:.1f} s, peak memory {memory:.1f} GB")
    print(f"recall, exact copies       {called[target[:half]].mean():.4f} of {half}")
    print(f"recall, noisy copies       {called[target[half:]].mean():.4f} of {args.planted - half}")
    clean = np.setdiff1d(np.flatnonzero(test), target)
    print(f"false alarms               {called[clean].mean():.4%} of {len(clean)} clean test items")

    asked = draw.rng.choice(np.flatnonzero(test), args.asked, replace=False)
    trained = np.flatnonzero((records["dataset"] == "web") & (records["split"] != "test"))
    start = time.perf_counter()
    index = faiss.IndexFlatIP(args.width)
    index.add(x)
    added = time.perf_counter() - start
    start = time.perf_counter()
    index.range_search(x[asked], COSINE)
    brute = added + (time.perf_counter() - start) * args.rows / args.asked
    print(
        f"brute force, all rows      {brute:.0f} s (from {args.asked} rows): {brute / seconds:.1f} times as long"
    )
    near = (
        np.concatenate([(x[rows] @ x[trained].T).max(1) for rows in np.array_split(asked, 20)])
        >= COSINE
    )
    print(
        f"of what brute force finds  {called[asked][near].mean():.4f} of {near.sum()} of these test items are found; "
        f"{(called[asked] & ~near).sum()} others called"
    )


if __name__ == "__main__":
    main()
