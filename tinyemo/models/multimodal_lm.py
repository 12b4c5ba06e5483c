"""MultimodalLM: any causal language model of transformers that also reads streams of vectors.

This module owns the forward pass, with one connector per named stream (for example two layers for
the patch tokens of an image, or one linear layer for one vector per utterance of audio, video or
face) and a learned embedding that replaces a missing stream; the choice of the parts that are
trained; LoRA adapters; and generation. It takes Samples (models/prompt.py) and gives a loss or
text. The names of the streams are data: no line here treats an image differently from another
stream.

As in LLaVA (arXiv 2304.08485), the output of a connector replaces the stream's placeholder among
the input embeddings of the language model. models/multimodal_folder.py owns the saved folder.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model
from torch import Tensor, nn
from torch.nn import functional
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_outputs import CausalLMOutput

from tinyemo.hub import local_folder
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.connectors import CONNECTORS, Connector
from tinyemo.models.lora import lora_config
from tinyemo.models.multimodal_folder import (
    TOKENIZER_FILES,
    checkpoint_hash,
    load_adapters,
    load_lm,
    read_folder,
    write_folder,
)
from tinyemo.models.prompt import IGNORED, PromptBuilder, Sample
from tinyemo.models.streaming import pieces_of, stream_ids, text_of
from tinyemo.strict_loading import fitted

# part that is trained -> pattern for the beginning of its parameters' names
TRAINED = {
    "connector": r"connectors\.|missing\.",
    "lora": r"connectors\.|missing\.|.*\.lora_",
    "all": "",
}


class MultimodalLM(nn.Module):
    """A causal LM, its tokenizer, and a connector for each named stream.

    `template` and `max_length` are those of PromptBuilder; `max_length` is at most the number of
    positions that the LM was made for. `base` is the folder or hub id from which the LM's weights
    can be loaded again, None if they are stored nowhere. Connectors and missing embeddings are
    drawn with `seed`, in the LM's dtype. The settings of generation (end tokens, sampling) are set
    here; those of the checkpoint are not used. ValueError: an unknown kind of connector.
    """

    def __init__(
        self,
        lm: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        connectors: Mapping[str, Connector],
        *,
        template: str | None = None,
        max_length: int = 2048,
        base: str | None = None,
        seed: int = 0,
    ):
        super().__init__()
        self.lm = lm
        self.tokenizer = tokenizer
        self.kinds = dict(connectors)
        self.base = base
        positions = getattr(lm.config, "max_position_embeddings", None) or max_length
        limit = min(max_length, positions)
        self.prompts = PromptBuilder(tokenizer, list(connectors), limit, template)
        self._add_connectors(seed)
        end_ids = self.prompts.end_ids
        rows = len(lm.get_input_embeddings().weight)
        lm.generation_config = GenerationConfig(
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=end_ids,
            pad_token_id=end_ids[0],
            suppress_tokens=self.prompts.never_generated_ids(rows) or None,
        )

    def _add_connectors(self, seed: int) -> None:
        """New connectors and missing embeddings, on the LM's device and in its dtype."""
        self.connectors, self.missing = nn.ModuleDict(), nn.ParameterDict()
        table = self.lm.get_input_embeddings().weight  # (V, d_llm)
        with self._seeded(seed):
            for name, connector in self.kinds.items():
                if connector.kind not in CONNECTORS:
                    raise ValueError(
                        f"connector kind {connector.kind!r}: expected one of "
                        f"{', '.join(CONNECTORS)}"
                    )
                build = CONNECTORS[connector.kind]
                self.connectors[name] = build(connector.width, self.d_llm)
                # a missing embedding starts at the scale of the word embeddings
                scale = table.detach().float().std().cpu()
                self.missing[name] = nn.Parameter(torch.randn(1, self.d_llm) * scale)
        self.connectors.to(table.device, table.dtype)
        self.missing.to(table.device, table.dtype)

    @classmethod
    def from_lm(
        cls,
        checkpoint: str | Path,
        connectors: Mapping[str, Connector],
        *,
        tokenizer: str | Path | None = None,
        template: str | None = None,
        max_length: int = 2048,
        dtype: torch.dtype = torch.float32,
        seed: int = 0,
    ) -> "MultimodalLM":
        """The causal LM of a folder or hub id with new connectors, in `dtype`, in evaluation mode.

        `tokenizer` names another checkpoint to take the tokenizer from: OpenELM has none and uses
        that of Llama 2. FileNotFoundError: no such checkpoint, or no tokenizer in it. ValueError:
        no causal LM that transformers can load.
        """
        base = Path(checkpoint).expanduser()
        model = cls(
            load_lm(checkpoint, dtype),
            load_tokenizer(local_folder(tokenizer or checkpoint, TOKENIZER_FILES)),
            connectors,
            template=template,
            max_length=max_length,
            seed=seed,
            base=str(base.resolve() if base.is_dir() else checkpoint),
        )
        return model.eval()

    def save(self, folder: str | Path) -> Path:
        """Write the model: the whole LM, or only its adapters with the name and hash of their base.

        ValueError: the adapters' base was trained or merged in this process and is stored nowhere,
        or it is stored in this very folder.
        """
        config = {
            "connectors": {name: asdict(connector) for name, connector in self.kinds.items()},
            "template": self.prompts.template,
            "max_length": self.prompts.max_length,
        }
        if isinstance(self.lm, PeftModel):
            if self.base is None:
                raise ValueError(
                    f"{folder}: the adapters' base was trained or merged here and is saved "
                    "nowhere; save and load the model before add_lora, or merge the adapters"
                )
            if Path(self.base) == Path(folder).resolve() / "lm":
                raise ValueError(
                    f"{folder}: it holds the adapters' base; save them to another folder"
                )
            config |= {"base": self.base, "base_hash": self._base_hash}
        return write_folder(folder, config, self._own_state(), self.lm, self.tokenizer)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        base: str | Path | None = None,
    ) -> "MultimodalLM":
        """The model that `save` wrote, from a folder or hub id, in evaluation mode.

        `base` is the new path of the adapters' base model, if it was moved. FileNotFoundError: no
        such folder, an incomplete one, or a missing base model. ValueError: a damaged folder, or
        another base than the one that the adapters were trained on.
        """
        folder, config, tensors = read_folder(folder)
        has_adapters = config["base"] is not None
        if has_adapters:
            base = base or config["base"]
            if checkpoint_hash(base) != config["base_hash"]:
                raise ValueError(
                    f"{folder}: its adapters were trained on another base than {base}, whose "
                    "files have another hash; name the right one as `base`"
                )
        else:
            base = folder.resolve() / "lm"
        model = cls(
            load_lm(base, dtype),
            load_tokenizer(folder / "tokenizer"),
            {name: Connector(**fields) for name, fields in config["connectors"].items()},
            template=config["template"],
            max_length=config["max_length"],
            base=str(base),
        )
        if has_adapters:
            model.lm = load_adapters(model.lm, folder / "adapter")
            model._base_hash = config["base_hash"]
        own, file = model._own_state(), folder / "connectors.safetensors"
        tensors = fitted(tensors, own, file, "connectors of config.json")
        model.load_state_dict(tensors, strict=False)
        return model.eval().to(device)  # not to `dtype`: rotary tables stay float32

    def _own_state(self) -> dict[str, Tensor]:
        """The tensors of the connectors and of the missing embeddings."""
        own = re.compile(TRAINED["connector"])
        return {name: tensor for name, tensor in self.state_dict().items() if own.match(name)}

    @property
    def d_llm(self) -> int:
        """Width of the LM's input embeddings."""
        return self.lm.get_input_embeddings().weight.shape[1]

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return self.lm.get_input_embeddings().weight.device

    # --- from samples to the loss ----------------------------------------------------------------

    def collate(self, samples: Sequence[Sample], side: str = "right") -> dict[str, Tensor]:
        """A batch on the CPU.

        input_ids, attention_mask and labels are (B, L) int64, padded on `side`: "right" for
        training, "left" for generation. weights is (B,) float32. Each stream has one tensor
        (sum of T, D) float32: its tokens in the order of their placeholders. It has no rows if all
        samples lack the stream, so that all processes of a training use the same parameters.

        ValueError: a sample that `PromptBuilder.encode` refuses, or tokens of another shape.
        """
        encoded = [self.prompts.encode(sample) for sample in samples]
        length = max(len(one.input_ids) for one in encoded)
        shape = (len(encoded), length)
        input_ids = torch.zeros(shape, dtype=torch.int64)
        attention_mask = torch.zeros(shape, dtype=torch.int64)
        labels = torch.full(shape, IGNORED)
        for row, one in enumerate(encoded):
            start = 0 if side == "right" else length - len(one.input_ids)
            place = slice(start, start + len(one.input_ids))
            input_ids[row, place] = torch.tensor(one.input_ids)
            attention_mask[row, place] = 1
            labels[row, place] = torch.tensor(one.labels)
        batch = {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}
        batch["weights"] = torch.tensor([sample.weight for sample in samples])
        for name in self.kinds:
            batch[name] = self._stream_tokens(name, samples)
        return batch

    def _stream_tokens(self, name: str, samples: Sequence[Sample]) -> Tensor:
        """All tokens (sum of T, D) of a stream. ValueError: tensors of another shape."""
        width = self.kinds[name].width
        tokens = [torch.empty(0, width)]
        for sample in samples:
            tensors = sample.streams.get(name)
            for tensor in [] if tensors is None else tensors:
                if tensor is None:
                    continue
                if tensor.ndim != 2 or tensor.shape[1] != width or not len(tensor):
                    raise ValueError(
                        f"stream {name!r}: tokens of shape {tuple(tensor.shape)}, expected "
                        f"(T, {width}) with T at least 1"
                    )
                tokens.append(tensor.float())
        return torch.cat(tokens)

    def embed(self, input_ids: Tensor, streams: Mapping[str, Tensor]) -> Tensor:
        """Input embeddings (B, L, d_llm): words from the LM's table, streams from the connectors.

        ValueError: another number of stream tokens than of places for them.
        """
        # Stream tokens have no row in the LM's table: look up token 0 there, and replace it below.
        stream_ids = input_ids.new_tensor(self.prompts.stream_ids)
        word_ids = input_ids.masked_fill(torch.isin(input_ids, stream_ids), 0)
        embeds = self.lm.get_input_embeddings()(word_ids)  # (B, L, d_llm)
        for name, connector in self.connectors.items():
            place = input_ids == self.prompts.placeholders[name]  # (B, L)
            gap = input_ids == self.prompts.missing[name]  # (B, L)
            missing = self.missing[name]  # (1, d_llm)
            tokens = streams[name].to(missing.dtype)  # (sum of T, D)
            count = int(place.sum())
            if count != len(tokens):
                raise ValueError(
                    f"stream {name!r}: {len(tokens)} tokens for {count} places in the prompts"
                )
            connected = connector(tokens).to(embeds.dtype)  # (sum of T, d_llm)
            embeds = embeds.masked_scatter(place[..., None], connected)
            embeds = torch.where(gap[..., None], missing.to(embeds.dtype), embeds)
        return embeds

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor | None = None,
        weights: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        focal: float = 0.0,
        **streams: Tensor,
    ) -> CausalLMOutput:
        """Loss and logits of a batch of `collate`.

        With labels, logits (B, K, V) are those of the K positions at which any sample has a
        labelled token to predict, if the LM can leave out the others. The loss is the
        cross-entropy of the labelled tokens: their mean or, with `num_items_in_batch` (the number
        of labelled tokens in all batches of one optimiser step), their sum divided by it. Each
        token's loss is multiplied by its sample's weight and, for the focal loss (Lin et al. 2017,
        arXiv 1708.02002), by (1 - p) ** focal, where p is the token's probability.
        """
        embeds = self.embed(input_ids, streams)  # (B, L, d_llm)
        options = {}
        if labels is not None:
            # the target of position i is token i + 1
            targets = functional.pad(labels[:, 1:], (0, 1), value=IGNORED)  # (B, L)
            if self._takes_logits_to_keep:
                kept = (targets != IGNORED).any(dim=0).nonzero().squeeze(1)  # (K,)
                options["logits_to_keep"] = kept
                targets = targets[:, kept]  # (B, K)
        out = self.lm(
            inputs_embeds=embeds, attention_mask=attention_mask, use_cache=False, **options
        )
        logits = out.logits  # (B, K, V)
        if labels is None:
            return CausalLMOutput(logits=logits)
        by_token = functional.cross_entropy(
            logits.flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="none",
        ).view_as(targets)
        if focal:
            by_token = by_token * (1 - (-by_token).exp()) ** focal
        if weights is not None:
            by_token = by_token * weights[:, None]
        total = by_token.sum()
        items = (targets != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return CausalLMOutput(loss=total / items, logits=logits)

    def answer_nll(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Sum of the negative log-likelihoods (nats) of a batch's answer tokens, and their number.

        Sums of several batches give the mean per token, whatever tokens each batch holds.
        """
        plain = {name: tensor for name, tensor in batch.items() if name != "weights"}
        total = self(**plain, num_items_in_batch=1).loss
        return total, (batch["labels"] != IGNORED).sum()

    @property
    def _takes_logits_to_keep(self) -> bool:
        inner = self.lm.get_base_model() if isinstance(self.lm, PeftModel) else self.lm
        return "logits_to_keep" in inspect.signature(inner.forward).parameters

    # --- what is trained -------------------------------------------------------------------------

    def train_only(self, part: str) -> None:
        """Let only `part` be trained: "connector" (with the missing embeddings), "lora" or "all".

        "lora" means the connectors, the missing embeddings and the adapters. ValueError: another
        part, or "lora" without adapters.
        """
        if part not in TRAINED:
            raise ValueError(f"part {part!r}: expected one of {', '.join(TRAINED)}")
        if part == "lora" and not isinstance(self.lm, PeftModel):
            raise ValueError("part 'lora': the model has no adapters; call add_lora first")
        if part == "all":
            self.base = None  # the weights will no longer be those of the checkpoint
        trained = re.compile(TRAINED[part])
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(trained.match(name) is not None)

    def add_lora(
        self,
        r: int,
        alpha: float,
        dropout: float = 0.0,
        seed: int = 0,
        modules: Sequence[str] = (),
    ) -> None:
        """Add low-rank adapters (LoRA, arXiv 2106.09685) to the linear layers named `modules`.

        A name such as "q_proj" means that layer of every block; without names, all linear layers
        but the output get adapters. ValueError: the model has adapters already, or no linear layer
        of a name. FileNotFoundError: the checkpoint of the LM, which is the adapters' base, is
        gone.
        """
        if isinstance(self.lm, PeftModel):
            raise ValueError("the model has adapters already; merge them first")
        config = lora_config(self.lm, r, alpha, dropout, modules)
        # Now and not when they are saved: in the meantime another checkpoint may be written there.
        self._base_hash = None if self.base is None else checkpoint_hash(self.base)
        with self._seeded(seed):
            self.lm = get_peft_model(self.lm, config)

    def merge(self) -> None:
        """Add the adapters' weights to those of the LM and drop the adapters, if there are any."""
        if isinstance(self.lm, PeftModel):
            self.lm, self.base = self.lm.merge_and_unload(), None

    # --- generation ------------------------------------------------------------------------------

    def generate(
        self,
        samples: Sequence[Sample],
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
        batch_size: int = 32,
    ) -> list[str]:
        """An answer for each sample. At `temperature` 0 each token is the likeliest one; else it
        is drawn with `seed`.

        ValueError: a prompt that is too long with its answer, or a sample that `collate` refuses.
        """
        texts = []
        with self._seeded(seed):
            for start in range(0, len(samples), batch_size):
                prompt = self._prompt(samples[start : start + batch_size], max_new_tokens)
                tokens = self._generate(prompt, max_new_tokens, temperature)
                texts += [text_of(row, self.tokenizer).strip() for row in tokens.tolist()]
        return texts

    def stream(
        self, sample: Sample, max_new_tokens: int = 128, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[str]:
        """The answer of `generate` in pieces, as they are generated. Errors as of `generate`.

        If the iterator is closed early, generation stops. Generation runs in a thread; until it
        ends, torch's global random numbers are those of `seed`.
        """
        prompt = self._prompt([sample], max_new_tokens)

        def run(**options: object) -> None:
            with self._seeded(seed):
                self._generate(prompt, max_new_tokens, temperature, **options)

        with closing(stream_ids(run)) as ids:
            yield from pieces_of(ids, self.tokenizer)

    @contextmanager
    def _seeded(self, seed: int) -> Iterator[None]:
        """Random numbers of this seed; afterwards the caller's continue as if none were drawn."""
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def _prompt(self, samples: Sequence[Sample], new: int) -> dict[str, Tensor]:
        batch = self.collate(samples, side="left")
        self.prompts.check_length(batch["input_ids"].shape[1], new)
        del batch["labels"], batch["weights"]
        return {name: tensor.to(self.device) for name, tensor in batch.items()}

    @torch.inference_mode()
    def _generate(
        self, prompt: dict[str, Tensor], new: int, temperature: float, **options: object
    ) -> Tensor:
        """New tokens (B, at most `new`) for a batch of `_prompt`."""
        sampling: dict[str, object] = {"do_sample": False}
        if temperature:
            # top_k 0: drawn from all tokens
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0}
        attention_mask, input_ids = prompt.pop("attention_mask"), prompt.pop("input_ids")
        was_training = self.training
        self.eval()
        try:
            return self.lm.generate(
                inputs_embeds=self.embed(input_ids, prompt),
                attention_mask=attention_mask,
                max_new_tokens=new,
                **sampling,
                **options,
            )
        finally:
            self.train(was_training)
