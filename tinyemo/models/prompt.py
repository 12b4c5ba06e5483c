"""One prompt builder for training and for inference: a conversation and its streams -> token ids and labels.

Owns the chat templates for tokenizers without one, the placeholder tokens, and which tokens carry loss. Takes a
Sample: (human, gpt) turns whose human text holds placeholders such as "<image>", and for each a tensor (T, D) of
stream tokens. Gives ids in which a placeholder stands T times (once as the "missing" token where its stream is
missing) and labels that are IGNORED everywhere but in the answers and their end tokens.

An answer is never merged into a token with what stands before it, so the ids of a training sample up to an answer are
the ids that are generated from. Placeholder ids are added special tokens; the model fills their places before the
embedding table is asked.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from torch import Tensor
from transformers import AddedToken, PreTrainedTokenizerBase

IGNORED = -100  # what cross-entropy leaves out
MEMORY = 50_000  # conversations whose tokens are remembered

_ROUNDS = (
    "{% for message in messages %}{% if message['role'] == 'user' %}USER: {{ message['content'] }} "
    "{% else %}ASSISTANT: {{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
TEMPLATES = {
    # LLaVA's v1 (vicuna), which TinyLLaVA takes for OpenELM, TinyLlama and Phi-2 alike, each with its own end token
    "llava_v1": "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions. " + _ROUNDS,
    "plain": _ROUNDS,  # the same without system line: the small models', and llava-hf's LLaVA-1.5
}
DEFAULT_TEMPLATE = "llava_v1"


@dataclass(frozen=True)
class Sample:
    """One conversation and what its placeholders stand for."""

    turns: tuple[
        tuple[str, str], ...
    ]  # (human, gpt); gpt of the last turn is "" where it is to be generated
    # stream name -> a (T, D) float tensor for each of its placeholders, in their order; a name that is absent or None
    # is missing as a whole, an entry None in its one place
    streams: Mapping[str, Sequence[Tensor | None] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoded:
    """Token ids and, of the same length, what each is to be predicted as."""

    input_ids: list[int]
    labels: list[int]


class PromptBuilder:
    """Samples -> ids and labels, under one tokenizer and one chat template.

    `names` are the streams; "<name>" is a stream's placeholder. `template` is a key of TEMPLATES or a Jinja template;
    None takes the tokenizer's own, or "llava_v1" if it has none. Special tokens in front (BOS) are those that the
    tokenizer's own template writes, and with any other template those that the tokenizer adds.
    The tokenizer is given two added tokens a stream; ids that it has already are kept.
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
        self.tokenizer, self.max_length, self.template = tokenizer, max_length, template
        self._own = template is None and tokenizer.chat_template is not None
        given = tokenizer.chat_template if self._own else template or DEFAULT_TEMPLATE
        self._jinja = TEMPLATES.get(given, given)
        texts = {name: (f"<{name}>", f"<missing:{name}>") for name in names}
        tokenizer.add_tokens(
            [
                AddedToken(text, special=True, normalized=False)
                for pair in texts.values()
                for text in pair
            ]
        )
        self.placeholders = {
            name: tokenizer.convert_tokens_to_ids(text) for name, (text, _) in texts.items()
        }
        self.missing = {
            name: tokenizer.convert_tokens_to_ids(text) for name, (_, text) in texts.items()
        }
        self.own_ids = [
            *self.placeholders.values(),
            *self.missing.values(),
        ]  # no words: they are never looked up
        self._known: dict[tuple, tuple[array, array]] = {}
        self._name_of = {index: name for name, index in self.placeholders.items()}
        specials = sorted(
            set(tokenizer.all_special_tokens)
            | {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special},
            key=len,
            reverse=True,
        )
        self._end = re.compile(r"\s*(?:" + "|".join(map(re.escape, specials)) + ")")
        adds = tokenizer("")["input_ids"][:1]
        self._front = adds if not self._own and adds == [tokenizer.bos_token_id] else []
        self.end_ids = sorted(
            {self._tokens((("a", "b"),))[1][-1], tokenizer.eos_token_id}
        )  # each ends an answer

    def encode(self, sample: Sample) -> Encoded:
        """Ids and labels of a sample; of one whose last answer is "", the prompt that its answer follows.

        ValueError: another number of placeholders than of tensors, a stream that the model does not have, an answer
        with a placeholder or, before the last one, without text, a template that cannot be used, or more tokens than
        `max_length`.
        """
        ids, labels = self._tokens(sample.turns)
        tensors = self._tensors(sample, ids)
        out, done = Encoded([], []), 0
        for place in (place for place, index in enumerate(ids) if index in self._name_of):
            name = self._name_of[ids[place]]
            tensor = next(tensors[name])
            widened = [self.missing[name]] if tensor is None else [ids[place]] * len(tensor)
            out.input_ids.extend((*ids[done:place], *widened))
            out.labels.extend((*labels[done:place], *[IGNORED] * len(widened)))
            done = place + 1
        out.input_ids.extend(ids[done:])
        out.labels.extend(labels[done:])
        self.check_length(len(out.input_ids))
        return out

    def check_length(self, length: int, new: int = 0) -> None:
        """ValueError if a prompt of `length` tokens, and `new` ones after it, are over the limit."""
        if length + new > self.max_length:
            more = f" and {new} new ones" if new else ""
            raise ValueError(
                f"a prompt of {length} tokens{more}: the limit is {self.max_length} (max_length); shorten the text, "
                "pass fewer tokens a stream, or raise the limit if the language model was made for longer texts"
            )

    def wordless_ids(self, rows: int) -> list[int]:
        """Ids below `rows` that are never to be generated: placeholders, and spare rows of a table (Phi-2 has 900)."""
        words = set(self.tokenizer.get_vocab().values()) - set(self.own_ids)
        return [index for index in range(rows) if index not in words]

    def _tokens(self, turns: Sequence[tuple[str, str]]) -> tuple[array, array]:
        """Ids with one placeholder a tensor, and labels: kept, for epochs ask again."""
        turns = tuple(map(tuple, turns))
        if turns not in self._known:
            if len(self._known) >= MEMORY:
                self._known.clear()
            self._known[turns] = tuple(
                array("i", each) for each in self._tokens_of(turns)
            )  # a tenth of a list's size
        return self._known[turns]

    def _tokens_of(self, turns: tuple[tuple[str, str], ...]) -> tuple[list[int], list[int]]:
        pieces = self._pieces(turns)
        runs = list(accumulate(text for text, _ in pieces))
        ids: list[int] = []
        labels: list[int] = []
        for (text, is_answer), run in zip(pieces, self._tokenize(runs), strict=True):
            # as the tokenizer has it in running text, unless that would merge it with what stands before
            new = run[len(ids) :] if run[: len(ids)] == ids else self._tokenize([text])[0]
            ids += new
            labels += new if is_answer else [IGNORED] * len(new)
        front = [] if runs[0].startswith(self.tokenizer.bos_token or runs[0]) else self._front
        return front + ids, [IGNORED] * len(front) + labels

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False)["input_ids"]

    def _pieces(self, turns: Sequence[tuple[str, str]]) -> list[tuple[str, bool]]:
        """The conversation's text, cut where an answer begins and after its end token: (text, is it an answer)."""
        if not turns or any(not answer.strip() for _, answer in turns[:-1]):
            raise ValueError(
                "expected turns that all have an answer, but for the last one where it is to be generated"
            )
        messages = []
        for human, answer in turns:
            messages += [
                {"role": "user", "content": human},
                {"role": "assistant", "content": answer},
            ]
        texts = [self._render(messages[: 2 * k + 1], True) for k in range(len(turns))]
        if any(human.strip() not in text for (human, _), text in zip(turns, texts, strict=True)):
            raise ValueError(
                "the chat template drops or rewrites what is said; pass another as `template`"
            )
        is_answered = bool(turns[-1][1].strip())
        if is_answered:
            texts.append(self._render(messages, False))
        pieces = [(texts[0], False)]
        for (_, answer), prompt, text in zip(turns, texts, texts[1:], strict=False):
            tail, answer = text.removeprefix(prompt), answer.strip()
            if tail == text or not tail.lstrip().startswith(answer):
                raise ValueError(
                    "with the chat template an answer does not follow its prompt as it stands; pass "
                    "another as `template`"
                )
            stop = tail.index(answer) + len(answer)
            end = self._end.match(tail, stop)
            after = end.end() if end else stop
            pieces += [
                (tail[:after] + ("" if end else self.tokenizer.eos_token), True),
                (tail[after:], False),
            ]
        return (
            pieces[:-1] if is_answered else pieces
        )  # nothing is said after the last answer's end token

    def _render(self, messages: list[dict[str, str]], generation: bool) -> str:
        return self.tokenizer.apply_chat_template(
            messages, chat_template=self._jinja, tokenize=False, add_generation_prompt=generation
        )

    def _tensors(self, sample: Sample, ids: Sequence[int]) -> dict[str, Iterator[Tensor | None]]:
        """Stream name -> what stands for its placeholders in `ids`, one after the other."""
        if unknown := [name for name in sample.streams if name not in self.placeholders]:
            raise ValueError(
                f"stream {unknown[0]!r}: expected one of {', '.join(self.placeholders) or 'none'}"
            )
        found = {}
        for name, index in self.placeholders.items():
            text = self.tokenizer.convert_ids_to_tokens(index)
            if any(text in answer for _, answer in sample.turns):
                raise ValueError(f"{text} in an answer: expected in human turns only")
            count = ids.count(index)
            said = sum(human.count(text) for human, _ in sample.turns)
            tensors = sample.streams.get(name)
            tensors = [None] * count if tensors is None else list(tensors)
            if count != len(tensors):
                raise ValueError(
                    f"{said} {text} in the human turns, but {len(tensors)} tensors for them: expected "
                    "one each (None for a missing one)"
                )
            found[name] = iter(tensors)
        return found
