"""Prompts: the tokens of a conversation, the tokens with loss, equal in training and inference."""

import pytest
import torch
from checkpoints import save_tokenizer
from tiny_lm import PHI3, TINYLLAMA
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tinyemo.models.anchors import load_tokenizer
from tinyemo.models.prompt import IGNORED, TEMPLATES, PromptBuilder, Sample

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)
# family -> (tokenizer, its chat template, argument `template`). OpenELM has Llama 2's tokenizer,
# which has no template.
FAMILIES = {
    "OpenELM": ("llama", None, None),
    "OpenELM, plain": ("llama", None, "plain"),
    "TinyLlama": ("llama", TINYLLAMA, None),
    "TinyLlama, LLaVA": ("llama", TINYLLAMA, "llava_v1"),
    "Phi-2": ("codegen", None, None),
    "Phi-3": ("phi3", PHI3, None),
    "Phi-3, plain": ("phi3", PHI3, "plain"),
    "small": ("small", None, "plain"),
    "no end token": (
        "codegen",
        None,
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}",
    ),
}
TURNS = (
    ("<image>\nWhat joy is it?", "I see  fear."),
    ("And why?\n", "\nBecause of sadness"),
    ("So?", "anger"),
)


def tokenizer_of(kind: str, folder, chat_template: str | None = None) -> PreTrainedTokenizerFast:
    if kind == "small":  # as emoscenes.toy_models trains it
        bare = Tokenizer(models.BPE())
        bare.pre_tokenizer, bare.decoder = (
            pre_tokenizers.ByteLevel(add_prefix_space=True),
            decoders.ByteLevel(),
        )
        bare.train_from_iterator(
            ["I see fear because of sadness"],
            trainers.BpeTrainer(
                vocab_size=300,
                special_tokens=["<pad>", "<s>", "</s>"],
                show_progress=False,
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            ),
        )
        return PreTrainedTokenizerFast(
            tokenizer_object=bare, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
        )
    save_tokenizer(folder / kind, kind)
    tokenizer = load_tokenizer(folder / kind)
    tokenizer.chat_template = chat_template
    return tokenizer


def builder_of(family: str, folder, names=("image",), max_length=2048) -> PromptBuilder:
    kind, chat_template, template = FAMILIES[family]
    return PromptBuilder(tokenizer_of(kind, folder, chat_template), names, max_length, template)


def test_labels_of_a_conversation_written_out_by_hand(tmp_path):
    prompts = builder_of("OpenELM, plain", tmp_path)
    sample = Sample((("<image> joy", "fear"), ("joy", "sad anger")), {"image": [torch.zeros(2, 4)]})
    encoded = prompts.encode(sample)
    tokens = prompts.tokenizer.convert_ids_to_tokens(encoded.input_ids)
    user = [f"<0x{ord(character):02X}>" for character in "USER:"]
    assistant = [f"<0x{ord(character):02X}>" for character in "ASSISTANT:"]
    first_human = ["<s>", "▁", *user, "▁", "<image>", "<image>", "▁", "▁joy", "▁", *assistant]
    first_answer = ["▁fear", "</s>"]
    second_human = ["▁", *user, "▁joy", "▁", *assistant]
    second_answer = ["▁sad", "▁anger", "</s>"]
    assert tokens == [*first_human, *first_answer, *second_human, *second_answer]
    expected = list(encoded.input_ids)
    start = len(first_human) + len(first_answer)
    expected[: len(first_human)] = [IGNORED] * len(first_human)
    expected[start : start + len(second_human)] = [IGNORED] * len(second_human)
    assert encoded.labels == expected


def answer_spans(labels: list[int]) -> list[tuple[int, int]]:
    """Begin and end of each run of labels that carry loss."""
    spans, start = [], None
    for i, label in enumerate([*labels, IGNORED]):
        if label != IGNORED and start is None:
            start = i
        if label == IGNORED and start is not None:
            spans.append((start, i))
            start = None
    return spans


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_of_training_and_inference_are_the_same(tmp_path, family):
    """Up to each answer, the training ids are those of the prompt; only answers carry loss."""
    prompts = builder_of(family, tmp_path)
    streams = {"image": [torch.zeros(3, 4)]}
    for turns in (TURNS, TURNS[:1], TURNS[1:]):
        given = streams if "<image>" in turns[0][0] else {}
        whole = prompts.encode(Sample(turns, given))
        spans = answer_spans(whole.labels)
        assert len(spans) == len(turns)
        for k, (start, stop) in enumerate(spans):
            prompt = prompts.encode(Sample((*turns[:k], (turns[k][0], "")), given))
            assert prompt.input_ids == whole.input_ids[:start]
            answer = whole.labels[start:stop]
            assert answer == whole.input_ids[start:stop]
            assert answer[-1] in prompts.end_ids
            assert prompts.tokenizer.decode(answer[:-1]).strip() == turns[k][1].strip()
            assert not set(answer[:-1]) & set(prompts.end_ids)


@pytest.mark.parametrize(
    "family, text",
    [
        (
            "OpenELM",
            f"{SYSTEM} USER: joy? ASSISTANT: I fear</s>USER: why ASSISTANT: so</s>",
        ),  # LLaVA's conv_vicuna_v1
        (
            "Phi-2",
            f"{SYSTEM} USER: joy? ASSISTANT: I fear<|endoftext|>"
            "USER: why ASSISTANT: so<|endoftext|>",
        ),
        (
            "TinyLlama",
            "<|user|>\njoy?</s>\n<|assistant|>\nI fear</s>\n"
            "<|user|>\nwhy</s>\n<|assistant|>\nso</s>",
        ),
        (
            "Phi-3",
            "<|user|>\njoy?<|end|>\n<|assistant|>\nI fear<|end|>\n"
            "<|user|>\nwhy<|end|>\n<|assistant|>\nso<|end|>",
        ),
        ("OpenELM, plain", "USER: joy? ASSISTANT: I fear</s>USER: why ASSISTANT: so</s>"),
    ],
)
def test_ids_equal_those_of_the_published_text(tmp_path, family, text):
    prompts = builder_of(family, tmp_path)
    plain = load_tokenizer(tmp_path / FAMILIES[family][0])  # without the stream tokens
    bos = family.startswith("OpenELM")
    expected = plain(text, add_special_tokens=bos)["input_ids"]
    assert prompts.encode(Sample((("joy?", "I fear"), ("why", "so")))).input_ids == expected


def test_an_answer_never_merges_with_its_prompt(tmp_path):
    """The prompt ends in "ang" and the answer begins with "er"; "anger" is one token."""
    prompts = PromptBuilder(
        tokenizer_of("llama", tmp_path),
        [],
        template=(
            "{% for m in messages %}"
            "{{ m['content'] if m['role'] == 'user' else ' ang' + m['content'] }}{% endfor %}"
            "{% if add_generation_prompt %} ang{% endif %}"
        ),
    )
    whole, asked = (prompts.encode(Sample((("joy", answer),))) for answer in ("er", ""))
    assert whole.input_ids[: len(asked.input_ids)] == asked.input_ids
    tokens = prompts.tokenizer.convert_ids_to_tokens(whole.input_ids)
    assert "▁anger" in prompts.tokenizer.tokenize("joy anger") and "▁anger" not in tokens
    assert "".join(tokens[len(asked.input_ids) :]).strip("▁") == "er</s>"


def test_bos_of_a_template_is_not_doubled(tmp_path):
    tokenizer = tokenizer_of("llama", tmp_path, "{{ bos_token }}" + TEMPLATES["plain"])
    own = PromptBuilder(tokenizer, []).encode(Sample((("joy", "fear"),)))
    named = PromptBuilder(tokenizer, [], template="{{ bos_token }}" + TEMPLATES["plain"])
    assert own.input_ids.count(1) == 1 and own == named.encode(Sample((("joy", "fear"),)))


def test_every_placeholder_is_repeated_once_per_token(tmp_path):
    prompts = builder_of("OpenELM, plain", tmp_path, ("image", "audio"))
    image, audio = prompts.placeholders["image"], prompts.placeholders["audio"]
    no_image, no_audio = prompts.missing["image"], prompts.missing["audio"]
    turns = (("<image> and <audio> and <image>", "fear"), ("<audio>", ""))
    streams = {"image": [torch.zeros(2, 4), torch.zeros(5, 4)], "audio": [torch.zeros(1, 3), None]}
    ids = prompts.encode(Sample(turns, streams)).input_ids
    assert [i for i in ids if i in (image, audio)] == [image] * 2 + [audio] + [image] * 5
    assert ids.count(no_audio) == 1
    assert no_image not in ids
    without = prompts.encode(Sample(turns, {"audio": None})).input_ids
    assert image not in without
    assert without.count(no_image) == 2
    assert without.count(no_audio) == 2
    words = len(load_tokenizer(tmp_path / "llama"))
    assert min(image, audio, no_image, no_audio) >= words


def test_samples_that_do_not_fit_are_refused(tmp_path):
    prompts = builder_of("OpenELM, plain", tmp_path, max_length=60)
    one = [torch.zeros(1, 4)]
    for turns, streams, message in [
        (
            (("<image> <image>", "a"),),
            {"image": one},
            "2 <image> in the human turns, but 1 tensors",
        ),
        ((("joy", "a"),), {"image": one}, "0 <image> in the human turns, but 1 tensors"),
        ((("<image>", "a <image>"),), {"image": one}, "<image> in an answer"),
        ((("joy", "a"),), {"sound": one}, "stream 'sound': expected one of image"),
        ((("joy", ""), ("why", "a")), {}, "expected turns that all have an answer"),
        ((), {}, "expected turns"),
        (
            (("<image>", "a"),),
            {"image": [torch.zeros(99, 4)]},
            r"a prompt of 12\d tokens: the limit is 60",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            prompts.encode(Sample(turns, streams))


def test_templates_that_change_the_text_are_refused(tmp_path):
    lists = (
        "{% for m in messages %}{% for c in m['content'] %}{{ c['text'] }}{% endfor %}{% endfor %}"
    )
    thinks = (
        "{% for m in messages %}{{ '<s>think' if m['role'] == 'assistant' }}"
        "{{ m['content'] }}{% endfor %}"
    )
    for template in (lists, thinks):
        with pytest.raises(ValueError, match="chat template"):
            PromptBuilder(tokenizer_of("llama", tmp_path), ["image"], template=template)
