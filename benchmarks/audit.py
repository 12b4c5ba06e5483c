"""Which injected duplicates the audit finds, among pictures and among feature rows, and in what
time.

    python benchmarks/audit.py [--scenes 1000] [--rows 300000] [--copies 3000] [--threads 2]
    [--seed 1]

Pictures: draws the eight synthetic datasets, with 5 % of the test pictures of scenes-split saved
again, smaller and as JPEG of quality 80, in the training part of scenes-parrott. Prints the share
of them that is found, and the false alarms: test items of any dataset that are called contaminated
but were not copied.

Features: draws rows that resemble CLIP features of photographs, as a training part, a validation
part and the test parts of two datasets, and copies training rows into the test parts. Half of the
copies are exact; the others are like the features of a re-encoded JPEG, with a cosine of .97 to
.99 and noise with the spectrum of the data. Prints seconds, recall, false alarms and the peak
memory of the process. For some of the test items it also prints what exact brute force
(faiss.IndexFlatIP) finds, and how much longer brute force would take for all rows.
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
    """Draws unit rows with the mean, spectrum and density of CLIP ViT-L/14 features of Emotion6.

    A row is a common mean, plus a topic's vector, plus its own; the last two have the falling
    spectrum of the real features. Topics are broad or narrow; in narrow ones, different
    photographs have cosines up to .95.
    """

    def __init__(self, width: int, seed: int):
        self.rng = np.random.default_rng(seed)
        k = np.arange(1, width + 1)
        spectrum = k**-0.75 * np.exp(-k / 160)  # (D,) variances
        self.scale = np.sqrt(0.407 * spectrum / spectrum.sum()).astype(np.float32)
        rotation, _ = np.linalg.qr(self.rng.standard_normal((width, width)))
        self.rotation = rotation.astype(np.float32)
        self.mean = 0.77 * self.rotation[-1]

    def noise(self, n: int) -> np.ndarray:
        """n vectors (n, D) with the spectrum of the features."""
        normal = self.rng.standard_normal((n, len(self.scale)), dtype=np.float32)
        scaled = normal * self.scale
        return scaled @ self.rotation

    def rows(self, n: int) -> np.ndarray:
        """n unit rows (n, D)."""
        topics = max(n // 200, 1)
        topic = self.rng.integers(topics, size=n)
        breadth = self.rng.uniform(0.15, 1.0, topics).astype(np.float32)
        own = breadth[topic, None]  # (n, 1): share of the variance that is the row's own
        of_topic = np.sqrt(1 - own) * self.noise(topics)[topic]
        x = self.mean + of_topic + np.sqrt(own) * self.noise(n)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def copies(self, x: np.ndarray) -> np.ndarray:
        """Unit rows at a cosine of .97 to .99 from the given ones."""
        noise = self.noise(len(x))
        noise -= (noise * x).sum(1, keepdims=True) * x  # orthogonal to the row
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        cosine = self.rng.uniform(0.97, 0.99, (len(x), 1)).astype(np.float32)
        return cosine * x + np.sqrt(1 - cosine**2) * noise


def measure_pictures(n_train: int, n_test: int, seed: int) -> None:
    """Print what the audit finds among pictures."""
    with tempfile.TemporaryDirectory() as folder:
        records = draw_scene_sets(list(SCENE_SETS), n_train, n_test, seed, folder, leaked=0.05)
        start = time.perf_counter()
        duplicates = find_duplicates(records)
        seconds = time.perf_counter() - start
    trained_on = ["scenes-ekman", "scenes-mikels", "scenes-parrott"]
    contaminated = contaminated_ids(records, duplicates, trained_on)
    test = records["split"] == "test"
    copies = records["id"].str.contains("/copy-")
    is_copied = test & records["group"].isin(records["group"][copies])
    copied = set(records["id"][is_copied])
    clean = set(records["id"][test]) - copied
    found = len(contaminated & copied)
    false = len(contaminated & clean)
    print(f"pictures, seed {seed}           {len(records)} in {seconds:.1f} s")
    print(f"recall, re-encoded copies  {found / len(copied):.4f} of {len(copied)}")
    print(f"false alarms               {false / len(clean):.4%} of {len(clean)} clean test items")


def feature_records(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """(n records in the shares of PARTS, the part of each record (n,))."""
    counts = [round(share * n) for *_, share in PARTS]
    counts[0] += n - sum(counts)
    part = np.repeat(np.arange(len(PARTS)), counts)
    table = pd.DataFrame({"id": [f"{i:06d}" for i in range(n)]})
    datasets = np.array([name for name, _, _ in PARTS], object)
    splits = np.array([split for _, split, _ in PARTS], object)
    table["dataset"], table["split"] = datasets[part], splits[part]
    return check_records(table.assign(label="joy", label_set="ekman")), part


def brute_force_seconds(x: np.ndarray, asked: np.ndarray) -> float:
    """Seconds that exact search would take for all rows, from those of the rows `asked`."""
    start = time.perf_counter()
    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)
    added = time.perf_counter() - start
    start = time.perf_counter()
    index.range_search(x[asked], COSINE)
    searched = time.perf_counter() - start
    return added + searched * len(x) / len(asked)


def measure_features(args: argparse.Namespace) -> None:
    """Print what the audit finds among feature rows, and compare it with brute force."""
    draw = ClipLike(args.width, args.seed)
    x = draw.rows(args.rows)
    records, part = feature_records(args.rows)
    is_test = (records["split"] == "test").to_numpy()
    source = draw.rng.choice(np.flatnonzero(part == 0), args.copies, replace=False)
    target = draw.rng.choice(np.flatnonzero(is_test), args.copies, replace=False)
    half = args.copies // 2
    x[target[:half]] = x[source[:half]]
    x[target[half:]] = draw.copies(x[source[half:]])

    start = time.perf_counter()
    duplicates = find_duplicates(records, x)
    contaminated = contaminated_ids(records, duplicates, ["web"])
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = np.isin(records["id"].to_numpy(), list(contaminated))  # (N,)
    clean = np.setdiff1d(np.flatnonzero(is_test), target)
    print(f"{args.rows} x {args.width}, threshold {COSINE}, {args.threads} threads")
    print(f"audit                      {seconds:.1f} s, peak memory {memory:.1f} GB")
    exact, noisy, false = found[target[:half]], found[target[half:]], found[clean]
    print(f"recall, exact copies       {exact.mean():.4f} of {len(exact)}")
    print(f"recall, noisy copies       {noisy.mean():.4f} of {len(noisy)}")
    print(f"false alarms               {false.mean():.4%} of {len(false)} clean test items")

    asked = draw.rng.choice(np.flatnonzero(is_test), args.asked, replace=False)
    brute = brute_force_seconds(x, asked)
    ratio = brute / seconds
    print(f"brute force, all rows      {brute:.0f} s (from {args.asked} rows): {ratio:.1f} times")
    trained = np.flatnonzero((records["dataset"] == "web") & ~is_test)
    best = [(x[rows] @ x[trained].T).max(1) for rows in np.array_split(asked, 20)]
    near = np.concatenate(best) >= COSINE
    others = int((found[asked] & ~near).sum())
    by_both = found[asked][near]
    print(f"found of brute force's     {by_both.mean():.4f} of {len(by_both)} test items")
    print(f"found by the audit alone   {others} test items")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--scenes", type=int, default=1000, help="training scenes of scenes-ekman; others follow"
    )
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--copies", type=int, default=3000, help="copied feature rows")
    parser.add_argument("--asked", type=int, default=500, help="queries of brute force")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    faiss.omp_set_num_threads(args.threads)
    torch.set_num_threads(args.threads)
    measure_pictures(args.scenes, args.scenes, args.seed)
    measure_features(args)


if __name__ == "__main__":
    main()
