"""Figures of the bias room, in the style of `tinyemo.plots`: who found what, how large, how sure, and what helped.

Takes the detectors' tables (columns `detector, what, where, effect, low, high, unit, found`) and those of the
benchmark and of mitigation, gives matplotlib figures at most ten inches wide. An effect is zero where nothing is. What
matters differs in shape or fill as well as in hue, for those who see hues differently.
"""

import math
import textwrap
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image, ImageOps

from tinyemo.plots import ACCENT, HUES, INK, PALE, new_figure

# The order in which detectors take hues and marks, so that each looks alike in all figures
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
WIDEST, LETTERS = 10, 48  # inches of a figure, letters of a line of a name
STABILITY = LinearSegmentedColormap.from_list("stability", ["#dfe7ee", HUES[0]])
Captioned = tuple[Image.Image, str]  # a picture and the words under it


def gap_heatmap(table: pd.DataFrame, title: str, rows: int = 20) -> Figure:
    """Effects of one detector, a row an attribute value and a column a label; what it found is framed.

    The `rows` values with the largest effects, those with a finding before all others.
    """
    order = table.assign(size=table["effect"].abs()).groupby("what")[["found", "size"]].max()
    values = list(order.sort_values(["found", "size"], ascending=False).index[:rows])
    labels = list(dict.fromkeys(table["where"]))
    effects = (
        table.pivot(index="what", columns="where", values="effect")
        .loc[values, labels]
        .to_numpy(dtype=float)
    )
    found = set(table.loc[table["found"], ["what", "where"]].itertuples(index=False, name=None))
    written = len(labels) <= 10
    width, height = _room(values)
    figure, axes = new_figure(
        min(WIDEST, 1.6 + width + (0.62 if written else 0.26) * len(labels)),
        1.3 + max(0.27, height) * len(values),
    )
    axis, limit = axes[0, 0], np.nanmax(np.abs(effects)) or 1
    image = axis.imshow(effects, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for (i, j), effect in np.ndenumerate(effects):
        named = (values[i], labels[j]) in found
        if written and abs(effect) >= 0.005:
            axis.text(
                j,
                i,
                f"{effect:+.2f}".replace("-", "−"),
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold" if named else None,
                color="white" if abs(effect) > 0.6 * limit else INK,
            )
        if named:
            axis.add_patch(Rectangle((j - 0.47, i - 0.45), 0.94, 0.9, fill=False, ec=INK, lw=2))
    _down(axis, values)
    axis.set_xticks(
        range(len(labels)),
        labels,
        rotation=40 if written else 90,
        ha="right" if written else "center",
    )
    axis.set_title(title)
    axis.grid(False)
    figure.colorbar(image, ax=axis, label=f"{table['unit'].iloc[0]} (framed: found)", pad=0.02)
    return figure


def effect_forest(table: pd.DataFrame, title: str) -> Figure:
    """Effects with their 95 % intervals, a row a value and label, a panel a unit, a hue a detector; filled: found."""
    looks, units = _looks(table["detector"]), list(dict.fromkeys(table["unit"]))
    rows = list(dict.fromkeys(table["what"] + " → " + table["where"]))
    step, (width, height) = 0.8 / len(looks), _room(rows)
    figure, axes = new_figure(
        min(WIDEST, 0.4 + width + 3 * len(units)),
        1.5 + len(rows) * max(height, 0.14 + 0.15 * len(looks)),
        ncols=len(units),
        sharey=True,
    )
    for axis, unit in zip(axes[0], units, strict=True):
        for row in table[table["unit"] == unit].to_dict("records"):
            (hue, mark), place = looks[row["detector"]], list(looks).index(row["detector"])
            y = rows.index(f"{row['what']} → {row['where']}") + step * (place + 0.5) - 0.4
            axis.plot([row["low"], row["high"]], [y, y], color=hue, lw=2, solid_capstyle="butt")
            axis.plot(row["effect"], y, mark, color=hue, ms=6, mfc=hue if row["found"] else "white")
        for y in range(1, len(rows), 2):
            axis.axhspan(y - 0.5, y + 0.5, color="#f4f6f8", zorder=0)
        axis.axvline(0, color=INK, lw=1)
        axis.set_xlabel(unit)
        axis.locator_params(axis="x", nbins=5)
        axis.grid(axis="y", visible=False)
    _down(axes[0, 0], rows)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    _legend(figure, looks, "95 % intervals; filled: found, hollow: not found")
    return figure


def word_bars(table: pd.DataFrame, title: str, words: int = 8) -> Figure:
    """The first `words` over-represented words of each emotion as the table ranks them, with intervals.

    The shade is the share of bootstrap resamples in which the word stays on top (column `stability`), the upright
    stroke what the trainings compared with give it (`control`); the words found are bold.
    """
    emotions = list(dict.fromkeys(table["where"]))
    columns, lines = min(3, len(emotions)), math.ceil(len(emotions) / 3)
    size = 3.1 * columns + 0.5, 0.7 + lines * (0.6 + 0.21 * words)
    figure, axes = new_figure(*size, nrows=lines, ncols=columns, sharex=True)
    for axis in axes.flat[len(emotions) :]:
        axis.axis("off")
    for axis, emotion in zip(axes.flat, emotions, strict=False):
        best = table[table["where"] == emotion].head(words)
        y = range(len(best))
        axis.barh(
            y, best["effect"], color=STABILITY(best["stability"].to_numpy(dtype=float)), height=0.75
        )
        axis.hlines(y, best["low"], best["high"], color=INK, lw=1.2)
        axis.plot(best["control"], y, "|", color=ACCENT, ms=10, mew=2)
        _down(axis, best["what"])
        for tick, found in zip(axis.get_yticklabels(), best["found"], strict=True):
            tick.set(fontsize=9, fontweight="bold" if found else "normal")
        axis.set_title(emotion)
        axis.tick_params(labelbottom=True)
        axis.grid(axis="y", visible=False)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    figure.supxlabel(
        f"{table['unit'].iloc[0]} (95 % interval; bold: found;\nupright stroke: trainings compared with)",
        fontsize=10,
    )
    figure.colorbar(
        ScalarMappable(cmap=STABILITY), ax=axes, label="stability", shrink=0.6, pad=0.02
    )
    return figure


def contact_sheet(
    findings: Mapping[str, tuple[Sequence[Captioned], Sequence[Captioned]]],
    title: str,
    sides: tuple[str, str] = ("with", "without"),
    columns: int = 4,
    side: int = 80,
) -> Figure:
    """The pictures behind findings: for each, `columns` that show the attribute and as many that do not.

    Each is drawn whole, in `side` dots a side at most and in few colours: it takes some 6 KB of the file.
    """
    figure, axes = new_figure(
        min(WIDEST, 0.4 + 1.92 * columns),
        0.4 + 1.55 * len(findings),
        nrows=len(findings),
        ncols=2 * columns + 1,
        width_ratios=[1] * columns + [0.15] + [1] * columns,
    )
    figure.get_layout_engine().set(
        h_pad=0.2, w_pad=0.03
    )  # room for a finding's name, which may be wide
    for axis in axes.flat:
        axis.axis("off")
    for line, (name, groups) in zip(axes, findings.items(), strict=True):
        line[0].text(
            0, 1.22, name, fontsize=10, fontweight="bold", transform=line[0].transAxes
        ).set_in_layout(False)
        for places, group, shown in zip(
            (line[:columns], line[columns + 1 :]), groups, sides, strict=True
        ):
            places[0].text(0, 1.05, shown, fontsize=8, color=ACCENT, transform=places[0].transAxes)
            for axis, (picture, text) in zip(places, group, strict=False):
                square = ImageOps.pad(
                    picture.convert("RGB"), (min(side, max(picture.size)),) * 2, color="white"
                )
                axis.imshow(
                    square.quantize(24, dither=Image.Dither.NONE).convert("RGB"),
                    interpolation="nearest",
                )
                axis.set_title(
                    textwrap.fill(text, 15), y=-0.03, pad=0, va="top", fontsize=7, color=INK
                )
    figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def before_after(table: pd.DataFrame, title: str) -> Figure:
    """What mitigation did, a panel a measure: a row a model with its interval, the line is the first, the one before.

    Takes the table of `mitigation.before_and_after`. Filled where the paired difference's interval is clear of zero.
    """
    measures, models = (list(dict.fromkeys(table[one])) for one in ("measure", "model"))
    width, height = _room(models)
    figure, axes = new_figure(
        min(WIDEST, 0.4 + width + 2.6 * len(measures)),
        1.1 + max(0.34, height) * len(models),
        ncols=len(measures),
        sharey=True,
    )
    for axis, measure in zip(axes[0], measures, strict=True):
        rows = table[table["measure"] == measure].set_index("model").loc[models]
        axis.axvline(rows["value"].iloc[0], color=INK, ls=":", lw=1.5)
        for y, (row, hue) in enumerate(
            zip(rows.to_dict("records"), (ACCENT, *[HUES[0]] * len(rows)), strict=False)
        ):
            axis.plot([row["low"], row["high"]], [y, y], color=hue, lw=2.5, solid_capstyle="butt")
            differs = row["difference_low"] > 0 or row["difference_high"] < 0
            axis.plot(row["value"], y, "o", color=hue, ms=6, mfc=hue if differs else "white")
        axis.set_title(measure)
        axis.grid(axis="y", visible=False)
        axis.margins(x=0.15)
        axis.locator_params(axis="x", nbins=4)
    _down(axes[0, 0], models)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    figure.supxlabel("95 % intervals; dotted: before; filled: differs from it", fontsize=10)
    return figure


def power_curve(recall: pd.DataFrame, fdr: pd.DataFrame, title: str, limit: float = 0.10) -> Figure:
    """How often planted biases are found as they grow, a line a detector; beside it, how often it cries wolf.

    Columns of `recall`: detector, strength, recall, low, high; of `fdr`: detector, fdr, low, high. The dashed line is
    the false discovery rate allowed.
    """
    looks = _looks(fdr["detector"])
    figure, ((power, wolf),) = new_figure(WIDEST, 3.9, ncols=2, width_ratios=[1.7, 1])
    apart = 0.012 * np.ptp(
        recall["strength"]
    )  # so that intervals at one strength do not cover each other
    for y, (name, (hue, mark)) in enumerate(looks.items()):
        one = recall[recall["detector"] == name].sort_values("strength")
        x = one["strength"] + apart * (y - (len(looks) - 1) / 2)
        power.plot(
            x, one["recall"], mark, ls="-", color=hue, ms=6, lw=2.4 if name == DETECTORS[0] else 1.4
        )
        power.vlines(x, one["low"], one["high"], color=hue, lw=1.4)
        row = fdr.set_index("detector").loc[name]
        wolf.plot([row["low"], row["high"]], [y, y], color=hue, lw=2.5, solid_capstyle="butt")
        wolf.plot(row["fdr"], y, mark, color=hue, ms=6)
    power.set(
        xlabel="strength of the plant (risk difference in training)",
        ylabel="recall (95 % interval)",
        title="Who finds it",
        ylim=(-0.03, 1.03),
        xticks=sorted(set(recall["strength"])),
    )
    wolf.axvline(limit, color=INK, ls="--", lw=1)
    wolf.set(
        xlabel=f"false discovery rate (dashed: {limit:.2f} allowed)",
        title="Who cries wolf",
        xlim=(-0.03, 1.03),
    )
    wolf.grid(axis="y", visible=False)
    _down(wolf, list(looks))
    figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def recall_curve(
    curve: pd.DataFrame, chosen: pd.DataFrame, title: str, limit: float = 0.2
) -> Figure:
    """The recall that each detector can reach at a false discovery rate up to `limit`, with marks where it was put.

    Columns of both: detector, fdr, recall. A row of `curve` is the rate from which on a recall is within reach, in
    hindsight; `chosen` are thresholds that were chosen on other data, judged on these.
    """
    looks = _looks(curve["detector"])
    figure, ((axis,),) = new_figure(6.5, 5)
    for place, (name, (hue, mark)) in enumerate(looks.items()):
        thick = max(
            0.0, 1 - place / 4
        )  # the first is widest and lies below, so that lines that coincide are all seen
        one = curve[(curve["detector"] == name) & (curve["fdr"] <= limit)].sort_values("fdr")
        if len(one):
            axis.plot(
                [*one["fdr"], limit],
                [*one["recall"], one["recall"].iloc[-1]],
                drawstyle="steps-post",
                lw=1.4 + 2.6 * thick,
                color=hue,
            )
        put = chosen[(chosen["detector"] == name) & (chosen["fdr"] <= limit)]
        axis.plot(
            put["fdr"],
            put["recall"],
            mark,
            ls="",
            ms=6 + 4 * thick,
            mec="white",
            color=hue,
            zorder=3,
        )
    axis.set(
        xlabel="false discovery rate",
        ylabel="recall",
        title=title,
        xlim=(-0.02 * limit, limit),
        ylim=(-0.03, 1.03),
    )
    beyond = [
        name for name in looks if not ((curve["detector"] == name) & (curve["fdr"] <= limit)).any()
    ]
    _legend(
        figure,
        looks,
        "lines: best thresholds in hindsight; marks: thresholds chosen on other data"
        + (f"\nnowhere within {limit:.2f}: {', '.join(beyond)}" if beyond else ""),
    )
    return figure


BESIDE = "found, but a clean training does it as much"


def detector_map(
    table: pd.DataFrame,
    planted: Collection[tuple[str, str]],
    title: str,
    true: Collection[tuple[str, str]] = (),
) -> Figure:
    """The same case through every detector: a panel a detector, a mark a value and label at its effect.

    `planted` and the other `true` cells (value, label) are filled where found; what is found of all the rest is
    counted above the panel. Values of which nothing is planted or found share the last row.
    """
    truth = {**dict.fromkeys(true, "also true"), **dict.fromkeys(planted, "planted")}
    kinds = {
        "nothing there": (PALE, ".", 3),
        BESIDE: (ACCENT, "X", 6),
        "also true": (HUES[0], "D", 5),
        "planted": (HUES[0], "*", 13),
    }
    table = table.assign(
        kind=[
            truth.get((what, where), BESIDE if found else "nothing there")
            for what, where, found in table[["what", "where", "found"]].to_numpy()
        ]
    )
    rows = list(dict.fromkeys(what for what, _ in planted))
    rows += sorted(set(table.loc[table["kind"] != "nothing there", "what"]) - set(rows))
    table["row"] = [rows.index(what) if what in rows else len(rows) for what in table["what"]]
    rows.append(f"{table['what'].nunique() - len(rows)} other values")
    detectors = table.groupby("detector", sort=False)
    figure, axes = new_figure(
        WIDEST, 1.6 + max(0.19, _room(rows)[1]) * len(rows), ncols=len(detectors), sharey=True
    )
    for axis, (detector, one) in zip(axes[0], detectors, strict=True):
        for (name, found), cells in one.groupby(["kind", "found"]):
            hue, mark, size = kinds[name]
            hollow = name in truth.values() and not found
            axis.plot(
                cells["effect"],
                cells["row"],
                mark,
                color=hue,
                ms=size,
                mfc="white" if hollow else hue,
            )
        axis.axvline(0, color=INK, lw=1)
        alarms = sum(one["kind"] == BESIDE)
        axis.set(
            title=f"{detector}\nno more than clean: {alarms}",
            xlabel=one["unit"].iloc[0],
            xmargin=0.1,
        )
    _down(axes[0, 0], rows)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    _legend(figure, kinds, "planted or true, but not found: hollow")
    return figure


def _looks(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Hue and mark of each detector; those that DETECTORS does not know come after it."""
    order, hues = list(dict.fromkeys([*DETECTORS, *names])), (INK, *HUES)
    return {
        name: (hues[order.index(name) % len(hues)], MARKS[order.index(name) % len(MARKS)])
        for name in order
        if name in set(names)
    }


def _legend(figure: Figure, marks: Mapping[str, tuple], title: str) -> None:
    """What the marks (hue, shape, size if not 7) stand for, below the panels."""
    handles = [
        Line2D([], [], ls="", color=hue, marker=mark, ms=[*size, 7][0])
        for hue, mark, *size in marks.values()
    ]
    figure.legend(
        handles,
        marks,
        loc="outside lower center",
        ncols=min(5, len(marks)),
        frameon=False,
        title=title,
        title_fontsize=9,
    )


def _room(names: Sequence[str]) -> tuple[float, float]:
    """Inches that names of an axis take at ten points: the longest line, and the rows of the tallest."""
    lines = [textwrap.wrap(name, LETTERS) for name in names]
    return 0.075 * max(len(line) for name in lines for line in name), 0.17 * max(map(len, lines))


def _down(axis, names: Sequence[str]) -> None:
    """Names down the left side, the first on top."""
    axis.set_yticks(range(len(names)), [textwrap.fill(name, LETTERS) for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)
