"""The reader of the probability table names entries that do not fit."""

import pytest
import yaml

from emoscenes.probability_table import PATH, read_table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table["prior_weights"].pop("lust"), "prior_weights: expected one weight"),
        (lambda table: table["decisive"]["action"].update(share=1.2), "decisive, action: expected"),
        (
            lambda table: table["decisive"]["object"]["values"].update(piano=["joy"]),
            "decisive, object, piano: expected a value of object",
        ),
        (
            lambda table: table["decisive"]["object"]["values"].update(rose=["joy"]),
            "decisive, object, rose: expected labels of Parrott",
        ),
        (
            lambda table: table["given_background"]["time"].update(beach=[1, 2]),
            "given_background, time: expected 3 odds for each background",
        ),
        (
            lambda table: table["colorfulness_given_background"].update(moon=[1, 1]),
            "colorfulness_given_background: expected known backgrounds",
        ),
    ],
)
def test_entry_that_does_not_fit_is_named(tmp_path, change, message):
    table = yaml.safe_load(PATH.read_text())
    change(table)
    path = tmp_path / "table.yaml"
    path.write_text(yaml.safe_dump(table, sort_keys=False))
    with pytest.raises(ValueError, match=f"table.yaml, {message}"):
        read_table(path)
