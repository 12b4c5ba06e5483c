"""The tokenizer of words: its vocabulary, unknown words, and use in prompts."""

from tinyemo.models.prompt import PromptBuilder, Sample
from tinyemo.models.word_tokenizer import word_tokenizer, word_vectors


def test_words_and_marks_are_tokens():
    tokenizer = word_tokenizer(["Speaker: oh no!", "USER ASSISTANT joy"])
    ids = tokenizer("speaker : JOY new")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["speaker", ":", "joy", "<unk>"]
    assert tokenizer.decode(tokenizer("oh no")["input_ids"]) == "oh no"


def test_rare_words_are_unknown_unless_they_are_needed():
    tokenizer = word_tokenizer(["oh no", "oh well"], needed=["Joy?"], least=2)
    ids = tokenizer("oh no joy ?")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["oh", "<unk>", "joy", "?"]


def test_the_order_of_the_texts_does_not_matter():
    one, other = word_tokenizer(["a b", "c"]), word_tokenizer(["c", "b a"])
    assert one.get_vocab() == other.get_vocab()


def test_prompts_keep_stream_tokens_and_end_answers():
    builder = PromptBuilder(word_tokenizer(["USER: ASSISTANT: joy now"]), ["text"], 64, "plain")
    encoded = builder.encode(Sample((("now <text>", "joy"),), {"text": [None]}))
    tokens = builder.tokenizer.convert_ids_to_tokens(encoded.input_ids)
    assert tokens == ["user", ":", "now", "<missing:text>", "assistant", ":", "joy", "</s>"]


def test_word_vectors_say_which_known_words_a_text_has():
    tokenizer = word_tokenizer(["oh no", "well"])
    vectors = word_vectors(["oh OH well", "", "new"], tokenizer, len(tokenizer))
    words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    assert {word for word, given in zip(words, vectors[0], strict=True) if given} == {"oh", "well"}
    assert not vectors[1:].any()
