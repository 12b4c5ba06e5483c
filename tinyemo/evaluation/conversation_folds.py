"""Cross-validation of conversation models: one model per setting, fold and seed.

Takes ConversationData, folds, Settings (how a model is trained) and Conditions (how it is asked);
gives one table of predictions. Each model has a folder of its own, with its predictions and a key
of all that they depend on. So a study that was killed continues with the first model that is
missing, and gives the same table.

For each fold, a model is first trained on the training part alone. With its answers about the
validation part, the strength of the logit adjustment and the threshold of label sets are chosen,
once for all seeds. Then a new model per seed is trained on both parts together, and predicts the
test part, once.

Shapes: n utterances, C labels.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from tinyemo.code_digest import code_digest
from tinyemo.data.folds import Fold, check_fold
from tinyemo.evaluation.conversation_probe import selection_score
from tinyemo.evaluation.multi_label import best_threshold, sets_above, voted_indicators
from tinyemo.io import write_atomically
from tinyemo.models.conversation_prompt import (
    WORDS,
    PromptStyle,
    label_question,
    set_question,
    yes_no_question,
)
from tinyemo.models.label_scoring import label_log_likelihoods, label_probabilities
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.models.prompt import Sample
from tinyemo.training.conversation_data import ConversationData
from tinyemo.training.conversation_samples import NO, YES
from tinyemo.training.conversation_training import (
    ABOUT,
    Setting,
    fit_conversation_model,
    read_about,
)

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the logit adjustment, to choose from
DEFAULT_THRESHOLD = 0.5  # of label sets, where no votes are known to choose it with
# How labels are found: by the likelihood of each label's word; by that of "yes" after a question
# about each label; by generating a text freely, with the question for one label or for a list.
ANSWERS = ("likelihood", "yes_no", "generated", "generated_set")
GENERATED_TOKENS = 24
PREDICTIONS = "predictions.parquet"
# folders of the model that choices are made with, and of the one that predicts the test part
INNER, OUTER = "inner", "outer"


@dataclass(frozen=True)
class Condition:
    """How a trained model is asked about the test part."""

    name: str
    style: PromptStyle
    withheld: tuple[str, ...] = ()  # streams that are treated as missing
    answers: str = "likelihood"  # one of ANSWERS


@dataclass(frozen=True, eq=False)
class _Answers:
    """What a model says about n utterances under one condition."""

    scores: np.ndarray | None  # (n, C): log-likelihoods, or probabilities of yes
    texts: list[str] | None  # the generated texts


def predict_folds(
    data: ConversationData,
    folds: Sequence[Fold],
    settings: Sequence[tuple[Setting, Sequence[Condition]]],
    folder: str | Path,
    seeds: Sequence[int] = (0,),
    processes: int = 1,
    speakers_are_persons: bool = True,
) -> pd.DataFrame:
    """The predictions of all settings, folds and seeds: one row per utterance and condition.

    Each setting comes with the conditions under which its models are asked.

    Columns: run (the setting's name), condition, fold, seed, id, dialogue, label ("" for undecided
    utterances), pred, p_<label>, set (the labels above the threshold, with commas), text (generated
    answers only), strength and threshold as chosen, and seconds of the training. `processes` models
    are trained side by side. ValueError: parts of a fold overlap, or as of
    `fit_conversation_model`.
    """
    seen = {setting.lm: ids_trained_on(setting.lm) for setting, _ in settings}
    for fold, ids in product(folds, seen.values()):
        check_fold(fold, data.records, ids, speakers_are_persons)
    models = list(product(settings, folds))
    chosen = [None] * len(models)
    parts = []
    for seed in seeds:
        jobs = []
        for ((setting, conditions), fold), choices in zip(models, chosen, strict=True):
            out = Path(folder, setting.name, f"{fold.name}-{seed}")
            arguments = (data, fold, setting, conditions, out, seed, choices)
            jobs.append(delayed(predict_fold)(*arguments))
        with parallel_config(backend="loky"):
            found = Parallel(n_jobs=processes, return_as="generator")(jobs)
            tables = list(tqdm(found, total=len(jobs), desc=f"seed {seed}"))
        if seed == seeds[0]:
            chosen = [choices_in(table) for table in tables]
        parts += tables
    return pd.concat(parts, ignore_index=True)


def choices_in(predictions: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Condition -> (strength of the adjustment, threshold), as chosen for these predictions."""
    first = predictions.drop_duplicates("condition").set_index("condition")
    return {
        name: (float(row["strength"]), float(row["threshold"]))
        for name, row in first[["strength", "threshold"]].iterrows()
    }


def ids_trained_on(lm: str) -> list[str]:
    """The utterances that a language model was trained on, if it is a saved conversation model's.

    A model of another fold has seen what this fold tests. So `lm` may be the folder lm/ of such a
    model, and its list of ids is beside it; any other language model has none.
    """
    folder = Path(lm).expanduser().parent
    if not lm or not (folder / ABOUT).is_file():
        return []
    return read_about(folder)["trained_on"]


def trained_model(
    data: ConversationData, fold: Fold, setting: Setting, folder: str | Path, seed: int = 0
) -> MultimodalLM:
    """The model that `predict_folds` trained in `folder`, read back."""
    out = Path(folder, setting.name, f"{fold.name}-{seed}", OUTER)
    return fit_conversation_model(data, [*fold.train, *fold.validation], setting, out, seed)


def predict_fold(
    data: ConversationData,
    fold: Fold,
    setting: Setting,
    conditions: Sequence[Condition],
    out: str | Path,
    seed: int = 0,
    choices: Mapping[str, tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """The predictions of one model, as of `predict_folds`. A finished one is read back.

    `choices` are those of another seed (see `choices_in`); None: they are made here.
    """
    out = Path(out)
    key = _key(data, fold, setting, conditions, seed, choices)
    stored = read_predictions(out, key)
    if stored is not None:
        return stored
    start = time.perf_counter()
    prior = data.prior([*fold.train, *fold.validation])
    if choices is None:
        choices = _choose(data, fold, setting, conditions, out / INNER, seed)
    model = fit_conversation_model(
        data, [*fold.train, *fold.validation], setting, out / OUTER, seed
    )
    seconds = time.perf_counter() - start
    asked = tested_utterances(data, fold)
    parts = []
    for condition in conditions:
        answers = _ask(model, data, asked["id"].tolist(), condition)
        strength, threshold = choices[condition.name]
        table = _predictions(data, asked, condition, answers, prior, strength, threshold)
        parts.append(table)
    predictions = pd.concat(parts, ignore_index=True)
    predictions.insert(0, "run", setting.name)
    predictions["fold"], predictions["seed"] = fold.name, seed
    predictions["seconds"] = seconds
    return write_predictions(predictions, out, key)


def _choose(
    data: ConversationData,
    fold: Fold,
    setting: Setting,
    conditions: Sequence[Condition],
    out: Path,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Condition -> (strength of the adjustment, threshold), chosen on the validation part.

    Conditions with the same kind of answers have the same choices.
    """
    kinds = {condition.answers for condition in conditions}
    fixed = setting.adjustment if setting.adjustment is not None else 0.0
    choices = {condition.name: (fixed, DEFAULT_THRESHOLD) for condition in conditions}
    is_fixed = setting.adjustment is not None and kinds == {"likelihood"}
    if is_fixed or not len(fold.validation):
        return choices
    model = fit_conversation_model(data, fold.train, setting, out, seed)
    records = data.chosen(fold.validation)
    prior = data.prior(fold.train)
    for kind in kinds & {"likelihood", "yes_no"}:
        plain = Condition("validation", setting.style, answers=kind)
        scores = _ask(model, data, fold.validation, plain).scores
        strength = fixed
        if kind == "likelihood" and setting.adjustment is None:
            strength = chosen_strength(scores, prior, records["label"], data.labels)
        probabilities = _probabilities(scores, kind, prior, strength)
        threshold = DEFAULT_THRESHOLD
        shares = data.shares(records)
        is_known = ~np.isnan(shares).any(axis=1)
        if is_known.any():
            voted = voted_indicators(shares[is_known])
            threshold = best_threshold(probabilities[is_known], voted)
        for condition in conditions:
            if condition.answers == kind:
                choices[condition.name] = strength, threshold
    return choices


def chosen_strength(
    scores: np.ndarray, prior: np.ndarray, truth: Sequence[str], labels: Sequence[str]
) -> float:
    """The strength of the logit adjustment with the best `selection_score`; ties: the weakest.

    scores: log-likelihoods (n, C).
    """
    y = pd.Index(labels).get_indexer(truth)
    found = []
    for strength in STRENGTHS:
        predicted = _probabilities(scores, "likelihood", prior, strength).argmax(axis=1)
        found.append(selection_score(y, predicted, len(labels)))
    return STRENGTHS[int(np.argmax(found))]


def tested_utterances(data: ConversationData, fold: Fold) -> pd.DataFrame:
    """The test records, then the undecided utterances of the same groups, whose label is ""."""
    tested = data.chosen(fold.test)
    undecided = data.undecided[data.undecided["group"].isin(tested["group"])]
    return pd.concat([tested, undecided.assign(label="")], ignore_index=True)


def _ask(
    model: MultimodalLM, data: ConversationData, ids: Sequence[str], condition: Condition
) -> _Answers:
    """The model's answers about utterances under a condition."""
    if condition.answers not in ANSWERS:
        raise ValueError(f"answers {condition.answers!r}: expected one of {', '.join(ANSWERS)}")
    rows, dialogues = data.rows(ids), data.dialogues(WORDS in model.kinds)
    style, labels, withheld = condition.style, data.labels, condition.withheld

    def samples(question: str) -> list[Sample]:
        return [dialogues.sample(row, style, question, withheld=withheld) for row in rows]

    if condition.answers == "yes_no":
        columns = []
        for label in labels:
            scores = label_log_likelihoods(model, samples(yes_no_question(label)), (YES, NO))
            columns.append(scores.softmax(dim=1)[:, 0].double().numpy())
        return _Answers(np.stack(columns, axis=1), None)
    if condition.answers == "generated_set":
        question = set_question(labels)
    else:
        question = label_question(style, labels)
    if condition.answers == "likelihood":
        scores = label_log_likelihoods(model, samples(question), labels)
        return _Answers(scores.double().numpy(), None)
    return _Answers(None, model.generate(samples(question), GENERATED_TOKENS))


def _probabilities(scores: np.ndarray, kind: str, prior: np.ndarray, strength: float) -> np.ndarray:
    """Scores (n, C) -> probabilities (n, C). Those of yes are given as they are."""
    if kind == "yes_no":
        return scores
    adjustment = torch.as_tensor(prior) if strength else None
    return label_probabilities(torch.as_tensor(scores), adjustment, strength).numpy()


def _predictions(
    data: ConversationData,
    asked: pd.DataFrame,
    condition: Condition,
    answers: _Answers,
    prior: np.ndarray,
    strength: float,
    threshold: float,
) -> pd.DataFrame:
    """The rows of one condition."""
    table = asked[["id", "dialogue", "label"]].reset_index(drop=True)
    table.insert(0, "condition", condition.name)
    table["strength"], table["threshold"] = strength, threshold
    if answers.texts is not None:
        return table.assign(pred="", set="", text=answers.texts)
    labels = np.array(data.labels)
    probabilities = _probabilities(answers.scores, condition.answers, prior, strength)
    table["pred"] = labels[probabilities.argmax(axis=1)]
    chosen = sets_above(probabilities, threshold).astype(bool)
    table["set"] = [", ".join(labels[row]) for row in chosen]
    total = probabilities.sum(axis=1, keepdims=True)  # 1 but for those of yes
    columns = [f"p_{label}" for label in data.labels]
    table[columns] = probabilities / total
    return table.assign(text="")


def _key(
    data: ConversationData,
    fold: Fold,
    setting: Setting,
    conditions: Sequence[Condition],
    seed: int,
    choices: Mapping[str, tuple[float, float]] | None,
) -> str:
    """A hash of all that the predictions depend on."""
    stage = replace(setting.stage, save_steps=0)  # how often it is saved changes nothing
    ids = [list(part) for part in (fold.train, fold.validation, fold.test)]
    parts = [
        code_digest("tinyemo.evaluation.conversation_folds"),
        torch.__version__,
        data.key,
        ids,
        replace(setting, stage=stage),
        list(conditions),
        seed,
        choices,
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def write_predictions(predictions: pd.DataFrame, out: Path, key: str) -> pd.DataFrame:
    """Write finished predictions together with their key, and return them."""
    keyed = predictions.copy()
    keyed.attrs = {"key": key}  # pandas writes it into the file's metadata
    write_atomically(out / PREDICTIONS, keyed.to_parquet)
    return predictions


def read_predictions(out: Path, key: str) -> pd.DataFrame | None:
    """The finished predictions in `out`, None if there are none with this key."""
    try:
        found = pd.read_parquet(out / PREDICTIONS)
    except (OSError, ValueError):
        return None
    is_same = found.attrs.get("key") == key
    found.attrs = {}
    return found if is_same else None
