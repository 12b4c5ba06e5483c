"""Figures of a study of conversations, from the tables of evaluation/conversation_tables.py."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinyemo.plots import (
    ACCENT,
    HUES,
    INK,
    bold_title,
    coloured,
    interval_line,
    legend_below,
    name_rows,
    new_figure,
)

LABEL_HEIGHT = 1.06  # of the squares that show true labels, above all probabilities
SCORE_NAMES = {
    "uar": "UAR (mean recall of the emotions)",
    "weighted_f1": "weighted F1",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
}


def score_intervals(
    table: pd.DataFrame,
    title: str,
    scores: Sequence[str] = ("uar", "weighted_f1"),
    limits: Mapping[str, float] | None = None,
) -> Figure:
    """One row per run, one panel per score, with intervals over dialogues.

    `table` is of `run_table`. `limits`: run -> the best possible UAR, drawn as a mark in its row.
    """
    limits = limits or {}
    width, height = 2.6 + 2.9 * len(scores), 1.3 + 0.3 * len(table)
    figure, axes = new_figure(width, height, ncols=len(scores), sharey=True)
    for axis, score in zip(axes[0], scores, strict=True):
        for y, row in enumerate(table.to_dict("records")):
            low, high = row[f"{score}_low"], row[f"{score}_high"]
            interval_line(axis, low, high, y, HUES[0])
            axis.plot(row[score], y, "o", color=HUES[0], ms=5.5)
            best = limits.get(row["run"]) if score == "uar" else None
            if best is not None:
                axis.plot(best, y, "|", color=ACCENT, ms=14, mew=2.5)
        axis.set(xlabel=SCORE_NAMES[score])
        axis.grid(axis="y", visible=False)
    name_rows(axes[0, 0], table["run"].tolist())
    bold_title(figure, title)
    key = "lines: 95 % intervals over dialogues"
    if limits:
        key += "; red marks: the best that any model can reach"
    figure.supxlabel(key, fontsize=9)
    return figure


def score_matrix(table: pd.DataFrame, title: str, rows: str, columns: str) -> Figure:
    """A table of scores as a heat map with numbers; `rows` and `columns` name the axes."""
    width, height = 3.4 + 0.85 * table.shape[1], 1.6 + 0.38 * table.shape[0]
    figure, axes = new_figure(width, height)
    axis = axes[0, 0]
    values = table.to_numpy(dtype=float)
    axis.imshow(values, cmap="Blues", aspect="auto")
    axis.set_xticks(range(table.shape[1]), table.columns, rotation=30, ha="right")
    axis.set_yticks(range(table.shape[0]), table.index)
    axis.grid(False)
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if value > middle else INK
        axis.text(j, i, f"{value:.3f}", ha="center", va="center", fontsize=9, color=colour)
    axis.set(xlabel=columns, ylabel=rows, title=title)
    return figure


def emotion_over_turns(
    turns: pd.DataFrame, labels: Sequence[str], title: str, shown: int = 3
) -> Figure:
    """How probable the model finds the emotions of a dialogue, turn by turn.

    `turns` has one row per turn with the columns speaker, label ("" if unknown) and p_<label>. A
    line is drawn for each of the `shown` most frequent labels; marks above are the true labels.
    """
    columns = [f"p_{label}" for label in labels]
    means = turns[columns].mean().sort_values(ascending=False)
    chosen = [name.removeprefix("p_") for name in means.index[:shown]]
    turns = turns.assign(place=range(len(turns)))
    speakers = turns["speaker"].unique()
    height = 1.0 + 1.9 * len(speakers)
    figure, axes = new_figure(8.6, height, nrows=len(speakers), sharex=True)
    for number, speaker in enumerate(speakers):
        axis = axes[number, 0]
        own = turns[turns["speaker"] == speaker]
        _draw_emotions(axis, own, chosen)
        axis.set(ylim=(-0.03, 1.14), ylabel=f"speaker {number + 1}")
    key = (
        "turn; lines: probability, squares at the top: the annotators' label, if it is one of these"
    )
    axes[-1, 0].set_xlabel(key)
    axes[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
    bold_title(figure, title)
    handles, names = axes[0, 0].get_legend_handles_labels()
    legend_below(figure, handles, names, ncols=len(chosen))
    return figure


def _draw_emotions(axis: Axes, turns: pd.DataFrame, labels: Sequence[str]) -> None:
    """The probabilities of a speaker's turns as lines, and the true labels as squares."""
    for hue, label in coloured(labels):
        axis.plot(turns["place"], turns[f"p_{label}"], "o-", color=hue, ms=4, lw=1.3, label=label)
        true = turns["place"][turns["label"] == label]
        axis.plot(true, [LABEL_HEIGHT] * len(true), "s", color=hue, ms=5)


def subset_scores(table: pd.DataFrame, title: str) -> Figure:
    """UAR of each subset of streams, of two models; `table` is of `stream_table`."""
    figure, axes = new_figure(7.2, 1.5 + 0.38 * len(table))
    axis = axes[0, 0]
    names = {"own": "a model for this subset", "dropout": "one model with modality dropout"}
    for hue, (column, name) in coloured(names.items()):
        shift = -0.15 if column == "own" else 0.15
        for y, row in enumerate(table.to_dict("records")):
            low, high = row[f"{column}_uar_low"], row[f"{column}_uar_high"]
            interval_line(axis, low, high, y + shift, hue, 2.2)
        axis.plot(table[f"{column}_uar"], np.arange(len(table)) + shift, "o", color=hue, label=name)
    axis.set(xlabel="UAR; lines: 95 % intervals over dialogues", title=title)
    axis.grid(axis="y", visible=False)
    name_rows(axis, table["streams"].tolist())
    legend_below(figure, ncols=2)
    return figure


def study_figure(name: str, table: pd.DataFrame) -> Figure:
    """The figure of one study, from its first table (see `study_tables`)."""
    if name == "prompts":
        matrix = table.set_index("trained on")
        return score_matrix(matrix, "UAR by prompt", "trained on", "tested with")
    if name == "streams":
        return subset_scores(table, "How much does each stream contribute?")
    return score_intervals(table, name)
