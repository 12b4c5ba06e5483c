"""The local teacher on a random LLaVA: against the plain forward pass, alone and in batches, resumed, and refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from checkpoints import save_llava
from PIL import Image
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from tinyemo.emoreason.local_teacher import LocalTeacher
from tinyemo.emoreason.prompts import ASSIGNMENTS, SYSTEM, teacher_messages
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect

NEW = 12  # tokens an answer may have


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    return save_llava(
        tmp_path_factory.mktemp("checkpoint") / "llava-tiny", [SYSTEM, *ASSIGNMENTS.values()]
    )


@pytest.fixture(scope="module")
def requests(tmp_path_factory):
    """Four with an image, their prompts of different lengths, and one from words alone in the midst of them."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    made = []
    for i, task in enumerate(("caption", "reasoning", "vqa", "conversation")):
        path = folder / f"{i}.png"
        Image.fromarray(rng.integers(0, 255, (40 + i, 60, 3), dtype=np.uint8)).save(path)
        made.append(
            Request(
                f"r{i}#{task}", str(path), task, "joy", "ekman", attributes={"object": ["dog"] * i}
            )
        )
    made.insert(2, Request("words#caption", "", "caption", "", "ekman", caption="A dog on a mat."))
    return made


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    """What is written is compared with the CPU's."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def texts(teacher, requests):
    return {reply.id: reply.text for reply in teacher.replies(requests)}


def by_hand(processor, model, request):
    """Prompt length and the next NEW tokens after LLaVA-1.5's prompt, the likeliest each, by plain forward passes."""
    said = "\n\n".join(
        message["content"] for message in teacher_messages(request, sees_image=bool(request.image))
    )
    image = {"images": Image.open(request.image)} if request.image else {}
    token = "<image>\n" if image else ""
    inputs = dict(processor(text=f"USER: {token}{said} ASSISTANT:", return_tensors="pt", **image))
    tokens, _ = inputs.pop("input_ids"), inputs.pop("attention_mask")
    start = tokens.shape[1]
    for _ in range(NEW):
        with torch.no_grad():
            best = model(input_ids=tokens, **inputs).logits[:, -1].argmax(dim=1, keepdim=True)
        tokens = torch.cat([tokens, best], dim=1)
    return start, tokens[0, start:].tolist()


def test_replies_are_the_models_own_in_batches_of_any_size_and_order(llava, requests, tmp_path):
    processor = LlavaProcessor.from_pretrained(llava)
    model = LlavaForConditionalGeneration.from_pretrained(llava).eval()
    hand = {request.id: by_hand(processor, model, request) for request in requests}
    end = hand[requests[0].id][1][5]  # the checkpoint is told to stop at a token that it writes
    folder = shutil.copytree(llava, tmp_path / "stops")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, end]}))
    expected = {}
    for name, (prompt, new) in hand.items():
        new = new[: min([new.index(stop) + 1 for stop in (1, end) if stop in new], default=NEW)]
        expected[name] = Reply(
            name, processor.decode(new, skip_special_tokens=True).strip(), prompt, len(new)
        )
    teacher = LocalTeacher(folder, batch_size=3, max_new_tokens=NEW)
    assert {reply.id: reply for reply in teacher.replies(requests)} == expected
    assert len({reply.text for reply in expected.values()}) == len(requests)
    single = LocalTeacher(folder, batch_size=1, max_new_tokens=NEW)
    assert texts(single, requests[::-1]) == {name: reply.text for name, reply in expected.items()}
    cut = sum(reply.completion_tokens == NEW for reply in expected.values())
    assert 0 < cut < 5 and teacher.usage == {
        "replies": 5,
        "cut": cut,
        "prompt_tokens": sum(reply.prompt_tokens for reply in expected.values()),
        "completion_tokens": sum(reply.completion_tokens for reply in expected.values()),
    }


def test_a_checkpoint_without_chat_template_is_asked_as_llava(llava, requests, tmp_path):
    bare = save_llava(tmp_path / "bare", [SYSTEM, *ASSIGNMENTS.values()], template=False)
    assert not (bare / "chat_template.jinja").exists() and (llava / "chat_template.jinja").exists()
    assert texts(LocalTeacher(bare, max_new_tokens=NEW), requests) == texts(
        LocalTeacher(llava, max_new_tokens=NEW), requests
    )


def test_the_image_is_looked_at(llava, requests):
    teacher = LocalTeacher(llava, max_new_tokens=NEW)
    assert texts(teacher, requests[:1]) != texts(
        teacher, [replace(requests[0], image=requests[1].image)]
    )


def test_a_request_with_neither_image_nor_words_stays_unanswered(llava, requests):
    teacher = LocalTeacher(llava, max_new_tokens=NEW)
    assert texts(teacher, [replace(requests[2], id="bare", caption=""), requests[2]]).keys() == {
        requests[2].id
    }
    assert teacher.note == "1 of 2 requests have neither an image nor words to write from"


def test_resumes_and_loads_nothing_when_all_is_answered(llava, requests, tmp_path):
    class Killed(LocalTeacher):
        def replies(self, requests):
            for number, reply in enumerate(super().replies(requests)):
                if number == 2:
                    raise KeyboardInterrupt
                yield reply

    options = {"batch_size": 3, "max_new_tokens": NEW}
    with pytest.raises(KeyboardInterrupt):
        collect(Killed(llava, **options), requests, tmp_path / "journal.jsonl")
    second = LocalTeacher(llava, **options)
    replies = collect(second, requests, tmp_path / "journal.jsonl")
    assert second.usage["replies"] == 3
    assert {name: reply.text for name, reply in replies.items()} == texts(
        LocalTeacher(llava, **options), requests
    )
    third = LocalTeacher(llava, **options)
    assert collect(
        third, requests, tmp_path / "journal.jsonl"
    ) == replies and "_loaded" not in vars(third)


def test_the_key_follows_weights_and_settings(llava, tmp_path):
    copy = shutil.copytree(llava, tmp_path / "copy")
    key = LocalTeacher(llava).key
    assert LocalTeacher(copy).key == LocalTeacher(copy, batch_size=1).key == key
    assert LocalTeacher(copy, max_new_tokens=9).key != key
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert LocalTeacher(copy).key != key
    assert LocalTeacher("owner/one").key != LocalTeacher("owner/two").key


def test_what_is_wrong_is_said_in_one_sentence(llava, requests, tmp_path):
    def refusal(checkpoint, image, error):
        with pytest.raises(error) as caught:
            list(LocalTeacher(checkpoint).replies([Request("x", image, "caption", "", "ekman")]))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    good, broken = requests[0].image, tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert str(broken) in refusal(llava, str(broken), ValueError)
    assert "image not found: /no/such.png" in refusal(llava, "/no/such.png", FileNotFoundError)
    assert "/no/such: no such folder; expected a checkpoint folder or a hub id" in refusal(
        "/no/such", good, FileNotFoundError
    )
    assert "owner/llava: neither a folder here nor" in refusal(
        "owner/llava", good, FileNotFoundError
    )
    text_only = shutil.copytree(llava, tmp_path / "text-only")
    (text_only / "config.json").write_text(json.dumps({"model_type": "llama"}))
    pickled = shutil.copytree(llava, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    (empty := tmp_path / "empty").mkdir()
    for folder in (text_only, pickled, empty):
        assert f"{folder}: cannot load it as a local teacher" in refusal(folder, good, ValueError)
