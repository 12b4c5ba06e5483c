"""Figures: functions that take tables and arrays and return a matplotlib Figure, all in one style.

Owns only the appearance: no function here computes a result, loads a file or saves one. A notebook
shows the figure and its run saves it. So a change of colours needs no new computation.
"""

import math
import textwrap
from collections.abc import Collection, Iterator, Sequence
from io import BytesIO

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
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
INK, ACCENT, PALE, GREY = "#22313f", "#c8553d", "#9fb4c7", "#8c8c8c"
NAME_LETTERS = 48  # letters per line of a row's name
# Hues that colour-blind readers can distinguish (Okabe and Ito 2008), then Paul Tol's "muted" ones
HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#332288", "#999933")


SHADES = ((INK, 0.0), ("white", 0.5), (INK, 0.45), ("white", 0.75))  # what is mixed in, its share


def hues(count: int) -> list[str]:
    """A colour for each of `count` series: HUES, then the same ones lighter and darker.

    Up to 32 are all different; after these they repeat.
    """
    found = []
    for number in range(count):
        turn, place = divmod(number, len(HUES))
        other, share = SHADES[turn % len(SHADES)]
        pair = np.array([to_rgb(HUES[place]), to_rgb(other)])  # (2, 3), 0 to 1
        mixed = (1 - share) * pair[0] + share * pair[1]
        found.append(to_hex(mixed).upper())
    return found


def coloured(series: Collection) -> Iterator[tuple]:
    """(colour, one of the series) for all of them; the colours of `hues`."""
    return zip(hues(len(series)), series, strict=True)


class Picture(Figure):
    """A figure that a notebook shows as an image, without pyplot and its list of open figures."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


def new_figure(width: float, height: float, **grid) -> tuple[Figure, np.ndarray]:
    """An empty figure of (width, height) inches, and its axes (rows, columns).

    `grid` holds keywords of `Figure.subplots`.
    """
    with rc_context(STYLE):
        figure = Picture(figsize=(width, height), layout="constrained")
        axes = figure.subplots(squeeze=False, **grid)
    return figure, axes


def bold_title(figure: Figure, title: str) -> None:
    """A title above all axes of the figure."""
    figure.suptitle(title, fontsize=11, fontweight="bold")


def legend_below(figure: Figure, *entries, **options) -> None:
    """One legend below all axes of the figure; arguments as for `Figure.legend`."""
    figure.legend(*entries, loc="outside lower center", frameon=False, **options)


def name_rows(axis: Axes, names: Sequence[str]) -> None:
    """One name per row of the axis, the first at the top, long names in several lines."""
    axis.set_yticks(range(len(names)), [textwrap.fill(name, NAME_LETTERS) for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)


def interval_line(
    axis: Axes, low: float, high: float, y: float, color: str, width: float = 2.5
) -> Line2D:
    """A horizontal line from low to high at the height y; returns it."""
    (line,) = axis.plot([low, high], [y, y], color=color, lw=width, solid_capstyle="butt")
    return line


# images


def image_grid(images: Sequence[Image.Image], titles: Sequence[str], columns: int = 6) -> Figure:
    """Images in rows of `columns`, each with a short title above it."""
    rows = math.ceil(len(images) / columns)
    figure, axes = new_figure(1.9 * columns, 2.25 * rows, nrows=rows, ncols=columns)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image)
        axis.set_title(title, fontsize=8, fontweight="normal", color=INK)
    return figure


def captioned_images(
    images: Sequence[Image.Image], texts: Sequence[str], columns: int = 2, width: int = 54
) -> Figure:
    """Images in rows of `columns`, each with its text to the right, in lines of `width` letters."""
    wrapped = []
    for text in texts:
        lines = [textwrap.fill(line, width) for line in text.splitlines()]
        wrapped.append("\n".join(lines))
    longest = max(text.count("\n") + 1 for text in wrapped)
    height = max(2.1, 0.3 + 0.145 * longest)
    text_width = 0.066 * width
    rows = math.ceil(len(images) / columns)
    figure, axes = new_figure(
        columns * (2.1 + text_width),
        height * rows,
        nrows=rows,
        ncols=2 * columns,
        width_ratios=[2.1, text_width] * columns,
    )
    for axis in axes.flat:
        axis.axis("off")
    pairs = zip(axes.flat[::2], axes.flat[1::2], strict=True)
    for (left, right), image, text in zip(pairs, images, wrapped, strict=False):
        left.imshow(image)
        right.text(0, 1, text, va="top", fontsize=8, color=INK, transform=right.transAxes)
    return figure


def nearest_images(rows: dict[str, list[tuple[Image.Image, str, bool]]], title: str) -> Figure:
    """The images whose embeddings are nearest to each anchor, one row per anchor.

    An image comes with its true label, and whether this agrees with the anchor.
    """
    columns = max(len(items) for items in rows.values())
    width, height = 1.45 * columns + 1.1, 1.65 * len(rows) + 0.4
    figure, axes = new_figure(width, height, nrows=len(rows), ncols=columns)
    for line, (name, items) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold", color=INK)
        for axis, (image, label, agrees) in zip(line, items, strict=False):
            axis.imshow(image)
            colour = INK if agrees else ACCENT
            axis.set_title(label, fontsize=8, fontweight="normal", color=colour, pad=2)
            frame, line_width = (PALE, 1) if agrees else (ACCENT, 2)
            for side in axis.spines.values():
                side.set(visible=True, color=frame, linewidth=line_width)
    bold_title(figure, title)
    return figure


def answer(image: Image.Image, probabilities: dict[str, float], truth: str) -> Figure:
    """One image beside the probabilities that a model gives its labels; the true label is
    marked."""
    figure, axes = new_figure(6.8, 2.9, ncols=2, width_ratios=[1, 1.5])
    picture, bars = axes[0]
    picture.imshow(image)
    picture.axis("off")
    names = sorted(probabilities, key=probabilities.get)
    colours = [ACCENT if name == truth else PALE for name in names]
    bars.barh(names, [probabilities[name] for name in names], color=colours)
    bars.set(xlim=(0, 1), xlabel="probability", title=f"annotator: {truth}")
    bars.grid(axis="y", visible=False)
    return figure


def answers(images: dict[str, Image.Image], probabilities: pd.DataFrame) -> Figure:
    """Images side by side under their titles, each above the probabilities of its labels.

    probabilities: one row per image, one column per label.
    """
    count = len(images)
    figure, axes = new_figure(2.9 * count, 4.6, nrows=2, ncols=count, height_ratios=[1.4, 1])
    labels = list(probabilities)
    for column, (title, image) in enumerate(images.items()):
        picture, bars = axes[:, column]
        picture.imshow(image)
        picture.axis("off")
        picture.set_title(title)
        shares = probabilities.iloc[column].to_numpy(dtype=float)
        colours = [ACCENT if share == shares.max() else PALE for share in shares]
        bars.barh(range(len(labels)), shares, color=colours)
        bars.set(xlim=(0, 1), xlabel="probability")
        name_rows(bars, labels if column == 0 else [""] * len(labels))
        bars.grid(axis="y", visible=False)
    return figure


# lines and bars


def learning_curves(
    history: pd.DataFrame, x: str, lines: Sequence[str], ylabel: str, title: str
) -> Figure:
    """One line per column of `lines` against column `x`; several seeds (column `seed`) are thin."""
    figure, axes = new_figure(6.4, 3.6)
    axis = axes[0, 0]
    groups = [one for _, one in history.groupby("seed")] if "seed" in history else [history]
    width = 1.5 if len(groups) == 1 else 1.0
    for hue, column in coloured(lines):
        label = column.replace("_", " ")
        for one in groups:
            axis.plot(one[x], one[column], color=hue, lw=width, alpha=0.85, label=label)
            label = None  # one entry of the legend for all seeds
    axis.set(xlabel=x, ylabel=ylabel, title=title)
    axis.legend(frameon=False)
    return figure


def stacked_bars(table: pd.DataFrame, xlabel: str, title: str) -> Figure:
    """One bar per row of the table, one part of it per column; the values are counts."""
    figure, axes = new_figure(7, 1.3 + 0.24 * len(table))
    axis = axes[0, 0]
    left = np.zeros(len(table))
    for hue, name in coloured(table.columns):
        axis.barh(table.index, table[name], left=left, color=hue, label=name)
        left += table[name].to_numpy()
    axis.set(xlabel=xlabel, title=title)
    axis.margins(y=0.02)
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    legend_below(figure, ncols=len(table.columns))
    return figure


def histograms(values: dict[str, Sequence[int]], xlabel: str, title: str) -> Figure:
    """Distribution of whole numbers: one line per group, whose shares sum to one."""
    figure, axes = new_figure(7, 3)
    axis = axes[0, 0]
    for hue, (name, numbers) in coloured(values.items()):
        counts = np.bincount(np.asarray(numbers, dtype=int))
        shares = counts / max(counts.sum(), 1)
        axis.plot(shares, color=hue, drawstyle="steps-mid", label=name)
    axis.set(xlabel=xlabel, ylabel="share of the group", title=title)
    axis.legend(frameon=False)
    return figure


# matrices and maps


def embedding_map(
    embeddings: np.ndarray, labels: Sequence[str], anchors: dict[str, np.ndarray], title: str
) -> Figure:
    """Two principal axes of the (N, D) embeddings' directions by label, with the anchors as stars.

    The plane is fitted to the mean directions of the classes. It is a projection from many
    dimensions: points that are separate here are separate, but points that overlap here need not
    be near.
    """
    labels = np.asarray(labels)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    directions = {name: unit[labels == name] for name in anchors}  # (n, D) each
    means = [rows.mean(0) for rows in directions.values() if len(rows)]
    plane = PCA(2).fit(np.stack(means))
    figure, axes = new_figure(6.6, 5.2)
    axis = axes[0, 0]
    for hue, (name, anchor) in coloured(anchors.items()):
        points = np.empty((0, 2))
        if len(directions[name]):
            points = plane.transform(directions[name])  # (n, 2)
        axis.scatter(points[:, 0], points[:, 1], s=9, color=hue, alpha=0.45, linewidths=0)
        star = anchor / np.linalg.norm(anchor)
        x, y = plane.transform(star[None])[0]
        axis.scatter(x, y, s=190, marker="*", color=hue, edgecolors=INK, linewidths=0.8, zorder=3)
        offset = {"xytext": (8, 6), "textcoords": "offset points"}
        font = {"color": INK, "fontweight": "bold", "fontsize": 9}
        axis.annotate(name, (x, y), **offset, **font, zorder=4)
    first, second = plane.explained_variance_ratio_
    axis.set_xlabel(f"principal axis 1 ({first:.0%} of class means)")
    axis.set_ylabel(f"principal axis 2 ({second:.0%})")
    axis.set_title(title)
    return figure


def relations(panels: dict[str, pd.DataFrame], xlabel: str, ylabel: str, title: str) -> Figure:
    """Columns x and y of each panel's table against each other; each point has its index as
    name."""
    figure, axes = new_figure(0.6 + 4.1 * len(panels), 4.1, ncols=len(panels), sharey=True)
    offset = {"xytext": (4, 3), "textcoords": "offset points"}
    for axis, (name, table) in zip(axes[0], panels.items(), strict=True):
        axis.plot(table["x"], table["y"], "o", color=HUES[0], ms=5)
        for label, row in table.iterrows():
            axis.annotate(label, (row["x"], row["y"]), **offset, fontsize=7, color=INK)
        correlation = table["x"].corr(table["y"], "spearman")
        axis.set(xlabel=xlabel, title=f"{name} (rank correlation {correlation:.2f})")
        axis.margins(x=0.2)
    axes[0, 0].set_ylabel(ylabel)
    bold_title(figure, title)
    return figure
