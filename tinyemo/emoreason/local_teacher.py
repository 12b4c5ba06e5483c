"""A local vision-language model as a teacher: any image-text-to-text checkpoint of transformers.

Takes requests and a checkpoint (a folder or hub id, without code of its own); gives replies, batch
by batch. The messages are those of teacher_prompts.py, with the image in front. They are formatted
by the checkpoint's own chat template, or by that of LLaVA-1.5 if it has none. The checkpoint is
loaded when the first batch is needed.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.teacher_prompts import facts_of, prompts_key, teacher_messages
from tinyemo.hub import local_folder
from tinyemo.io import first_line, read_image
from tinyemo.strict_loading import load_pretrained

FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "pytorch_model*.bin"]
LLAVA_TEMPLATE = (
    "{% for message in messages %}USER: "
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    "{% endfor %} ASSISTANT:"
)
# A weight file is recognised by this many samples of this many bytes, without reading all of it.
SAMPLES, SAMPLE_BYTES = 64, 65536


class LocalTeacher:
    """Writes replies with an image-text-to-text checkpoint, by greedy decoding.

    Runs on CUDA in the checkpoint's own precision if there is a GPU, else on the CPU in float32.
    The device and the batch size may change a text through rounding and are not part of `key`. In
    `usage`, "cut" are the replies that ended at `max_new_tokens`.
    """

    unanswered_reason = "unanswered"

    def __init__(self, checkpoint: str | Path, batch_size: int = 8, max_new_tokens: int = 256):
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.usage = dict.fromkeys(("replies", "cut", "prompt_tokens", "completion_tokens"), 0)
        self.note = ""
        folder = Path(checkpoint).expanduser()
        self.name = folder.resolve().name if folder.is_dir() else str(checkpoint)

    @cached_property
    def key(self) -> str:
        """Hash of the checkpoint, the prompts and the token limit.

        For a folder, its small files and samples of its weights are hashed. For a hub id, only the
        id is hashed.
        """
        digest = hashlib.sha256(json.dumps([self.max_new_tokens, prompts_key()]).encode())
        folder = Path(self.checkpoint).expanduser()
        files = {file for pattern in FILES for file in folder.glob(pattern)}
        if not files:  # a hub id, or an empty folder
            digest.update(str(self.checkpoint).encode())
        for file in sorted(files):
            size = file.stat().st_size
            digest.update(f"{file.name} {size}".encode())
            with open(file, "rb") as opened:
                for start in range(0, size, max(SAMPLE_BYTES, size // SAMPLES)):
                    opened.seek(start)
                    digest.update(opened.read(SAMPLE_BYTES))
        return digest.hexdigest()[:16]

    @cached_property
    def _loaded(self) -> tuple[ProcessorMixin, PreTrainedModel]:
        folder = local_folder(self.checkpoint, FILES)
        device, dtype = ("cuda", "auto") if torch.cuda.is_available() else ("cpu", "float32")
        try:
            processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False)
            tokenizer = processor.tokenizer
        except Exception as error:  # transformers raises whatever its parsers raise
            raise ValueError(
                f"{self.checkpoint}: cannot load it as a local teacher: "
                f"{first_line(error).rstrip('. ')}; expected an image-text-to-text checkpoint of "
                "transformers with its processor, such as llava-hf/llava-1.5-7b-hf"
            ) from error
        what = "it as a local teacher"
        model = load_pretrained(AutoModelForImageTextToText, folder, dtype, what)
        tokenizer.padding_side = "left"  # so that all answers of a batch begin at the same position
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        return processor, model.eval().to(device)

    def replies(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """A reply for each request, batch by batch: first those with an image, then those without.

        A request with neither an image nor words about it stays unanswered. FileNotFoundError,
        ValueError: the checkpoint does not exist or is not an image-text-to-text checkpoint, or
        an image cannot be read.
        """
        with_image = [request for request in requests if request.image]
        from_words = [request for request in requests if not request.image and facts_of(request)]
        if bare := len(requests) - len(with_image) - len(from_words):
            self.note = (
                f"{bare} of {len(requests)} requests have no image, no caption and no attributes"
            )
        for group in (with_image, from_words):  # a batch is of one kind
            for start in range(0, len(group), self.batch_size):
                yield from self._write(group[start : start + self.batch_size])

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
        new = tokens[:, inputs["input_ids"].shape[1] :].cpu()  # (B, new)

        end = model.generation_config.eos_token_id  # one id, a list of ids, or None
        end_ids = torch.tensor([] if end is None else end, dtype=torch.long)
        is_end = torch.isin(new, end_ids)  # (B, new)
        ends_before = is_end.cumsum(dim=1) - is_end.int()  # (B, new)
        lengths = (ends_before == 0).sum(dim=1)  # (B,), the end token included

        is_cut = ~is_end.any(dim=1)  # (B,)
        prompt_lengths = inputs["attention_mask"].sum(dim=1)  # (B,)
        self.usage["replies"] += len(batch)
        self.usage["cut"] += int(is_cut.sum())
        self.usage["prompt_tokens"] += int(prompt_lengths.sum())
        self.usage["completion_tokens"] += int(lengths.sum())

        texts = processor.batch_decode(new, skip_special_tokens=True)
        costs = prompt_lengths.tolist(), lengths.tolist()
        return [
            Reply(request.id, text.strip(), prompt, length, is_cut=cut)
            for request, text, prompt, length, cut in zip(
                batch, texts, *costs, is_cut.tolist(), strict=True
            )
        ]


def _chat(request: Request) -> list[dict]:
    """The messages as one user turn, image first: not every template allows a system turn."""
    messages = teacher_messages(request, sees_image=bool(request.image))
    text = "\n\n".join(message["content"] for message in messages)
    content = [{"type": "text", "text": text}]
    if request.image:
        content.insert(0, {"type": "image", "image": read_image(request.image)})
    return [{"role": "user", "content": content}]
