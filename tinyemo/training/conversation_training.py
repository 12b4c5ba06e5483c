"""Trains one conversation model on a given set of utterances.

Takes ConversationData (utterances, labels, vectors), a Setting and ids; gives a MultimodalLM. All
that a study varies is a field of Setting. evaluation/conversation_folds.py trains one model per
fold.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.conversation_prompt import WORDS, PromptStyle
from tinyemo.models.multimodal_lm import MultimodalLM
from tinyemo.training.conversation_data import ConversationData
from tinyemo.training.conversation_lm import SmallLm, conversation_model
from tinyemo.training.conversation_samples import ConversationRecipe, ConversationSamples
from tinyemo.training.multimodal_lm import fit_stage
from tinyemo.training.multimodal_recipes import StageRecipe

ABOUT = "conversation.json"  # in the folder of a saved model: what its prompts depend on
# a small model on a few thousand utterances
SMALL_STAGE = StageRecipe(
    trains="all",
    lr=1e-3,
    epochs=6,
    batch=32,
    warmup=0.1,
    weight_decay=0.05,
    save_steps=1000,
)


@dataclass(frozen=True)
class Setting:
    """One way to make a conversation model."""

    name: str  # in tables, and of its folder
    items: ConversationRecipe = ConversationRecipe()
    stage: StageRecipe = SMALL_STAGE
    lm: str = ""  # a published language model; empty: a small one of `shape`
    shape: SmallLm = SmallLm()
    # strength of the logit adjustment by the labels' frequencies; None: chosen on validation data
    adjustment: float | None = None

    @property
    def style(self) -> PromptStyle:
        """The first style of its training prompts: the one that it is tested with by default."""
        return self.items.styles[0]


def fit_conversation_model(
    data: ConversationData,
    ids: Sequence[str],
    setting: Setting,
    out: str | Path,
    seed: int = 0,
) -> MultimodalLM:
    """A model that is trained on the records `ids`.

    Resumption and errors as of `fit_stage`; ValueError also of ConversationSamples.
    """
    streams = {}
    for style in setting.items.styles:
        for name in style.streams:
            if name in data.streams and not (name == "text" and style.text_as == "tokens"):
                streams[name] = data.streams[name]
    has_words = any(style.text_as == "words" for style in setting.items.styles)
    model = conversation_model(
        streams,
        data.rows(ids),
        load_tokenizer(data.tokenizer),
        setting.lm,
        setting.shape,
        seed=seed,
        words=data.words if has_words else None,
    )
    train = _samples(data, ids, setting, model, seed)
    batch = min(setting.stage.batch, len(train))
    stage = replace(setting.stage, batch=batch, per_device=min(setting.stage.per_device, batch))
    fit_stage(model, train, None, stage, out, seed)
    return model


def read_about(folder: str | Path) -> dict:
    """The content of conversation.json. FileNotFoundError: there is none. ValueError: damaged."""
    file = Path(folder) / ABOUT
    if not file.is_file():
        raise FileNotFoundError(
            f"{folder}: no conversation model (no {ABOUT}); expected a folder that a run of "
            "notebook 07 wrote"
        )
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        missing = {"style", "labels", "prior", "strength", "encoders", "trained_on"} - set(about)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file}: not JSON ({error})") from None
    if missing:
        raise ValueError(f"{file}: key {min(missing)!r} is missing")
    return about


def _samples(
    data: ConversationData, ids: Sequence[str], setting: Setting, model: MultimodalLM, seed: int
) -> ConversationSamples:
    records = data.chosen(ids)
    return ConversationSamples(
        data.dialogues(WORDS in model.kinds),
        model.prompts,
        data.rows(ids),
        records["id"].tolist(),
        records["label"].tolist(),
        data.labels,
        setting.items,
        data.shares(records) if setting.items.target != "majority" else None,
        seed,
    )
