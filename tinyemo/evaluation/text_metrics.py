"""Metrics of generated texts that need no world whose truth is known: references, images or the model are enough.

Takes texts beside references (ROUGE-L, BLEU), beside pooled image features (CLIPScore), or a language model and
instruction records (perplexity). Scores of single texts come as arrays, for intervals over items; all but CLIPScore
and perplexity lie in [0, 1]. How varied texts are is said by `diversity`.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from sacrebleu.metrics import BLEU
from torch import Tensor
from torch.nn.functional import cosine_similarity

from tinyemo.data.instructions import Instruction
from tinyemo.features.encoders import ImageEncoder

if TYPE_CHECKING:  # the metrics of texts need no language model
    from tinyemo.models.multimodal_lm import MultimodalLM

PREFIX = "A photo depicts "  # what CLIPScore's authors put before a text
WEIGHT = 2.5  # spreads CLIP's cosines over about [0, 1]


def rouge_l(texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """(N,) ROUGE-L F1 of each text against its reference (Lin 2004): the longest common subsequence of words.

    By rouge-score: lower case, letters and digits only, no stemming. ValueError: not as many references as texts.
    """
    from rouge_score.rouge_scorer import RougeScorer  # two seconds

    scorer = RougeScorer(["rougeL"])
    return np.array(
        [
            scorer.score(reference, text)["rougeL"].fmeasure
            for text, reference in _paired(texts, references)
        ]
    )


def corpus_bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """BLEU-4 of all texts together, one reference each (Papineni et al. 2002); times 100 it is sacrebleu's figure.

    sacrebleu's defaults: tokenizer 13a, letters as they are, exponential smoothing. ValueError: as above, or no texts.
    """
    pairs = _paired(texts, references)
    if not pairs:
        raise ValueError("BLEU of no texts: expected at least one")
    return (
        BLEU()
        .corpus_score([text for text, _ in pairs], [[reference for _, reference in pairs]])
        .score
        / 100
    )


def clip_score(
    encoder: ImageEncoder, pooled: Tensor, texts: Sequence[str], prefix: str = PREFIX
) -> np.ndarray:
    """(N,) CLIPScore of texts against the pooled features (N, D) of their images by the same encoder:
    2.5 * max(cos(image, prefix + text), 0) (Hessel et al. 2021, equation 1).

    Figures are comparable for one encoder and prefix only. What is longer than the encoder reads (77 tokens for
    OpenAI's CLIP) is cut. ValueError: not as many texts as images, or an encoder without a text tower.
    """
    if len(texts) != len(pooled):
        raise ValueError(
            f"CLIPScore of {len(texts)} texts and {len(pooled)} images: expected one text an image"
        )
    words = encoder.encode_text([prefix + text for text in texts])
    return (WEIGHT * cosine_similarity(pooled.float().cpu(), words, dim=1).clamp(min=0)).numpy()


def perplexity(
    model: "MultimodalLM",
    items: Sequence[Instruction],
    source: Callable[[Sequence[str]], Sequence[Tensor]],
    batch_size: int = 16,
) -> float:
    """exp of the mean negative log-likelihood of all answer tokens of the records, each token counting alike.

    `source`: paths of images, as the records name them -> their patch tokens, (T, D) each. Comparable between models
    of one tokenizer and chat template only. ValueError: no record with an answer, or one that the prompts refuse.
    """
    from tinyemo.models.prompt import IGNORED, Sample  # transformers: seconds

    items = sorted(
        items, key=lambda item: sum(map(len, sum(item.turns, ())))
    )  # like lengths together: less padding
    was_training, total, tokens = model.training, 0.0, 0
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(items), batch_size):
            part = items[start : start + batch_size]
            images = [item.image for item in part if item.image]
            shown = iter(source(images) if images else [])
            batch = model.collate(
                [
                    Sample(item.turns, {"image": [next(shown)]} if item.image else {})
                    for item in part
                ]
            )
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            total += float(model(**batch, num_items_in_batch=1).loss)  # the sum
            tokens += int((batch["labels"][:, 1:] != IGNORED).sum())
    model.train(was_training)
    if not tokens:
        raise ValueError(
            f"perplexity of {len(items)} records without an answer: expected at least one"
        )
    return math.exp(total / tokens)


def _paired(texts: Sequence[str], references: Sequence[str]) -> list[tuple[str, str]]:
    if len(texts) != len(references):
        raise ValueError(
            f"{len(texts)} texts and {len(references)} references: expected one reference a text"
        )
    return list(zip(texts, references, strict=True))
