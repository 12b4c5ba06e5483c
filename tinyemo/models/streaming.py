"""Tokens as they are generated: transformers' `generate` in a thread, its ids as an iterator."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread

import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer


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
