"""How likely is each label as the answer to a prompt, under a MultimodalLM.

Takes Samples whose last answer is to be given, and the words of a label set; gives one
log-likelihood per sample and label, and label probabilities. So every sample gets a label, and no
text has to be parsed. The prompt is computed once for all labels, which then follow it side by side
in one pass: each token of a label attends to the prompt and to the earlier tokens of its label.

Shapes: N samples, C labels, B samples of a batch, L tokens of the longest prompt, S tokens of all
labels together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch import Tensor
from transformers import Cache, PreTrainedModel

from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.output_layer import OutputLayer, additive_mask, split_output
from tinyemo.models.prompt import IGNORED, PromptBuilder, Sample


@torch.inference_mode()
def label_log_likelihoods(
    model: MultimodalLM, samples: Sequence[Sample], labels: Sequence[str], batch_size: int = 32
) -> Tensor:
    """The mean log-likelihood per token of each label as the answer: (N, C) float32, on the CPU.

    The end token belongs to the answer, so that a label that is the beginning of another one is not
    preferred. It is the mean, and not the sum, because labels differ in their number of tokens.
    ValueError: a sample that `MultimodalLM.collate` refuses.
    """
    lengths = [len(model.prompts.encode(sample).input_ids) for sample in samples]
    by_length = sorted(range(len(samples)), key=lengths.__getitem__)  # little padding in a batch
    scores = torch.empty(len(samples), len(labels))
    was_training = model.training
    model.eval()
    try:
        lm = model.lm.get_base_model() if isinstance(model.lm, PeftModel) else model.lm
        parts = split_output(lm)
        if parts is None:
            return whole_log_likelihoods(model, samples, labels)
        answers = _Answers.of(model, labels)
        for start in range(0, len(samples), batch_size):
            rows = by_length[start : start + batch_size]
            batch = [samples[row] for row in rows]
            scores[rows] = _score_batch(model, *parts, batch, answers).cpu()
    finally:
        model.train(was_training)
    return scores


@torch.inference_mode()
def whole_log_likelihoods(
    model: MultimodalLM, samples: Sequence[Sample], labels: Sequence[str]
) -> Tensor:
    """As `label_log_likelihoods`, with a whole forward pass for each sample and label.

    It is slow, works for any language model, and takes the model as it is, in training mode too.
    """
    scores = torch.empty(len(samples), len(labels))
    for row, sample in enumerate(samples):
        *earlier, (question, _) = sample.turns
        for column, label in enumerate(labels):
            answered = Sample((*earlier, (question, label)), sample.streams)
            batch = model.collate([answered])
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            total, tokens = model.answer_nll(batch)
            scores[row, column] = -total / tokens
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


@dataclass(frozen=True, eq=False)
class _Answers:
    """The tokens of all labels, one label after the other.

    Without its last token, a label is what the LM reads; without its first, what it predicts.
    """

    first: Tensor  # (C,) first token of each label
    tokens: Tensor  # (C,) number of tokens, with the end token
    inputs: Tensor  # (S,) tokens that are read
    targets: Tensor  # (S,) the token after each of them
    label: Tensor  # (S,) number of the label
    step: Tensor  # (S,) position in the label

    @classmethod
    def of(cls, model: MultimodalLM, labels: Sequence[str]) -> "_Answers":
        answers = [answer_ids(model.prompts, label) for label in labels]
        inputs, targets, label, step = [], [], [], []
        for number, answer in enumerate(answers):
            inputs += answer[:-1]
            targets += answer[1:]
            label += [number] * (len(answer) - 1)
            step += range(len(answer) - 1)
        first = [answer[0] for answer in answers]
        tokens = [len(answer) for answer in answers]
        columns = (first, tokens, inputs, targets, label, step)
        return cls(*(torch.tensor(column, device=model.device) for column in columns))

    def is_earlier(self) -> Tensor:
        """Whether token j belongs to the label of token i and is not after it: (S, S) bool."""
        is_own = self.label[:, None] == self.label
        return is_own & (self.step[:, None] >= self.step)


def _score_batch(
    model: MultimodalLM,
    inner: PreTrainedModel,
    output: OutputLayer,
    samples: Sequence[Sample],
    answers: _Answers,
) -> Tensor:
    """The mean log-likelihoods (B, C) of the labels' tokens."""
    last, mask, cache = _read_prompts(model, inner, samples)
    rows, count = len(samples), len(answers.inputs)
    from_first = output.token_log_likelihoods(last, answers.first.expand(rows, -1))  # (B, C)

    embeds = model.lm.get_input_embeddings()(answers.inputs).expand(rows, -1, -1)  # (B, S, d_llm)
    to_prompt = mask.bool()[:, None].expand(-1, count, -1)  # (B, S, L)
    to_labels = answers.is_earlier().expand(rows, -1, -1)  # (B, S, S)
    is_seen = torch.cat([to_prompt, to_labels], dim=2)  # (B, S, L + S)
    lengths = mask.sum(dim=1, keepdim=True)  # (B, 1) tokens of the prompt
    states = inner(
        inputs_embeds=embeds,
        attention_mask=additive_mask(is_seen, embeds.dtype),
        position_ids=lengths + answers.step,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state  # (B, S, D)
    targets = answers.targets.repeat(rows)[:, None]  # (B * S, 1)
    later = output.token_log_likelihoods(states.flatten(0, 1), targets).view(rows, count)
    total = from_first.index_add(1, answers.label, later)  # (B, C)
    return total / answers.tokens


def _read_prompts(
    model: MultimodalLM, inner: PreTrainedModel, samples: Sequence[Sample]
) -> tuple[Tensor, Tensor, Cache]:
    """The last hidden state (B, D) of each prompt, the mask (B, L) and the cache."""
    batch = model.collate(samples, side="left")
    batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
    mask, input_ids = batch.pop("attention_mask"), batch.pop("input_ids")
    del batch["labels"], batch["weights"]
    positions = mask.cumsum(dim=1) - 1
    prompt = inner(
        inputs_embeds=model.embed(input_ids, batch),
        attention_mask=mask,
        position_ids=positions.clamp(min=0),
        use_cache=True,
    )
    return prompt.last_hidden_state[:, -1], mask, prompt.past_key_values
