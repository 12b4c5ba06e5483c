"""MultimodalLM: any causal language model of transformers that reads streams of vectors beside its text.

Owns the connectors, one for each named stream (image patch tokens through two layers; one vector an utterance of
sound, video or face through a linear one), the learned embedding that stands in for a missing stream, which parts are
trained, LoRA adapters, and generation. Takes Samples (models/prompt.py); gives a loss or text. Names of streams are
data: nothing here knows what an image is. As LLaVA does it (arXiv 2304.08485): what a connector gives takes the place
of the stream's placeholder among the language model's input embeddings. Saved as a folder (models/mm_folder.py).
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_outputs import CausalLMOutput

from tinyemo.hub import local_folder
from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.multimodal_folder import (
    TOKENIZER_FILES,
    checkpoint_hash,
    load_lm,
    read_folder,
    write_folder,
)
from tinyemo.models.prompt import IGNORED, PromptBuilder, Sample
from tinyemo.models.streaming import pieces_of, stream_ids, text_of

# kind -> (width of the stream's tokens, d_llm) -> module: (..., width) -> (..., d_llm)
CONNECTORS: dict[str, Callable[[int, int], nn.Module]] = {
    "mlp2x_gelu": lambda width, d_llm: nn.Sequential(  # LLaVA-1.5's, and its key names: 0. and 2.
        nn.Linear(width, d_llm), nn.GELU(), nn.Linear(d_llm, d_llm)
    ),
    "linear": nn.Linear,
}
# what may be trained -> how the names of the parameters that are begin
TRAINED = {
    "connector": r"connectors\.|missing\.",
    "lora": r"connectors\.|missing\.|.*\.lora_",
    "all": "",
}


@dataclass(frozen=True)
class Connector:
    """What a stream's tokens go through."""

    kind: str  # a key of CONNECTORS
    width: int  # D of the stream's tokens


class MultimodalLM(nn.Module):
    """A causal LM, its tokenizer, and a connector for each named stream.

    `template` and `max_length` are PromptBuilder's; the limit is at most the positions that the LM was made for.
    `base` is where the LM's weights can be found again (a folder or hub id), None where nothing holds them. Connectors
    and missing embeddings are drawn by `seed`, in the LM's dtype. What generation ends at and how it draws is said
    here: the checkpoint's own generation settings are put aside.
    ValueError: an unknown kind of connector.
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
        self.lm, self.tokenizer, self.kinds, self.base = lm, tokenizer, dict(connectors), base
        limit = min(max_length, getattr(lm.config, "max_position_embeddings", None) or max_length)
        self.prompts = PromptBuilder(tokenizer, list(connectors), limit, template)
        self.connectors, self.missing = nn.ModuleDict(), nn.ParameterDict()
        table = lm.get_input_embeddings().weight
        with self._drawn_by(seed):
            for name, connector in connectors.items():
                if connector.kind not in CONNECTORS:
                    raise ValueError(
                        f"connector kind {connector.kind!r}: expected one of {', '.join(CONNECTORS)}"
                    )
                self.connectors[name] = CONNECTORS[connector.kind](connector.width, self.d_llm)
                self.missing[name] = nn.Parameter(
                    torch.randn(1, self.d_llm) * table.detach().float().std().cpu()
                )
        self.connectors.to(table.device, table.dtype)
        self.missing.to(table.device, table.dtype)
        end = self.prompts.end_ids
        lm.generation_config = GenerationConfig(
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=end,
            pad_token_id=end[0],
            suppress_tokens=self.prompts.wordless_ids(len(table)) or None,
        )

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
        """The causal LM of a folder or hub id, in `dtype`, with new connectors, in evaluation mode.

        `tokenizer` names another checkpoint to take it from: OpenELM has none, it uses that of Llama 2.
        FileNotFoundError: no such checkpoint, or no tokenizer in it. ValueError: no causal LM that transformers knows.
        """
        lm = load_lm(checkpoint, dtype)
        words = load_tokenizer(local_folder(tokenizer or checkpoint, TOKENIZER_FILES))
        base = Path(checkpoint).expanduser()
        return cls(
            lm,
            words,
            connectors,
            template=template,
            max_length=max_length,
            seed=seed,
            base=str(base.resolve() if base.is_dir() else checkpoint),
        ).eval()

    def save(self, folder: str | Path) -> Path:
        """Write the model: its LM in full or, where it has adapters, these alone with their base's name and hash.

        ValueError: adapters on an LM that no checkpoint holds, because it was trained or merged in this process, or
        that only this folder holds.
        """
        config = {
            "connectors": {name: asdict(connector) for name, connector in self.kinds.items()},
            "template": self.prompts.template,
            "max_length": self.prompts.max_length,
        }
        if isinstance(self.lm, PeftModel):
            if self.base is None:
                raise ValueError(
                    f"{folder}: the adapters' base was trained or merged here and is saved nowhere; save "
                    "and load the model before add_lora, or merge the adapters"
                )
            if Path(self.base) == Path(folder).resolve() / "lm":
                raise ValueError(
                    f"{folder}: the adapters' base lies in it; save them to another folder"
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

        `base` is where an adapter's base lies now; without it, it is looked for where it lay.
        FileNotFoundError: no such folder, not whole, or no base there. ValueError: damaged, or another base than the
        one that the adapters were trained on.
        """
        folder, config, tensors = read_folder(folder)
        adapted = config["base"] is not None
        base = (base or config["base"]) if adapted else folder.resolve() / "lm"
        if adapted and checkpoint_hash(base) != config["base_hash"]:
            raise ValueError(
                f"{folder}: its adapters were trained on another base than {base}, whose files have "
                "another hash; name the right one as `base`"
            )
        connectors = {name: Connector(**given) for name, given in config["connectors"].items()}
        model = cls(
            load_lm(base, dtype),
            load_tokenizer(folder / "tokenizer"),
            connectors,
            template=config["template"],
            max_length=config["max_length"],
            base=str(base),
        )
        if adapted:
            model.lm = PeftModel.from_pretrained(model.lm, folder / "adapter", is_trainable=True)
            model._base_hash = config["base_hash"]
        own = model._own_state()
        if {name: tensor.shape for name, tensor in own.items()} != {
            n: tensor.shape for n, tensor in tensors.items()
        }:
            raise ValueError(
                f"{folder / 'connectors.safetensors'}: other tensors than config.json's connectors have"
            )
        model.load_state_dict(tensors, strict=False)
        return model.eval().to(device)  # not to dtype: rotary tables stay float32

    def _own_state(self) -> dict[str, Tensor]:
        """Tensors of the connectors and missing embeddings."""
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if re.match(TRAINED["connector"], name)
        }

    @property
    def d_llm(self) -> int:
        """Width of the LM's input embeddings."""
        return self.lm.get_input_embeddings().weight.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.lm.get_input_embeddings().weight.device

    def collate(self, samples: Sequence[Sample], side: str = "right") -> dict[str, Tensor]:
        """A batch on the CPU: input_ids, attention_mask, labels, each (B, L) int64, padded on the right for training,
        on the left for generation; and for each stream (sum of T, D) float32: its tokens in the order of their
        placeholders, of no rows where nobody has any, so that every process of several trains the same parts.

        ValueError: what `PromptBuilder.encode` refuses, or tokens of another shape than (T, D).
        """
        encoded = [self.prompts.encode(sample) for sample in samples]
        length = max(len(each.input_ids) for each in encoded)
        fill = {"input_ids": 0, "attention_mask": 0, "labels": IGNORED}
        batch = {key: torch.full((len(encoded), length), value) for key, value in fill.items()}
        for row, each in enumerate(encoded):
            n = len(each.input_ids)
            place = slice(0, n) if side == "right" else slice(length - n, length)
            batch["input_ids"][row, place] = torch.tensor(each.input_ids)
            batch["attention_mask"][row, place] = 1
            batch["labels"][row, place] = torch.tensor(each.labels)
        for name, connector in self.kinds.items():
            given = [
                sample.streams[name] for sample in samples if sample.streams.get(name) is not None
            ]
            tensors = [tensor for each in given for tensor in each if tensor is not None]
            for tensor in tensors:
                if tensor.ndim != 2 or tensor.shape[1] != connector.width or not len(tensor):
                    raise ValueError(
                        f"stream {name!r}: tokens of shape {tuple(tensor.shape)}, expected "
                        f"(T, {connector.width}) with T at least 1"
                    )
            batch[name] = torch.cat(
                [torch.empty(0, connector.width), *(tensor.float() for tensor in tensors)]
            )
        return batch

    def embed(self, input_ids: Tensor, streams: Mapping[str, Tensor]) -> Tensor:
        """Input embeddings (B, L, d_llm): words from the LM's table, placeholders from the connectors.

        ValueError: another number of stream tokens than of places for them.
        """
        places = {name: input_ids == index for name, index in self.prompts.placeholders.items()}
        gaps = {name: input_ids == index for name, index in self.prompts.missing.items()}
        own = torch.isin(input_ids, input_ids.new_tensor(self.prompts.own_ids))
        embeds = self.lm.get_input_embeddings()(input_ids.masked_fill(own, 0))
        for name, place in places.items():
            tokens = streams[name].to(self.missing[name].dtype)
            if (count := int(place.sum())) != len(tokens):
                raise ValueError(
                    f"stream {name!r}: {len(tokens)} tokens for {count} places in the prompts"
                )
            filled = self.connectors[name](tokens).to(embeds.dtype)  # (sum of T, d_llm)
            embeds = embeds.masked_scatter(place[..., None], filled)
            embeds = torch.where(gaps[name][..., None], self.missing[name].to(embeds.dtype), embeds)
        return embeds

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **streams: Tensor,
    ) -> CausalLMOutput:
        """Loss and logits of a batch of `collate`.

        With labels, logits (B, K, V) are those of the last K positions, from the first that predicts a labelled token
        on, where the LM can leave out the others. The loss is cross-entropy over the labelled tokens, their mean, or
        their sum over `num_items_in_batch` (the labelled tokens of all batches that make one step).
        """
        embeds = self.embed(input_ids, streams)
        options = {}
        if labels is not None and self._takes_logits_to_keep:
            first = int(
                (labels != IGNORED).any(dim=0).int().argmax()
            )  # 0 where no token has a label: keep all
            options["logits_to_keep"] = min(labels.shape[1] - first + 1, labels.shape[1])
        logits = self.lm(
            inputs_embeds=embeds, attention_mask=attention_mask, use_cache=False, **options
        ).logits
        if labels is None:
            return CausalLMOutput(logits=logits)
        targets = labels[:, labels.shape[1] - logits.shape[1] + 1 :]
        total = cross_entropy(
            logits[:, :-1].flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
        items = (targets != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return CausalLMOutput(loss=total / items, logits=logits)

    @property
    def _takes_logits_to_keep(self) -> bool:
        inner = self.lm.get_base_model() if isinstance(self.lm, PeftModel) else self.lm
        return "logits_to_keep" in inspect.signature(inner.forward).parameters

    # --- what is trained -----------------------------------------------------------------------------------

    def train_only(self, part: str) -> None:
        """Let gradients into "connector" (connectors and missing embeddings), "lora" (these and the adapters) or
        "all", and into nothing else. ValueError: another part, or "lora" without adapters."""
        if part not in TRAINED:
            raise ValueError(f"part {part!r}: expected one of {', '.join(TRAINED)}")
        if part == "lora" and not isinstance(self.lm, PeftModel):
            raise ValueError("part 'lora': the model has no adapters; call add_lora first")
        if part == "all":
            self.base = None  # from now on the checkpoint on disk is another one
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(re.match(TRAINED[part], name) is not None)

    def add_lora(self, r: int, alpha: float, dropout: float = 0.0, seed: int = 0) -> None:
        """Wrap the LM with low-rank adapters (LoRA, arXiv 2106.09685) on all its linear layers but the output.

        ValueError: it has some already. FileNotFoundError: the checkpoint that they will stand on is gone.
        """
        if isinstance(self.lm, PeftModel):
            raise ValueError("the model has adapters already; merge them first")
        # now, not when they are saved: who trains them for hours may find another checkpoint there
        self._base_hash = None if self.base is None else checkpoint_hash(self.base)
        config = LoraConfig(
            r=r,
            lora_alpha=alpha,
            lora_dropout=dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with self._drawn_by(seed):
            self.lm = get_peft_model(self.lm, config)

    def merge(self) -> None:
        """Put the adapters' weights into the LM's and drop the adapters; without any, nothing changes."""
        if isinstance(self.lm, PeftModel):
            self.lm, self.base = self.lm.merge_and_unload(), None

    # --- generation ----------------------------------------------------------------------------------------

    def generate(
        self,
        samples: Sequence[Sample],
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
        batch_size: int = 32,
    ) -> list[str]:
        """An answer for each sample; the likeliest token each time at `temperature` 0, else drawn by `seed`.

        ValueError: a prompt that with its answer would be over `max_length`; what `collate` refuses.
        """
        texts = []
        with self._drawn_by(seed):
            for start in range(0, len(samples), batch_size):
                tokens = self._generate(
                    self._prompt(samples[start : start + batch_size], max_new_tokens),
                    max_new_tokens,
                    temperature,
                )
                texts += [text_of(row, self.tokenizer).strip() for row in tokens.tolist()]
        return texts

    def stream(
        self, sample: Sample, max_new_tokens: int = 128, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[str]:
        """The answer of `generate` in pieces, as they come; errors as there, with the first of them.

        Ended early, generation stops. While it runs (in a thread), torch's random numbers are those of `seed`.
        """
        prompt = self._prompt([sample], max_new_tokens)

        def run(**options: object) -> None:
            with self._drawn_by(seed):
                self._generate(prompt, max_new_tokens, temperature, **options)

        with closing(stream_ids(run)) as ids:
            yield from pieces_of(ids, self.tokenizer)

    @contextmanager
    def _drawn_by(self, seed: int) -> Iterator[None]:
        """Random numbers of this seed; those of the caller go on afterwards as if none had been drawn."""
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def _prompt(self, samples: Sequence[Sample], new: int) -> dict[str, Tensor]:
        batch = self.collate(samples, side="left")
        self.prompts.check_length(batch["input_ids"].shape[1], new)
        return {name: tensor.to(self.device) for name, tensor in batch.items() if name != "labels"}

    @torch.inference_mode()
    def _generate(
        self, prompt: dict[str, Tensor], new: int, temperature: float, **options: object
    ) -> Tensor:
        """New tokens (B, at most `new`)."""
        if temperature:
            options |= {"do_sample": True, "temperature": temperature, "top_k": 0}  # of all tokens
        mask, ids = prompt.pop("attention_mask"), prompt.pop("input_ids")
        was_training = self.training
        self.eval()
        try:
            return self.lm.generate(
                inputs_embeds=self.embed(ids, prompt),
                attention_mask=mask,
                max_new_tokens=new,
                **{"do_sample": False} | options,
            )
        finally:
            self.train(was_training)
