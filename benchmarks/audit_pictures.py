"""Which edited copies of pictures the audit finds, how often it errs, and in what time.

    python benchmarks/audit_pictures.py [--seed 1] [--scenes 5000] [--photos 1000]
    [--photographs FOLDER] [--sources 40] [--sizes 2500 5000 10000] [--threads 2]

Three kinds of pictures (edited_pictures.py): scenes of EmoScenes (64 x 64), photo-like pictures,
and patches of photographs that scikit-learn and matplotlib install and of those in FOLDER. Of each
kind, a training part and an equally large test part of other pictures are made. The test part also
gets edited copies of training pictures: one for each of --sources and each kind of edit, and four
with two edits. Prints recall with Wilson's 95 % interval, false alarms (test pictures without a
copy that have one according to the audit) with Wilson's upper limit, and the upper limit of the
Poisson rate per pair of pictures, which is FALSE_ALARMS in data/audit.py.

Time: photo-like pictures of 480 x 360, a fifth of them in the test part, at three sizes; the
exponent of a power law through them, and the time for 118,000. CPU seconds divided by the number of
threads, because other programs may use the cores too.

The thresholds were chosen on seeds 5 and 7. Do not report those seeds.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import faiss
import numpy as np
import pandas as pd
from edited_pictures import COMBINED, SINGLE, Rng, cropped, patches, photo_like, two_edits
from PIL import Image
from scipy.stats import binomtest, chi2

from emoscenes.drawing.picture import draw
from emoscenes.scenes import sample_scenes
from tinyemo.data.audit import contaminated_ids
from tinyemo.data.duplicates import find_duplicates
from tinyemo.data.records import check_records

TARGET = 118_000  # pictures of EmoSet
TWO = "two of the first eleven"
FACTS = {"dataset": "own", "label": "joy", "label_set": "ekman"}


def save_parts(
    pictures: Sequence[Image.Image], sources: int, rng: Rng, folder: Path
) -> pd.DataFrame:
    """Records of a training part, a test part of as many other pictures, and edited copies.

    The columns `attr_kind` and `attr_source` name the edit and the id of the original; they are
    "" for other pictures.
    """
    half = len(pictures) // 2
    rows, images = [], list(pictures[: 2 * half])
    for number in range(2 * half):
        split = "train" if number < half else "test"
        rows.append((f"{split}/{number:06d}", split, "", ""))
    chosen = rng.choice(half, min(sources, half), replace=False)
    edits = [*COMBINED.items(), *SINGLE.items()] + 4 * [(TWO, two_edits)]
    for turn, (kind, edit) in enumerate(edits):
        for number in chosen:
            name = f"test/{kind} {turn}/{number}"
            rows.append((name, "test", kind, f"train/{number:06d}"))
            images.append(edit(pictures[number], rng))
    paths = [str(folder / f"{number}.png") for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        image.save(path, compress_level=1)
    records = pd.DataFrame(rows, columns=["id", "split", "attr_kind", "attr_source"])
    return check_records(records.assign(image=paths, **FACTS))


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    test = binomtest(hits, n)
    found = test.proportion_ci(method="wilson")
    return found.low, found.high


def measure(name: str, pictures: Sequence[Image.Image], sources: int, seed: int) -> pd.Series:
    """Print the false alarms; return the recall of each kind, as text."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        records = save_parts(pictures, sources, rng, Path(folder))
        pairs = find_duplicates(records)
    is_copy = records["attr_kind"] != ""
    is_test = records["split"] == "test"
    clean = set(records["id"][is_test & ~is_copy])
    flagged = contaminated_ids(records, pairs, ["own"])
    print_false_alarms(name, len(flagged & clean), len(clean), int((~is_test).sum()))
    return recall_by_kind(records[is_copy], pairs).rename(name)


def print_false_alarms(name: str, false: int, clean: int, train: int) -> None:
    highest = interval(false, clean)[1]
    most = chi2.ppf(0.95, 2 * (false + 1)) / 2  # one-sided Poisson limit of the number
    print(
        f"{name}: false alarms {false} of {clean} clean test pictures against {train} training "
        f"pictures: {false / clean:.5f}, at most {highest:.5f}; per pair at most "
        f"{most / (clean * train):.2g}",
        flush=True,
    )


def recall_by_kind(copies: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """The share of copies that are found with their original, with its interval, as text."""
    found = set(zip(pairs["id_b"], pairs["id_a"], strict=True))
    wanted = zip(copies["id"], copies["attr_source"], strict=True)
    hits = pd.Series([pair in found for pair in wanted], index=copies["attr_kind"])
    recall = {}
    for kind, part in hits.groupby(level=0, sort=False):
        low, high = interval(int(part.sum()), len(part))
        recall[kind] = f"{part.mean():.3f} [{low:.2f}, {high:.2f}] of {len(part)}"
    return pd.Series(recall)


def save_mixtures(n: int, rng: Rng, folder: Path) -> pd.DataFrame:
    """Records of n different photo-like pictures of 480 x 360: mixtures of two random crops."""
    bases = [photo_like(rng) for _ in range(300)]
    paths = []
    for number in range(n):
        pair = []
        for base in rng.choice(len(bases), 2, replace=False):
            share = rng.uniform(0.2, 0.6)
            part = cropped(bases[base], share, rng)
            pair.append(part.resize((480, 360), Image.Resampling.BILINEAR))
        path = str(folder / f"{number}.jpg")
        mixture = Image.blend(*pair, rng.uniform(0.35, 0.65))
        mixture.save(path, quality=90)
        paths.append(path)
    split = np.where(np.arange(n) % 5 == 0, "test", "train")
    records = pd.DataFrame({"image": paths, "split": split})
    records["id"] = [f"{number:06d}" for number in range(n)]
    return check_records(records.assign(**FACTS))


def measure_time(sizes: Sequence[int], threads: int, seed: int) -> None:
    """Print the time at three sizes, and that for TARGET pictures by a power law."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        records = save_mixtures(max(sizes), np.random.default_rng(seed), Path(folder))
        for size in sizes:
            part = records.iloc[:size].reset_index(drop=True)
            start = time.process_time()
            found = find_duplicates(part)
            seconds.append((time.process_time() - start) / threads)
            print(f"{size} pictures: {seconds[-1]:.1f} s on {threads} cores, {len(found)} pairs")
    exponent, constant = np.polyfit(np.log(sizes), np.log(seconds), 1)
    last_step = np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2])
    expected = np.exp(constant + exponent * np.log(TARGET)) / 60
    larger = max(last_step, exponent)
    longest = seconds[-1] * (TARGET / sizes[-1]) ** larger / 60
    print(
        f"exponent {exponent:.2f} (last step {last_step:.2f}); {TARGET} pictures: {expected:.1f} "
        f"minutes, {longest:.1f} by the larger exponent from the largest size"
    )


def measure_recall(args: argparse.Namespace) -> None:
    """Print recall and false alarms of each kind of pictures."""
    rng = np.random.default_rng(args.seed)
    groups = {}
    if args.scenes:
        scenes, _ = sample_scenes(2 * args.scenes, [args.seed])
        groups["scenes"] = [draw(scene, 64) for scene in scenes]
    if args.photos:
        groups["photo-like"] = [photo_like(rng) for _ in range(2 * args.photos)]
        with tempfile.TemporaryDirectory() as folder:
            found = patches(args.photographs, Path(folder))
        groups["patches"] = [found[number] for number in rng.permutation(len(found))]
    tables = [measure(name, one, args.sources, args.seed) for name, one in groups.items()]
    if tables:
        print(pd.concat(tables, axis=1).to_string())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=5000, help="in each part")
    parser.add_argument("--photos", type=int, default=1000, help="in each part")
    parser.add_argument("--photographs", help="folder of further photographs to cut patches from")
    parser.add_argument("--sources", type=int, default=40, help="pictures that are copied")
    parser.add_argument("--sizes", type=int, nargs="*", default=[2500, 5000, 10000])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    faiss.omp_set_num_threads(args.threads)
    cv2.setNumThreads(1)
    measure_recall(args)
    if args.sizes:
        measure_time(args.sizes, args.threads, args.seed)


if __name__ == "__main__":
    main()
