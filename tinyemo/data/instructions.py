"""Instruction data in LLaVA's format."""

from dataclasses import dataclass

TASKS = ("caption", "vqa", "sentiment", "reasoning", "conversation")
IMAGE_TOKEN = "<image>"


@dataclass(frozen=True)
class Instruction:
    """One record: a conversation about one image (or about none).

    `turns` are (human, gpt) pairs, word for word as in the file: the first human turn holds IMAGE_TOKEN if there is
    an image. What follows `turns` is not part of LLaVA's format and is not written to its files.
    """

    id: str
    image: str  # path relative to the folder of images, with forward slashes; "" for none
    turns: tuple[tuple[str, str], ...]
    task: str = ""  # one of TASKS
    label: str = ""  # the emotion that the answer explains or names
    teacher: str = ""  # who wrote the answers
