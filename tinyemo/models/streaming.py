"""Text as it is generated, in pieces.

This module runs transformers' `generate` in a thread (`stream_ids`) and turns the ids that come out
of it into pieces of text (`pieces_of`). The pieces together are exactly the text that `text_of`
gives for all ids. transformers' TextIteratorStreamer does not keep that promise: after a line break
it begins a new text, and a Llama-style tokenizer then drops the space before the next word.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from threading import Thread

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

BYTE = re.compile("<0x[0-9A-F]{2}>")  # a token of sentencepiece that is one byte


def stream_ids(generate: Callable[..., object]) -> Iterator[int]:
    """The ids of one sequence, one by one, while `generate(streamer=..., ...)` runs in a thread.

    If the consumer closes the iterator early, generation stops too. An error that `generate` raises
    is raised here.
    """
    ids, stop = _IdQueue(), _StopFlag()

    def run() -> None:
        try:
            generate(streamer=ids, stopping_criteria=StoppingCriteriaList([stop]))
        except BaseException as error:  # otherwise it would be lost with the thread
            ids.queue.put(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        while (item := ids.queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.now = True
        thread.join()


def text_of(ids: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    """The text of `ids` without special tokens; its spaces are kept as they are."""
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def pieces_of(ids: Iterable[int], tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """The text of `ids` in pieces that are not empty; together they are `text_of(ids)`, stripped.

    A character of several byte tokens is given with its last token, and space with the text after
    it.
    """
    seen: list[int] = []
    given = ""
    for index in ids:
        seen.append(index)
        complete = len(seen)  # ids before the byte tokens at the end, which may be half a character
        while complete and BYTE.fullmatch(tokenizer.convert_ids_to_tokens(seen[complete - 1])):
            complete -= 1
        text = text_of(seen[:complete], tokenizer).lstrip().rstrip("\ufffd").rstrip()
        if len(text) > len(given):
            yield text[len(given) :]
            given = text
    rest = text_of(seen, tokenizer).strip()[len(given) :]
    if rest:
        yield rest


class _IdQueue(BaseStreamer):
    """Puts each new id into a queue, and None after the last one."""

    def __init__(self):
        self.queue: SimpleQueue = SimpleQueue()

    def put(self, value: Tensor) -> None:
        if value.ndim == 1:  # the prompt comes first and has two dimensions
            self.queue.put(int(value[0]))

    def end(self) -> None:
        self.queue.put(None)


class _StopFlag(StoppingCriteria):
    """Ends generation once `now` is True."""

    now = False

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        return torch.full((len(input_ids),), self.now, device=input_ids.device)
