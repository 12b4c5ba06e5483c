"""Prompts for training and inference: a conversation and its streams become ids and labels.

This module owns the chat templates for tokenizers without one, the placeholder tokens of the
streams, and the choice of the tokens that carry loss. It takes a Sample: (human, gpt) turns whose
human text holds placeholders such as "<image>", and one tensor (T, D) of stream tokens per
placeholder. It gives token ids, in which each placeholder is repeated T times, and labels, which
are IGNORED everywhere but in the answers and their end tokens. A placeholder whose stream is
missing becomes one "missing" token.

The beginning of an answer is never merged into one token with the end of its prompt. So the ids of
a training sample up to an answer are exactly the ids from which that answer is generated.

`build_samples` and `question_turns` make Samples for any stream names (image, audio, ...).
"""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from torch import Tensor
from transformers import AddedToken, PreTrainedTokenizerBase

IGNORED = -100  # label of a token without loss, as torch's cross-entropy has it
CACHED_CONVERSATIONS = 50_000  # at most; a training encodes the same conversations in every epoch

_ROUNDS = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "USER: {{ message['content'] }} "
    "{% else %}ASSISTANT: {{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)
TEMPLATES = {
    # LLaVA's v1 (vicuna). TinyLLaVA uses it for OpenELM, TinyLlama and Phi-2, each with its own
    # end token.
    "llava_v1": _SYSTEM + _ROUNDS,
    # the same without a system line: the small models of EmoScenes, and llava-hf's LLaVA-1.5
    "plain": _ROUNDS,
}
DEFAULT_TEMPLATE = "llava_v1"

Turns = Sequence[tuple[str, str]]  # (human, gpt) pairs
Source = Callable[[Sequence[str]], Iterable[Tensor]]  # files -> one (T, D) tensor per file


@dataclass(frozen=True)
class Sample:
    """One conversation, and the stream tokens that its placeholders are replaced by."""

    # (human, gpt); the gpt text of the last turn is "" if it is to be generated
    turns: tuple[tuple[str, str], ...]
    # Stream name -> one (T, D) float tensor per placeholder, in the order of the placeholders.
    # A stream that is absent or None is missing as a whole; a None entry is missing at its place.
    streams: Mapping[str, Sequence[Tensor | None] | None] = field(default_factory=dict)
    weight: float = 1.0  # of its answer tokens in the training loss


@dataclass(frozen=True)
class Encoded:
    """Token ids, and one label per token."""

    input_ids: list[int]
    labels: list[int]


def question_turns(question: str, streams: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The turns of a question whose answer is to be generated, with one placeholder per stream.

    Each placeholder has a line of its own before the question.
    """
    placeholders = "".join(f"<{name}>\n" for name in streams)
    return ((f"{placeholders}{question}", ""),)


def build_samples(
    conversations: Sequence[Turns],
    files: Mapping[str, Sequence[str]],
    sources: Mapping[str, Source],
) -> list[Sample]:
    """One Sample per conversation, with the stream tokens of its files.

    `files[name]` holds one file of the stream `name` per conversation, "" where the stream is
    missing. `sources[name]` reads all files of the stream in one call, if there are any, and gives
    one tensor (T, D) per file, in their order.
    """
    streams: list[dict[str, list[Tensor]]] = [{} for _ in conversations]
    for name, stream_files in files.items():
        present = [row for row, file in enumerate(stream_files) if file]
        tensors = sources[name]([stream_files[row] for row in present]) if present else []
        for row, tensor in zip(present, tensors, strict=True):
            streams[row][name] = [tensor]
    pairs = zip(conversations, streams, strict=True)
    return [Sample(tuple(turns), own) for turns, own in pairs]


class PromptBuilder:
    """Turns Samples into ids and labels, with one tokenizer and one chat template.

    `names` are the stream names; the placeholder of a stream is "<name>". `template` is a key of
    TEMPLATES or a Jinja template; None takes the tokenizer's own template, or "llava_v1" if it has
    none. The tokenizer's own template writes its special tokens itself (BOS); with any other
    template the prompt begins with the special token that the tokenizer adds.

    Two tokens per stream are added to the tokenizer; tokens that it has already keep their ids.
    ValueError: a tokenizer without an end token, or a template that cannot be used.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        names: Sequence[str],
        max_length: int = 2048,
        template: str | None = None,
    ):
        if tokenizer.eos_token is None:
            raise ValueError("the tokenizer has no end token (eos_token), so answers would not end")
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.template = template
        uses_own_template = template is None and tokenizer.chat_template is not None
        chosen = tokenizer.chat_template if uses_own_template else template or DEFAULT_TEMPLATE
        self._jinja = TEMPLATES.get(chosen, chosen)
        self._add_stream_tokens(names)
        self._cache: dict[tuple, tuple[array, array]] = {}
        self._end_token = self._end_token_pattern()
        added = tokenizer("")["input_ids"][:1]
        adds_bos = added == [tokenizer.bos_token_id] and not uses_own_template
        self._front = added if adds_bos else []
        _, labels = self._tokens((("a", "b"),))
        # an answer ends with any of these
        self.end_ids = sorted({labels[-1], tokenizer.eos_token_id})

    def _add_stream_tokens(self, names: Sequence[str]) -> None:
        """Add the placeholder and the "missing" token of every stream to the tokenizer."""
        id_of = self.tokenizer.convert_tokens_to_ids
        texts = [text for name in names for text in (f"<{name}>", f"<missing:{name}>")]
        tokens = [AddedToken(text, special=True, normalized=False) for text in texts]
        self.tokenizer.add_tokens(tokens)
        self.placeholders = {name: id_of(f"<{name}>") for name in names}
        self.missing = {name: id_of(f"<missing:{name}>") for name in names}
        # the model fills the places of these ids itself: they have no row in the embedding table
        self.stream_ids = [*self.placeholders.values(), *self.missing.values()]
        self._stream_of = {index: name for name, index in self.placeholders.items()}

    def _end_token_pattern(self) -> re.Pattern[str]:
        """Matches a special token, with space before it: what ends an answer in a template."""
        added = self.tokenizer.added_tokens_decoder.values()
        special = {str(token) for token in added if token.special}
        special |= set(self.tokenizer.all_special_tokens)
        longest_first = sorted(special, key=len, reverse=True)
        return re.compile(r"\s*(?:" + "|".join(map(re.escape, longest_first)) + ")")

    def encode(self, sample: Sample) -> Encoded:
        """Ids and labels of a sample. If its last answer is "", the ids are the prompt for it.

        ValueError: another number of placeholders than of tensors, a stream that the model does
        not have, a placeholder in an answer, an earlier turn without an answer, a template that
        cannot be used, or more tokens than `max_length`.
        """
        ids, labels = self._tokens(sample.turns)
        tensors = self._stream_tensors(sample, ids)
        encoded = Encoded([], [])
        for index, label in zip(ids, labels, strict=True):
            name = self._stream_of.get(index)
            if name is None:
                encoded.input_ids.append(index)
                encoded.labels.append(label)
                continue
            tensor = next(tensors[name])
            places = [self.missing[name]] if tensor is None else [index] * tensor.shape[0]
            encoded.input_ids.extend(places)
            encoded.labels.extend([IGNORED] * len(places))
        self.check_length(len(encoded.input_ids))
        return encoded

    def check_length(self, length: int, new: int = 0) -> None:
        """ValueError if a prompt of `length` tokens, and `new` tokens after it, are too long."""
        if length + new > self.max_length:
            more = f" and {new} new ones" if new else ""
            raise ValueError(
                f"a prompt of {length} tokens{more}: the limit is {self.max_length} (max_length); "
                "shorten the text, pass fewer tokens per stream, or raise the limit if the "
                "language model was made for longer texts"
            )

    def never_generated_ids(self, rows: int) -> list[int]:
        """The ids below `rows` that stand for no text.

        These are the stream tokens, and the spare rows of an embedding table (Phi-2 has 900).
        """
        words = set(self.tokenizer.get_vocab().values()) - set(self.stream_ids)
        return [index for index in range(rows) if index not in words]

    def _tokens(self, turns: Turns) -> tuple[array, array]:
        """Ids, with one token per placeholder, and labels. They are cached for the next epoch."""
        turns = tuple(map(tuple, turns))
        if turns not in self._cache:
            if len(self._cache) >= CACHED_CONVERSATIONS:
                self._cache.clear()
            ids, labels = self._tokenize_turns(turns)
            # an array needs a tenth of the memory of a list
            self._cache[turns] = array("i", ids), array("i", labels)
        return self._cache[turns]

    def _tokenize_turns(self, turns: Turns) -> tuple[list[int], list[int]]:
        pieces = self._split_conversation(turns)
        texts_so_far = list(accumulate(text for text, _ in pieces))
        ids_so_far = self._tokenize(texts_so_far)
        ids: list[int] = []
        labels: list[int] = []
        for (text, is_answer), running in zip(pieces, ids_so_far, strict=True):
            # Take the tokens that the piece has in the running text, unless the tokenizer merges
            # its beginning with the end of the piece before: then it is tokenized alone.
            if running[: len(ids)] == ids:
                new = running[len(ids) :]
            else:
                (new,) = self._tokenize([text])
            ids += new
            labels += new if is_answer else [IGNORED] * len(new)
        bos = self.tokenizer.bos_token
        has_bos = bos is None or texts_so_far[0].startswith(bos)
        front = [] if has_bos else self._front
        return front + ids, [IGNORED] * len(front) + labels

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False)["input_ids"]

    def _split_conversation(self, turns: Turns) -> list[tuple[str, bool]]:
        """The text of the conversation in pieces: (text, whether it is an answer).

        It is cut where an answer begins, and after the end token of an answer.
        """
        answered = [bool(answer.strip()) for _, answer in turns]
        if not turns or not all(answered[:-1]):
            raise ValueError(
                "expected turns that all have an answer, but for the last one where it is to be "
                "generated"
            )
        messages = []
        for human, answer in turns:
            messages.append({"role": "user", "content": human})
            messages.append({"role": "assistant", "content": answer})
        # prompts[k] is the text up to where answer k begins
        prompts = [self._render(messages[: 2 * k + 1], True) for k in range(len(turns))]
        for (human, _), prompt in zip(turns, prompts, strict=True):
            if human.strip() not in prompt:
                raise ValueError(
                    "the chat template leaves out or changes the text of a human turn; pass "
                    "another one as `template`"
                )
        texts = prompts + ([self._render(messages, False)] if answered[-1] else [])
        pieces = [(prompts[0], False)]
        for k in range(len(texts) - 1):
            answer_text, rest = self._cut_answer(texts[k], texts[k + 1], turns[k][1].strip())
            pieces += [(answer_text, True), (rest, False)]
        if answered[-1]:
            pieces.pop()  # what a template writes after the last end token
        return pieces

    def _cut_answer(self, prompt: str, text: str, answer: str) -> tuple[str, str]:
        """The answer with its end token, and the rest of `text`, which begins with `prompt`."""
        tail = text.removeprefix(prompt)
        if tail == text or not tail.lstrip().startswith(answer):
            raise ValueError(
                "the chat template changes an answer, or text before it; pass another one as "
                "`template`"
            )
        stop = tail.index(answer) + len(answer)
        end = self._end_token.match(tail, stop)
        if end is None:  # the template writes no end token
            return tail[:stop] + self.tokenizer.eos_token, tail[stop:]
        return tail[: end.end()], tail[end.end() :]

    def _render(self, messages: list[dict[str, str]], generation: bool) -> str:
        return self.tokenizer.apply_chat_template(
            messages, chat_template=self._jinja, tokenize=False, add_generation_prompt=generation
        )

    def _stream_tensors(
        self, sample: Sample, ids: Sequence[int]
    ) -> dict[str, Iterator[Tensor | None]]:
        """Stream name -> the tensors for its placeholders in `ids`, one after the other."""
        for name in sample.streams:
            if name not in self.placeholders:
                expected = ", ".join(self.placeholders) or "none"
                raise ValueError(f"stream {name!r}: expected one of {expected}")
        found = {}
        for name, index in self.placeholders.items():
            placeholder = self.tokenizer.convert_ids_to_tokens(index)
            if any(placeholder in answer for _, answer in sample.turns):
                raise ValueError(f"{placeholder} in an answer: expected in human turns only")
            count = ids.count(index)
            tensors = sample.streams.get(name)
            tensors = [None] * count if tensors is None else list(tensors)
            if count != len(tensors):
                in_turns = sum(human.count(placeholder) for human, _ in sample.turns)
                raise ValueError(
                    f"{in_turns} {placeholder} in the human turns, but {len(tensors)} tensors for "
                    "them: expected one each (None for a missing one)"
                )
            found[name] = iter(tensors)
        return found
