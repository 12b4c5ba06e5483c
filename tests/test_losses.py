"""The losses, compared with their formulas and with pytorch-metric-learning."""

import math

import pytest
import torch
import torch.nn.functional as F

from tinyemo import losses


@pytest.fixture
def batch():
    """Embeddings (9, 8), labels with a class of one item, anchors (4, 8) of four classes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 2, 1, 0, 2, 2, 3, 1, 0])
    z = torch.randn(9, 8, generator=generator)
    return z.requires_grad_(), labels, torch.randn(4, 8, generator=generator), torch.arange(4)


def cos(a, b):
    return float(a @ b / (a.norm() * b.norm()))


@pytest.mark.parametrize("kind", ["batch", "copied labels", "table", "synonyms"])
def test_nt_xent_equals_pytorch_metric_learning(batch, kind):
    reference = pytest.importorskip("pytorch_metric_learning.losses").NTXentLoss()
    z, y, anchors, classes = batch
    if kind == "batch":  # as in TinyEmo
        ref, ref_labels = anchors[y], y
    elif kind == "copied labels":
        ref, ref_labels = anchors[y], y.clone()
    elif kind == "table":
        ref, ref_labels = anchors, classes
    else:
        ref, ref_labels = torch.cat([anchors, anchors + 1]), torch.cat([classes, classes])
    ours = losses.nt_xent(z, y, ref, ref_labels)
    theirs = reference(z, y, ref_emb=ref, ref_labels=ref_labels)
    assert abs(ours.item() - theirs.item()) < 1e-6
    gradients = [torch.autograd.grad(loss, z)[0] for loss in (ours, theirs)]
    assert torch.allclose(*gradients, atol=1e-6)


def test_cosine_embedding_equals_torchs_with_targets_of_one(batch):
    z, y, anchors, classes = batch
    expected = torch.nn.CosineEmbeddingLoss(margin=0.5)(z, anchors[y], torch.ones(len(y)))
    assert torch.allclose(losses.cosine_embedding(z, y, anchors, classes), expected)
    assert torch.allclose(losses.cosine_embedding(z, y, anchors[y], y), expected)


def info_nce_by_hand(z, y, anchors, released_code):
    terms = []
    for i, label in enumerate(y.tolist()):
        mates = sum(int(other) == label for other in y) - 1
        if mates == 0:
            continue
        entries = [math.exp(cos(z[i], anchors[label]) / 0.1)]
        entries += [
            math.exp(cos(z[i], anchors[other]) / 0.1) for other in y.tolist() if other != label
        ]
        numerator = sum(entries[: mates if released_code else 1])
        terms.append(-math.log(numerator / sum(entries)))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("name", ["info_nce", "info_nce_upstream"])
def test_info_nce_by_hand(batch, name):
    z, y, anchors, _ = batch
    expected = info_nce_by_hand(z.detach(), y, anchors, released_code=name == "info_nce_upstream")
    assert losses.LOSSES[name](z, y, anchors[y], y).item() == pytest.approx(expected, abs=1e-5)


def test_the_two_info_nce_differ_and_leave_single_items_out(batch):
    z, y, anchors, _ = batch
    assert losses.info_nce(z, y, anchors[y], y) != losses.info_nce_upstream(z, y, anchors[y], y)
    alone = torch.arange(4)
    assert losses.info_nce(z[:4], alone, anchors, alone).item() == 0.0


def test_cross_entropy_by_hand(batch):
    z, y, anchors, classes = batch
    cosines = torch.tensor([[cos(item, anchor) for anchor in anchors] for item in z.detach()])
    expected = F.cross_entropy(cosines / 0.3, y)
    assert torch.allclose(
        losses.cross_entropy(z, y, anchors, classes, temperature=0.3), expected, atol=1e-6
    )


def test_probability_of_a_class_is_the_sum_over_its_synonyms(batch):
    z, y, anchors, classes = batch
    twice, labels = torch.cat([anchors, anchors]), torch.cat([classes, classes])
    one_hot = F.one_hot(y, 4).float()
    for loss, targets in ((losses.cross_entropy, y), (losses.soft_label_kl, one_hot)):
        with_synonyms = loss(z, targets, twice, labels)
        without = loss(z, targets, anchors, classes)
        assert torch.allclose(with_synonyms, without, atol=1e-6)


def test_soft_label_kl_by_hand(batch):
    z, y, anchors, classes = batch
    targets = torch.rand(9, 4, generator=torch.Generator().manual_seed(1))
    targets = targets / targets.sum(dim=1, keepdim=True)
    expected = 0.0
    for item, target in zip(z.detach(), targets, strict=True):
        weights = [math.exp(cos(item, anchor) / 0.07) for anchor in anchors]
        total = sum(weights)
        for p, w in zip(target.tolist(), weights, strict=True):
            expected += p * (math.log(p) - math.log(w / total)) / 9
    loss = losses.soft_label_kl(z, targets, anchors, classes).item()
    assert loss == pytest.approx(expected, abs=1e-5)
    hard = F.one_hot(y, 4).float()  # for one-hot targets it is the cross-entropy
    expected = losses.cross_entropy(z, y, anchors, classes)
    assert torch.allclose(losses.soft_label_kl(z, hard, anchors, classes), expected, atol=1e-6)


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_gradients_are_finite_in_a_batch_of_one_class(batch, name):
    z, _, anchors, _ = batch
    y = torch.zeros(9, dtype=torch.long)
    loss = losses.LOSSES[name]
    if name == "soft_label_kl":
        value = loss(z, F.one_hot(y, 4).float(), anchors, torch.arange(4))
    else:
        value = loss(z, y, anchors[y], y)
    value.backward()
    assert torch.isfinite(z.grad).all()
