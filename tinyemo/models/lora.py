"""Which layers of a language model get low-rank adapters (LoRA, arXiv 2106.09685).

Takes a causal LM of transformers and the names of layers; gives peft's configuration.
"""

from collections.abc import Sequence

from peft import LoraConfig
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D  # the linear layers of GPT-2

LINEAR = (nn.Linear, Conv1D)


def lora_config(
    lm: PreTrainedModel, r: int, alpha: float, dropout: float, modules: Sequence[str]
) -> LoraConfig:
    """Adapters of rank `r` in the linear layers `modules`; empty: in all but the output layer.

    A name is the end of a layer's path: "q_proj" means that layer of every block,
    "layers.0.self_attn.q_proj" that of one block. ValueError: a name that no linear layer has.
    """
    paths = linear_layers(lm)
    for name in modules:
        if not any(f".{path}".endswith(f".{name}") for path in paths):
            known = dict.fromkeys(path.rpartition(".")[2] for path in paths)
            raise ValueError(
                f"layer {name!r}: the language model has no linear layer of this name, expected "
                f"some of {', '.join(known)}"
            )
    return LoraConfig(
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=list(modules) or "all-linear",
        task_type="CAUSAL_LM",
    )


def linear_layers(lm: PreTrainedModel) -> list[str]:
    """The paths of all linear layers but the output layer, such as "model.layers.0.mlp.up_proj"."""
    output = lm.get_output_embeddings()
    paths = []
    for path, module in lm.named_modules():
        if isinstance(module, LINEAR) and module is not output:
            paths.append(path)
    return paths
