"""Figures with more series than the palette has colours: every series is drawn, in its own hue."""

import numpy as np
import pandas as pd
import pytest

from tinyemo import plots
from tinyemo.evaluation import score_figures

NAMES = [f"series {number}" for number in range(12)]


def legend_of(figure):
    axis = figure.axes[0]
    legends = [*figure.legends, *([axis.get_legend()] if axis.get_legend() else [])]
    texts = [text.get_text() for legend in legends for text in legend.get_texts()]
    return texts or axis.get_legend_handles_labels()[1]


def lines():
    history = pd.DataFrame(np.random.default_rng(0).random((5, 12)), columns=NAMES)
    return plots.learning_curves(history.assign(step=range(5)), "step", NAMES, "y", "t")


def bars():
    return plots.stacked_bars(pd.DataFrame(np.ones((2, 12)), ["a", "b"], NAMES), "x", "t")


def histograms():
    return plots.histograms({name: [1, 2, 2] for name in NAMES}, "x", "t")


def recalls():
    columns = {"recall": [0.2, 0.3], "recall_low": 0.1, "recall_high": 0.5, "items": [3, 4]}
    table = pd.DataFrame(columns, ["joy", "fear"])
    return score_figures.recall_bars(dict.fromkeys(NAMES, table), "t")


def reliability():
    curve = pd.DataFrame({"confidence": [0.1, 0.9], "accuracy": [0.2, 0.8]})
    return score_figures.reliability_diagram(dict.fromkeys(NAMES, curve), "t")


def risks():
    curve = pd.DataFrame({"coverage": [0.1, 1], "risk": [0.2, 0.3], "oracle": [0.1, 0.3]})
    return score_figures.risk_coverage(dict.fromkeys(NAMES, curve), "t")


@pytest.mark.parametrize("draw", [lines, bars, histograms, recalls, reliability, risks])
def test_a_ninth_series_is_drawn(draw):
    figure = draw()
    shown = legend_of(figure)
    assert [name for name in NAMES if name not in shown] == []


def test_embedding_map_has_a_star_for_every_label():
    rng = np.random.default_rng(0)
    anchors = {name: rng.normal(size=4) for name in NAMES}
    figure = plots.embedding_map(rng.normal(size=(24, 4)), NAMES * 2, anchors, "t")
    assert [text.get_text() for text in figure.axes[0].texts] == NAMES


def test_the_first_hues_are_the_palette_and_the_next_ones_differ():
    assert plots.hues(3) == list(plots.HUES[:3])
    assert len(set(plots.hues(32))) == 32
    assert len(plots.hues(40)) == 40
