"""Metrics of texts by hand, and perplexity compared with plain passes of the language model."""

import math

import numpy as np
import pytest
import torch
from checkpoints import save_tokenizer
from tiny_clip import save_tiny_clip
from torch.nn.functional import log_softmax
from transformers import LlamaConfig, LlamaForCausalLM

from tinyemo.data.instructions import Instruction
from tinyemo.evaluation.text_metrics import clip_score, corpus_bleu, perplexity, rouge_l
from tinyemo.features.encoders import load_image_encoder
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.multimodal_lm import Connector, MultimodalLM
from tinyemo.models.prompt import Sample

WIDTH = 6  # of a patch token


def test_rouge_l_by_hand():
    """The longest common subsequences have 5 words (of 6 and 6), 2 (of 2 and 8), and 0."""
    texts = ["The cat is on the mat.", "roses evoke", "A ghost"]
    references = [
        "the cat sat on the mat",
        "The roses on the table evoke affection here",
        "disgust",
    ]
    # F1 = 2 PR / (P + R): 5/6; P = 1, R = 1/4; 0
    assert rouge_l(texts, references) == pytest.approx([5 / 6, 2 / 5, 0])
    with pytest.raises(ValueError, match="3 texts and 2 references"):
        rouge_l(texts, references[:2])


def test_corpus_bleu_by_hand():
    """The n-grams of both texts are pooled before the division; short texts get a penalty."""
    texts = ["the red rose means love here", "it is a big dog"]
    references = ["the red rose means love for many", "it is a big cat"]
    # n-grams found: 5 + 4 of 6 + 5, 4 + 3 of 5 + 4, 3 + 2 of 4 + 3, 2 + 1 of 3 + 2
    precisions = [9 / 11, 7 / 9, 5 / 7, 3 / 5]
    brevity_penalty = math.exp(1 - 12 / 11)  # 11 words for 12
    expected = brevity_penalty * math.prod(precisions) ** (1 / 4)
    assert corpus_bleu(texts, references) == pytest.approx(expected, abs=1e-9)
    assert corpus_bleu(texts, texts) == pytest.approx(1)
    with pytest.raises(ValueError, match="of no texts"):
        corpus_bleu([], [])


class FakeEncoder:
    """Gives fixed vectors for three texts."""

    vectors = {
        "A photo depicts a rose": (3.0, 4.0),
        "A photo depicts a dog": (0.0, 2.0),
        "bare": (1.0, 0.0),
    }

    def encode_text(self, texts):
        return torch.tensor([self.vectors[text] for text in texts])


def test_clip_score_by_hand():
    images = torch.tensor([[5.0, 0.0], [0.0, -1.0]], dtype=torch.float16)
    # the cosines are 3/5 and -1
    scores = clip_score(FakeEncoder(), images, ["a rose", "a dog"])
    assert scores == pytest.approx([1.5, 0])
    assert clip_score(FakeEncoder(), images[:1], ["bare"], prefix="") == pytest.approx([2.5])
    with pytest.raises(ValueError, match="1 texts and 2 images"):
        clip_score(FakeEncoder(), images, ["a rose"])


def test_clip_score_of_an_encoder_is_highest_for_an_image_equal_to_the_text(tmp_path):
    encoder = load_image_encoder(save_tiny_clip(tmp_path))
    image = encoder.encode_text(["A photo depicts a rose"])
    scores = clip_score(encoder, torch.cat([image, -image]), ["a rose", "a rose"])
    assert scores == pytest.approx([2.5, 0], abs=1e-5)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    rows = save_tokenizer(folder, "llama").get_vocab_size()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=rows,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.5,
    )
    connectors = {"image": Connector("linear", WIDTH)}
    lm = LlamaForCausalLM(config)
    return MultimodalLM(lm, load_tokenizer(folder), connectors, template="plain")


def item(name, answer, image=""):
    question = "<image>\nWhy?" if image else "Why?"
    return Instruction(name, image, ((question, answer),), "reasoning")


def answer_nll(model, one):
    """The negative log-likelihoods of an item's answer tokens, for an item without image."""
    encoded = model.prompts.encode(Sample(one.turns, {}))
    with torch.inference_mode():
        logits = model.lm(torch.tensor([encoded.input_ids])).logits[0]  # (T, V)
    log_p = log_softmax(logits.double(), dim=1)
    answer = [i for i, label in enumerate(encoded.labels) if label >= 0]
    return [-float(log_p[i - 1, encoded.labels[i]]) for i in answer]


def test_every_answer_token_counts_the_same(model):
    items = [
        item("a", "joy"),
        item("b", "fear and anger and surprise and sadness"),
        item("c", "a disgust"),
    ]
    nll = [value for one in items for value in answer_nll(model, one)]
    mean = sum(nll) / len(nll)
    for batch_size in (1, 2, 3):
        value = perplexity(model, items, None, batch_size)
        assert value == pytest.approx(math.exp(mean), rel=1e-4)
    assert model.training  # as before the call
    mean_over_texts = np.mean([math.log(perplexity(model, [one], None)) for one in items])
    assert abs(mean_over_texts - mean) > 1e-3  # another number


def test_each_record_gets_its_own_image(model):
    draw = torch.Generator().manual_seed(0)
    tokens = {}
    for name, n in (("a.png", 2), ("b.png", 4)):
        tokens[name] = torch.randn(n, WIDTH, generator=draw) * 5
    items = [
        item("a", "fear and anger", "a.png"),
        item("n", "joy and so on and so on"),
        item("b", "joy", "b.png"),
    ]

    def source(images):
        return [tokens[image] for image in images]

    def swapped(images):
        return [tokens["a.png" if image == "b.png" else "b.png"] for image in images]

    together = perplexity(model, items, source, batch_size=3)
    assert perplexity(model, items, source, batch_size=1) == pytest.approx(together, rel=1e-4)
    assert abs(perplexity(model, items, swapped) / together - 1) > 1e-3
    with pytest.raises(ValueError, match="perplexity of 1 records without an answer"):
        perplexity(model, [item("a", "", "a.png")], source)


def test_uniform_predictions_have_the_vocabulary_size_as_perplexity(model):
    weights = model.lm.lm_head.weight.detach().clone()
    model.lm.lm_head.weight.data.zero_()
    try:
        value = perplexity(model, [item("a", "joy"), item("b", "fear of anger")], None)
    finally:
        model.lm.lm_head.weight.data.copy_(weights)
    assert value == pytest.approx(len(weights), rel=1e-5)
