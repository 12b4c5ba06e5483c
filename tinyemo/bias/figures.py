"""Figures about bias, in the style of `tinyemo.plots`.

They show what was found, how large and how certain it is, and what mitigation changes.

Takes the detector tables (columns `detector, what, where, effect, low, high, unit, found`) and the
tables of the benchmark and of mitigation. Gives matplotlib figures that are at most ten inches
wide. Differences that matter are shown by shape or fill as well as by colour, for readers who do
not distinguish colours.
"""

import math
import textwrap
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image, ImageOps

from tinyemo.bias.findings import PAIR
from tinyemo.plots import (
    ACCENT,
    HUES,
    INK,
    NAME_LETTERS,
    PALE,
    bold_title,
    interval_line,
    legend_below,
    name_rows,
    new_figure,
)

# The order in which detectors get colours and markers, so that each looks the same in all figures
DETECTORS = (
    "data and model",
    "data",
    "model",
    "counterfactual",
    "naive",
    "vocabulary",
    "erasure",
    "text association",
    "image association",
    "dataset",
)
MARKS = "Dos^vP<>"
WIDEST = 10  # inches of a figure
STABILITY = LinearSegmentedColormap.from_list("stability", ["#dfe7ee", HUES[0]])
Captioned = tuple[Image.Image, str]  # a picture and the text under it


def gap_heatmap(table: pd.DataFrame, title: str, rows: int = 20) -> Figure:
    """Effects of one detector, one row per attribute value and one column per label.

    Cells that were found have a frame. Shows the `rows` values with the largest effects; values
    with a finding come first.
    """
    values = _largest_values(table, rows)
    labels = list(dict.fromkeys(table["where"]))
    effects = table.pivot(index="what", columns="where", values="effect")
    effects = effects.loc[values, labels].to_numpy(dtype=float)
    found = set(table.loc[table["found"], PAIR].itertuples(index=False, name=None))
    few_labels = len(labels) <= 10
    name_width, name_height = _room(values)
    column_width = 0.62 if few_labels else 0.26
    columns_width = column_width * len(labels)
    width = min(WIDEST, 1.6 + name_width + columns_width)
    height = 1.3 + max(0.27, name_height) * len(values)
    figure, axes = new_figure(width, height)
    axis = axes[0, 0]
    limit = np.nanmax(np.abs(effects)) or 1
    image = axis.imshow(effects, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for (i, j), effect in np.ndenumerate(effects):
        is_found = (values[i], labels[j]) in found
        if few_labels and abs(effect) >= 0.005:
            color = "white" if abs(effect) > 0.6 * limit else INK
            weight = "bold" if is_found else None
            text = f"{effect:+.2f}".replace("-", "−")
            style = {"ha": "center", "va": "center", "fontsize": 8}
            axis.text(j, i, text, color=color, fontweight=weight, **style)
        if is_found:
            axis.add_patch(Rectangle((j - 0.47, i - 0.45), 0.94, 0.9, fill=False, ec=INK, lw=2))
    name_rows(axis, values)
    rotation, alignment = (40, "right") if few_labels else (90, "center")
    axis.set_xticks(range(len(labels)), labels, rotation=rotation, ha=alignment)
    axis.set_title(title)
    axis.grid(False)
    unit = table["unit"].iloc[0]
    figure.colorbar(image, ax=axis, label=f"{unit} (framed: found)", pad=0.02)
    return figure


def _largest_values(table: pd.DataFrame, number: int) -> list[str]:
    """The attribute values of the first rows of `gap_heatmap`."""
    by_value = table.assign(size=table["effect"].abs()).groupby("what")[["found", "size"]].max()
    by_value = by_value.sort_values(["found", "size"], ascending=False)
    return list(by_value.index[:number])


def effect_forest(table: pd.DataFrame, title: str) -> Figure:
    """A forest plot: effects with 95 % intervals, one row per value and label.

    One panel per unit, one colour per detector. A filled marker is an effect that was found.
    """
    looks = detector_looks(table["detector"])
    units = list(dict.fromkeys(table["unit"]))
    rows = list(dict.fromkeys(table["what"] + " → " + table["where"]))
    name_width, name_height = _room(rows)
    width = min(WIDEST, 0.4 + name_width + 3 * len(units))
    row_height = max(name_height, 0.14 + 0.15 * len(looks))
    height = 1.5 + len(rows) * row_height
    figure, axes = new_figure(width, height, ncols=len(units), sharey=True)
    step = 0.8 / len(looks)
    offsets = {name: step * (place + 0.5) - 0.4 for place, name in enumerate(looks)}
    for axis, unit in zip(axes[0], units, strict=True):
        for row in table[table["unit"] == unit].to_dict("records"):
            color, marker = looks[row["detector"]]
            y = rows.index(f"{row['what']} → {row['where']}") + offsets[row["detector"]]
            fill = color if row["found"] else "white"
            interval_line(axis, row["low"], row["high"], y, color, width=2)
            axis.plot(row["effect"], y, marker, color=color, ms=6, mfc=fill)
        for y in range(1, len(rows), 2):
            axis.axhspan(y - 0.5, y + 0.5, color="#f4f6f8", zorder=0)
        axis.axvline(0, color=INK, lw=1)
        axis.set_xlabel(unit)
        axis.locator_params(axis="x", nbins=5)
        axis.grid(axis="y", visible=False)
    name_rows(axes[0, 0], rows)
    bold_title(figure, title)
    marker_legend(figure, looks, "95 % intervals; filled: found, hollow: not found")
    return figure


def word_bars(table: pd.DataFrame, title: str, words: int = 8) -> Figure:
    """The first `words` over-represented words of each emotion, as the table orders them.

    The shade is the share of bootstrap resamples in which the word stays among the first (column
    `stability`). The vertical line is the value in the control trainings (`control`). Words that
    were found are bold.
    """
    emotions = list(dict.fromkeys(table["where"]))
    columns = min(3, len(emotions))
    lines = math.ceil(len(emotions) / 3)
    width = 3.1 * columns + 0.5
    height = 0.7 + lines * (0.6 + 0.21 * words)
    figure, axes = new_figure(width, height, nrows=lines, ncols=columns, sharex=True)
    for axis in axes.flat[len(emotions) :]:
        axis.axis("off")
    for axis, emotion in zip(axes.flat, emotions, strict=False):
        _word_panel(axis, table[table["where"] == emotion].head(words))
        axis.set_title(emotion)
    bold_title(figure, title)
    unit = table["unit"].iloc[0]
    note = "95 % interval; bold: found;\nvertical line: control trainings"
    figure.supxlabel(f"{unit} ({note})", fontsize=10)
    shades = ScalarMappable(cmap=STABILITY)
    figure.colorbar(shades, ax=axes, label="stability", shrink=0.6, pad=0.02)
    return figure


def _word_panel(axis: Axes, best: pd.DataFrame) -> None:
    """The words of one emotion."""
    y = range(len(best))
    shades = STABILITY(best["stability"].to_numpy(dtype=float))
    axis.barh(y, best["effect"], color=shades, height=0.75)
    axis.hlines(y, best["low"], best["high"], color=INK, lw=1.2)
    axis.plot(best["control"], y, "|", color=ACCENT, ms=10, mew=2)
    name_rows(axis, best["what"])
    for tick, found in zip(axis.get_yticklabels(), best["found"], strict=True):
        tick.set(fontsize=9, fontweight="bold" if found else "normal")
    axis.tick_params(labelbottom=True)
    axis.grid(axis="y", visible=False)


def contact_sheet(
    findings: Mapping[str, tuple[Sequence[Captioned], Sequence[Captioned]]],
    title: str,
    sides: tuple[str, str] = ("with", "without"),
    columns: int = 4,
    side: int = 80,
) -> Figure:
    """Pictures for each finding: `columns` with the attribute value, `columns` without it.

    Each picture is shown whole, at most `side` pixels wide and high. It has few colours, so that it
    takes about 6 KB of the file.
    """
    width = min(WIDEST, 0.4 + 1.92 * columns)
    height = 0.4 + 1.55 * len(findings)
    ratios = [1] * columns + [0.15] + [1] * columns
    grid = {"nrows": len(findings), "ncols": len(ratios), "width_ratios": ratios}
    figure, axes = new_figure(width, height, **grid)
    # space for the name of a finding, which may be wide
    figure.get_layout_engine().set(h_pad=0.2, w_pad=0.03)
    for axis in axes.flat:
        axis.axis("off")
    for line, (name, groups) in zip(axes, findings.items(), strict=True):
        first = line[0]
        bold = {"fontsize": 10, "fontweight": "bold"}
        heading = first.text(0, 1.22, name, transform=first.transAxes, **bold)
        heading.set_in_layout(False)
        halves = line[:columns], line[columns + 1 :]
        for half, group, label in zip(halves, groups, sides, strict=True):
            first = half[0]
            first.text(0, 1.05, label, fontsize=8, color=ACCENT, transform=first.transAxes)
            for axis, (picture, text) in zip(half, group, strict=False):
                axis.imshow(_small_square(picture, side), interpolation="nearest")
                caption = textwrap.fill(text, 15)
                axis.set_title(caption, y=-0.03, pad=0, va="top", fontsize=7, color=INK)
    bold_title(figure, title)
    return figure


def _small_square(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture on a white square of at most `side` pixels, in 24 colours."""
    size = min(side, max(picture.size))
    square = ImageOps.pad(picture.convert("RGB"), (size, size), color="white")
    return square.quantize(24, dither=Image.Dither.NONE).convert("RGB")


def before_after(table: pd.DataFrame, title: str) -> Figure:
    """The effect of mitigation: one panel per measure, one row per model with its interval.

    Takes the table of `mitigation.before_and_after`. The dotted line is the first model, before
    mitigation. Filled markers: the interval of the paired difference does not contain zero.
    """
    measures = list(dict.fromkeys(table["measure"]))
    models = list(dict.fromkeys(table["model"]))
    name_width, name_height = _room(models)
    width = min(WIDEST, 0.4 + name_width + 2.6 * len(measures))
    height = 1.1 + max(0.34, name_height) * len(models)
    figure, axes = new_figure(width, height, ncols=len(measures), sharey=True)
    for axis, measure in zip(axes[0], measures, strict=True):
        rows = table[table["measure"] == measure].set_index("model").loc[models]
        axis.axvline(rows["value"].iloc[0], color=INK, ls=":", lw=1.5)
        for y, row in enumerate(rows.to_dict("records")):
            color = HUES[0] if y else ACCENT
            differs = row["difference_low"] > 0 or row["difference_high"] < 0
            fill = color if differs else "white"
            interval_line(axis, row["low"], row["high"], y, color)
            axis.plot(row["value"], y, "o", color=color, ms=6, mfc=fill)
        axis.set_title(measure)
        axis.grid(axis="y", visible=False)
        axis.margins(x=0.15)
        axis.locator_params(axis="x", nbins=4)
    name_rows(axes[0, 0], models)
    bold_title(figure, title)
    figure.supxlabel("95 % intervals; dotted: before; filled: differs from it", fontsize=10)
    return figure


BESIDE = "found, but no larger than in an unbiased model"
NO_EFFECT = "no effect"
ALSO_TRUE = "another true effect"
INJECTED = "injected"
KINDS = {  # kind of cell -> colour, marker, size
    NO_EFFECT: (PALE, ".", 3),
    BESIDE: (ACCENT, "X", 6),
    ALSO_TRUE: (HUES[0], "D", 5),
    INJECTED: (HUES[0], "*", 13),
}


def detector_map(
    table: pd.DataFrame,
    injected: Collection[tuple[str, str]],
    title: str,
    true: Collection[tuple[str, str]] = (),
) -> Figure:
    """All detectors on the same data: one panel per detector, one marker per value and label.

    Cells (value, label) of `injected` and of `true` are filled if they were found. The title of a
    panel has the number of other cells that were found. Values without an injected bias and without
    a finding share the last row.
    """
    truth = dict.fromkeys(true, ALSO_TRUE)
    truth |= dict.fromkeys(injected, INJECTED)
    kinds = []
    for what, where, found in table[[*PAIR, "found"]].to_numpy():
        kinds.append(truth.get((what, where), BESIDE if found else NO_EFFECT))
    table = table.assign(kind=kinds)
    rows = list(dict.fromkeys(what for what, _ in injected))
    rows += sorted(set(table.loc[table["kind"] != NO_EFFECT, "what"]) - set(rows))
    table["row"] = [rows.index(what) if what in rows else len(rows) for what in table["what"]]
    rows.append(f"{table['what'].nunique() - len(rows)} other values")

    detectors = table.groupby("detector", sort=False)
    _, name_height = _room(rows)
    height = 1.6 + max(0.19, name_height) * len(rows)
    figure, axes = new_figure(WIDEST, height, ncols=len(detectors), sharey=True)
    for axis, (detector, one) in zip(axes[0], detectors, strict=True):
        for (kind, found), cells in one.groupby(["kind", "found"]):
            color, marker, size = KINDS[kind]
            hollow = kind in (INJECTED, ALSO_TRUE) and not found
            fill = "white" if hollow else color
            axis.plot(cells["effect"], cells["row"], marker, color=color, ms=size, mfc=fill)
        axis.axvline(0, color=INK, lw=1)
        alarms = sum(one["kind"] == BESIDE)
        axis.set_title(f"{detector}\nno excess: {alarms}")
        axis.set_xlabel(one["unit"].iloc[0])
        axis.margins(x=0.1)
    name_rows(axes[0, 0], rows)
    bold_title(figure, title)
    marker_legend(figure, KINDS, "hollow: injected or true, but not found")
    return figure


def detector_looks(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each detector; unknown detectors come after those of DETECTORS."""
    colors = (INK, *HUES)
    looks = {}
    for place, name in enumerate(dict.fromkeys([*DETECTORS, *names])):
        if name in set(names):
            looks[name] = colors[place % len(colors)], MARKS[place % len(MARKS)]
    return looks


def marker_legend(figure: Figure, looks: Mapping[str, tuple], title: str) -> None:
    """What the markers stand for, below the panels; `looks` are colour, marker and perhaps size."""
    handles = []
    for color, marker, *size in looks.values():
        size = size[0] if size else 7
        handles.append(Line2D([], [], ls="", color=color, marker=marker, ms=size))
    columns = min(5, len(looks))
    legend_below(figure, handles, looks, ncols=columns, title=title, title_fontsize=9)


def _room(names: Sequence[str]) -> tuple[float, float]:
    """Inches for names at ten points: width of the longest line, height of the tallest name."""
    lines = [textwrap.wrap(name, NAME_LETTERS) for name in names]
    longest = max(len(line) for name in lines for line in name)
    tallest = max(len(name) for name in lines)
    return 0.075 * longest, 0.17 * tallest
