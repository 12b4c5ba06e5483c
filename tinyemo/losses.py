"""Losses between image embeddings and label anchors.

All losses are called in the same way and give a scalar: loss(embeddings, labels, anchors,
anchor_labels).

    embeddings     (N, D)  projected images, of any length: every loss uses cosines
    labels         (N,)    their classes, int64; for soft_label_kl (N, C) float targets
    anchors        (M, D)  the vectors that the images are compared with
    anchor_labels  (M,)    the classes of the anchors, int64

The anchors can be any labelled reference set, as in pytorch-metric-learning: the C label anchors
(each once, or with several synonyms per class), or one anchor per item of the batch,
`anchors[labels], labels`, as TinyEmo's batches have them. The own anchors of an item are those of
its class; there must be at least one. The other anchors are its negatives.

In the code, `own` is a mask (N, M) of each item's own anchors.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def cosine_embedding(
    embeddings: Tensor, labels: Tensor, anchors: Tensor, anchor_labels: Tensor
) -> Tensor:
    """Mean of 1 - cos(item, own anchor): TinyEmo's CosineEmbedding, whose targets are all +1.

    There are no negatives, so a margin would have no effect.
    """
    own = _same_class(labels, anchor_labels).float()  # (N, M)
    cosines = _cosines(embeddings, anchors)  # (N, M)
    own_cosine = (cosines * own).sum(dim=1) / own.sum(dim=1)  # (N,), mean over own anchors
    return (1 - own_cosine).mean()


def nt_xent(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """NT-Xent (SimCLR, arXiv 2002.05709, eq. 1), mean over the pairs of an item and an own anchor.

    A pair is compared with the item's negatives, not with its other own anchors. The value is that
    of pytorch-metric-learning's NTXentLoss with ref_emb=anchors and ref_labels=anchor_labels. Also
    as there: if `labels` and `anchor_labels` are one and the same tensor, item i and anchor i are
    not a pair. This is the case in TinyEmo's batches, where an item is compared with the anchors of
    other items of its class. The loss is 0 if there is no pair.
    """
    logits = _cosines(embeddings, anchors) / temperature  # (N, M)
    own = _same_class(labels, anchor_labels)  # (N, M)
    negatives = _logsumexp_where(~own, logits)  # (N,)
    pairs = own
    if anchor_labels is labels:
        pairs = own.clone().fill_diagonal_(False)
    # -log(exp(pair) / (exp(pair) + sum of exp(negatives)))
    losses = torch.logaddexp(logits, negatives[:, None]) - logits  # (N, M)
    return (losses * pairs).sum() / pairs.sum().clamp(min=1)


def info_nce(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.1,
) -> Tensor:
    """InfoNCE (arXiv 1807.03748, eq. 4): own anchor against negatives, mean over items.

    As in TinyEmo, an item is left out if no other item of the batch has its class. The loss is 0 if
    all items are left out.
    """
    logits = _cosines(embeddings, anchors) / temperature  # (N, M)
    own = _same_class(labels, anchor_labels)  # (N, M)
    positive = (logits * own).sum(dim=1) / own.sum(dim=1)  # (N,)
    negatives = _logsumexp_where(~own, logits)  # (N,)
    losses = torch.logaddexp(positive, negatives) - positive  # (N,)
    return _mean_where_shared(losses, labels)


def info_nce_upstream(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.1,
) -> Tensor:
    """InfoNCE of TinyEmo's released code, with negatives in the numerator. Only for reproduction.

    If n other items of the batch have the same class as an item, the numerator contains the item's
    own anchor and also its first n - 1 negatives.
    """
    logits = _cosines(embeddings, anchors) / temperature  # (N, M)
    own = _same_class(labels, anchor_labels)  # (N, M)
    positive = (logits * own).sum(dim=1) / own.sum(dim=1)  # (N,)
    rank = (~own).cumsum(dim=1)  # (N, M); 1 for an item's first negative, in the anchors' order
    others = _same_class(labels, labels).sum(dim=1, keepdim=True) - 1  # (N, 1), n above
    counted = _logsumexp_where(~own & (rank <= others - 1), logits)  # (N,)
    negatives = _logsumexp_where(~own, logits)  # (N,)
    losses = torch.logaddexp(positive, negatives) - torch.logaddexp(positive, counted)  # (N,)
    return _mean_where_shared(losses, labels)


def cross_entropy(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """Cross-entropy of softmax(cosine / temperature) over the anchors, mean over items.

    The probability of a class is the sum over its anchors.
    """
    logits = _cosines(embeddings, anchors) / temperature  # (N, M)
    own = _same_class(labels, anchor_labels)  # (N, M)
    log_p = _logsumexp_where(own, logits) - logits.logsumexp(dim=1)  # (N,)
    return (-log_p).mean()


def soft_label_kl(
    embeddings: Tensor,
    labels: Tensor,
    anchors: Tensor,
    anchor_labels: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """KL(target || softmax(cosine / temperature)), mean over items.

    `labels` are targets (N, C) whose rows sum to one; column c is class c. They can be the label
    distributions of annotators, smoothed or mixed labels, or the probabilities of a teacher model.
    """
    log_p_anchor = (_cosines(embeddings, anchors) / temperature).log_softmax(dim=1)  # (N, M)
    classes = torch.arange(labels.shape[1], device=labels.device)  # (C,)
    of_class = _same_class(classes, anchor_labels)  # (C, M)
    log_p = _logsumexp_where(of_class, log_p_anchor[:, None, :])  # (N, C)
    return F.kl_div(log_p, labels, reduction="batchmean")


def _cosines(embeddings: Tensor, anchors: Tensor) -> Tensor:
    return F.normalize(embeddings, dim=1) @ F.normalize(anchors, dim=1).T  # (N, M)


def _same_class(labels: Tensor, other_labels: Tensor) -> Tensor:
    return labels[:, None] == other_labels[None, :]  # (N, M) bool


def _logsumexp_where(mask: Tensor, logits: Tensor) -> Tensor:
    """Log of the sum of exp(logits) over the last dimension, where `mask` is True."""
    return logits.masked_fill(~mask, -torch.inf).logsumexp(dim=-1)


def _mean_where_shared(losses: Tensor, labels: Tensor) -> Tensor:
    """Mean of the losses (N,) of items whose class another item of the batch has; 0 if none has."""
    shared = _same_class(labels, labels).sum(dim=1) > 1  # (N,)
    return losses[shared].mean() if shared.any() else (losses * 0).sum()


LOSSES: dict[str, Callable[..., Tensor]] = {
    "cosine_embedding": cosine_embedding,
    "nt_xent": nt_xent,
    "info_nce": info_nce,
    "info_nce_upstream": info_nce_upstream,
    "cross_entropy": cross_entropy,
    "soft_label_kl": soft_label_kl,
}
