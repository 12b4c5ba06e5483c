"""Texts that the small language model is pretrained on, before it is given any image.

They are about further scenes, without pictures. There are two kinds. From the feeling texts of
captions.py the model learns which things belong to which emotion words. From the questions and
answers of the scene grammar (teacher.py) it learns the English of EmoReason. Patterns that are
held out of training are held out here too.
"""

import re

import torch

from emoscenes.scenes import make_records
from emoscenes.teacher import GrammarTeacher
from emoscenes.text.captions import feeling_texts
from tinyemo.data.instructions import IMAGE_TOKEN
from tinyemo.emoreason.requests import plan_finetuning, plan_pretraining, to_instruction
from tinyemo.emotions import labels_of

Turns = list[tuple[str, str]]  # (question, answer) each


def conversation_texts(n: int, seed: int) -> list[Turns]:
    """Conversations about n scenes that no notebook shows, about five per scene.

    They are planned and written in the same way as EmoReason: three short ones per scene, up to two
    explanations, and sometimes a longer conversation. There are no anchors before the model is
    trained, so random vectors are used to draw the false candidate labels of an explanation.
    """
    records, _ = make_records(n, 0, 0, seed=seed, dataset=f"read-{seed}")
    generator = torch.Generator().manual_seed(seed)
    random_anchors = torch.randn(len(labels_of("parrott")), 8, generator=generator).numpy()
    pretraining = plan_pretraining(records, seed)
    finetuning = plan_finetuning(
        records, {"parrott": random_anchors}, seed, per_image=2, conversations=0.25
    )
    requests = {request.id: request for request in (*pretraining, *finetuning)}
    teacher = GrammarTeacher(seed)
    texts = []
    for reply in teacher.replies(list(requests.values())):
        item = to_instruction(requests[reply.id], reply, "", teacher.name)
        texts.append([(_without_image(question), answer) for question, answer in item.turns])
    return texts


def _without_image(question: str) -> str:
    return question.replace(f"{IMAGE_TOKEN}\n", "")


def words_read(texts: int = 2000, seed: int = 0) -> set[str]:
    """The words of `texts` feeling texts, in lower case.

    They become whole tokens of the small language model.
    """
    words: set[str] = set()
    for text in feeling_texts(texts, seed):
        words.update(re.findall("[a-z]+", text.lower()))
    return words
