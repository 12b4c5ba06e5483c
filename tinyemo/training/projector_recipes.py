"""Recipes for training a metric projector: TinyEmo's published one, and ours.

Ours were chosen within training parts and on validation items; benchmarks/README.md shows how.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a projector is trained. The defaults are the tuned recipe."""

    loss: str = "cross_entropy"  # a key of tinyemo.losses.LOSSES
    # of the loss, if it has one, and of the projector; None: the default of the loss
    temperature: float | None = 0.2
    # True: compare with the anchors of the batch's items (TinyEmo); False: with each anchor once
    batch_anchors: bool = False
    epochs: int = 12  # passes over the training items, at most
    batch_size: int = 64  # items per step; the last batch is left out if it is smaller
    peak_lr: float = 1e-3  # of AdamW with OneCycleLR, which starts at 1/25 of it
    warmup: float = 0.1  # share of the steps in which the learning rate rises
    weight_decay: float = 1e-2  # of AdamW
    input_dropout: float = 0.5  # of the centred features, in training
    dropout: float = 0.5  # before the last layer
    # training stops after so many epochs without a lower validation loss; None: no selection
    patience: int | None = 3
    # The first epoch that can be selected. Before it the learning rate is high, and which epoch has
    # the lowest loss is chance.
    min_epochs: int = 6
    # how often a synonym replaces a word in training, for tasks with synonyms
    synonym_share: float = 0.0
    layers: int = 2  # of the projector
    # True: train again on training and validation items, for the selected number of epochs
    refit: bool = True


PRESETS: dict[str, Recipe] = {
    "tuned": Recipe(),
    # for thousands of items with label distributions, as in EmoScenes: less regularisation is
    # needed, and there is more to learn
    "votes": Recipe(
        loss="soft_label_kl", temperature=0.1, input_dropout=0.0, dropout=0.2, epochs=20
    ),
    # for several datasets with different label sets, with label distributions or single labels
    # (benchmarks/joint.py)
    "joint": Recipe(
        loss="soft_label_kl", temperature=0.1, input_dropout=0.1, dropout=0.4, epochs=20
    ),
    # for many trainings that are compared with each other (tinyemo.bias): no selection, no refit
    "quick": Recipe(
        epochs=10, batch_size=128, input_dropout=0.1, dropout=0.3, patience=None, refit=False
    ),
    "published": Recipe(
        loss="cosine_embedding",
        temperature=None,
        batch_anchors=True,
        epochs=5,
        batch_size=32,
        peak_lr=5e-4,
        warmup=0.005,
        input_dropout=0.0,
        dropout=0.2,
        patience=None,
        refit=False,
    ),
}
