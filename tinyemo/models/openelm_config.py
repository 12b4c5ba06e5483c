"""OpenELM's configuration: the published field names, and the sizes of each layer.

Takes the fields of a published config.json (apple/OpenELM-*); gives each layer's query heads,
key-value heads and FFN width, as they are listed or by layer-wise scaling (OpenELM,
arXiv:2404.14619, section 2.1; rounded as CoreNet rounds).

Importing this module registers the config with AutoConfig; the first config that is made registers
the model classes. The config is a module of its own because models/openelm_registration.py imports
it while transformers is still being imported, and the model needs all of transformers.
"""

import importlib
from collections.abc import Sequence

import numpy as np
from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import AutoConfig


class OpenELMConfig(PreTrainedConfig):
    """The sizes and options of an OpenELM.

    `num_query_heads` and `num_kv_heads` list the heads of each layer. Without them, the query heads
    follow from `qkv_multipliers` (one number, or one for the first and one for the last layer)
    times `model_dim`, and there are `num_gqa_groups` times fewer key-value heads. `ffn_multipliers`
    is one number, two (as above), or one per layer; the FFN of layer i has the width ffn_dims[i]:
    the multiplier times `model_dim`, rounded to a multiple of `ffn_dim_divisor`.

    ValueError: lists that do not fit the layers or each other, or an option that no published
    OpenELM has.
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
    rope_max_length: int = 4096  # not used: angles are computed for any position
    initializer_range: float = 0.02
    use_cache: bool = True
    bos_token_id: int | None = 1
    eos_token_id: int | Sequence[int] | None = 2
    pad_token_id: int | None = None

    def __post_init__(self, **kwargs):
        kwargs.pop("auto_map", None)  # names the remote code that this class replaces
        if self.normalization_layer_name != "rms_norm":
            raise ValueError(
                f"normalization_layer_name: {self.normalization_layer_name!r}; expected 'rms_norm'"
            )
        layers = self.num_transformer_layers
        if self.num_query_heads is None:
            step = self.head_dim * self.num_gqa_groups
            multipliers = _per_layer("qkv_multipliers", self.qkv_multipliers, layers)
            widths = [_divisible(self.model_dim * multiplier, step) for multiplier in multipliers]
            self.num_query_heads = [width // self.head_dim for width in widths]
        if self.num_kv_heads is None:
            self.num_kv_heads = [heads // self.num_gqa_groups for heads in self.num_query_heads]
        self.ffn_multipliers = _per_layer("ffn_multipliers", self.ffn_multipliers, layers)
        for name in ("num_query_heads", "num_kv_heads"):
            entries = len(getattr(self, name))
            if entries != layers:
                raise ValueError(
                    f"{name}: {entries} entries; expected one for each of {layers} layers"
                )
        for i in range(layers):
            queries, keys = self.num_query_heads[i], self.num_kv_heads[i]
            if keys < 1 or queries % keys:
                raise ValueError(
                    f"layer {i}: {queries} query heads cannot share {keys} key-value heads evenly"
                )
        super().__post_init__(**kwargs)
        # registers the model classes; no Auto class needs them before there is a config
        importlib.import_module("tinyemo.models.openelm")

    @property
    def ffn_dims(self) -> list[int]:
        """Inner width of each layer's FFN; if it is gated, of one half of its first projection."""
        widths = [self.model_dim * multiplier for multiplier in self.ffn_multipliers]
        return [_divisible(width, self.ffn_dim_divisor) for width in widths]


def _per_layer(name: str, multipliers: float | Sequence[float], layers: int) -> list[float]:
    """One multiplier per layer: one number for all, two that are interpolated, or a list.

    Interpolated multipliers are rounded to two digits, as in CoreNet.
    """
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
    """The multiple of `divisor` nearest to `value`, at least `divisor` and at least 0.9 `value`."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * value else nearest + divisor


AutoConfig.register(OpenELMConfig.model_type, OpenELMConfig, exist_ok=True)
