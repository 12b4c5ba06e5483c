"""Figures of a study of conversations, from the tables of evaluation/conversation_tables.py."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinyemo.plots import (
    ACCENT,
    HUES,
    INK,
    bold_title,
    interval_line,
    legend_below,
    name_rows,
    new_figure,
)

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
    width, height = 2.6 + 2.9 * len(scores), 1.3 + 0.3 * len(table)
    figure, axes = new_figure(width, height, ncols=len(scores), sharey=True)
    for axis, score in zip(axes[0], scores, strict=True):
        for y, row in enumerate(table.to_dict("records")):
            interval_line(axis, row[f"{score}_low"], row[f"{score}_high"], y, HUES[0])
            axis.plot(row[score], y, "o", color=HUES[0], ms=5.5)
            if limits and score == "uar" and row["run"] in limits:
                axis.plot(limits[row["run"]], y, "|", color=ACCENT, ms=14, mew=2.5)
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
    frequent = turns[[f"p_{label}" for label in labels]].mean().sort_values(ascending=False)
    chosen = [name.removeprefix("p_") for name in frequent.index[:shown]]
    speakers = list(dict.fromkeys(turns["speaker"]))
    figure, axes = new_figure(8.6, 1.0 + 1.9 * len(speakers), nrows=len(speakers), sharex=True)
    place = np.arange(len(turns))
    for axis, speaker in zip(axes[:, 0], speakers, strict=True):
        own = (turns["speaker"] == speaker).to_numpy()
        for hue, label in zip(HUES, chosen, strict=False):
            p = turns[f"p_{label}"].to_numpy()
            axis.plot(place[own], p[own], "o-", color=hue, ms=4, lw=1.3, label=label)
            is_true = own & (turns["label"] == label).to_numpy()
            axis.plot(place[is_true], np.full(is_true.sum(), 1.06), "s", color=hue, ms=5)
        axis.set(ylim=(-0.03, 1.14), ylabel=f"speaker {speakers.index(speaker) + 1}")
    axes[-1, 0].set_xlabel("turn; lines: probability, squares at the top: the annotators' label")
    bold_title(figure, title)
    handles, names = axes[0, 0].get_legend_handles_labels()
    legend_below(figure, handles, names, ncols=len(chosen))
    return figure
