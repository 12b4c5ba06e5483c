"""How a stage of the MM-LLM is trained: the recipes, TinyLLaVA Factory's published ones for OpenELM and small ones."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class StageRecipe:
    """How one stage trains. Connectors and the embeddings of missing streams are trained in every stage."""

    trains: str = (
        "connector"  # that alone, "all": the language model too, or "lora": adapters in it
    )
    lr: float = 1e-3  # peak, of AdamW
    epochs: int = 1
    batch: int = 32  # items an optimiser step, over all processes and accumulation steps
    per_device: int = (
        32  # items a process holds at once, at most; batch is a multiple of it times the processes
    )
    warmup: float = 0.03  # share of the steps in which the rate rises
    schedule: str = "cosine"  # of transformers' schedulers
    weight_decay: float = 0.0
    clip: float = 1.0  # norm of the gradient; 0: no limit
    bf16: bool = False  # autocast; the weights stay as they are
    lora_r: int = 128
    lora_alpha: int = 256
    lora_dropout: float = 0.05
    drop_stream: float = 0.0  # share of the items whose image is withheld in an epoch
    evaluations: int = (
        4  # how often the validation loss is taken, evenly, at last after the last step
    )
    save_steps: int = 500  # steps between checkpoints
    max_steps: int = 0  # steps in all; 0: as many as the epochs have


_PUBLISHED = StageRecipe(batch=256, per_device=32, bf16=True)  # TinyLLaVA Factory's for OpenELM
_FINETUNING = replace(_PUBLISHED, trains="all", lr=2e-5, batch=128, per_device=16)
PRESETS: dict[str, tuple[StageRecipe, StageRecipe]] = {  # pre-training, fine-tuning
    "published": (_PUBLISHED, _FINETUNING),
    "published-lora": (_PUBLISHED, replace(_FINETUNING, trains="lora", lr=1e-4)),
    "small": (
        StageRecipe(lr=2e-3, drop_stream=0.1),
        StageRecipe(trains="all", lr=2e-3, drop_stream=0.05, epochs=2),
    ),
}
