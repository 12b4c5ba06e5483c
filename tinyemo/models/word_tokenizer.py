"""A tokenizer whose tokens are the words of given texts.

For small language models that are trained from scratch on a few words, such as the prompts about
synthetic dialogues, where no published tokenizer is at hand.
"""

from collections.abc import Iterable

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

UNKNOWN, END = "<unk>", "</s>"


def word_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer with one token per lower-case word and per punctuation mark of the texts.

    A word that the texts do not have becomes "<unk>"; the end token is "</s>".
    """
    normalizer = normalizers.Lowercase()
    splitter = pre_tokenizers.BertPreTokenizer()
    words = set()
    for text in texts:
        pieces = splitter.pre_tokenize_str(normalizer.normalize_str(text))
        words |= {word for word, _ in pieces}
    vocabulary = [UNKNOWN, END, *sorted(words)]
    ids = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=UNKNOWN, eos_token=END)
