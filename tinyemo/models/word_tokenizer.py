"""A tokenizer whose tokens are the words of given texts, and which words a text has.

For small language models that are trained from scratch on a few thousand texts. A published
tokenizer has ten times as many words as such texts; most of the time of a training would be spent
on words that never occur.
"""

from collections import Counter
from collections.abc import Iterable

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

UNKNOWN, END = "<unk>", "</s>"


def word_tokenizer(
    texts: Iterable[str], needed: Iterable[str] = (), least: int = 1
) -> PreTrainedTokenizerFast:
    """A tokenizer with one token per lower-case word and per punctuation mark.

    Words that occur at least `least` times in `texts`, and all words of the texts `needed`, have a
    token; any other word becomes "<unk>". The end token is "</s>".
    """
    normalizer = normalizers.Lowercase()
    splitter = pre_tokenizers.BertPreTokenizer()

    def words_of(text: str) -> list[str]:
        pieces = splitter.pre_tokenize_str(normalizer.normalize_str(text))
        return [word for word, _ in pieces]

    counts = Counter(word for text in texts for word in words_of(text))
    words = {word for word, count in counts.items() if count >= least}
    words |= {word for text in needed for word in words_of(text)}
    vocabulary = [UNKNOWN, END, *sorted(words)]
    ids = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=UNKNOWN, eos_token=END)


def word_vectors(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, width: int) -> Tensor:
    """Which of the first `width` tokens each text has: (N, width) float32, 1 or 0.

    Unknown words are not counted.
    """
    encoded = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    vectors = torch.zeros(len(encoded), width)
    for row, ids in enumerate(encoded):
        known = [index for index in ids if index < width and index != tokenizer.unk_token_id]
        vectors[row, known] = 1
    return vectors
