"""How much faster the published recipe trains here than in a plain loop over `.pt` files.

    python benchmarks/projector.py [--features-root FOLDER] [--anchors CHECKPOINT | --width 384]
                                   [--repeats 5]

Both ways train the same projector with the same loss, optimiser, schedule, batch size and number of
epochs on the same items. The plain loop reads one file per item through a DataLoader with two
workers, in every epoch. Ours reads the feature store, which was imported once (that time is shown
too), and indexes tensors; opening and reading the store is included in its time. The two take
turns, the first turn of each is not counted, and the medians are compared. Both compute on one
thread. Ours always does so, and on few cores it helps the plain loop, whose threads would compete
with its workers. Without FOLDER (in TinyEmo's layout) features are drawn at random, without
CHECKPOINT the anchors.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tinyemo.emotions import labels_of
from tinyemo.features.pt_trees import import_pt_tree
from tinyemo.features.store import FeatureStore
from tinyemo.losses import LOSSES
from tinyemo.models.anchors import load_anchors
from tinyemo.models.projector import MetricProjector
from tinyemo.training.projector import PRESETS, Recipe, fit_projector

WORDS = labels_of("ekman")


class Files(Dataset):
    """One `.pt` file per item, read at every access."""

    def __init__(self, folder: Path):
        self.items = [
            (path, WORDS.index(path.parent.name)) for path in sorted(folder.glob("*/*.pt"))
        ]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        path, label = self.items[i]
        return torch.load(path, weights_only=True).float(), label


def plain_loop(folder: Path, anchors: Tensor, recipe: Recipe) -> MetricProjector:
    torch.manual_seed(0)
    loader = DataLoader(
        Files(folder), recipe.batch_size, shuffle=True, drop_last=True, num_workers=2
    )
    projector = MetricProjector(768, anchors.shape[1], recipe.dropout)
    optimizer = torch.optim.AdamW(projector.parameters(), lr=2e-5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=recipe.peak_lr,
        total_steps=recipe.epochs * len(loader),
        pct_start=recipe.warmup,
    )
    for _ in range(recipe.epochs):
        for x, y in loader:
            loss = LOSSES[recipe.loss](projector(x), y, anchors[y], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss.item()  # a plain loop logs it
    return projector.eval()


def ours(
    store: Path, ids: list[str], y: Tensor, anchors: Tensor, recipe: Recipe
) -> MetricProjector:
    return fit_projector(FeatureStore.open(store).rows(ids), y, anchors, recipe, seed=0)[0]


def draw_tree(root: Path, items: int = 970) -> Path:
    """Random features around one direction per class, in TinyEmo's layout."""
    draw = torch.Generator().manual_seed(0)
    directions = torch.randn(len(WORDS), 768, generator=draw)
    for i in range(items):
        path = (
            root / "Emotion6" / "Emotion6" / "images" / "train" / WORDS[i % len(WORDS)] / f"{i}.pt"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        feature = 0.1 * directions[i % len(WORDS)] + 0.5 * torch.randn(768, generator=draw)
        torch.save(feature.half(), path)
    return root


def seconds(function, *args) -> tuple[float, MetricProjector]:
    start = time.perf_counter()
    projector = function(*args)
    return time.perf_counter() - start, projector


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--features-root", type=Path, help="features in TinyEmo's layout; default: drawn"
    )
    parser.add_argument("--anchors", help="checkpoint of the anchors; default: random ones")
    parser.add_argument(
        "--width", type=int, default=384, help="of random anchors; OpenELM-270M has 1280"
    )
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root = args.features_root or draw_tree(Path(temporary) / "tree")
        train_folder = root / "Emotion6" / "Emotion6" / "images" / "train"
        start = time.perf_counter()
        records, store = import_pt_tree(root, Path(temporary) / "store")
        imported = time.perf_counter() - start
        train = records[(records["split"] == "train") & (records["dataset"] == "Emotion6")]
        ids, y = list(train["id"]), torch.tensor([WORDS.index(label) for label in train["label"]])
        random = torch.randn(len(WORDS), args.width, generator=torch.Generator().manual_seed(0))
        anchors = F.normalize(load_anchors(args.anchors, WORDS) if args.anchors else random, dim=1)
        x = store.rows(ids)
        print(f"{len(ids)} items, anchors {anchors.shape[1]} wide; ", end="")
        print(f"import of {len(records)} files, once: {imported:.2f} s")
        print("loss               plain loop   ours     ratio   training accuracy (plain, ours)")
        for loss in ("cosine_embedding", "nt_xent", "info_nce"):
            recipe = replace(PRESETS["published"], loss=loss)
            times: dict[str, list[float]] = {"plain": [], "ours": []}
            for repeat in range(args.repeats + 1):
                plain_time, plain = seconds(plain_loop, train_folder, anchors, recipe)
                our_time, our = seconds(ours, store.folder, ids, y, anchors, recipe)
                if repeat:
                    times["plain"].append(plain_time)
                    times["ours"].append(our_time)
            medians = {name: statistics.median(values) for name, values in times.items()}
            accuracies = [
                (p.classify(x, anchors).argmax(dim=1) == y).float().mean() for p in (plain, our)
            ]
            ratio = medians["plain"] / medians["ours"]
            print(
                f"{loss:18s} {medians['plain']:7.2f} s {medians['ours']:7.2f} s   "
                f"{ratio:5.1f}x   {accuracies[0]:.3f}, {accuracies[1]:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
