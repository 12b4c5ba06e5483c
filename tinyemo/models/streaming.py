"""Text as it is generated: transformers' `generate` in a thread, its ids as an iterator, and their text in pieces."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from threading import Thread

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

BYTE = re.compile("<0x[0-9A-F]{2}>")  # sentencepiece's tokens of one byte


def stream_ids(generate: Callable[..., object]) -> Iterator[int]:
    """The ids of one sequence, one after the other, while `generate(streamer=..., stopping_criteria=...)` runs.

    Ended early, generation ends too. What it raises is raised here.
    """
    ids, stop = _Ids(), _Stop()

    def work() -> None:
        try:
            generate(streamer=ids, stopping_criteria=StoppingCriteriaList([stop]))
        except BaseException as error:  # a thread's own would be lost
            ids.queue.put(error)

    thread = Thread(target=work, daemon=True)
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
    """Their text without special tokens, with the spaces that it has."""
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def pieces_of(ids: Iterable[int], tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """The text of `ids` in pieces, none empty, together what `text_of` gives, stripped.

    A character of several byte tokens waits for the last of them, and space for what follows it.
    """
    seen, given = [], ""
    for index in ids:
        seen.append(index)
        whole = len(seen)
        while whole and BYTE.fullmatch(tokenizer.convert_ids_to_tokens(seen[whole - 1])):
            whole -= 1
        text = text_of(seen[:whole], tokenizer).lstrip().rstrip("\ufffd").rstrip()
        if len(text) > len(given):
            yield text[len(given) :]
            given = text
    if rest := text_of(seen, tokenizer).strip()[len(given) :]:
        yield rest


class _Ids(BaseStreamer):
    """Puts each new id into a queue, and None after the last."""

    def __init__(self):
        self.queue: SimpleQueue = SimpleQueue()

    def put(self, value: Tensor) -> None:
        if value.ndim == 1:  # the prompt, which comes first, has two dimensions
            self.queue.put(int(value[0]))

    def end(self) -> None:
        self.queue.put(None)


class _Stop(StoppingCriteria):
    """Ends generation once `now` is set."""

    now = False

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        return torch.full((len(input_ids),), self.now, device=input_ids.device)
