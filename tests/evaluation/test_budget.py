"""The budget of two arms agrees with a count by hand."""

import numpy as np
import pandas as pd

from tinyemo.evaluation.budget import language_model_part, projector_part, training_budget


def trainings(*rows):
    columns = ["chosen", "steps", "items seen", "seconds"]
    return pd.DataFrame(rows, columns=columns)


def test_updates_items_labels_and_votes_of_both_arms():
    recipe = {"batch_size": 64, "refit": True}
    # 1,000 items make 15 steps; 7 and 9 epochs; then 5 and 6 epochs on 1,200 items (18 steps)
    histories = [pd.DataFrame(index=range(7)), pd.DataFrame(index=range(9))]
    infos = [{"recipe": recipe, "epochs": epochs, "items": 1200} for epochs in (5, 6)]
    projector = projector_part(histories, infos, 1000, votes=10)
    assert projector.updates == 16 * 15 + 11 * 18 and projector.images == 1200
    assert projector.items_seen == 64 * projector.updates

    captions = pd.DataFrame({"id": ["a#caption", "b#caption"], "label": ["", ""]})
    # a has two labels, one of them in two texts
    texts = pd.DataFrame(
        {"id": ["a#r", "a#r-2", "a#c", "b#r"], "label": ["joy", "fear", "joy", "joy"]}
    )
    connector = language_model_part("connector", trainings((True, 5, 40, 10.0)), captions)
    conditioned = language_model_part("conditioned", trainings((True, 6, 48, 20.0)), texts, 10)
    both = trainings((False, 7, 56, 30.0), (True, 7, 56, 31.0), (True, 7, 56, 32.0))
    alone = language_model_part("alone", both, texts, 10)
    assert (alone.trainings, alone.tried, alone.updates, alone.seconds) == (2, 1, 21, 93)
    assert (alone.images, alone.labels_per_image, connector.labels_per_image) == (2, 1.5, 0)

    budget = training_budget([projector, connector, conditioned, alone]).set_index(["arm", "part"])
    assert list(budget.loc["projector"].index) == ["projector", "connector", "conditioned", "sum"]
    assert list(budget.loc["alone"].index) == ["connector", "alone", "sum"]
    total = budget.loc[("projector", "sum")]
    assert total["updates"] == projector.updates + 5 + 6
    assert total["seconds"] == 30 and np.isnan(budget.loc[("projector", "projector"), "seconds"])
    assert (total["images"], total["votes_per_image"]) == (1200, 10)
    assert budget.loc[("alone", "sum"), "updates"] == 26
