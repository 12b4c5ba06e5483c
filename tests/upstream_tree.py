"""Features in TinyEmo's layout: one `.pt` file per image."""

from pathlib import Path

import torch

from tinyemo.emotions import LABEL_SETS


def save_tree(top: Path, label_set: str, train: int = 4, test: int = 2) -> dict[str, torch.Tensor]:
    """Upstream's layout under `top`, validation = test; gives {path under top: feature}."""
    features = {}
    for label in LABEL_SETS[label_set]:
        for split, count in (("train", train), ("test", test)):
            for stem in range(count):
                features[f"{split}/{label}/{stem}"] = torch.randn(8).half()
        features |= {
            f"validation/{label}/{stem}": features[f"test/{label}/{stem}"] for stem in range(test)
        }
    for name, feature in features.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(feature, top / f"{name}.pt")
    return features
