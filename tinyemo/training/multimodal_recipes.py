"""Recipes for the multimodal LM: TinyLLaVA Factory's for OpenELM, Emotion-LLaMA's, and small ones.

PRESETS have two stages, for models of images (training/multimodal_job.py). EMOTION_LLAMA has one,
for models of utterances; EMOTION_LLAMA_CONNECTORS are the streams of its model.
"""

from dataclasses import dataclass, field, replace

from tinyemo.models.connectors import Connector


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
    schedule_options: dict[str, float] = field(default_factory=dict)  # its arguments
    weight_decay: float = 0.0
    clip: float = 1.0  # largest norm of the gradient; 0: no limit
    bf16: bool = False  # bfloat16 autocast; the weights keep their dtype
    lora_r: int = 128
    lora_alpha: int = 256
    lora_dropout: float = 0.05
    # Names of the linear layers that get adapters, such as "q_proj"; empty: all but the output.
    lora_modules: tuple[str, ...] = ()
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

# Emotion-LLaMA (Cheng et al. 2024, arXiv 2406.11161), from its repository
# https://github.com/ZebangCheng/Emotion-LLaMA: train_configs/Emotion-LLaMA_finetune.yaml, and the
# defaults of minigpt4/models/minigpt_v2.py and minigpt4/runners/runner_base.py. Its 30 epochs are
# 30 times 1,000 iterations, whatever the number of items; its adaptation to IEMOCAP
# (othsueh/Emotion-llama-scratch) has 600. A batch is one item per GPU, and the published log names
# four GPUs: for those, take batch=4. Two things differ here: bfloat16 replaces float16, which needs
# loss scaling, and the missing embeddings are trained too.
EMOTION_LLAMA = StageRecipe(
    trains="lora",
    lr=1e-5,
    batch=1,
    per_device=1,
    warmup=1 / 30,  # 1,000 iterations
    schedule="cosine_warmup_with_min_lr",
    # shares of the peak at the first and at the last step: 1e-6 both
    schedule_options={"warmup_lr_rate": 0.1, "min_lr_rate": 0.1},
    weight_decay=0.05,
    clip=0.0,
    bf16=True,
    lora_r=64,
    lora_alpha=16,
    lora_dropout=0.05,
    lora_modules=("q_proj", "v_proj"),
    max_steps=30 * 1000,
)
# The streams, in the order of its prompt. image: 256 tokens, each of four neighbouring patches
# (4 x 1,408) of EVA-CLIP-g at 448 pixels; face: MAE; video: VideoMAE; audio: HuBERT; cls: the class
# token of EVA-CLIP-g.
EMOTION_LLAMA_CONNECTORS = {
    "image": Connector("linear", 5632),
    "face": Connector("linear", 1024),
    "video": Connector("linear", 1024),
    "audio": Connector("linear", 1024),
    "cls": Connector("linear", 1408),
}
