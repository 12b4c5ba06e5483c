"""The markers of bias figures against their tables; names are complete, figures fit a notebook."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from PIL import Image
from sklearn.datasets import load_sample_images

from tinyemo.bias import figures, power_figures
from tinyemo.emotions import labels_of
from tinyemo.plots import ACCENT, HUES

EKMAN, LONG = (
    labels_of("ekman"),
    "facial expression and posture: a value that somebody wrote at length into a table",
)
VALUES = ["weather: rain", LONG, *(f"object: thing number {i}" for i in range(30))]
UNITS = {"data": "risk difference", "model": "mean probability", "naive": "log odds ratio"}


@pytest.fixture
def table():
    """Three detectors over 32 values: only rain -> anger is large; the naive one finds six more."""
    rng, tables = np.random.default_rng(0), []
    for detector, unit in UNITS.items():
        cells = pd.MultiIndex.from_product([VALUES, EKMAN], names=["what", "where"]).to_frame(
            index=False
        )
        effect = rng.normal(0, 0.01, len(cells))
        effect[EKMAN.index("anger")] = 0.3
        found = effect > 0.2
        found[60:66] |= detector == "naive"
        tables.append(
            cells.assign(
                detector=detector,
                unit=unit,
                effect=effect,
                low=effect - 0.02,
                high=effect + 0.02,
                found=found,
            )
        )
    return pd.concat(tables, ignore_index=True)


def only(table, detector):
    return table[table["detector"] == detector]


def vocabulary(emotions):
    return pd.DataFrame(
        [
            {
                "detector": "vocabulary",
                "what": f"word{i}",
                "where": emotion,
                "effect": 0.2 - i / 100,
                "low": 0.1,
                "high": 0.3,
                "unit": "cosine",
                "found": i < 2,
                "stability": 1 - i / 10,
                "control": 0.05,
            }
            for emotion in emotions
            for i in range(10)
        ]
    )


def mitigation():
    models = ["before", "reweighting", "balanced resampling", "concept erasure"]
    won = np.array(
        [[0, 0, 0], [0.2, 0.1, 0.3], [0.1, -0.1, 0.3], [-0.2, -0.3, -0.1]]
    )  # difference, low, high
    return pd.DataFrame(
        [
            {
                "measure": measure,
                "model": model,
                "value": 0.5 + by,
                "low": 0.4 + by,
                "high": 0.6 + by,
                "difference_low": low,
                "difference_high": high,
            }
            for measure in ("worst group", "gap", "accuracy")
            for model, (by, low, high) in zip(models, won, strict=True)
        ]
    )


def power(*detectors):
    recall = pd.DataFrame(
        [
            {
                "detector": name,
                "strength": s,
                "recall": s * 3,
                "low": s * 3 - 0.05,
                "high": s * 3 + 0.05,
            }
            for name in detectors
            for s in (0.05, 0.15, 0.3)
        ]
    )
    return recall, pd.DataFrame({"detector": detectors, "fdr": 0.05, "low": 0.03, "high": 0.07})


def reach():
    """Best recall at an FDR, and results: the model from .01 on, the naive test from .8 on."""
    curve = pd.DataFrame(
        {
            "detector": ["model", "model", "model", "naive"],
            "fdr": [0.01, 0.05, 0.3, 0.8],
            "recall": [0.5, 0.9, 0.95, 1],
        }
    )
    return curve, pd.DataFrame({"detector": ["model"], "fdr": [0.06], "recall": [0.8]})


def photographs(n):
    rng, photos = (
        np.random.default_rng(0),
        [Image.fromarray(image) for image in load_sample_images().images],
    )
    corners = rng.integers(0, (340, 240), size=(n, 2))
    return [
        (photos[i % 2].crop((x, y, x + 300, y + 180)), "disappointment")
        for i, (x, y) in enumerate(corners)
    ]


def names(axis):
    return [tick.get_text().replace("\n", " ") for tick in axis.get_yticklabels()]


def marks(axis):
    """(shape, hue, filled) of each mark that an axis shows at its (x, y)."""
    return {
        (round(float(x), 6), round(float(y), 6)): (
            line.get_marker(),
            line.get_color(),
            line.get_markerfacecolor() != "white",
        )
        for line in axis.lines
        if line.get_marker() != "None"
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }


@pytest.mark.parametrize(
    "draw",
    [
        lambda t: figures.gap_heatmap(only(t, "data"), "gaps", rows=25),
        lambda t: figures.effect_forest(
            t[t["what"].isin(VALUES[:3]) & t["where"].isin(EKMAN[:2])], "effects"
        ),
        lambda t: figures.word_bars(vocabulary(labels_of("mikels")), "words"),
        lambda t: figures.contact_sheet(
            {LONG: (photographs(5), photographs(5)), "b": (photographs(5), [])}, "", columns=5
        ),
        lambda t: figures.before_after(mitigation(), "mitigation"),
        lambda t: power_figures.power_curve(*power("data", "model", "naive"), "power"),
        lambda t: power_figures.recall_curve(*reach(), "reach"),
        lambda t: figures.detector_map(t, [(LONG, "anger")], "map"),
    ],
    ids=[
        "gap_heatmap",
        "effect_forest",
        "word_bars",
        "contact_sheet",
        "before_after",
        "power_curve",
        "recall_curve",
        "detector_map",
    ],
)
def test_figures_fit_a_notebook_and_row_names_do_not_overlap(table, draw):
    figure = draw(table)
    assert figure.get_figwidth() <= 10 and len(figure._repr_png_()) < 250_000
    for axis in [axis for axis in figure.axes if axis.axison]:
        boxes = sorted(
            (tick.get_window_extent() for tick in axis.get_yticklabels()), key=lambda box: box.y0
        )
        assert all(above.y0 - below.y1 > -1 for below, above in zip(boxes, boxes[1:], strict=False))


def test_heat_map_frames_what_was_found_and_shows_it_first(table):
    data = only(table, "data")
    small = (data["what"] == LONG) & (data["where"] == "joy")
    figure = figures.gap_heatmap(data.assign(found=data["found"] | small), "gaps", rows=4)
    axis = figure.axes[0]
    assert names(axis)[:2] == ["weather: rain", LONG] and len(names(axis)) == 4
    frames = {
        (round(one.get_x() + 0.47), round(one.get_y() + 0.45))
        for one in axis.patches
        if type(one) is Rectangle
    }
    assert frames == {(EKMAN.index("anger"), 0), (EKMAN.index("joy"), 1)}
    assert "+0.30" in [text.get_text() for text in axis.texts]
    low, high = axis.images[0].get_clim()
    assert low == -high == pytest.approx(-0.3)  # white is zero


def test_forest_has_one_panel_per_unit_and_fills_found_markers(table):
    some = table[(table["what"] == "weather: rain") & table["where"].isin(["anger", "joy"])]
    figure = figures.effect_forest(some, "effects")
    assert [axis.get_xlabel() for axis in figure.axes] == list(UNITS.values())
    assert names(figure.axes[0]) == ["weather: rain → anger", "weather: rain → joy"]
    for axis, unit in zip(figure.axes, UNITS.values(), strict=True):
        rows = some[some["unit"] == unit].sort_values("where")
        shown = sorted(marks(axis).items(), key=lambda one: one[0][1])
        assert [x for (x, _), _ in shown] == pytest.approx(list(rows["effect"]), abs=1e-6)
        assert [round(y) for (_, y), _ in shown] == [0, 1] and [
            filled for *_, (_, _, filled) in shown
        ] == [True, False]


def test_each_detector_has_the_same_marker_and_colour_in_all_figures(table):
    forest = figures.effect_forest(table[table["what"] == VALUES[0]], "effects")
    curve = power_figures.power_curve(
        *power("naive", "a new one", "another", "data", "model"), "power"
    )
    of_forest, (_, alarms) = (
        [{mark[:2] for mark in marks(axis).values()} for axis in forest.axes],
        curve.axes,
    )
    looks = dict(
        zip(
            names(alarms),
            [line.get_marker() + line.get_color() for line in alarms.lines[1::2]],
            strict=False,
        )
    )
    assert len(set(looks.values())) == 5
    assert [looks[name] for name in UNITS] == ["".join(*one) for one in of_forest]


def test_words_keep_their_order_and_found_words_are_bold():
    figure = figures.word_bars(vocabulary(["anger", "fear"]), "words", words=4)
    for axis, emotion in zip(figure.axes, ["anger", "fear"], strict=False):
        assert axis.get_title() == emotion and names(axis) == ["word0", "word1", "word2", "word3"]
        assert [tick.get_fontweight() for tick in axis.get_yticklabels()] == [
            "bold",
            "bold",
            "normal",
            "normal",
        ]
        assert [bar.get_width() for bar in axis.patches] == pytest.approx([0.2, 0.19, 0.18, 0.17])
        assert to_hex(axis.patches[0].get_facecolor()) == HUES[0].lower()  # in all resamples


def test_contact_sheet_shows_whole_pictures_beside_each_other():
    picture = Image.fromarray(
        np.concatenate([np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 255, np.uint8)])
    )
    figure = figures.contact_sheet(
        {"one": ([(picture, "fear")] * 2, [(picture, "joy")])}, "pictures", columns=2
    )
    shown = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    assert len(shown) == 3 and all(image.shape[:2] == (40, 40) for image in shown)
    black = (shown[0].sum(axis=2) < 30).sum() / 40**2
    assert black == pytest.approx(
        0.75 / 2, abs=0.02
    )  # three quarters of the square, half of it black
    texts = [
        text.get_text()
        for axis in figure.axes
        for text in (*axis.texts, axis.title)
        if text.get_text()
    ]
    assert texts == ["one", "with", "fear", "fear", "without", "joy"]


def test_mitigation_is_compared_with_the_model_before():
    figure = figures.before_after(mitigation(), "mitigation")
    assert [axis.get_title() for axis in figure.axes] == ["worst group", "gap", "accuracy"]
    for axis in figure.axes:
        assert list(axis.lines[0].get_xdata()) == [0.5, 0.5]
        assert [(at, mark[2]) for at, mark in marks(axis).items()] == [
            ((0.5, 0), False),
            ((0.7, 1), True),
            ((0.6, 2), False),
            ((0.3, 3), True),
        ]


def test_recall_is_a_step_line_up_to_the_limit_and_detectors_beyond_it_are_named():
    figure = power_figures.recall_curve(*reach(), "reach", limit=0.2)
    axis, (hue, mark) = figure.axes[0], figures.detector_looks(["model"])["model"]
    (stair,) = [line for line in axis.lines if line.get_marker() == "None"]
    assert stair.get_drawstyle() == "steps-post" and stair.get_color() == hue
    assert list(zip(stair.get_xdata(), stair.get_ydata(), strict=True)) == [
        (0.01, 0.5),
        (0.05, 0.9),
        (0.2, 0.9),
    ]
    assert marks(axis) == {(0.06, 0.8): (mark, hue, True)}
    assert "nowhere within 0.20: naive" in figure.legends[0].get_title().get_text()


def test_detector_map_distinguishes_injected_biases_from_false_alarms(table):
    missed = table.copy()
    missed.loc[(table["detector"] == "model") & (table["what"] == "weather: rain"), "found"] = False
    figure = figures.detector_map(
        missed, [("weather: rain", "anger")], "map", true=[(VALUES[10], "anger")]
    )
    data, model, naive = figure.axes
    assert [axis.get_title() for axis in figure.axes] == [
        "data\nno excess: 0",
        "model\nno excess: 0",
        "naive\nno excess: 5",
    ]
    assert marks(data)[0.3, 0] == ("*", HUES[0], True) and marks(model)[0.3, 0] == (
        "*",
        HUES[0],
        False,
    )
    assert sorted(mark[0] for mark in marks(naive).values()).count("D") == 1
    assert {mark[1] for mark in marks(naive).values() if mark[0] == "X"} == {ACCENT}
    assert names(data) == ["weather: rain", VALUES[10], "30 other values"]
    assert sum(len(line.get_xdata()) for line in data.lines if line.get_marker() != "None") == len(
        VALUES
    ) * len(EKMAN)
