"""Training items of a conversation model: targets, balance, withheld streams, reproducibility."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from checkpoints import save_tokenizer

from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.conversation_prompt import DialoguePrompts, PromptStyle, StreamVectors
from tinyemo.models.prompt import PromptBuilder
from tinyemo.training.conversation_samples import ConversationRecipe, ConversationSamples

LABELS = ("anger", "joy", "neutral")
STREAMS = ("text", "audio", "face")
ANSWERS = ["neutral"] * 9 + ["joy"] * 2 + ["anger"]
STYLE = PromptStyle(context=0, streams=STREAMS)


@pytest.fixture(scope="module")
def prompts(tmp_path_factory) -> PromptBuilder:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(folder, "llama")
    return PromptBuilder(load_tokenizer(folder), STREAMS, template="plain")


def dialogues(n: int = len(ANSWERS)) -> DialoguePrompts:
    table = pd.DataFrame(
        {"dialogue": "a", "turn": range(n), "speaker": "F", "text": [f"turn {i}" for i in range(n)]}
    )
    streams = {name: StreamVectors(torch.zeros(n, 2), np.ones(n, bool)) for name in STREAMS}
    return DialoguePrompts(table, streams)


def samples(prompts, recipe, shares=None, seed=0, answers=ANSWERS) -> ConversationSamples:
    ids = [f"x/{i}" for i in range(len(answers))]
    rows = range(len(answers))
    return ConversationSamples(
        dialogues(), prompts, rows, ids, answers, LABELS, recipe, shares, seed
    )


def answers_of(items: ConversationSamples, epochs: int, item: int) -> Counter:
    return Counter(items.sample(epoch, item).turns[0][1] for epoch in range(epochs))


def test_majority_answers_are_the_labels(prompts):
    items = samples(prompts, ConversationRecipe((STYLE,)))
    batch = items.__getitems__([(0, item) for item in range(len(items))])
    assert [sample.turns[0][1] for sample in batch] == ANSWERS


def test_soft_answers_have_the_distribution_of_the_votes(prompts):
    shares = np.tile([0.5, 0.25, 0.25], (12, 1))
    items = samples(prompts, ConversationRecipe((STYLE,), target="soft"), shares)
    found = answers_of(items, 2000, 0)
    assert found["anger"] / 2000 == pytest.approx(0.5, abs=0.04)
    assert found["joy"] / 2000 == pytest.approx(0.25, abs=0.04)


def test_multi_answers_are_lists_and_balanced_yes_and_no(prompts):
    shares = np.tile([0.6, 0.0, 0.4], (12, 1))
    items = samples(prompts, ConversationRecipe((STYLE,), target="multi"), shares)
    found = answers_of(items, 2000, 0)
    assert set(found) == {"anger, neutral", "yes", "no"}
    assert found["anger, neutral"] / 2000 == pytest.approx(0.5, abs=0.04)
    assert found["yes"] / 2000 == pytest.approx(0.25, abs=0.04)
    for epoch in range(50):
        (question, answer) = items.sample(epoch, 0).turns[0]
        if answer == "yes":
            assert "show anger now" in question or "show neutral now" in question
        if answer == "no":
            assert "show joy now" in question


def test_balanced_items_have_equally_frequent_labels(prompts):
    items = samples(prompts, ConversationRecipe((STYLE,), balance="sampling"))
    found = Counter()
    for epoch in range(200):
        batch = items.__getitems__([(epoch, item) for item in range(len(items))])
        found.update(sample.turns[0][1] for sample in batch)
    assert found == {"neutral": 800, "joy": 800, "anger": 800}


def test_each_stream_is_withheld_with_its_probability_and_never_all(prompts):
    items = samples(prompts, ConversationRecipe((STYLE,), drop_stream=0.6))
    missing = np.zeros(3)
    for epoch in range(2000):
        streams = items.sample(epoch, 0).streams
        absent = np.array([streams[name] == [None] for name in STREAMS])
        assert not absent.all()
        missing += absent
    # a stream is the one that is kept in a third of the items
    np.testing.assert_allclose(missing / 2000, 0.6 * 2 / 3, atol=0.04)


def test_draws_depend_on_seed_epoch_and_id_alone(prompts):
    recipe = ConversationRecipe((STYLE, replace(STYLE, question="open")), drop_stream=0.5)
    one, same = samples(prompts, recipe), samples(prompts, recipe)
    other = samples(prompts, recipe, seed=1)
    keys = [(epoch, item) for epoch in range(3) for item in range(len(one))]

    def drawn(items):
        batch = items.__getitems__(keys)
        return [(s.turns, [name for name in STREAMS if s.streams[name] == [None]]) for s in batch]

    assert drawn(one) == drawn(same) and drawn(one) != drawn(other)
    assert len({s.turns for s in one.__getitems__([(e, 0) for e in range(20)])}) == 2


def test_the_key_covers_data_and_recipe(prompts):
    recipe = ConversationRecipe((STYLE,))
    key = samples(prompts, recipe).key
    assert key == samples(prompts, recipe).key
    assert key != samples(prompts, replace(recipe, balance="sampling")).key
    assert key != samples(prompts, recipe, answers=ANSWERS[::-1]).key


def test_unusable_items_are_refused(prompts):
    with pytest.raises(ValueError, match="utterance 'x/0': label 'rage', expected one of anger"):
        samples(prompts, ConversationRecipe((STYLE,)), answers=["rage"])
    soft = ConversationRecipe((STYLE,), target="soft")
    with pytest.raises(ValueError, match="target 'soft': expected the annotators' votes"):
        samples(prompts, soft)
    shares = np.full((12, 3), np.nan)
    with pytest.raises(ValueError, match="utterance 'x/0': it has no votes for anger, joy"):
        samples(prompts, soft, shares)
    short = PromptBuilder(prompts.tokenizer, STREAMS, max_length=8, template="plain")
    with pytest.raises(ValueError, match="utterance 'x/0': a prompt of"):
        samples(short, ConversationRecipe((STYLE,)))
    with pytest.raises(ValueError, match="target 'votes': expected one of majority, soft, multi"):
        ConversationRecipe(target="votes")


def test_weights_give_each_label_the_same_total_and_a_mean_of_one(prompts):
    items = samples(prompts, ConversationRecipe((STYLE,), balance="weights"))
    total = Counter()
    for sample in items.__getitems__([(0, item) for item in range(len(items))]):
        total[sample.turns[0][1]] += sample.weight
    assert total == pytest.approx({"neutral": 4, "joy": 4, "anger": 4})


def test_root_weights_follow_the_square_root_of_the_frequency(prompts):
    items = samples(prompts, ConversationRecipe((STYLE,), balance="root_weights"))
    weights = [sample.weight for sample in items.__getitems__([(0, i) for i in range(len(items))])]
    total = 9 / 9**0.5 + 2 / 2**0.5 + 1  # items times weight, before the scaling to a mean of 1
    expected = [9**-0.5] * 9 + [2**-0.5] * 2 + [1.0]
    assert weights == pytest.approx([12 / total * weight for weight in expected])


def test_items_without_balance_have_the_weight_one(prompts):
    items = samples(prompts, ConversationRecipe((STYLE,)))
    assert items.sample(0, 11).weight == 1.0
