"""How likely is each label as the answer to a prompt, under a MultimodalLM.

Takes Samples whose last answer is to be given, and the words of a label set; gives one
log-likelihood per sample and label, and label probabilities. So every sample gets a label, and no
text has to be parsed. The prompt is computed once for all labels: only the few tokens of the labels
are computed for each of them.

Shapes: N samples, C labels, B samples of a batch, T tokens of the longest label, L of the prompt.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import Cache

from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.prompt import IGNORED, PromptBuilder, Sample

PADDING = 0  # token id at places that are masked


@torch.inference_mode()
def label_log_likelihoods(
    model: MultimodalLM, samples: Sequence[Sample], labels: Sequence[str], batch_size: int = 32
) -> Tensor:
    """The mean log-likelihood per token of each label as the answer: (N, C) float32, on the CPU.

    The end token belongs to the answer, so that a label that is the beginning of another one is not
    preferred. It is the mean, and not the sum, because labels differ in their number of tokens.
    ValueError: a sample that `MultimodalLM.collate` refuses.
    """
    answers = [answer_ids(model.prompts, label) for label in labels]
    lengths = [len(model.prompts.encode(sample).input_ids) for sample in samples]
    by_length = sorted(range(len(samples)), key=lengths.__getitem__)  # little padding in a batch
    scores = torch.empty(len(samples), len(labels))
    was_training = model.training
    model.eval()
    try:
        for start in range(0, len(samples), batch_size):
            rows = by_length[start : start + batch_size]
            scores[rows] = _score_batch(model, [samples[row] for row in rows], answers)
    finally:
        model.train(was_training)
    return scores


def answer_ids(prompts: PromptBuilder, label: str) -> list[int]:
    """The tokens of a label as an answer, with the end token: those that carry loss in training."""
    encoded = prompts.encode(Sample((("question", label),)))
    return [token for token in encoded.labels if token != IGNORED]


def label_probabilities(
    log_likelihoods: Tensor, prior: Tensor | None = None, strength: float = 1.0
) -> Tensor:
    """Log-likelihoods (N, C) -> probabilities (N, C): their softmax.

    With `prior` (C,), the shares of the labels in training, strength * log prior is subtracted
    first (logit adjustment, Menon et al. 2021, arXiv 2007.07314): rare labels become more likely.
    """
    scores = log_likelihoods
    if prior is not None:
        scores = scores - strength * prior.clamp(min=1e-12).log()
    return scores.softmax(dim=-1)


def _score_batch(
    model: MultimodalLM, samples: Sequence[Sample], answers: Sequence[list[int]]
) -> Tensor:
    """The mean log-likelihoods (B, C) of the answers' tokens."""
    ids = [torch.tensor(answer, device=model.device) for answer in answers]
    tokens = pad_sequence(ids, batch_first=True, padding_value=PADDING)  # (C, T)
    ones = [torch.ones_like(one) for one in ids]
    is_token = pad_sequence(ones, batch_first=True)  # (C, T), 1 or 0

    first, mask, cache = _read_prompts(model, samples)
    from_first = first[:, tokens[:, 0]]  # (B, C)

    # Each prompt is continued with each label: row b * C + c has sample b and label c.
    cache.batch_repeat_interleave(len(answers))
    mask = mask.repeat_interleave(len(answers), dim=0)  # (B * C, L)
    inputs = tokens[:, :-1].repeat(len(samples), 1)  # (B * C, T - 1)
    input_mask = is_token[:, :-1].repeat(len(samples), 1)
    targets = tokens[:, 1:].repeat(len(samples), 1)
    target_mask = is_token[:, 1:].repeat(len(samples), 1)
    steps = torch.arange(inputs.shape[1], device=model.device)
    lengths = mask.sum(dim=1, keepdim=True)  # (B * C, 1) tokens of the prompt
    continued = model.lm(
        inputs_embeds=model.lm.get_input_embeddings()(inputs),
        attention_mask=torch.cat([mask, input_mask], dim=1),
        position_ids=lengths + steps,
        past_key_values=cache,
        use_cache=True,
    )
    log_p = continued.logits.float().log_softmax(dim=-1)  # (B * C, T - 1, V)
    later = log_p.gather(2, targets[..., None]).squeeze(2) * target_mask
    from_later = later.sum(dim=1).view(len(samples), len(answers))  # (B, C)
    total = from_first + from_later
    tokens_of_label = is_token.sum(dim=1)  # (C,)
    return (total / tokens_of_label).cpu()


def _read_prompts(model: MultimodalLM, samples: Sequence[Sample]) -> tuple[Tensor, Tensor, Cache]:
    """Log-probabilities (B, V) of the first answer token, the mask (B, L) and the cache."""
    batch = model.collate(samples, side="left")
    batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
    mask, input_ids = batch.pop("attention_mask"), batch.pop("input_ids")
    del batch["labels"]
    positions = mask.cumsum(dim=1) - 1
    prompt = model.lm(
        inputs_embeds=model.embed(input_ids, batch),
        attention_mask=mask,
        position_ids=positions.clamp(min=0),
        use_cache=True,
        logits_to_keep=1,
    )
    first = prompt.logits[:, -1].float()
    return first.log_softmax(dim=-1), mask, prompt.past_key_values
