"""Losses between image embeddings and label anchors.

One call shape for all: loss(embeddings, labels, anchors, anchor_labels), a scalar.

    embeddings     (N, D)  projected images, any length: every loss takes cosines
    labels         (N,)    their classes, int64; (N, C) float targets for soft_label_kl
    anchors        (M, D)  what they are compared with
    anchor_labels  (M,)    the anchors' classes, int64

The anchors are any labelled reference set, as in pytorch-metric-learning: the C label anchors (each once,
or several synonyms a class), or one a batch item, `anchors[labels], labels`, as TinyEmo's batches have
them. An item's own anchors are those of its class, of which at least one must be there; the others are its
negatives.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def _cosines(embeddings: Tensor, anchors: Tensor) -> Tensor:
    return F.normalize(embeddings, dim=1) @ F.normalize(anchors, dim=1).T  # (N, M)


def _own(labels: Tensor, anchor_labels: Tensor) -> Tensor:
    return labels[:, None] == anchor_labels[None, :]  # (N, M) bool


def _has_mate(labels: Tensor) -> Tensor:
    """Items (N,) bool that share their class with another item of the batch."""
    return _own(labels, labels).sum(dim=1) > 1


def cosine_embedding(
    embeddings: Tensor, labels: Tensor, anchors: Tensor, anchor_labels: Tensor
) -> Tensor:
    """Mean of 1 - cos(item, own anchor): TinyEmo's CosineEmbedding, whose targets are all +1.

    There are no negatives, so a margin would be inert.
    """
    own = _own(labels, anchor_labels).float()
    cosines = (_cosines(embeddings, anchors) * own).sum(dim=1) / own.sum(dim=1)
    return (1 - cosines).mean()


def nt_xent(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """NT-Xent (SimCLR, arXiv 2002.05709, eq. 1) over every pair of an item and one of its own anchors.

    A pair competes with the item's negatives, not with its other own anchors; the mean is over pairs. Equals
    pytorch-metric-learning's NTXentLoss with ref_emb=anchors, ref_labels=anchor_labels, and as there, if the
    labels are one and the same tensor, item i and anchor i are no pair: TinyEmo's batches, in which an item
    meets its anchor through its batch mates. 0 without a pair.
    """
    logits = _cosines(embeddings, anchors) / temperature
    own = _own(labels, anchor_labels)
    negatives = logits.masked_fill(own, -torch.inf).logsumexp(dim=1, keepdim=True)  # (N, 1)
    pairs = own.clone().fill_diagonal_(False) if anchor_labels is labels else own
    return ((torch.logaddexp(logits, negatives) - logits) * pairs).sum() / pairs.sum().clamp(min=1)


def info_nce(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.1,
) -> Tensor:
    """InfoNCE (arXiv 1807.03748, eq. 4): an item's own anchor against its negatives, mean over items.

    As in TinyEmo, an item whose class no other item of the batch shares is left out; 0 if that is all.
    """
    logits = _cosines(embeddings, anchors) / temperature
    own = _own(labels, anchor_labels)
    positive = (logits * own).sum(dim=1) / own.sum(dim=1)  # (N,)
    negatives = logits.masked_fill(own, -torch.inf).logsumexp(dim=1)
    return _mean_of_mates(torch.logaddexp(positive, negatives) - positive, labels)


def info_nce_upstream(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.1,
) -> Tensor:
    """The released code's infoNCE, for reproduction only: its numerator takes in negatives.

    An item with n batch mates counts its own anchor and its first n - 1 negatives as positives.
    """
    logits = _cosines(embeddings, anchors) / temperature
    own = _own(labels, anchor_labels)
    positive = (logits * own).sum(dim=1) / own.sum(dim=1)
    rank = (~own).cumsum(dim=1)  # 1 for an item's first negative in the order of the anchors
    mates = _own(labels, labels).sum(dim=1, keepdim=True) - 1
    counted = logits.masked_fill(own | (rank > mates - 1), -torch.inf).logsumexp(dim=1)
    negatives = logits.masked_fill(own, -torch.inf).logsumexp(dim=1)
    return _mean_of_mates(
        torch.logaddexp(positive, negatives) - torch.logaddexp(positive, counted), labels
    )


def _mean_of_mates(losses: Tensor, labels: Tensor) -> Tensor:
    mated = _has_mate(labels)
    return losses[mated].mean() if mated.any() else (losses * 0).sum()


def cross_entropy(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """Cross-entropy of softmax(cosine / temperature) over the anchors; a class has the sum of its anchors."""
    logits = _cosines(embeddings, anchors) / temperature
    own = _own(labels, anchor_labels)
    return (logits.logsumexp(dim=1) - logits.masked_fill(~own, -torch.inf).logsumexp(dim=1)).mean()


def soft_label_kl(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """KL(target || softmax(cosine / temperature)), mean over items; targets (N, C), rows sum to one.

    Column c is class c: an annotators' distribution, smoothed or mixed labels, a teacher's probabilities.
    """
    log_p = (_cosines(embeddings, anchors) / temperature).log_softmax(dim=1)  # (N, M)
    columns = torch.arange(labels.shape[1], device=labels.device)
    of_class = _own(columns, anchor_labels)  # (C, M)
    log_p = log_p[:, None, :].masked_fill(~of_class, -torch.inf).logsumexp(dim=2)  # (N, C)
    return F.kl_div(log_p, labels, reduction="batchmean")


LOSSES: dict[str, Callable[..., Tensor]] = {
    loss.__name__: loss
    for loss in (
        cosine_embedding,
        nt_xent,
        info_nce,
        info_nce_upstream,
        cross_entropy,
        soft_label_kl,
    )
}
