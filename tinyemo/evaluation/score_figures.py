"""Figures of scores: accuracies and differences with their intervals, confusions and calibration.

Takes the tables of this package and returns matplotlib Figures in the style of tinyemo/plots.py. No
function here computes a result.
"""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinyemo.evaluation.table import COPIED
from tinyemo.plots import (
    ACCENT,
    GREY,
    HUES,
    INK,
    PALE,
    bold_title,
    coloured,
    hues,
    interval_line,
    legend_below,
    name_rows,
    new_figure,
)

# reference lines of accuracies: column -> hue, line style
LIMITS = {"limit": (ACCENT, "-"), "majority": (INK, ":")}


def accuracy_intervals(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy with its interval, one line per row of `table`, grouped by its `label set`.

    Columns: `label set, model, accuracy, low, high`; optional `limit` (the best possible) and
    `majority`, drawn as marks across the group.
    """
    models = list(table["model"].unique())
    groups = table.groupby("label set", sort=False)
    figure, axes = new_figure(6.8, 1.4 + 0.3 * len(table))
    axis = axes[0, 0]
    names = {"limit": "best possible (Bayes)", "majority": "majority class"}
    ticks, y = {}, 0.0
    for group, rows in groups:
        top = y
        for row in rows.to_dict("records"):
            hue = hues(len(models))[models.index(row["model"])]
            interval_line(axis, row["low"], row["high"], y, hue, 2.5)
            axis.plot(row["accuracy"], y, "o", color=hue, ms=6)
            ticks[y] = f"{group}: {row['model']}" if len(groups) > 1 else row["model"]
            y -= 1
        for column, (hue, style) in LIMITS.items():
            if column in rows and rows[column].notna().any():
                x, span = rows[column].iloc[0], [top + 0.4, y + 0.6]
                label = names.pop(column, None)  # one entry of the legend for all groups
                axis.plot([x, x], span, color=hue, ls=style, lw=1.5, label=label)
        y -= 0.6
    axis.set_yticks(list(ticks), list(ticks.values()))
    axis.set(xlabel="accuracy (95 % interval over items)", title=title)
    axis.grid(axis="y", visible=False)
    if "limit" in table or "majority" in table:
        legend_below(figure, ncols=2)
    return figure


def accuracy_by_dataset(long: pd.DataFrame, title: str) -> Figure:
    """Accuracy with its interval, one panel per dataset and one row per run.

    `long` is a table of `table.score_by_dataset`. Grey: trained on the dataset. Hollow:
    the audit's status is not "clean"; the diamond is the accuracy on the clean items. Star:
    significantly best. Lines: majority class and, in an optional column `limit`, the best possible
    (Bayes).
    """
    datasets = long["dataset"].unique()
    runs = list(long["run"].unique())
    columns = min(4, len(datasets))
    lines = math.ceil(len(datasets) / columns)
    panel_height = 0.7 + 0.26 * len(runs)
    width, height = 1.8 + 2.3 * columns, 1.0 + lines * panel_height
    figure, axes = new_figure(width, height, nrows=lines, ncols=columns, sharey=True)
    names = {"majority": "majority class", "limit": "Bayes"}
    handles = {}
    for axis in axes.flat[len(datasets) :]:
        axis.axis("off")
    for axis, dataset in zip(axes.flat, datasets, strict=False):
        rows = long[long["dataset"] == dataset]
        for column, name in names.items():
            if column in rows and rows[column].notna().any():
                hue, style = LIMITS[column]
                handles[name] = axis.axvline(rows[column].iloc[0], color=hue, ls=style, lw=1.5)
        for row in rows.to_dict("records"):
            y = runs.index(row["run"])
            label, hue = ("trained on", GREY) if row["trained_on"] else ("zero-shot", HUES[0])
            handles[label] = interval_line(axis, row["low"], row["high"], y, hue, 2.5)
            marker, size = ("*", 11) if row["best"] else ("o", 4.5)
            inside = hue if row["status"] == "clean" else "white"
            axis.plot(row["accuracy"], y, marker, color=hue, ms=size, mfc=inside)
            if row["status"] in COPIED:
                x = row["clean_accuracy"]
                (diamond,) = axis.plot(x, y, "D", color=ACCENT, ms=4, ls="")
                handles["on the clean items"] = diamond
        axis.set_title(dataset, fontsize=10)
        axis.grid(axis="y", visible=False)
        axis.margins(x=0.12)
    name_rows(axes[0, 0], runs)
    bold_title(figure, title)
    key = "accuracy (95 % interval over items); hollow: not clean; star: significantly best"
    legend_below(figure, handles.values(), handles, ncols=len(handles), title=key)
    return figure


def differences(
    panels: dict[str, pd.DataFrame], title: str, alpha: float, resampled: str = "items"
) -> Figure:
    """Differences to a reference with their intervals, one row per run, one panel per comparison.

    Columns `run, difference, from, to, p_holm` of each panel; filled where p_holm is below `alpha`.
    `resampled` says what the intervals are over.
    """
    runs = list(pd.concat(panels.values())["run"].unique())
    width, height = 3.2 + 3.2 * len(panels), 1.2 + 0.27 * len(runs)
    figure, axes = new_figure(width, height, ncols=len(panels), sharey=True)
    for axis, (question, table) in zip(axes[0], panels.items(), strict=True):
        for row in table.to_dict("records"):
            y = runs.index(row["run"])
            significant = row["p_holm"] < alpha
            hue = HUES[0] if significant else PALE
            inside = hue if significant else "white"
            interval_line(axis, row["from"], row["to"], y, hue, 2.2)
            axis.plot(row["difference"], y, "o", color=hue, ms=5.5, mfc=inside)
        axis.axvline(0, color=INK, lw=1)
        axis.set_title(question)
        axis.grid(axis="y", visible=False)
    figure.supxlabel(f"difference (95 % interval over {resampled})", fontsize=10)
    name_rows(axes[0, 0], runs)
    bold_title(figure, title)
    return figure


def class_intervals(panels: dict[str, tuple[pd.DataFrame, float]], title: str) -> Figure:
    """A score of each class with its interval, one panel per score.

    A panel is a table and the value of chance, drawn as a line. Columns: class, method, value, low,
    high; the methods of a class are drawn one below the other.
    """
    first, _ = next(iter(panels.values()))
    classes = first["class"].unique()
    methods = first["method"].unique()
    class_height = 0.16 + 0.13 * len(methods)
    width, height = 1.4 + 3.6 * len(panels), 1.3 + len(classes) * class_height
    figure, axes = new_figure(width, height, ncols=len(panels), sharey=True)
    places = np.arange(len(classes))
    for axis, (name, (table, chance)) in zip(axes[0], panels.items(), strict=True):
        axis.axvline(chance, color=INK, ls=":", lw=1.5, label="chance")
        for i, (hue, method) in enumerate(coloured(methods)):
            rows = table[table["method"] == method]
            rows = rows.set_index("class").loc[classes]
            y = places + 0.8 * (i + 0.5) / len(methods) - 0.4
            axis.hlines(y, rows["low"], rows["high"], color=hue, lw=2)
            axis.plot(rows["value"], y, "o", color=hue, ms=4.5, label=method)
        axis.set_title(name)
        axis.grid(axis="y", visible=False)
    name_rows(axes[0, 0], classes)
    bold_title(figure, title)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    legend_below(figure, handles, labels, ncols=3)
    return figure


def recall_bars(tables: dict[str, pd.DataFrame], title: str) -> Figure:
    """Recall of each class with its interval, one group of bars per class, one bar per model.

    The tables are those of `classification.class_metrics`.
    """
    first = next(iter(tables.values()))
    order = first["recall"].sort_values(ascending=True).index
    places = np.arange(len(order))
    figure, axes = new_figure(6.4, 1.5 + 0.32 * len(order))
    axis = axes[0, 0]
    height = 0.8 / len(tables)
    for i, (hue, (name, table)) in enumerate(coloured(tables.items())):
        offset = 0.4 - height * (i + 0.5)
        rows = table.loc[order]
        axis.barh(places + offset, rows["recall"], height, color=hue, label=name)
        limits = rows["recall_low"], rows["recall_high"]
        axis.hlines(places + offset, *limits, color=INK, lw=1)
    names = [f"{label} ({first.loc[label, 'items']:.0f})" for label in order]
    axis.set_yticks(range(len(order)), names)
    axis.set(xlim=(0, 1), xlabel="recall", title=title)
    axis.grid(axis="y", visible=False)
    legend_below(figure, ncols=len(tables))
    return figure


def confusion_heatmap(counts: pd.DataFrame, title: str) -> Figure:
    """Row-normalised confusion matrix of (C, C) counts, with numbers in the cells if C <= 10."""
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    c = len(counts)
    side = 2.2 + 0.42 * c if c <= 10 else 2.4 + 0.27 * c
    figure, axes = new_figure(side + 0.9, side)
    axis = axes[0, 0]
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    rotation, alignment = (90, "center") if c > 8 else (40, "right")
    axis.set_xticks(range(c), counts.columns, rotation=rotation, ha=alignment)
    axis.set_yticks(range(c), counts.index)
    axis.grid(False)
    if c <= 10:
        for (i, j), share in np.ndenumerate(shares.to_numpy()):
            if share >= 0.005:
                text = f"{share:.2f}".lstrip("0")
                colour = "white" if share > 0.55 else INK
                axis.text(j, i, text, ha="center", va="center", fontsize=8, color=colour)
    axis.set(xlabel="predicted", ylabel="true", title=title)
    figure.colorbar(image, ax=axis, shrink=0.8, label="share of the true class")
    return figure


def reliability_diagram(curves: dict[str, pd.DataFrame], title: str) -> Figure:
    """Accuracy against confidence, one line per model; the diagonal is perfect calibration."""
    figure, axes = new_figure(4.8, 4.2)
    axis = axes[0, 0]
    axis.plot([0, 1], [0, 1], color=INK, lw=1, ls=":", label="perfectly calibrated")
    for hue, (name, curve) in coloured(curves.items()):
        x, y = curve["confidence"], curve["accuracy"]
        axis.plot(x, y, color=hue, lw=1.5, marker="o", ms=4, label=name)
    axis.set(title=title, xlim=(0, 1.02), ylim=(0, 1.02))
    axis.set(xlabel="confidence (probability of the predicted label)", ylabel="accuracy")
    axis.legend(loc="upper left", frameon=False)
    return figure


def risk_coverage(curves: dict[str, pd.DataFrame], title: str) -> Figure:
    """Share of errors among the answered items against the share of items answered.

    One line per model, from columns `coverage, risk, oracle` of its curve; the oracle's line is
    dotted in the model's hue.
    """
    figure, axes = new_figure(5.6, 4.0)
    axis = axes[0, 0]
    for hue, (name, curve) in coloured(curves.items()):
        shown = curve[curve["coverage"] >= 0.05]  # the share of errors among few items is noisy
        axis.plot(shown["coverage"], shown["risk"], color=hue, lw=1.6, label=name)
        axis.plot(shown["coverage"], shown["oracle"], color=hue, lw=1, ls=":")
    axis.plot([], [], color=INK, lw=1, ls=":", label="oracle: leaves out the errors first")
    axis.set(title=title, xlim=(0, 1.01), ylim=(0, None))
    axis.set(
        xlabel="share of items answered, most confident first", ylabel="share of errors among them"
    )
    axis.legend(loc="upper left", frameon=False)
    return figure
