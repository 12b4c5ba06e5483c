"""The conditions under which explanations are compared: who finds the label, which label, which image.

    alone         a model that finds the label itself and then explains it: trained apart, on `self_labelled`
    projector     the label-conditioned model under the projector's label: classification detachment (TinyEmo)
    true          the same model under the record's label
    wrong         under a label that is neither
    other image   under the projector's label, shown another scene's image
    no image      under the projector's label, shown no image: its learned embedding for a missing one

The last two say whether the text looks at the image. A scene's question has the same wording under all conditions,
and under the same label the same candidates, so that differences are paired. What is asked of a scene depends on the
seed and its id, not on the scenes around it; whose image is the other one does. Takes records, the projector's
labels and anchors; gives a plan, and a table of texts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd

from tinyemo.data.instructions import IMAGE_TOKEN, Instruction
from tinyemo.emoreason.prompts import (
    REASONING_QUESTIONS,
    SELF_LABELLED,
    read_reasoning_question,
    read_self_labelled,
    reasoning_question,
    self_labelling_question,
)
from tinyemo.emoreason.requests import attributes_of, draw_candidates
from tinyemo.emotions import labels_of

if TYPE_CHECKING:  # planning needs neither
    from torch import Tensor

    from tinyemo.models.multimodal_lm import MultimodalLM

CONDITIONS = ("alone", "projector", "true", "wrong", "other image", "no image")
_WORDING, _CANDIDATES, _WRONG, _ORDER = range(2, 6)  # what is drawn; data/requests.py draws 0 and 1

Evidence = Callable[[Mapping[str, object], str, str], Sequence[object]]


def plan_conditions(
    records: pd.DataFrame,
    predictions: Mapping[str, str],
    anchors: Mapping[str, np.ndarray],
    seed: int,
    evidence: Evidence | None = None,
) -> pd.DataFrame:
    """What is asked of each record under each condition: one row a record and condition, with

        id, condition   of the record, and of CONDITIONS
        label_set       the record's
        given           the label that the question gives; "" where it gives none (alone)
        image           id of the record whose image is shown; "" for none
        question        the human turn, without image token

    `predictions`: record id -> the projector's label; `anchors`: label set -> (C, D), in the order of
    `emotions.labels_of`. The wrong label is drawn evenly from those for which `evidence(attributes, label, label_set)`
    finds something in the scene, so that there is something to say for it; from all, where there are none or nobody
    can tell. ValueError: a single record, an id twice, or a record without prediction or anchors.
    """
    others = _other_images(records["id"].tolist(), seed)
    rows = []
    for record in records.to_dict("records"):
        name, label_set, true = record["id"], record["label_set"], record["label"]
        labels, predicted = labels_of(label_set), predictions.get(name)
        if predicted not in labels or label_set not in anchors:
            raise ValueError(
                f"record {name!r}: the projector's label is {predicted!r} and anchors are given for "
                f"{', '.join(anchors) or 'nothing'}; expected a label of {label_set!r} and its anchors"
            )
        wording = int(_generator(seed, name, _WORDING).integers(len(REASONING_QUESTIONS)))
        wrong = _wrong_label(
            record, [label for label in labels if label not in (true, predicted)], evidence, seed
        )
        question = {"": self_labelling_question(labels, wording)}
        for label in (true, predicted, wrong):
            rng = _generator(
                seed, name, _CANDIDATES
            )  # anew: the same label always meets the same candidates
            candidates = draw_candidates(label, labels, anchors[label_set], rng)
            question[label] = reasoning_question(candidates, label, wording)
        given = ("", predicted, true, wrong, predicted, predicted)
        images = (name, name, name, name, others[name], "")
        rows += [
            (name, condition, label_set, label, image, question[label])
            for condition, label, image in zip(CONDITIONS, given, images, strict=True)
        ]
    return pd.DataFrame(
        rows, columns=["id", "condition", "label_set", "given", "image", "question"]
    )


def generate_conditions(
    plan: pd.DataFrame,
    model: "MultimodalLM",
    source: "Callable[[Sequence[str]], Iterable[Tensor]]",
    max_new_tokens: int = 128,
    temperature: float = 0.0,
    seed: int = 0,
    batch_size: int = 32,
) -> pd.DataFrame:
    """The texts of a plan's rows, in their order: id, condition, given, text.

    `source` gives the patch tokens (T, D) of records' images, by id: `FeatureStore.patch_rows`, say. What is asked
    more than once (the projector is right: its label is the true one) is written once. Of a model that labels alone,
    `given` is the label that its text begins with, "" where it cannot be read, and `text` what follows the label.
    ValueError: the plan mixes such a model's rows with a label-conditioned one's.
    """
    from tinyemo.models.prompt import Sample  # seconds, which planning need not wait for

    alone = plan["condition"] == "alone"
    if alone.any() and not alone.all():
        raise ValueError(
            "the plan asks for condition 'alone' and for others: expected one or the other, for they are "
            "read from two models"
        )
    asked = plan[["image", "question"]].drop_duplicates()
    texts = []
    for start in range(0, len(asked), batch_size):
        part = asked[start : start + batch_size]
        shown = [image for image in part["image"].unique() if image]
        tokens = dict(zip(shown, source(shown) if shown else [], strict=True))
        samples = [
            Sample(
                ((f"{IMAGE_TOKEN}\n{question}", ""),), {"image": [tokens[image]]} if image else {}
            )
            for image, question in part.itertuples(index=False)
        ]
        texts += model.generate(
            samples,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            seed=seed + start,
            batch_size=batch_size,
        )
    written = plan.merge(
        asked.assign(text=texts), on=["image", "question"], how="left", validate="many_to_one"
    )
    if alone.any():
        read = [
            read_self_labelled(text, labels_of(label_set))
            for text, label_set in zip(written["text"], written["label_set"], strict=True)
        ]
        written[["given", "text"]] = pd.DataFrame(
            read, columns=["given", "text"], index=written.index
        )
    return written[["id", "condition", "given", "text"]]


def self_labelled(items: Iterable[Instruction], labels: Sequence[str]) -> list[Instruction]:
    """The records as a model learns from that finds the label itself: same ids, images, wordings and explanations.

    A question that gives the label names all `labels` (of one set) instead, and the answer begins with it; records of
    other kinds stay as they are. ValueError: a label that is none of `labels`.
    """
    made = []
    for item in items:
        (human, gpt), *more = item.turns
        if (
            read := read_reasoning_question(human)
        ) is not None:  # from the words: files hold nothing else
            wording, label = read
            if label not in labels:
                raise ValueError(
                    f"record {item.id!r}: it explains {label!r}: expected one of {', '.join(labels)}"
                )
            human, gpt = (
                self_labelling_question(labels, wording),
                SELF_LABELLED.format(label=label, text=gpt),
            )
        made.append(replace(item, turns=((human, gpt), *more)))
    return made


def unseen_combinations(
    train: pd.DataFrame, test: pd.DataFrame, attributes: Sequence[str]
) -> np.ndarray:
    """Mask (N,) bool of the test records whose combination of values of `attributes` no training record has.

    ValueError names a table that lacks one of these attr_ columns.
    """
    columns = [f"attr_{name}" for name in attributes]
    for name, table in (("training", train), ("test", test)):
        missing = [column for column in columns if column not in table]
        if missing:
            raise ValueError(
                f"{name} records: no column {missing[0]!r}: expected {', '.join(columns)}, as text"
            )
    return ~pd.MultiIndex.from_frame(test[columns]).isin(pd.MultiIndex.from_frame(train[columns]))


def _other_images(ids: Sequence[str], seed: int) -> dict[str, str]:
    """id -> another id: each meets the next in a random order, so that none meets itself and every one is met."""
    if len(set(ids)) < max(len(ids), 2):
        raise ValueError(
            f"{len(ids)} records with {len(set(ids))} ids: expected two or more, each with its own id, "
            "for the image of another is shown too"
        )
    order = sorted(ids, key=lambda name: (_generator(seed, name, _ORDER).random(), name))
    return dict(zip(order, [*order[1:], order[0]], strict=True))


def _wrong_label(
    record: Mapping[str, object], left: Sequence[str], evidence: Evidence | None, seed: int
) -> str:
    attributes = attributes_of(record)
    spoken_for = [
        label for label in left if evidence and evidence(attributes, label, record["label_set"])
    ]
    return str(_generator(seed, record["id"], _WRONG).choice(spoken_for or left))


def _generator(seed: int, record: str, part: int) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(record.encode()), part])
