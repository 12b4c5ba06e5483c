"""Recipes for both stages of the multimodal LM: TinyLLaVA Factory's for OpenELM, and small ones."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class StageRecipe:
    """How one stage is trained. Connectors and missing embeddings are trained in every stage."""

    # "connector": nothing else; "all": the language model too; "lora": adapters in it
    trains: str = "connector"
    lr: float = 1e-3  # peak, of AdamW
    epochs: int = 1
    batch: int = 32  # items per optimiser step, over all processes and accumulation steps
    # Items that a process holds at once, at most. `batch` is a multiple of it times the processes.
    per_device: int = 32
    warmup: float = 0.03  # share of the steps in which the learning rate rises
    schedule: str = "cosine"  # the name of a scheduler of transformers
    weight_decay: float = 0.0
    clip: float = 1.0  # largest norm of the gradient; 0: no limit
    bf16: bool = False  # bfloat16 autocast; the weights keep their dtype
    lora_r: int = 128
    lora_alpha: int = 256
    lora_dropout: float = 0.05
    drop_stream: float = 0.0  # share of the items whose image is withheld in an epoch
    focal: float = 0.0  # exponent of the focal loss (Lin et al. 2017); 0: cross-entropy
    # how often the validation loss is computed, at even distances, last after the last step
    evaluations: int = 4
    save_steps: int = 500  # steps between checkpoints
    max_steps: int = 0  # number of steps; 0: as many as the epochs have


# TinyLLaVA Factory's recipe for OpenELM
_PUBLISHED = StageRecipe(batch=256, per_device=32, bf16=True)
_FINETUNING = replace(_PUBLISHED, trains="all", lr=2e-5, batch=128, per_device=16)

# name -> (pre-training, fine-tuning)
PRESETS: dict[str, tuple[StageRecipe, StageRecipe]] = {
    "published": (_PUBLISHED, _FINETUNING),
    "published-lora": (_PUBLISHED, replace(_FINETUNING, trains="lora", lr=1e-4)),
    "small": (
        StageRecipe(lr=2e-3, drop_stream=0.1),
        StageRecipe(trains="all", lr=2e-3, drop_stream=0.05, epochs=2),
    ),
}
