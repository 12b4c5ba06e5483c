"""The local teacher with a random LLaVA: compared with plain forward passes, batched, resumed."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_llava import save_llava
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from tinyemo.emoreason.local_teacher import LocalTeacher
from tinyemo.emoreason.requests import Reply, Request
from tinyemo.emoreason.response_cache import collect_replies
from tinyemo.emoreason.teacher_prompts import ASSIGNMENTS, SYSTEM, teacher_messages

NEW = 12  # tokens of a reply at most
WORDS = [SYSTEM, *ASSIGNMENTS.values()]  # for the tokenizer of the tiny checkpoints


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    return save_llava(tmp_path_factory.mktemp("checkpoint") / "llava-tiny", WORDS)


@pytest.fixture(scope="module")
def requests(tmp_path_factory):
    """Four with an image and prompts of different lengths, and between them one without image."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    made = []
    for i, task in enumerate(("caption", "reasoning", "vqa", "conversation")):
        path = folder / f"{i}.png"
        pixels = rng.integers(0, 255, (40 + i, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        attributes = {"object": ["dog"] * i}
        made.append(Request(f"r{i}#{task}", str(path), task, "joy", "ekman", attributes=attributes))
    made.insert(2, Request("words#caption", "", "caption", "", "ekman", caption="A dog on a mat."))
    return made


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    """All comparisons are with the CPU's results."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def texts(teacher, requests):
    return {reply.id: reply.text for reply in teacher.replies(requests)}


def greedy_by_hand(processor, model, request):
    """Prompt length and NEW tokens after LLaVA-1.5's prompt, by greedy decoding step by step."""
    messages = teacher_messages(request, sees_image=bool(request.image))
    text = "\n\n".join(message["content"] for message in messages)
    image = {"images": Image.open(request.image)} if request.image else {}
    token = "<image>\n" if image else ""
    inputs = dict(processor(text=f"USER: {token}{text} ASSISTANT:", return_tensors="pt", **image))
    tokens = inputs.pop("input_ids")  # (1, T)
    del inputs["attention_mask"]
    prompt_length = tokens.shape[1]
    for _ in range(NEW):
        with torch.no_grad():
            logits = model(input_ids=tokens, **inputs).logits[:, -1]
        tokens = torch.cat([tokens, logits.argmax(dim=1, keepdim=True)], dim=1)
    return prompt_length, tokens[0, prompt_length:].tolist()


def expected_reply(processor, name, prompt_length, tokens, stops):
    """The reply that ends with the first of the tokens `stops`, if one occurs."""
    ends = [tokens.index(stop) + 1 for stop in stops if stop in tokens]
    tokens = tokens[: min(ends, default=NEW)]
    text = processor.decode(tokens, skip_special_tokens=True).strip()
    return Reply(name, text, prompt_length, len(tokens))


def test_replies_equal_greedy_decoding_for_any_batch_size_and_order(llava, requests, tmp_path):
    processor = LlavaProcessor.from_pretrained(llava)
    model = LlavaForConditionalGeneration.from_pretrained(llava).eval()
    by_hand = {request.id: greedy_by_hand(processor, model, request) for request in requests}
    # a checkpoint whose end token is one that it generates
    stops = [1, by_hand[requests[0].id][1][5]]
    folder = shutil.copytree(llava, tmp_path / "stops")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": stops}))
    expected = {}
    for name, (prompt_length, tokens) in by_hand.items():
        expected[name] = expected_reply(processor, name, prompt_length, tokens, stops)
    teacher = LocalTeacher(folder, batch_size=3, max_new_tokens=NEW)
    assert {reply.id: reply for reply in teacher.replies(requests)} == expected
    assert len({reply.text for reply in expected.values()}) == len(requests)

    single = LocalTeacher(folder, batch_size=1, max_new_tokens=NEW)
    assert texts(single, requests[::-1]) == {name: reply.text for name, reply in expected.items()}

    cut = sum(reply.completion_tokens == NEW for reply in expected.values())
    assert 0 < cut < 5
    assert teacher.usage == {
        "replies": 5,
        "cut": cut,
        "prompt_tokens": sum(reply.prompt_tokens for reply in expected.values()),
        "completion_tokens": sum(reply.completion_tokens for reply in expected.values()),
    }


def test_a_checkpoint_without_chat_template_gets_that_of_llava(llava, requests, tmp_path):
    bare = save_llava(tmp_path / "bare", WORDS, template=False)
    assert not (bare / "chat_template.jinja").exists()
    assert (llava / "chat_template.jinja").exists()
    without = texts(LocalTeacher(bare, max_new_tokens=NEW), requests)
    assert without == texts(LocalTeacher(llava, max_new_tokens=NEW), requests)


def test_the_reply_depends_on_the_image(llava, requests):
    teacher = LocalTeacher(llava, max_new_tokens=NEW)
    other = replace(requests[0], image=requests[1].image)
    assert texts(teacher, requests[:1]) != texts(teacher, [other])


def test_a_request_with_neither_image_nor_words_stays_unanswered(llava, requests):
    teacher = LocalTeacher(llava, max_new_tokens=NEW)
    bare = replace(requests[2], id="bare", caption="")
    assert texts(teacher, [bare, requests[2]]).keys() == {requests[2].id}
    assert teacher.note == "1 of 2 requests have no image, no caption and no attributes"


def test_a_killed_run_resumes_and_nothing_is_loaded_if_all_is_cached(llava, requests, tmp_path):
    class Killed(LocalTeacher):
        def replies(self, requests, failed_before=()):
            for number, reply in enumerate(super().replies(requests)):
                if number == 2:
                    raise KeyboardInterrupt
                yield reply

    options, cache = {"batch_size": 3, "max_new_tokens": NEW}, tmp_path / "replies.jsonl"
    with pytest.raises(KeyboardInterrupt):
        collect_replies(Killed(llava, **options), requests, cache)
    second = LocalTeacher(llava, **options)
    replies = collect_replies(second, requests, cache)
    assert second.usage["replies"] == 3
    expected = texts(LocalTeacher(llava, **options), requests)
    assert {name: reply.text for name, reply in replies.items()} == expected
    third = LocalTeacher(llava, **options)
    assert collect_replies(third, requests, cache) == replies
    assert "_loaded" not in vars(third)


def test_the_key_depends_on_weights_and_token_limit_only(llava, tmp_path):
    copy = shutil.copytree(llava, tmp_path / "copy")
    key = LocalTeacher(llava).key
    assert LocalTeacher(copy).key == key
    assert LocalTeacher(copy, batch_size=1).key == key
    assert LocalTeacher(copy, max_new_tokens=9).key != key
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert LocalTeacher(copy).key != key
    assert LocalTeacher("owner/one").key != LocalTeacher("owner/two").key


def error_of(checkpoint, image, kind):
    """The message of the error that a request raises; it has one line."""
    request = Request("x", image, "caption", "", "ekman")
    with pytest.raises(kind) as caught:
        list(LocalTeacher(checkpoint).replies([request]))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_an_unreadable_image_is_named_in_the_error(llava, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert str(broken) in error_of(llava, str(broken), ValueError)
    message = error_of(llava, "/no/such.png", FileNotFoundError)
    assert "image not found: /no/such.png" in message


def test_an_unusable_checkpoint_is_named_in_the_error(llava, requests, tmp_path):
    image = requests[0].image
    message = error_of("/no/such", image, FileNotFoundError)
    assert "/no/such: no such folder; expected a checkpoint folder or a hub id" in message
    message = error_of("owner/llava", image, FileNotFoundError)
    assert "owner/llava: neither a folder here nor" in message
    text_only = shutil.copytree(llava, tmp_path / "text-only")
    (text_only / "config.json").write_text(json.dumps({"model_type": "llama"}))
    pickled = shutil.copytree(llava, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (text_only, empty):
        message = error_of(folder, image, ValueError)
        assert f"{folder}: cannot load it as a local teacher" in message
    message = error_of(pickled, image, ValueError)
    assert f"{pickled}/pytorch_model.bin: holds pickled code or is damaged" in message
