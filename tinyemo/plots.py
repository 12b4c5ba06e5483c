"""Figures: functions that take tables and arrays and return a matplotlib Figure, in one style.

Owns the look and nothing else: no function here computes a result, loads a file or saves one. A notebook
shows the figure and its run saves it, so a change of colour retrains nothing.
"""

import math
import textwrap
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image
from sklearn.decomposition import PCA

STYLE = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
}
INK, ACCENT, PALE = "#22313f", "#c8553d", "#9fb4c7"
# Hues that stay apart for colour-blind readers (Okabe and Ito 2008), then Paul Tol's "muted" ones
HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#332288", "#999933")


class Picture(Figure):
    """A figure that a notebook shows as an image, without pyplot and its list of open figures."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


def _figure(width: float, height: float, **grid) -> tuple[Figure, np.ndarray]:
    with rc_context(STYLE):
        figure = Picture(figsize=(width, height), layout="constrained")
        axes = figure.subplots(squeeze=False, **grid)
    return figure, axes


def image_grid(images: Sequence[Image.Image], titles: Sequence[str], columns: int = 6) -> Figure:
    """Images in rows of `columns`, a short title over each."""
    rows = math.ceil(len(images) / columns)
    figure, axes = _figure(1.9 * columns, 2.25 * rows, nrows=rows, ncols=columns)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image)
        axis.set_title(title, fontsize=8, fontweight="normal", color=INK)
    return figure


def answer(image: Image.Image, probabilities: dict[str, float], truth: str) -> Figure:
    """One image beside the probabilities that a model gives its labels; the true label is marked."""
    figure, axes = _figure(6.8, 2.9, ncols=2, width_ratios=[1, 1.5])
    picture, bars = axes[0]
    picture.imshow(image)
    picture.axis("off")
    names = sorted(probabilities, key=probabilities.get)
    colours = [ACCENT if name == truth else PALE for name in names]
    bars.barh(names, [probabilities[name] for name in names], color=colours)
    bars.set(xlim=(0, 1), xlabel="probability", title=f"annotator: {truth}")
    bars.grid(axis="y", visible=False)
    return figure


def learning_curves(
    history: pd.DataFrame, x: str, lines: Sequence[str], ylabel: str, title: str
) -> Figure:
    """One line a column of `lines` against column `x`; several seeds (column `seed`) as thin lines."""
    figure, axes = _figure(6.4, 3.6)
    axis = axes[0, 0]
    groups = [one for _, one in history.groupby("seed")] if "seed" in history else [history]
    for hue, line in zip(HUES, lines, strict=False):
        for i, one in enumerate(groups):
            axis.plot(
                one[x],
                one[line],
                color=hue,
                lw=1.5 if len(groups) == 1 else 1.0,
                alpha=0.85,
                label=line.replace("_", " ") if i == 0 else None,
            )
    axis.set(xlabel=x, ylabel=ylabel, title=title)
    axis.legend(frameon=False)
    return figure


def confusion_heatmap(counts: pd.DataFrame, title: str) -> Figure:
    """Row-normalised confusion matrix of (C, C) counts; shares are written in while they fit."""
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    c = len(counts)
    side = 2.2 + 0.42 * c if c <= 10 else 2.4 + 0.27 * c
    figure, axes = _figure(side + 0.9, side)
    axis = axes[0, 0]
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(
        range(c), counts.columns, rotation=90 if c > 8 else 40, ha="center" if c > 8 else "right"
    )
    axis.set_yticks(range(c), counts.index)
    axis.grid(False)
    if c <= 10:
        for (i, j), share in np.ndenumerate(shares.to_numpy()):
            if share >= 0.005:
                axis.text(
                    j,
                    i,
                    f"{share:.2f}".lstrip("0"),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if share > 0.55 else INK,
                )
    axis.set(xlabel="predicted", ylabel="true", title=title)
    figure.colorbar(image, ax=axis, shrink=0.8, label="share of the true class")
    return figure


def reliability_diagram(curves: dict[str, pd.DataFrame], title: str) -> Figure:
    """Accuracy against confidence, one line a model; the diagonal is perfect calibration."""
    figure, axes = _figure(4.8, 4.2)
    axis = axes[0, 0]
    axis.plot([0, 1], [0, 1], color=INK, lw=1, ls=":", label="perfectly calibrated")
    for hue, (name, curve) in zip(HUES, curves.items(), strict=False):
        axis.plot(
            curve["confidence"], curve["accuracy"], color=hue, lw=1.5, marker="o", ms=4, label=name
        )
    axis.set(
        xlabel="confidence (probability of the named label)",
        ylabel="accuracy",
        title=title,
        xlim=(0, 1.02),
        ylim=(0, 1.02),
    )
    axis.legend(loc="upper left", frameon=False)
    return figure


def risk_coverage(curves: dict[str, pd.DataFrame], title: str) -> Figure:
    """Share of errors among the answers given against the share of items answered, one line a model.

    Columns `coverage, risk, oracle` of each curve; the oracle's line is dotted in the model's hue.
    """
    figure, axes = _figure(5.6, 4.0)
    axis = axes[0, 0]
    for hue, (name, curve) in zip(HUES, curves.items(), strict=False):
        shown = curve[curve["coverage"] >= 0.05]  # the share of errors among a handful jumps
        axis.plot(shown["coverage"], shown["risk"], color=hue, lw=1.6, label=name)
        axis.plot(shown["coverage"], shown["oracle"], color=hue, lw=1, ls=":")
    axis.plot([], [], color=INK, lw=1, ls=":", label="an oracle that knows the errors")
    axis.set(
        xlabel="share of items answered, surest first",
        ylabel="share of errors among them",
        title=title,
        xlim=(0, 1.01),
        ylim=(0, None),
    )
    axis.legend(loc="upper left", frameon=False)
    return figure


def recall_bars(tables: dict[str, pd.DataFrame], title: str) -> Figure:
    """Recall of each class (index of the tables), one group of bars a model."""
    first = next(iter(tables.values()))
    order = first["recall"].sort_values(ascending=True).index
    figure, axes = _figure(6.4, 1.5 + 0.32 * len(order))
    axis = axes[0, 0]
    height = 0.8 / len(tables)
    for i, (hue, (name, table)) in enumerate(zip(HUES, tables.items(), strict=False)):
        offset = 0.4 - height * (i + 0.5)
        axis.barh(
            np.arange(len(order)) + offset,
            table.loc[order, "recall"],
            height,
            color=hue,
            label=name,
        )
    axis.set_yticks(
        range(len(order)), [f"{label} ({first.loc[label, 'items']:.0f})" for label in order]
    )
    axis.set(xlim=(0, 1), xlabel="recall", title=title)
    axis.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=len(tables), frameon=False)
    return figure


def accuracy_intervals(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy with its interval, one row a line of `table`, grouped by its `label set`.

    Columns: `label set, model, accuracy, low, high`; optional `limit` (the best possible) and `majority`,
    drawn as marks across the group.
    """
    groups = list(dict.fromkeys(table["label set"]))
    models = list(dict.fromkeys(table["model"]))
    figure, axes = _figure(6.8, 1.4 + 0.3 * len(table))
    axis, ticks, y = axes[0, 0], [], 0.0
    for group in groups:
        rows = table[table["label set"] == group]
        top = y
        for row in rows.to_dict("records"):
            hue = HUES[models.index(row["model"])]
            axis.plot([row["low"], row["high"]], [y, y], color=hue, lw=2.5, solid_capstyle="butt")
            axis.plot(row["accuracy"], y, "o", color=hue, ms=6)
            ticks.append((y, f"{group}: {row['model']}" if len(groups) > 1 else row["model"]))
            y -= 1
        for column, hue, style in (("limit", ACCENT, "-"), ("majority", INK, ":")):
            if column in rows and rows[column].notna().any():
                label = {"limit": "best possible (Bayes)", "majority": "majority class"}[column]
                axis.plot(
                    [rows[column].iloc[0]] * 2,
                    [top + 0.4, y + 0.6],
                    color=hue,
                    ls=style,
                    lw=1.5,
                    label=label if group == groups[0] else None,
                )
        y -= 0.6
    axis.set_yticks([t for t, _ in ticks], [name for _, name in ticks])
    axis.set(xlabel="accuracy (95 % interval over items)", title=title)
    axis.grid(axis="y", visible=False)
    if "limit" in table or "majority" in table:
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def embedding_map(
    embeddings: np.ndarray, labels: Sequence[str], anchors: dict[str, np.ndarray], title: str
) -> Figure:
    """Two principal axes of the (N, D) embeddings' directions, coloured by label, with the anchors as stars.

    The plane is fitted to the label anchors' and class means' directions: it is a shadow of a space of many
    dimensions, so what lies apart here is apart, but what overlaps need not be close.
    """
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    stars = np.stack([a / np.linalg.norm(a) for a in anchors.values()])
    labels = np.asarray(labels)
    means = np.stack([unit[labels == name].mean(0) for name in anchors if (labels == name).any()])
    plane = PCA(2).fit(means)
    figure, axes = _figure(6.6, 5.2)
    axis = axes[0, 0]
    for i, name in enumerate(anchors):
        hue = HUES[i % len(HUES)]
        xy = plane.transform(unit[labels == name]) if (labels == name).any() else np.empty((0, 2))
        axis.scatter(xy[:, 0], xy[:, 1], s=9, color=hue, alpha=0.45, linewidths=0)
        x, y = plane.transform(stars[i : i + 1])[0]
        axis.scatter(x, y, s=190, marker="*", color=hue, edgecolors=INK, linewidths=0.8, zorder=3)
        axis.annotate(
            name,
            (x, y),
            xytext=(8, 6),
            textcoords="offset points",
            color=INK,
            fontweight="bold",
            fontsize=9,
            zorder=4,
        )
    axis.set(
        xlabel=f"principal axis 1 ({plane.explained_variance_ratio_[0]:.0%} of class means)",
        ylabel=f"principal axis 2 ({plane.explained_variance_ratio_[1]:.0%})",
        title=title,
    )
    return figure


def nearest_images(rows: dict[str, list[tuple[Image.Image, str, bool]]], title: str) -> Figure:
    """For each anchor (a row) the images whose embeddings lie nearest: image, true label, whether it agrees."""
    columns = max(len(items) for items in rows.values())
    figure, axes = _figure(
        1.45 * columns + 1.1, 1.65 * len(rows) + 0.4, nrows=len(rows), ncols=columns
    )
    for line, (name, items) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold", color=INK)
        for axis, (image, label, agrees) in zip(line, items, strict=False):
            axis.imshow(image)
            axis.set_title(
                label, fontsize=8, fontweight="normal", color=INK if agrees else ACCENT, pad=2
            )
            for side in axis.spines.values():
                side.set(
                    visible=True, color=PALE if agrees else ACCENT, linewidth=1 if agrees else 2
                )
    figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def accuracy_by_dataset(long: pd.DataFrame, title: str) -> Figure:
    """A panel a dataset, a row a run: accuracy with its interval, as `evaluation.table.score_by_dataset` gives them.

    Grey: trained on the dataset. Hollow: the audit could not call the number clean; the diamond is the accuracy on
    the clean rest. Star: significantly best. Lines: majority class and, in an optional column `limit`, Bayes.
    """
    datasets, runs = list(dict.fromkeys(long["dataset"])), list(dict.fromkeys(long["run"]))
    columns = min(4, len(datasets))
    lines = math.ceil(len(datasets) / columns)
    figure, axes = _figure(
        1.8 + 2.3 * columns,
        1.0 + lines * (0.7 + 0.26 * len(runs)),
        nrows=lines,
        ncols=columns,
        sharey=True,
    )
    handles = {}
    for axis in axes.flat[len(datasets) :]:
        axis.axis("off")
    for axis, dataset in zip(axes.flat, datasets, strict=False):
        rows = long[long["dataset"] == dataset]
        for column, hue, style, label in (
            ("majority", INK, ":", "majority class"),
            ("limit", ACCENT, "-", "Bayes"),
        ):
            if column in rows and rows[column].notna().any():
                handles[label] = axis.axvline(rows[column].iloc[0], color=hue, ls=style, lw=1.5)
        for row in rows.to_dict("records"):
            label, hue = ("trained on", "#8c8c8c") if row["trained_on"] else ("zero-shot", HUES[0])
            y = runs.index(row["run"])
            (handles[label],) = axis.plot(
                [row["low"], row["high"]], [y, y], color=hue, lw=2.5, solid_capstyle="butt"
            )
            axis.plot(
                row["accuracy"],
                y,
                "*" if row["best"] else "o",
                color=hue,
                ms=11 if row["best"] else 4.5,
                mfc=hue if row["verdict"] == "clean" else "white",
            )
            if row["verdict"] == "contaminated":
                (handles["on the clean rest"],) = axis.plot(
                    row["clean_accuracy"], y, "D", color=ACCENT, ms=4, ls=""
                )
        axis.set_title(dataset, fontsize=10)
        axis.grid(axis="y", visible=False)
        axis.margins(x=0.12)
    axes[0, 0].set_yticks(range(len(runs)), runs)
    axes[0, 0].set_ylim(len(runs) - 0.5, -0.5)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    figure.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        title="accuracy (95 % interval over items); hollow: not clean; star: significantly best",
    )
    return figure


def differences(panels: dict[str, pd.DataFrame], title: str, alpha: float) -> Figure:
    """A forest plot: differences to a reference with their intervals, a row a run, a panel a question.

    Columns `run, difference, from, to, p_holm` of each panel; filled where p_holm is under `alpha`.
    """
    runs = list(dict.fromkeys(name for table in panels.values() for name in table["run"]))
    figure, axes = _figure(
        3.2 + 3.2 * len(panels), 1.2 + 0.27 * len(runs), ncols=len(panels), sharey=True
    )
    for axis, (question, table) in zip(axes[0], panels.items(), strict=True):
        for row in table.to_dict("records"):
            y, hue = runs.index(row["run"]), HUES[0] if row["p_holm"] < alpha else PALE
            axis.plot([row["from"], row["to"]], [y, y], color=hue, lw=2.2, solid_capstyle="butt")
            axis.plot(
                row["difference"],
                y,
                "o",
                color=hue,
                ms=5.5,
                mfc=hue if row["p_holm"] < alpha else "white",
            )
        axis.axvline(0, color=INK, lw=1)
        axis.set_title(question)
        axis.grid(axis="y", visible=False)
    figure.supxlabel("difference (95 % interval over items)", fontsize=10)
    axes[0, 0].set_yticks(range(len(runs)), runs)
    axes[0, 0].set_ylim(len(runs) - 0.5, -0.5)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def class_intervals(panels: dict[str, tuple[pd.DataFrame, float]], title: str) -> Figure:
    """A score of each class with its interval, a panel a score: its table and its chance, drawn as a line.

    The tables' columns: class, method, value, low, high; the methods of a class stand one under the other.
    """
    first = next(iter(panels.values()))[0]
    classes, methods = list(dict.fromkeys(first["class"])), list(dict.fromkeys(first["method"]))
    height = 1.3 + len(classes) * (0.16 + 0.13 * len(methods))
    figure, axes = _figure(1.4 + 3.6 * len(panels), height, ncols=len(panels), sharey=True)
    for axis, (name, (table, chance)) in zip(axes[0], panels.items(), strict=True):
        axis.axvline(chance, color=INK, ls=":", lw=1.5, label="chance")
        for i, (hue, method) in enumerate(zip(HUES, methods, strict=False)):
            rows = table[table["method"] == method].set_index("class").loc[classes]
            y = np.arange(len(classes)) + 0.8 * (i + 0.5) / len(methods) - 0.4
            axis.hlines(y, rows["low"], rows["high"], color=hue, lw=2)
            axis.plot(rows["value"], y, "o", color=hue, ms=4.5, label=method)
        axis.set_title(name)
        axis.grid(axis="y", visible=False)
    axes[0, 0].set_yticks(range(len(classes)), classes)
    axes[0, 0].set_ylim(len(classes) - 0.5, -0.5)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def relations(panels: dict[str, pd.DataFrame], xlabel: str, ylabel: str, title: str) -> Figure:
    """Columns x and y of each panel's table against each other, each point with its index as its name."""
    figure, axes = _figure(0.6 + 4.1 * len(panels), 4.1, ncols=len(panels), sharey=True)
    for axis, (name, table) in zip(axes[0], panels.items(), strict=True):
        axis.plot(table["x"], table["y"], "o", color=HUES[0], ms=5)
        for label, row in table.iterrows():
            axis.annotate(
                label,
                (row["x"], row["y"]),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=7,
                color=INK,
            )
        axis.set(
            xlabel=xlabel,
            title=f"{name} (rank correlation {table['x'].corr(table['y'], 'spearman'):.2f})",
        )
        axis.margins(x=0.2)
    axes[0, 0].set_ylabel(ylabel)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def captioned_images(
    images: Sequence[Image.Image], texts: Sequence[str], columns: int = 2, width: int = 54
) -> Figure:
    """Images in rows of `columns`, each with its text to the right, in lines of `width` letters."""
    rows = math.ceil(len(images) / columns)
    lines = ["\n".join(textwrap.fill(line, width) for line in text.splitlines()) for text in texts]
    height = max(2.1, 0.3 + 0.145 * max(text.count("\n") + 1 for text in lines))
    figure, axes = _figure(
        columns * (2.1 + 0.066 * width),
        height * rows,
        nrows=rows,
        ncols=2 * columns,
        width_ratios=[2.1, 0.066 * width] * columns,
    )
    for axis in axes.flat:
        axis.axis("off")
    for picture, words, image, text in zip(
        axes.flat[::2], axes.flat[1::2], images, lines, strict=False
    ):
        picture.imshow(image)
        words.text(0, 1, text, va="top", fontsize=8, color=INK, transform=words.transAxes)
    return figure


def stacked_bars(table: pd.DataFrame, xlabel: str, title: str) -> Figure:
    """A bar a row of the table, a part of it a column; counts."""
    figure, axes = _figure(7, 1.3 + 0.24 * len(table))
    axis, left = axes[0, 0], np.zeros(len(table))
    for hue, name in zip(HUES, table, strict=False):
        axis.barh(table.index, table[name], left=left, color=hue, label=name)
        left += table[name].to_numpy()
    axis.set(xlabel=xlabel, title=title)
    axis.margins(y=0.02)
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=len(table.columns), frameon=False)
    return figure


def histograms(values: dict[str, Sequence[int]], xlabel: str, title: str) -> Figure:
    """How whole numbers are distributed in each group: a line a group, its shares adding up to one."""
    figure, axes = _figure(7, 3)
    for hue, (name, numbers) in zip(HUES, values.items(), strict=False):
        counts = np.bincount(np.asarray(numbers, dtype=int))
        axes[0, 0].plot(counts / max(counts.sum(), 1), color=hue, drawstyle="steps-mid", label=name)
    axes[0, 0].set(xlabel=xlabel, ylabel="share of the group", title=title)
    axes[0, 0].legend(frameon=False)
    return figure
