"""Figures about the power of bias detectors: recall of injected biases and false discovery rates.

Takes the tables of the benchmark on injected biases. Gives matplotlib figures.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinyemo.bias.figures import DETECTORS, WIDEST, detector_looks, marker_legend
from tinyemo.plots import INK, bold_title, interval_line, name_rows, new_figure


def power_curve(recall: pd.DataFrame, fdr: pd.DataFrame, title: str, limit: float = 0.10) -> Figure:
    """Recall of injected biases by their strength, and false discovery rates beside it.

    Columns of `recall`: detector, strength, recall, low, high; of `fdr`: detector, fdr, low, high.
    The dashed line is the false discovery rate that is allowed.
    """
    looks = detector_looks(fdr["detector"])
    rates = fdr.set_index("detector")
    figure, axes = new_figure(WIDEST, 3.9, ncols=2, width_ratios=[1.7, 1])
    power, alarms = axes[0]
    shift = 0.012 * np.ptp(recall["strength"])  # so that intervals do not cover each other
    for y, (name, (color, marker)) in enumerate(looks.items()):
        one = recall[recall["detector"] == name].sort_values("strength")
        x = one["strength"] + shift * (y - (len(looks) - 1) / 2)
        line_width = 2.4 if name == DETECTORS[0] else 1.4
        power.plot(x, one["recall"], marker, ls="-", color=color, ms=6, lw=line_width)
        power.vlines(x, one["low"], one["high"], color=color, lw=1.4)
        row = rates.loc[name]
        interval_line(alarms, row["low"], row["high"], y, color)
        alarms.plot(row["fdr"], y, marker, color=color, ms=6)
    power.set_title("Injected biases that are found")
    power.set_xlabel("strength of the bias (risk difference in training)")
    power.set_ylabel("recall (95 % interval)")
    power.set_ylim(-0.03, 1.03)
    power.set_xticks(sorted(set(recall["strength"])))
    alarms.axvline(limit, color=INK, ls="--", lw=1)
    alarms.set_title("False alarms")
    alarms.set_xlabel(f"false discovery rate (dashed: {limit:.2f} allowed)")
    alarms.set_xlim(-0.03, 1.03)
    alarms.grid(axis="y", visible=False)
    name_rows(alarms, list(looks))
    bold_title(figure, title)
    return figure


def recall_curve(
    curve: pd.DataFrame, chosen: pd.DataFrame, title: str, limit: float = 0.2
) -> Figure:
    """The highest recall of each detector at a false discovery rate up to `limit`.

    Columns of both tables: detector, fdr, recall. A row of `curve` is the smallest rate at which a
    recall is possible, for the best threshold in hindsight (lines). `chosen` are results with
    thresholds that were chosen on other data (markers).
    """
    looks = detector_looks(curve["detector"])
    curve = curve[curve["fdr"] <= limit]
    chosen = chosen[chosen["fdr"] <= limit]
    figure, axes = new_figure(6.5, 5)
    axis = axes[0, 0]
    for place, (name, (color, marker)) in enumerate(looks.items()):
        # the first line is widest and below the others, so that lines on the same path are all
        # visible
        extra = max(0.0, 1 - place / 4)
        one = curve[curve["detector"] == name].sort_values("fdr")
        if len(one):
            x = [*one["fdr"], limit]
            y = [*one["recall"], one["recall"].iloc[-1]]
            axis.plot(x, y, drawstyle="steps-post", lw=1.4 + 2.6 * extra, color=color)
        points = chosen[chosen["detector"] == name]
        style = {"ls": "", "ms": 6 + 4 * extra, "mec": "white", "color": color, "zorder": 3}
        axis.plot(points["fdr"], points["recall"], marker, **style)
    axis.set_title(title)
    axis.set_xlabel("false discovery rate")
    axis.set_ylabel("recall")
    axis.set_xlim(-0.02 * limit, limit)
    axis.set_ylim(-0.03, 1.03)
    note = "lines: best thresholds in hindsight; markers: thresholds chosen on other data"
    beyond = [name for name in looks if name not in set(curve["detector"])]
    if beyond:
        note += f"\nnowhere within {limit:.2f}: {', '.join(beyond)}"
    marker_legend(figure, looks, note)
    return figure
