"""What the small language model reads before it sees any image: how people tell, ask and answer about scenes.

Gives texts without pictures about scenes of their own: the feeling texts of worlds/grammar.py, which teach what emotion
words have to do with things, and the questions and answers of the scene grammar (worlds/teacher.py), which teach how
EmoReason's English runs. The skeletons that are kept out of training are kept out here too.
"""

import re

import torch

from emoscenes.scenes import make_records
from emoscenes.teacher import GrammarTeacher
from emoscenes.text.captions import feeling_texts
from tinyemo.data.instructions import IMAGE_TOKEN
from tinyemo.emoreason.requests import plan_finetuning, plan_pretraining, to_instruction
from tinyemo.emotions import labels_of


def conversation_texts(n: int, seed: int) -> list[list[tuple[str, str]]]:
    """Conversations about n scenes that no notebook shows: (question, answer) turns, about five conversations a scene.

    They are planned and written as EmoReason is (three short ones a scene, up to two explanations, sometimes a talk).
    The false candidates of an explanation are drawn by chance: no anchors are known yet.
    """
    records, _ = make_records(n, 0, 0, seed=seed, dataset=f"read-{seed}")
    chance = torch.randn(
        len(labels_of("parrott")), 8, generator=torch.Generator().manual_seed(seed)
    ).numpy()
    requests = {
        request.id: request
        for request in (
            *plan_pretraining(records, seed),
            *plan_finetuning(records, {"parrott": chance}, seed, per_image=2, conversations=0.25),
        )
    }
    teacher = GrammarTeacher(seed)
    items = (
        to_instruction(requests[reply.id], reply, "", teacher.name)
        for reply in teacher.replies(list(requests.values()))
    )
    return [
        [(question.replace(f"{IMAGE_TOKEN}\n", ""), answer) for question, answer in item.turns]
        for item in items
    ]


def words_read(texts: int = 2000, seed: int = 0) -> set[str]:
    """The words of so many feeling texts, in small letters: which tokens of the small model are whole words."""
    return {
        word for text in feeling_texts(texts, seed) for word in re.findall("[a-z]+", text.lower())
    }
