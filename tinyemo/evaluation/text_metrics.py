"""Metrics of generated texts that need no known attributes, only references, images or a model.

Takes texts with references (ROUGE-L, BLEU), with pooled image features (CLIPScore), or a language
model and instruction records (perplexity). Scores of single texts come as arrays, for intervals
over items. All metrics except CLIPScore and perplexity are in [0, 1]. For the variety of texts,
see diversity.py.
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

PREFIX = "A photo depicts "  # which CLIPScore's authors put before a text
WEIGHT = 2.5  # spreads CLIP's cosines over about [0, 1]


def rouge_l(texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """(N,) ROUGE-L F1 of each text against its reference (Lin 2004).

    It measures the longest common subsequence of words. Computed by rouge-score: lower case,
    letters and digits only, no stemming. ValueError: the numbers of texts and references differ.
    """
    from rouge_score.rouge_scorer import RougeScorer  # takes two seconds

    _check_pairs(texts, references)
    scorer = RougeScorer(["rougeL"])
    scores = []
    for text, reference in zip(texts, references, strict=True):
        scores.append(scorer.score(reference, text)["rougeL"].fmeasure)
    return np.array(scores)


def corpus_bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """BLEU-4 of all texts together, one reference each (Papineni et al. 2002), in [0, 1].

    This is sacrebleu's figure divided by 100, with its defaults: tokenizer 13a, case-sensitive,
    exponential smoothing. ValueError: as in `rouge_l`, or no texts.
    """
    _check_pairs(texts, references)
    if not len(texts):
        raise ValueError("BLEU of no texts: expected at least one")
    return BLEU().corpus_score(list(texts), [list(references)]).score / 100


def clip_score(
    encoder: ImageEncoder, pooled: Tensor, texts: Sequence[str], prefix: str = PREFIX
) -> np.ndarray:
    """(N,) CLIPScore of texts against the images' pooled features (N, D) by the same encoder.

    2.5 * max(cos(image, prefix + text), 0) (Hessel et al. 2021, equation 1). Values are
    comparable for one encoder and one prefix only. Texts that are longer than the encoder's limit
    (77 tokens for OpenAI's CLIP) are cut.

    ValueError: the numbers of texts and images differ, or the encoder has no text tower.
    """
    if len(texts) != len(pooled):
        raise ValueError(
            f"CLIPScore of {len(texts)} texts and {len(pooled)} images: expected one text per image"
        )
    encoded = encoder.encode_text([prefix + text for text in texts])  # (N, D)
    cosines = cosine_similarity(pooled.float().cpu(), encoded, dim=1)  # (N,)
    return (WEIGHT * cosines.clamp(min=0)).numpy()


def perplexity(
    model: "MultimodalLM",
    items: Sequence[Instruction],
    source: Callable[[Sequence[str]], Sequence[Tensor]],
    batch_size: int = 16,
) -> float:
    """exp of the mean negative log-likelihood of all answer tokens; every token counts the same.

    `source`: image paths, as in the records -> patch tokens, (T, D) each. Values are comparable
    between models with the same tokenizer and chat template only.

    ValueError: no record has an answer, or the prompt builder refuses a record.
    """
    from tinyemo.models.prompt import build_samples  # imports transformers: takes seconds

    # similar lengths together: less padding
    items = sorted(items, key=_characters)
    was_training = model.training
    total, tokens = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(items), batch_size):
            part = items[start : start + batch_size]
            conversations = [item.turns for item in part]
            images = {"image": [item.image for item in part]}
            batch = model.collate(build_samples(conversations, images, {"image": source}))
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            batch_nll, batch_tokens = model.answer_nll(batch)
            total += float(batch_nll)
            tokens += int(batch_tokens)
    model.train(was_training)
    if not tokens:
        raise ValueError(
            f"perplexity of {len(items)} records without an answer: expected at least one answer"
        )
    return math.exp(total / tokens)


def _characters(item: Instruction) -> int:
    return sum(len(human) + len(gpt) for human, gpt in item.turns)


def _check_pairs(texts: Sequence[str], references: Sequence[str]) -> None:
    if len(texts) != len(references):
        raise ValueError(
            f"{len(texts)} texts and {len(references)} references: expected one reference per text"
        )
