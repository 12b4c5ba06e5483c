"""The conditions under which explanations are compared: which label is given, and which image.

    alone         a model that finds the label itself and then explains it; it is trained
                  separately, on `self_labelled` data
    projector     the label-conditioned model under the projector's label: classification
                  detachment (TinyEmo)
    true          the same model under the record's label
    wrong         under a label that is neither of the two
    other image   under the projector's label, with the image of another scene
    no image      under the projector's label, with the learned embedding for a missing image

The last two show whether the text depends on the image. All questions about a scene have the same
wording. Under the same label they also have the same candidates. So the differences between
conditions are paired. The questions about a scene depend only on the seed and on the scene's id.
Only the choice of the other image depends on the other scenes.

Takes records, the projector's labels and anchors; gives a plan, and a table of texts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tinyemo.data.instructions import Instruction
from tinyemo.emoreason.prompts import (
    REASONING_QUESTIONS,
    SELF_LABELLED_ANSWER,
    read_reasoning_question,
    read_self_labelled,
    reasoning_question,
    self_labelling_question,
)
from tinyemo.emoreason.requests import attributes_of, draw_candidates, record_generator
from tinyemo.emotions import labels_of

if TYPE_CHECKING:  # planning needs no model
    from tinyemo.models.multimodal_lm import MultimodalLM
    from tinyemo.models.prompt import Sample, Source

CONDITIONS = ("alone", "projector", "true", "wrong", "other image", "no image")
STREAM = "image"
PLAN_COLUMNS = ("id", "condition", "label_set", "given", "image", "question")
# Parts of `record_generator`; emoreason/requests.py uses 0 and 1.
_WORDING, _CANDIDATES, _WRONG, _ORDER = range(2, 6)

# (attributes, label, label set) -> what in the scene makes the label more likely
Evidence = Callable[[Mapping[str, object], str, str], Sequence[object]]


def plan_conditions(
    records: pd.DataFrame,
    predictions: Mapping[str, str],
    anchors: Mapping[str, np.ndarray],
    seed: int,
    evidence: Evidence | None = None,
) -> pd.DataFrame:
    """The questions: one row per record and condition.

    Columns:

        id              of the record
        condition       one of CONDITIONS
        label_set       of the record
        given           the label that the question gives; "" if it gives none (alone)
        image           id of the record whose image is shown; "" for none
        question        the human turn, without image token

    `predictions`: record id -> the projector's label; `anchors`: label set -> (C, D), in the
    order of `emotions.labels_of`. The wrong label is drawn uniformly from the labels for which
    `evidence(attributes, label, label_set)` is not empty, so that an explanation is possible. If
    there is no such label, or no `evidence`, the wrong label is drawn from all other labels.

    ValueError: fewer than two records, a repeated id, or a record without prediction or anchors.
    """
    other_image = _other_images(records["id"].tolist(), seed)
    rows = []
    for record in records.to_dict("records"):
        name, label_set, true = record["id"], record["label_set"], record["label"]
        labels, predicted = labels_of(label_set), predictions.get(name)
        if predicted not in labels or label_set not in anchors:
            raise ValueError(
                f"record {name!r}: the projector's label is {predicted!r} and anchors are given "
                f"for {', '.join(anchors) or 'nothing'}; expected a label of {label_set!r} and its "
                "anchors"
            )
        wording = int(record_generator(seed, name, _WORDING).integers(len(REASONING_QUESTIONS)))
        wrong = _wrong_label(record, predicted, evidence, seed)
        question_for = {"": self_labelling_question(labels, wording)}
        for label in (true, predicted, wrong):
            # a new generator each time: the same label always gets the same candidates
            rng = record_generator(seed, name, _CANDIDATES)
            candidates = draw_candidates(label, labels, anchors[label_set], rng)
            question_for[label] = reasoning_question(candidates, label, wording)
        given_and_image = {
            "alone": ("", name),
            "projector": (predicted, name),
            "true": (true, name),
            "wrong": (wrong, name),
            "other image": (predicted, other_image[name]),
            "no image": (predicted, ""),
        }
        for condition in CONDITIONS:
            given, image = given_and_image[condition]
            rows.append((name, condition, label_set, given, image, question_for[given]))
    return pd.DataFrame(rows, columns=PLAN_COLUMNS)


def generate_conditions(
    plan: pd.DataFrame,
    model: "MultimodalLM",
    source: "Source",
    max_new_tokens: int = 128,
    temperature: float = 0.0,
    seed: int = 0,
    batch_size: int = 32,
) -> pd.DataFrame:
    """The texts for a plan's rows, in their order: id, condition, given, text.

    `source` gives the patch tokens (T, D) of records' images by id, for example
    `FeatureStore.patch_rows`. If several rows have the same image and question (the projector's
    label is the true label), the text is generated once. For a model that finds the label itself
    (condition "alone"), `given` is the label at the beginning of its text, "" if it cannot be
    read, and `text` is what follows the label.

    ValueError: the plan mixes the condition "alone" with others.
    """
    is_alone = plan["condition"] == "alone"
    if is_alone.any() and not is_alone.all():
        raise ValueError(
            "the plan has the condition 'alone' and others: expected only one of the two kinds, "
            "because they need two different models"
        )
    distinct = plan[["image", "question"]].drop_duplicates()
    texts = []
    for start in range(0, len(distinct), batch_size):
        samples = _samples(distinct[start : start + batch_size], source)
        texts += model.generate(
            samples,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            seed=seed + start,
            batch_size=batch_size,
        )
    distinct = distinct.assign(text=texts)
    written = plan.merge(distinct, on=["image", "question"], how="left", validate="many_to_one")
    if is_alone.any():
        answers = zip(written["text"], written["label_set"], strict=True)
        read = [read_self_labelled(text, labels_of(label_set)) for text, label_set in answers]
        columns = ["given", "text"]
        written[columns] = pd.DataFrame(read, columns=columns, index=written.index)
    return written[["id", "condition", "given", "text"]]


def self_labelled(items: Iterable[Instruction], labels: Sequence[str]) -> list[Instruction]:
    """Training data for a model that finds the label itself: same ids, images and explanations.

    A question that gives a label is replaced by one of the same wording that lists all `labels` (of
    one set). The answer then begins with the label. Other records do not change.
    ValueError: a label that is none of `labels`.
    """
    made = []
    for item in items:
        (human, gpt), *later_turns = item.turns
        # read from the words of the question, because LLaVA files hold nothing else
        read = read_reasoning_question(human)
        if read is not None:
            wording, label = read
            if label not in labels:
                raise ValueError(
                    f"record {item.id!r}: the explained label is {label!r}, expected one of "
                    f"{', '.join(labels)}"
                )
            human = self_labelling_question(labels, wording)
            gpt = SELF_LABELLED_ANSWER.format(label=label, text=gpt)
        made.append(replace(item, turns=((human, gpt), *later_turns)))
    return made


def unseen_combinations(
    train: pd.DataFrame, test: pd.DataFrame, attributes: Sequence[str]
) -> np.ndarray:
    """Mask (N,) bool of the test records with a combination of values that training does not have.

    `attributes` are the attributes that are combined. ValueError: a table lacks one of these attr_
    columns; the message names the table.
    """
    columns = [f"attr_{name}" for name in attributes]
    for name, table in (("training", train), ("test", test)):
        missing = [column for column in columns if column not in table]
        if missing:
            raise ValueError(
                f"{name} records: no column {missing[0]!r}: expected {', '.join(columns)}, as text"
            )
    known = pd.MultiIndex.from_frame(train[columns])
    return ~pd.MultiIndex.from_frame(test[columns]).isin(known)


def _other_images(ids: Sequence[str], seed: int) -> dict[str, str]:
    """id -> the id that follows it in a random circular order.

    So every id is used once, and never for itself.
    """
    if len(set(ids)) < max(len(ids), 2):
        raise ValueError(
            f"{len(ids)} records with {len(set(ids))} ids: expected at least two records with "
            "different ids, because the image of another record is needed"
        )
    order = sorted(ids, key=lambda name: (record_generator(seed, name, _ORDER).random(), name))
    return dict(zip(order, [*order[1:], order[0]], strict=True))


def _wrong_label(
    record: Mapping[str, object], predicted: str, evidence: Evidence | None, seed: int
) -> str:
    """A label that is neither true nor predicted, if possible one with evidence in the scene."""
    label_set = record["label_set"]
    others = [label for label in labels_of(label_set) if label not in (record["label"], predicted)]
    with_evidence = []
    if evidence:
        attributes = attributes_of(record)
        with_evidence = [label for label in others if evidence(attributes, label, label_set)]
    rng = record_generator(seed, record["id"], _WRONG)
    return str(rng.choice(with_evidence or others))


def _samples(questions: pd.DataFrame, source: "Source") -> "list[Sample]":
    """The samples to generate from, for rows of image (an id, or "") and question."""
    # imported here, because it takes seconds and planning does not need it
    from tinyemo.models.prompt import build_samples, question_turns

    conversations = [question_turns(question, [STREAM]) for question in questions["question"]]
    return build_samples(conversations, {STREAM: list(questions["image"])}, {STREAM: source})
