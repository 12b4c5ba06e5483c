"""OpenELM for transformers 5: Apple's small language models with layer-wise scaling.

Takes token ids or input embeddings; gives hidden states (`OpenELMModel`) or logits
(`OpenELMForCausalLM`). The parameters have the names of the published checkpoints, so a published
folder loads as it is; the code that it names is never run.

Source: OpenELM (arXiv:2404.14619) and its code in CoreNet: pre-norm layers with RMS norm,
grouped-query attention whose queries and keys are normalised before the rotation, gated
feed-forward networks, and widths that grow from layer to layer.

Importing this module registers the classes with AutoModel and AutoModelForCausalLM. After
`import tinyemo` alone the Auto classes know "openelm" too (see models/openelm_registration.py).
"""

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.masking_utils import create_causal_mask
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, PreTrainedModel
from transformers.models.auto.modeling_auto import AutoModel, AutoModelForCausalLM
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from tinyemo.models.openelm_config import OpenELMConfig


class OpenELMRMSNorm(nn.Module):
    """x / rms(x) * weight over the last dimension; the root mean square is computed in float32."""

    def __init__(self, width: int, eps: float = 1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        x32 = x.float()
        mean_square = x32.square().mean(-1, keepdim=True)  # (..., 1)
        normalised = x32 * torch.rsqrt(mean_square + self.eps)
        return normalised.type_as(x) * self.weight


def rotary_angles(position_ids: Tensor, head_dim: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine of RoPE's angles at `position_ids` (B, L), each (B, 1, L, head_dim) float32.

    Dimensions i and i + head_dim / 2 are rotated together, by the angle
    position * base ** (-2 i / head_dim) (RoFormer, arXiv:2104.09864).
    """
    even = torch.arange(0, head_dim, 2, device=position_ids.device, dtype=torch.float32)
    exponents = even / head_dim  # (head_dim / 2,)
    angles = position_ids[..., None].float() / base**exponents  # (B, L, head_dim / 2)
    angles = angles.repeat(1, 1, 2)[:, None]  # (B, 1, L, head_dim)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` (B, H, L, head_dim) rotated by `rotary_angles`; computed in float32 for any dtype."""
    first, second = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-second, first], dim=-1) * sin).type_as(x)


def eager_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    **kwargs,
) -> tuple[Tensor, Tensor]:
    """Attention in plain torch, with the arguments of transformers' attention interface.

    Takes `query` (B, H, L, D), `key` and `value` (B, H / groups, S, D), and an additive mask
    (B, 1, L, S) or None. Gives (B, L, H, D) and the weights (B, H, L, S).
    """
    key = key.repeat_interleave(module.num_key_value_groups, dim=1)  # (B, H, S, D)
    value = value.repeat_interleave(module.num_key_value_groups, dim=1)  # (B, H, S, D)
    scores = query @ key.transpose(2, 3) * scaling  # (B, H, L, S)
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(dim=-1, dtype=torch.float32).type_as(query)
    return (weights @ value).transpose(1, 2).contiguous(), weights


class OpenELMAttention(nn.Module):
    """Causal attention; groups of query heads share a key and a value head (arXiv:2305.13245)."""

    def __init__(self, config: OpenELMConfig, layer_idx: int):
        super().__init__()
        self.config, self.layer_idx = config, layer_idx
        self.is_causal = True
        queries, keys = config.num_query_heads[layer_idx], config.num_kv_heads[layer_idx]
        self.heads = [queries, keys, keys]  # sizes of the slices of qkv_proj, in heads
        self.num_key_value_groups = queries // keys
        self.head_dim, self.scaling = config.head_dim, config.head_dim**-0.5
        self.qkv_proj = nn.Linear(
            config.model_dim, (queries + 2 * keys) * self.head_dim, bias=False
        )
        norm = OpenELMRMSNorm if config.normalize_qk_projections else nn.Identity
        self.q_norm, self.k_norm = norm(self.head_dim), norm(self.head_dim)
        self.out_proj = nn.Linear(queries * self.head_dim, config.model_dim, bias=False)

    def forward(
        self,
        hidden_states: Tensor,
        angles: tuple[Tensor, Tensor],
        attention_mask: Tensor | None,
        past_key_values: Cache | None = None,
        **kwargs,
    ) -> tuple[Tensor, Tensor | None]:
        """(B, L, model_dim) -> the same shape, and the attention weights if they are available."""
        batch, length, _ = hidden_states.shape
        qkv = self.qkv_proj(hidden_states).view(batch, length, -1, self.head_dim)
        # (B, heads, L, head_dim) each
        query, key, value = qkv.transpose(1, 2).split(self.heads, dim=1)
        query = rotate(self.q_norm(query), *angles)
        key = rotate(self.k_norm(key), *angles)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        mixed, weights = attend(
            self, query, key, value, attention_mask, dropout=0.0, scaling=self.scaling, **kwargs
        )
        return self.out_proj(mixed.reshape(batch, length, -1)), weights


class OpenELMFeedForward(nn.Module):
    """The feed-forward network of a layer, gated (GLU, arXiv:2002.05202) or not.

    Gated: proj_2(act(a) * b), where a and b are the halves of proj_1(x). Not gated:
    proj_2(act(proj_1(x))).
    """

    def __init__(self, config: OpenELMConfig, layer_idx: int):
        super().__init__()
        width = config.ffn_dims[layer_idx]
        self.gated = config.ffn_with_glu
        self.proj_1 = nn.Linear(config.model_dim, 2 * width if self.gated else width, bias=False)
        self.proj_2 = nn.Linear(width, config.model_dim, bias=False)
        self.act = ACT2FN[config.activation_fn_name]

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj_1(x)
        if self.gated:
            gate, x = x.chunk(2, dim=-1)
            return self.proj_2(self.act(gate) * x)
        return self.proj_2(self.act(x))


class OpenELMDecoderLayer(GradientCheckpointingLayer):
    """x + attention(norm(x)), then x + ffn(norm(x))."""

    def __init__(self, config: OpenELMConfig, layer_idx: int):
        super().__init__()
        self.attn = OpenELMAttention(config, layer_idx)
        self.ffn = OpenELMFeedForward(config, layer_idx)
        self.ffn_norm = OpenELMRMSNorm(config.model_dim)
        self.attn_norm = OpenELMRMSNorm(config.model_dim)

    def forward(self, hidden_states: Tensor, **kwargs) -> Tensor:
        attended, _ = self.attn(self.attn_norm(hidden_states), **kwargs)
        hidden_states = hidden_states + attended
        return hidden_states + self.ffn(self.ffn_norm(hidden_states))


class OpenELMPreTrainedModel(PreTrainedModel):
    config: OpenELMConfig
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = True
    _no_split_modules = ["OpenELMDecoderLayer"]
    _skip_keys_device_placement = ["past_key_values"]
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_attention_backend = True
    _can_record_outputs = {"hidden_states": OpenELMDecoderLayer, "attentions": OpenELMAttention}
    _input_embed_layer = "token_embeddings"


class OpenELMModel(OpenELMPreTrainedModel):
    """The layers without the output embeddings."""

    def __init__(self, config: OpenELMConfig):
        super().__init__(config)
        self.token_embeddings = nn.Embedding(config.vocab_size, config.model_dim)
        self.layers = nn.ModuleList(
            [OpenELMDecoderLayer(config, i) for i in range(config.num_transformer_layers)]
        )
        self.norm = OpenELMRMSNorm(config.model_dim)
        self.gradient_checkpointing = False
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs,
    ) -> BaseModelOutputWithPast:
        """Token ids (B, L) or embeddings (B, L, model_dim) -> last_hidden_state (B, L, model_dim).

        `attention_mask` (B, S) is 1 where there is a token; S includes the tokens in
        `past_key_values`. Without `position_ids` (B, L), the position of a token is the number of
        tokens before it, without padding. ValueError: both or neither of ids and embeddings.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("OpenELM takes either input_ids or inputs_embeds")
        if inputs_embeds is None:
            inputs_embeds = self.token_embeddings(input_ids)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        if position_ids is None:
            position_ids = self._positions(inputs_embeds, attention_mask, past_key_values)
        mask = create_causal_mask(
            config=self.config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        angles = rotary_angles(position_ids, self.config.head_dim, self.config.rope_freq_constant)
        hidden_states = inputs_embeds
        for layer in self.layers:
            hidden_states = layer(
                hidden_states,
                angles=angles,
                attention_mask=mask,
                past_key_values=past_key_values,
                position_ids=position_ids,
                **kwargs,
            )
        return BaseModelOutputWithPast(
            last_hidden_state=self.norm(hidden_states),
            past_key_values=past_key_values if use_cache else None,
        )

    @staticmethod
    def _positions(
        inputs_embeds: Tensor, attention_mask: Tensor | None, past: Cache | None
    ) -> Tensor:
        """Position of each token (B, L) or (1, L)."""
        length = inputs_embeds.shape[1]
        if isinstance(attention_mask, Tensor) and attention_mask.ndim == 2:
            return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -length:]
        start = past.get_seq_length() if past is not None else 0
        return torch.arange(start, start + length, device=inputs_embeds.device)[None]


class OpenELMForCausalLM(OpenELMPreTrainedModel, GenerationMixin):
    """OpenELM with output embeddings.

    They are the input embeddings if the config's `share_input_output_layers` is true.
    """

    _tied_weights_keys = {"lm_head.weight": "transformer.token_embeddings.weight"}

    def __init__(self, config: OpenELMConfig):
        super().__init__(config)
        self.transformer = OpenELMModel(config)
        self.lm_head = nn.Linear(config.model_dim, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs,
    ) -> CausalLMOutputWithPast:
        """As `OpenELMModel.forward` -> logits (B, K, vocab_size), and the mean loss of `labels`.

        `logits_to_keep` is the number of last positions that get logits (0: all), or their indices
        (K,). `labels` (B, K) are the token ids at their own positions, -100 for no loss; the model
        shifts them, because a position predicts the next token.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        is_number = isinstance(logits_to_keep, int)
        kept = slice(-logits_to_keep, None) if is_number else logits_to_keep  # slice(0, None): all
        logits = self.lm_head(outputs.last_hidden_state[:, kept])
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


AutoModel.register(OpenELMConfig, OpenELMModel, exist_ok=True)
AutoModelForCausalLM.register(OpenELMConfig, OpenELMForCausalLM, exist_ok=True)
