"""The study of conversation models: which settings each of its questions compares.

Takes the main Setting and names of STUDIES; gives Settings with the Conditions under which their
models are asked. evaluation/conversation_folds.py trains and asks them.

    targets     the majority label, labels drawn from the votes, several labels
    prompts     five templates in training x five in testing; templates mixed in training
    streams     all subsets: one model with modality dropout, and one model for each subset
    imbalance   balanced sampling, class weights and their roots, logit adjustment, focal loss
    labels      label sets of 4, 6, 9 and 10 emotions
    context     no, two, eight or all earlier turns; the text as tokens or as vectors
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import pandas as pd

from tinyemo.data.folds import study_folds
from tinyemo.evaluation.conversation_folds import Condition, predict_folds
from tinyemo.evaluation.conversation_tables import (
    differences_to,
    label_set_scores,
    labelled,
    rarest_recall,
    run_table,
    vote_table,
)
from tinyemo.evaluation.cross_validation import recalls
from tinyemo.models.conversation_prompt import (
    ALL_TURNS,
    QUESTIONS,
    TEXT_AS,
    PromptStyle,
    StreamVectors,
)
from tinyemo.training.conversation_data import ConversationData, conversation_data
from tinyemo.training.conversation_lm import SmallLm
from tinyemo.training.conversation_samples import ConversationRecipe
from tinyemo.training.conversation_training import SMALL_STAGE, Setting
from tinyemo.training.multimodal_recipes import EMOTION_LLAMA

STUDIES = ("targets", "prompts", "streams", "imbalance", "labels", "context")
LABEL_SETS = ("iemocap4", "iemocap6", "iemocap9", "iemocap10")
CONTEXTS = (0, 2, 8, ALL_TURNS)
FOCAL = 2.0  # exponent of the focal loss, as in Lin et al. 2017
MIXED = "mixed"
MAIN, GENERATED = "main", "generated"

Plan = list[tuple[Setting, list[Condition]]]


def check_study(names: Sequence[str]) -> None:
    """ValueError: a name that is not in STUDIES."""
    for name in names:
        if name not in STUDIES:
            raise ValueError(f"study {name!r}: expected some of {', '.join(STUDIES)}")


def main_plan(main: Setting) -> Plan:
    """The main model: asked by likelihood, and by free generation beside it."""
    conditions = [
        Condition(MAIN, main.style),
        Condition(GENERATED, main.style, answers="generated"),
    ]
    return [(main, conditions)]


def subsets(streams: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets of the streams but the empty one, the smallest first."""
    found = []
    for size in range(1, len(streams) + 1):
        found += combinations(streams, size)
    return found


def subset_name(streams: Sequence[str]) -> str:
    return "+".join(streams)


def targets_plan(main: Setting) -> Plan:
    """Majority labels, soft votes and several labels, all asked by likelihood or yes and no."""
    plan = []
    for target in ("majority", "soft"):
        setting = _varied(main, f"target {target}", target=target)
        plan.append((setting, [Condition(MAIN, main.style)]))
    setting = _varied(main, "target multi", target="multi")
    conditions = [
        Condition(MAIN, main.style, answers="yes_no"),
        Condition("generated set", main.style, answers="generated_set"),
    ]
    return [*plan, (setting, conditions)]


def prompts_plan(main: Setting) -> Plan:
    """Each template alone, all five mixed, and all but one mixed; each tested with all five."""
    styles = {name: replace(main.style, question=name) for name in QUESTIONS}
    conditions = [Condition(name, style) for name, style in styles.items()]
    plan = []
    for name, style in styles.items():
        plan.append((_varied(main, f"prompt {name}", styles=(style,)), conditions))
    everything = tuple(styles.values())
    plan.append((_varied(main, f"prompt {MIXED}", styles=everything), conditions))
    for left_out in QUESTIONS:
        others = tuple(style for name, style in styles.items() if name != left_out)
        setting = _varied(main, f"prompt {MIXED} without {left_out}", styles=others)
        plan.append((setting, conditions))
    return plan


def streams_plan(main: Setting, drop_stream: float) -> Plan:
    """One model with modality dropout, tested on each subset; and one model for each subset."""
    streams = main.style.streams
    conditions = []
    for chosen in subsets(streams):
        withheld = tuple(name for name in streams if name not in chosen)
        conditions.append(Condition(subset_name(chosen), main.style, withheld))
    plan = [(_varied(main, "streams dropout", drop_stream=drop_stream), conditions)]
    for chosen in subsets(streams):
        style = replace(main.style, streams=chosen)
        setting = _varied(main, f"streams {subset_name(chosen)}", styles=(style,), drop_stream=0.0)
        plan.append((setting, [Condition(subset_name(chosen), style)]))
    return plan


def imbalance_plan(main: Setting) -> Plan:
    """Ways against unequal label frequencies; without adjustment but for the one that is it."""
    plain = replace(_varied(main, "imbalance none", balance="none"), adjustment=0.0)
    settings = [
        plain,
        _varied(plain, "imbalance balanced sampling", balance="sampling"),
        _varied(plain, "imbalance class weights", balance="weights"),
        _varied(plain, "imbalance root weights", balance="root_weights"),
        replace(plain, name="imbalance logit adjustment", adjustment=1.0),
        replace(plain, name="imbalance focal loss", stage=replace(main.stage, focal=FOCAL)),
    ]
    return [(setting, [Condition(MAIN, main.style)]) for setting in settings]


def context_plan(main: Setting, has_words: bool) -> Plan:
    """Numbers of earlier turns; with `has_words`, also transcripts as tokens and as both."""
    styles: dict[str, PromptStyle] = {}
    for turns in CONTEXTS:
        name = "all turns" if turns == ALL_TURNS else f"{turns} turns"
        styles[f"context {name}"] = replace(main.style, context=turns)
    if has_words:
        for kind in TEXT_AS:
            styles[f"text as {kind}"] = replace(main.style, text_as=kind)
    plan = []
    for name, style in styles.items():
        plan.append((_varied(main, name, styles=(style,)), [Condition(MAIN, style)]))
    return plan


def plans(
    main: Setting, names: Sequence[str], drop_stream: float, has_words: bool, strength: float
) -> dict[str, Plan]:
    """Study -> its plan, for those `names` that keep the label set (all but "labels").

    `strength` of the logit adjustment is what the main models chose. All settings have it, so that
    no model has to be trained to choose it again; but for the targets, which choose the threshold
    of label sets in the same way.
    """
    check_study(names)
    fixed = replace(main, adjustment=strength)
    made = {
        "targets": lambda: targets_plan(main),
        "prompts": lambda: prompts_plan(fixed),
        "streams": lambda: streams_plan(fixed, drop_stream),
        "imbalance": lambda: imbalance_plan(main),
        "context": lambda: context_plan(fixed, has_words),
    }
    return {name: made[name]() for name in names if name in made}


def expected_time(name: str, settings: int, models: int, of_one: float, processes: int) -> str:
    """What is said before a study: its number of settings and its rough time.

    `models`: models per setting, one per fold and seed; `of_one`: seconds that the main one took.
    """
    minutes = settings * models * of_one / processes / 60
    return f"{name}: {settings} settings, about {minutes:.0f} minutes"


def main_setting(
    streams: tuple[str, ...],
    context: int,
    text_as: str,
    drop_stream: float,
    epochs: int,
    lr: float,
    shape: SmallLm,
    lm: str = "",
    balance: str = "none",
) -> Setting:
    """The main model of notebook 07: one of `shape` from scratch, or a published one with LoRA."""
    style = PromptStyle(context=context, streams=streams, text_as=text_as)
    drop_stream = drop_stream if len(streams) > 1 else 0.0
    items = ConversationRecipe((style,), drop_stream=drop_stream, balance=balance)
    if lm:
        stage = replace(EMOTION_LLAMA, epochs=epochs, lr=lr, max_steps=0, batch=8, per_device=8)
        return Setting(MAIN, items, stage, lm=lm)
    return Setting(MAIN, items, replace(SMALL_STAGE, epochs=epochs, lr=lr), shape=shape)


def label_set_study(
    turns: pd.DataFrame,
    streams: Mapping[str, StreamVectors],
    tokenizer: str,
    main: Setting,
    test_groups: Sequence[str],
    options: Mapping,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(scores of each label set, recall of each label): the main model with other label sets.

    PUBLISHED_IEMOCAP of conversation_tables.py stands beside them. `options` are those of
    `predict_folds`; its folds are replaced by those of each label set, as many of them.
    """
    scores, by_label = [], []
    for label_set in LABEL_SETS:
        data, _ = conversation_data(turns, label_set, streams, tokenizer)
        folds, _ = study_folds(data.records, test_groups)
        folds = folds[: len(options["folds"])]
        setting = replace(main, name=f"labels {label_set}")
        plan = [(setting, [Condition(MAIN, main.style)])]
        answers = labelled(predict_folds(data, settings=plan, **{**options, "folds": folds}))
        scores.append(run_table({label_set: answers}, data.labels))
        by_label.append(recalls(answers, data.labels).assign(label_set=label_set))
    return pd.concat(scores, ignore_index=True), pd.concat(by_label, ignore_index=True)


# ---- what the studies found


def study_tables(
    name: str, answers: pd.DataFrame, data: ConversationData, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Title -> table, for the predictions of one study."""
    if name == "prompts":
        return {"prompts": prompt_table(answers, data.labels)}
    if name == "streams":
        return {"streams": stream_table(answers, data.labels, seed)}
    runs = {run: part for run, part in answers.groupby("run", sort=False)}
    reference = next(iter(runs))
    tables = {
        name: run_table(runs, data.labels, seed),
        f"{name}_differences": differences_to(runs, reference, data.labels, seed),
    }
    if name == "imbalance":
        tables["imbalance_rarest"] = rarest_recall(runs, data.labels)
    if name == "targets":
        likelihood = {run: part[part["pred"] != ""] for run, part in runs.items()}
        with_votes = pd.concat([data.records, data.undecided])
        tables["targets_votes"] = vote_table(likelihood, with_votes, data.labels)
        tables["targets_sets"] = label_set_scores(likelihood, with_votes, data.labels)
    return tables


def prompt_table(answers: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """UAR by training prompt (rows) and test prompt (columns)."""
    cells = {}
    for (run, condition), part in answers.groupby(["run", "condition"], sort=False):
        score = run_table({run: part}, labels)["uar"].iloc[0]
        cells[run.removeprefix("prompt "), condition] = score
    table = pd.Series(cells).unstack(sort=False)
    return table.rename_axis("trained on").reset_index()


def stream_table(answers: pd.DataFrame, labels: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """The model with modality dropout and the one of each subset, side by side: one row per subset.

    Columns: streams; uar, uar_low and uar_high of both; difference with its interval.
    """
    is_dropout = answers["run"] == "streams dropout"
    dropout, others = answers[is_dropout], answers[~is_dropout]
    rows = []
    for subset, own in others.groupby("condition", sort=False):
        runs = {"dropout": dropout[dropout["condition"] == subset], "own": own}
        scores = run_table(runs, labels, seed).set_index("run")
        change = differences_to(runs, "own", labels, seed).set_index("score").loc["uar"]
        row = {"streams": subset}
        for run in runs:
            for column in ("uar", "uar_low", "uar_high"):
                row[f"{run}_{column}"] = scores.loc[run, column]
        rows.append({**row, **change[["difference", "low", "high"]]})
    return pd.DataFrame(rows)


def _varied(main: Setting, name: str, **changes: object) -> Setting:
    """The main setting under another name, with other training items."""
    return replace(main, name=name, items=replace(main.items, **changes))
