"""A vision-language model on this machine as a teacher: any image-text-to-text checkpoint of transformers.

Takes requests and a checkpoint (a folder or hub id; safetensors, no code of its own), gives replies as batches
finish. The prompts are those of data/prompts.py with the image in front; the checkpoint's own chat template puts
them together, or LLaVA-1.5's where it has none. Nothing is loaded before the first batch is asked for.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from tinyemo.emoreason.prompts import facts_of, prompts_key, teacher_messages
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.hub import local_folder

FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors"]
LLAVA_TEMPLATE = (
    "{% for message in messages %}USER: {% for part in message['content'] if part['type'] == 'image' %}<image>\n"
    "{% endfor %}{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    "{% endfor %} ASSISTANT:"
)
SAMPLES, SAMPLE_BYTES = 64, 65536  # of a weight file, to know it by without reading all of it


class LocalTeacher:
    """Writes with an image-text-to-text checkpoint, the likeliest token each time.

    On CUDA, if there is one, in the checkpoint's own precision, else on the CPU in float32. That and the batch size
    may change a text by rounding and are not part of `key`. Of `usage`, "cut" are replies that ended at
    `max_new_tokens`.
    """

    silence = "unanswered"

    def __init__(self, checkpoint: str | Path, batch_size: int = 8, max_new_tokens: int = 256):
        self.checkpoint, self.batch_size, self.max_new_tokens = (
            checkpoint,
            batch_size,
            max_new_tokens,
        )
        self.usage = dict.fromkeys(("replies", "cut", "prompt_tokens", "completion_tokens"), 0)
        self.note = ""
        folder = Path(checkpoint).expanduser()
        self.name = folder.resolve().name if folder.is_dir() else str(checkpoint)

    @cached_property
    def key(self) -> str:
        """Hash of the checkpoint, the prompts and the limit of tokens; of a folder its small files and samples of its
        weights, of a hub id the id alone."""
        state = hashlib.sha256(json.dumps([self.max_new_tokens, prompts_key()]).encode())
        folder = Path(self.checkpoint).expanduser()
        files = (
            sorted({file for pattern in FILES for file in folder.glob(pattern)})
            if folder.is_dir()
            else []
        )
        for file in files:
            size = file.stat().st_size
            state.update(f"{file.name} {size}".encode())
            with open(file, "rb") as opened:
                for start in range(0, size, max(SAMPLE_BYTES, size // SAMPLES)):
                    opened.seek(start)
                    state.update(opened.read(SAMPLE_BYTES))
        state.update(b"" if files else str(self.checkpoint).encode())
        return state.hexdigest()[:16]

    @cached_property
    def _loaded(self) -> tuple[ProcessorMixin, PreTrainedModel]:
        folder = local_folder(self.checkpoint, FILES)
        device, dtype = ("cuda", "auto") if torch.cuda.is_available() else ("cpu", "float32")
        try:
            processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False)
            model = AutoModelForImageTextToText.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, trust_remote_code=False
            )
            tokenizer = processor.tokenizer
        except Exception as error:  # transformers raises whatever its parsers do
            reason = (str(error).strip() or repr(error)).splitlines()[0].rstrip(". ")
            raise ValueError(
                f"{self.checkpoint}: cannot load it as a local teacher: {reason}; expected an image-text-"
                "to-text checkpoint of transformers with processor and safetensors, such as "
                "llava-hf/llava-1.5-7b-hf"
            ) from error
        tokenizer.padding_side = "left"  # all answers begin where their prompts end
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        return processor, model.eval().to(device)

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """A reply for each request, batch by batch: those with an image first, then those without. One that has
        neither an image nor words about it stays unanswered.

        FileNotFoundError, ValueError: no such checkpoint, no image-text-to-text checkpoint, or an image that cannot
        be read, named in one sentence.
        """
        with_image = [request for request in requests if request.image]
        without = [
            request for request in requests if not request.image and facts_of(request)
        ]  # no mixed batches
        if bare := len(requests) - len(with_image) - len(without):
            self.note = (
                f"{bare} of {len(requests)} requests have neither an image nor words to write from"
            )
        for part in (with_image, without):
            for start in range(0, len(part), self.batch_size):
                yield from self._write(part[start : start + self.batch_size])

    @torch.inference_mode()
    def _write(self, batch: Sequence[Request]) -> list[Reply]:
        chats = [_chat(request) for request in batch]
        processor, model = self._loaded
        inputs = processor.apply_chat_template(
            chats,
            chat_template=None if processor.chat_template else LLAVA_TEMPLATE,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        ).to(model.device, dtype=model.dtype)
        tokens = model.generate(
            **inputs,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=processor.tokenizer.pad_token_id,
        )  # (B, prompt + new)
        new = tokens[:, inputs["input_ids"].shape[1] :].cpu()
        end = model.generation_config.eos_token_id  # one, several or none
        ends = torch.isin(new, torch.tensor([] if end is None else end, dtype=torch.long))
        lengths = ((ends.cumsum(dim=1) - ends.int()) == 0).sum(
            dim=1
        )  # (B,), the end token included
        texts = processor.batch_decode(new, skip_special_tokens=True)
        prompts = inputs["attention_mask"].sum(dim=1)
        for name, value in {
            "replies": len(batch),
            "cut": (~ends.any(dim=1)).sum(),
            "prompt_tokens": prompts.sum(),
            "completion_tokens": lengths.sum(),
        }.items():
            self.usage[name] += int(value)
        return [
            Reply(request.id, text.strip(), prompt, length)
            for request, text, prompt, length in zip(
                batch, texts, prompts.tolist(), lengths.tolist(), strict=True
            )
        ]


def _chat(request: Request) -> list[dict]:
    """The teacher's prompt as one user turn with the image in front: not every template knows a system turn."""
    text = "\n\n".join(
        message["content"] for message in teacher_messages(request, sees_image=bool(request.image))
    )
    image = [{"type": "image", "image": _open(request.image)}] if request.image else []
    return [{"role": "user", "content": [*image, {"type": "text", "text": text}]}]


def _open(path: str) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        raise FileNotFoundError(f"file not found: {path}") from None
    except Exception as error:  # Pillow's decoders raise many kinds for a damaged file
        raise ValueError(
            f"cannot read the image {path}: {(str(error) or repr(error)).splitlines()[0]}"
        ) from error
