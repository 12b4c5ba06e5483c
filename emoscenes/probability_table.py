"""Reads EmoScenes' probability table, `probability_table.yaml`, once and checks it.

Takes nothing; gives the table as constants. The YAML file and `emoscenes.scenes` explain them.
ValueError: a table that contradicts itself.
"""

from pathlib import Path

import numpy as np
import yaml

from tinyemo.emotions import LABEL_SETS

PATH = Path(__file__).parent / "probability_table.yaml"
PARROTT = LABEL_SETS["parrott"]


def read_table(path: Path = PATH) -> dict:
    """The checked table of a YAML file. ValueError names the entry that does not fit."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    attributes = table["attributes"]

    def expect(condition: bool, entry: str, expected: str) -> None:
        if not condition:
            raise ValueError(f"{path.name}, {entry}: expected {expected}")

    labels = set(table["prior_weights"])
    expect(labels == set(PARROTT), "prior_weights", "one weight for each of Parrott's 25 labels")
    for name, part in table["decisive"].items():
        entry = f"decisive, {name}"
        expect(name in attributes, entry, f"one of {', '.join(attributes)}")
        expect(0 < part["share"] < 1 < part["odds"], entry, "a share in (0, 1) and odds above 1")
        for value, own_labels in part["values"].items():
            expect(value in attributes[name], f"{entry}, {value}", f"a value of {name}")
            expect(labels.issuperset(own_labels), f"{entry}, {value}", "labels of Parrott")
    backgrounds = set(attributes["background"])
    for name, odds_of_background in table["given_background"].items():
        entry = f"given_background, {name}"
        expect(backgrounds.issuperset(odds_of_background), entry, "known backgrounds")
        lengths = {len(odds) for odds in odds_of_background.values()}
        count = len(attributes[name])
        expect(lengths == {count}, entry, f"{count} odds for each background")
    shapes = table["colorfulness_given_background"]
    expect(backgrounds.issuperset(shapes), "colorfulness_given_background", "known backgrounds")
    return table


_TABLE = read_table()

# attribute -> its values
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    name: tuple(values) for name, values in _TABLE["attributes"].items()
}
# attributes with a number in [0, 1]
CONTINUOUS = ("brightness", "colorfulness")

# p(label) of Parrott's 25 labels: (25,) float64
PRIOR = np.array([_TABLE["prior_weights"][label] for label in PARROTT])
PRIOR /= PRIOR.sum()

# attribute -> decisive value -> its own labels; every value not listed is inert
SIGNATURES: dict[str, dict[str, tuple[str, ...]]] = {}
# attribute -> how many times as likely a decisive value is for its own labels
ODDS: dict[str, float] = {}
# attribute -> p(it shows one of its decisive values), for every label the same
DECISIVE_SHARE: dict[str, float] = {}
for _name, _part in _TABLE["decisive"].items():
    SIGNATURES[_name] = {value: tuple(labels) for value, labels in _part["values"].items()}
    ODDS[_name] = _part["odds"]
    DECISIVE_SHARE[_name] = _part["share"]

# inert attribute -> background -> odds of the attribute's values, in their order
GIVEN_BACKGROUND: dict[str, dict[str, list[float]]] = _TABLE["given_background"]
# background -> (a, b) of the Beta distribution of colorfulness
COLORFULNESS_GIVEN_BACKGROUND: dict[str, list[float]] = _TABLE["colorfulness_given_background"]
