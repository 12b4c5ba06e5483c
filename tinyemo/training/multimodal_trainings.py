"""Several trainings of one multimodal LM: a setting chosen on validation, then one model per seed.

Takes jobs that differ only in their seed and in the model that they start from; gives a table of
all trainings, and the folders of the models. Two models that are compared fairly are both trained
by this function, with the same settings to choose from.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd

from tinyemo.training.multimodal_job import STAGES, Job, launch

COLUMNS = [
    "training",
    "learning rate",
    "epochs",
    "chosen",
    "steps",
    "items seen",
    "seconds",
    "validation loss",
    "model",
]


def fit_trainings(
    jobs: Sequence[Job],
    stage: str,
    learning_rates: Sequence[float] = (0.0,),
    epochs: Sequence[int] = (0,),
    processes: int = 1,
) -> pd.DataFrame:
    """Train one stage of each job; one row per training, those that were not chosen too.

    The settings are all pairs of a learning rate and a number of epochs (0: the preset's). The
    first job is trained with each of them. The setting with the lowest validation loss is chosen,
    and the other jobs are trained with it. So jobs x 1 + settings - 1 trainings are made. The test
    part is not used.

    Columns:

        training          position of the job
        learning rate     peak of the optimiser
        epochs            passes over the training items
        chosen            False: it was trained only to choose the setting
        steps             optimiser steps
        items seen        steps times the batch size
        seconds           of training
        validation loss   lowest of the training, in nats per token
        model             folder of the model: <job.out>/<setting>/training-<i>/model

    A training that was killed continues, a finished one is read back. ValueError: no job, a stage
    that is none of STAGES, or several settings without validation items.
    """
    if not jobs or stage not in STAGES:
        raise ValueError(
            f"{len(jobs)} jobs of stage {stage!r}: expected at least one, of {' or '.join(STAGES)}"
        )
    settings = list(product(learning_rates, epochs))
    if len(settings) > 1 and not getattr(jobs[0], f"{stage}_validation"):
        raise ValueError(
            f"{stage}: {len(settings)} settings to choose from and no validation file, expected one"
        )
    rows = [_fit(jobs[0], 0, stage, setting, processes) for setting in settings]
    losses = [row["validation loss"] for row in rows]
    best = losses.index(min(losses)) if len(settings) > 1 else 0
    for i, row in enumerate(rows):
        row["chosen"] = i == best
    for i, job in enumerate(jobs[1:], start=1):
        rows.append(_fit(job, i, stage, settings[best], processes))
    return pd.DataFrame(rows, columns=COLUMNS)


def _fit(
    job: Job, training: int, stage: str, setting: tuple[float, int], processes: int
) -> dict[str, object]:
    """One training, as a row of the table."""
    lr, epochs = setting
    changes = dict(getattr(job, stage))
    if lr:
        changes["lr"] = lr
    if epochs:
        changes["epochs"] = epochs
    job = replace(job, **{stage: changes})
    recipe = job.recipes()[STAGES.index(stage)]
    folder = Path(job.out, f"lr-{recipe.lr:g}-epochs-{recipe.epochs}", f"training-{training}")
    launch(replace(job, out=str(folder)), processes)
    history = pd.read_csv(folder / stage / "history.csv")
    values = [training, recipe.lr, recipe.epochs, True, len(history)]
    values += [len(history) * recipe.batch, history["seconds"].iloc[-1]]
    values += [history["validation_loss"].min(), str(folder / "model")]
    return dict(zip(COLUMNS, values, strict=True))
