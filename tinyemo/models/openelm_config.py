"""OpenELM's configuration: the hub's field names, and the sizes of each layer that follow from them.

Takes the fields of a published config.json (apple/OpenELM-*); gives each layer's query heads, key-value heads and FFN
multiplier, as listed or by layer-wise scaling (OpenELM, arXiv:2404.14619, section 2.1; rounded as CoreNet rounds).
Registers with AutoConfig when imported, and the model classes when the first config is made. It stands apart from the
model because the hook of `tinyemo.models.openelm_registration` imports it in the middle of transformers' own imports, which the
model's need whole.
"""

import importlib
from collections.abc import Sequence

import numpy as np
from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import AutoConfig


class OpenELMConfig(PreTrainedConfig):
    """What an OpenELM is made of.

    `num_query_heads` and `num_kv_heads` list the heads of each layer. Left out, query heads follow from
    `qkv_multipliers` (one number, or two: those of the first and last layer) times `model_dim`, key-value heads are
    `num_gqa_groups` times fewer. `ffn_multipliers` is one number, two (as above) or one a layer; the FFN of layer i
    is ffn_dims[i] wide: that share of `model_dim`, rounded to a multiple of `ffn_dim_divisor`.
    ValueError: lists that do not fit the layers or each other, or a part that no published OpenELM has.
    """

    model_type = "openelm"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {
        "hidden_size": "model_dim",
        "num_hidden_layers": "num_transformer_layers",
        "max_position_embeddings": "max_context_length",
        "tie_word_embeddings": "share_input_output_layers",
    }

    vocab_size: int = 32000
    max_context_length: int = 2048
    num_transformer_layers: int = 12
    model_dim: int = 2048
    head_dim: int = 128
    qkv_multipliers: float | Sequence[float] = 1.0
    num_query_heads: Sequence[int] | None = None
    num_kv_heads: Sequence[int] | None = None
    num_gqa_groups: int = 1
    ffn_multipliers: float | Sequence[float] = 4.0
    ffn_with_glu: bool = True
    ffn_dim_divisor: int = 256
    activation_fn_name: str = "swish"
    normalization_layer_name: str = "rms_norm"
    normalize_qk_projections: bool = False
    share_input_output_layers: bool = False
    rope_freq_constant: float = 10000
    rope_max_length: int = (
        4096  # of CoreNet's table of angles; here they are computed at any position
    )
    initializer_range: float = 0.02
    use_cache: bool = True
    bos_token_id: int | None = 1
    eos_token_id: int | Sequence[int] | None = 2
    pad_token_id: int | None = None

    def __post_init__(self, **kwargs):
        kwargs.pop("auto_map", None)  # names the remote code that this class stands for
        if self.normalization_layer_name != "rms_norm":
            raise ValueError(
                f"normalization_layer_name: {self.normalization_layer_name!r}; only 'rms_norm' is known"
            )
        if self.num_query_heads is None:
            step = self.head_dim * self.num_gqa_groups
            shares = _per_layer(
                "qkv_multipliers", self.qkv_multipliers, self.num_transformer_layers
            )
            self.num_query_heads = [
                _divisible(self.model_dim * share, step) // self.head_dim for share in shares
            ]
        if self.num_kv_heads is None:
            self.num_kv_heads = [heads // self.num_gqa_groups for heads in self.num_query_heads]
        self.ffn_multipliers = _per_layer(
            "ffn_multipliers", self.ffn_multipliers, self.num_transformer_layers
        )
        for name in ("num_query_heads", "num_kv_heads"):
            if len(getattr(self, name)) != self.num_transformer_layers:
                raise ValueError(
                    f"{name}: {len(getattr(self, name))} entries; expected one for each of "
                    f"{self.num_transformer_layers} layers"
                )
        for i, (queries, keys) in enumerate(
            zip(self.num_query_heads, self.num_kv_heads, strict=True)
        ):
            if keys < 1 or queries % keys:
                raise ValueError(
                    f"layer {i}: {queries} query heads cannot share {keys} key-value heads evenly"
                )
        super().__post_init__(**kwargs)
        importlib.import_module(
            "tinyemo.models.openelm"
        )  # no Auto class looks for a model before it has a config

    @property
    def ffn_dims(self) -> list[int]:
        """Inner width of each layer's FFN (of one half of its projection where that is gated)."""
        return [
            _divisible(self.model_dim * share, self.ffn_dim_divisor)
            for share in self.ffn_multipliers
        ]


def _per_layer(name: str, multipliers: float | Sequence[float], layers: int) -> list[float]:
    """One multiplier a layer: the same for all, spread evenly between two (to two digits, as in CoreNet) or listed."""
    if isinstance(multipliers, (int, float)):
        return [multipliers] * layers
    if len(multipliers) == 2:
        return np.linspace(*multipliers, num=layers).round(2).tolist()
    if len(multipliers) != layers:
        raise ValueError(
            f"{name}: {len(multipliers)} numbers; expected 1, 2 or one for each of {layers} layers"
        )
    return list(multipliers)


def _divisible(value: float, divisor: int) -> int:
    """The multiple of `divisor` next to `value`, at least one of it and no more than a tenth below `value`."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * value else nearest + divisor


AutoConfig.register(OpenELMConfig.model_type, OpenELMConfig, exist_ok=True)
