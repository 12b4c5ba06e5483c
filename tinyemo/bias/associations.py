"""Word embedding association tests: is a concept nearer to one emotion than to the others?

Takes word lists (word_lists.yaml) and a space of words: a language model's input-embedding table or
CLIP's text tower. Gives one row for each combination of a contrast (two concepts, such as old and
young) and an emotion. The same test for images is in `image_associations`.

An association shows which words are near each other. It does not show that this is unfair: crying
is near sadness, and that is correct. It also does not show how a model uses the association.

The score of a word is always s(w) = mean cosine to an emotion's words minus mean cosine to the
other emotions' words. So a word that is near all emotions has a score of about zero.

Source: Caliskan, Bryson and Narayanan 2017, doi:10.1126/science.aal4230 (WEAT).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from scipy import stats
from torch import Tensor
from torch.nn.functional import normalize

from tinyemo.bias.evidence import corrected
from tinyemo.emotions import GROUPS, SYNONYMS, labels_of
from tinyemo.models.anchors import embedding_table, known_ids

# n words -> vectors (n, D); ValueError if a word is not in the space
Space = Callable[[list[str]], Tensor]
WordLists = Mapping[str, Mapping[str, Sequence[str]]]  # list -> pole -> words

WORD_LISTS = Path(__file__).with_name("word_lists.yaml")
PERMUTATIONS = 20_000  # two poles of eight words have 12,870 partitions: all of them are used
MIN_WORDS = 4  # of a pole in the space; with three against three words no p is below .1
MIN_EFFECT = 0.2  # in standard deviations: Cohen's small effect
# a positive control: a test that works finds this contrast
CHECK = "objects, flowers and insects: flowers, not insects"


def read_word_lists(path: str | Path = WORD_LISTS) -> dict[str, dict[str, list[str]]]:
    """Word lists of a YAML file in the form of word_lists.yaml.

    ValueError: a list without two poles, or a pole without enough different words. The message
    names the file, the list and the pole.
    """
    lists = yaml.safe_load(Path(path).read_text("utf-8"))
    named_lists = lists if isinstance(lists, dict) else {"": lists}
    for name, poles in named_lists.items():
        has_poles = isinstance(poles, dict) and len(poles) > 1
        named_poles = poles if has_poles else {"": poles}
        for pole, words in named_poles.items():
            if not pole or not _are_different_words(words):
                raise ValueError(
                    f"{path}, list {name!r}, pole {pole!r}: expected lists of two poles or more, "
                    f"each of {MIN_WORDS} different words or more, got {words!r:.80}"
                )
    return lists


def _are_different_words(words: object) -> bool:
    """Whether this is a list of at least MIN_WORDS different strings."""
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return False
    return MIN_WORDS <= len(words) == len(set(words))


def emotion_words(label_set: str) -> dict[str, list[str]]:
    """Label -> its words: the label itself, its finer labels, and synonyms of all of these."""
    groups = GROUPS["ekman"] | GROUPS.get(label_set, {})
    found = {}
    for label in labels_of(label_set):
        words = []
        for fine in (label, *groups.get(label, ())):
            words += [fine, *SYNONYMS.get(fine, ())]
        found[label] = list(dict.fromkeys(words))
    return found


def table_space(
    checkpoint: str | Path, tokenizer: str | Path | None = None, whole: bool = True
) -> Space:
    """A language model's input-embedding table as a space. It is read once.

    whole: True takes only words that are one token, at the start of a text or within it. False
    takes the mean of a word's tokens, as anchors do; such means are closer together than whole
    words.

    Errors are those of `models.anchors.embedding_table`.
    """
    table, tokenize = embedding_table(checkpoint, tokenizer)

    def place(words: list[str]) -> Tensor:
        vectors = []
        for word in words:
            spellings = [known_ids(tokenize, word), known_ids(tokenize, f" {word}")]
            ids = min(filter(None, spellings), key=len, default=[])
            if not ids or (whole and len(ids) > 1):
                raise ValueError(f"{checkpoint}: no word {word!r} in its vocabulary")
            vectors.append(table[ids].float().mean(dim=0))
        return torch.stack(vectors)

    return place


def space_with(
    label_set: str, checkpoint: str | Path, tokenizer: str | Path | None = None, whole: bool = True
) -> tuple[Space, list[str]]:
    """`table_space` for the emotions of a label set, and those that have no whole word in it.

    If there are such emotions, as "calm sea" among labels of one's own, the space is that of
    whole=False.
    """
    space = table_space(checkpoint, tokenizer, whole)
    words = emotion_words(label_set)
    known = _known(space, list(dict.fromkeys(word for group in words.values() for word in group)))
    lacking = [label for label, group in words.items() if known.keys().isdisjoint(group)]
    if whole and lacking:
        space = table_space(checkpoint, tokenizer, whole=False)
    return space, lacking


@dataclass(frozen=True, eq=False)
class EmotionWords:
    """The emotion words of a label set in a space, and other words beside them."""

    anchors: Tensor  # (W, D), emotion words that the space contains
    of: np.ndarray  # (W, C) bool, which emotion each of them names
    vectors: dict[str, Tensor]  # all words, emotion words or others, that the space contains
    missing: list[str]  # emotion words that it does not contain

    @classmethod
    def find(cls, space: Space, label_set: str, others: Iterable[str]) -> "EmotionWords":
        """Look up emotion words and `others`. ValueError: an emotion has no word in the space."""
        emotions = emotion_words(label_set)
        named = list(dict.fromkeys(word for words in emotions.values() for word in words))
        vectors = _known(space, list(dict.fromkeys([*named, *others])))
        present = [word for word in named if word in vectors]
        of = np.zeros((len(present), len(emotions)), dtype=bool)
        for k, (label, words) in enumerate(emotions.items()):
            of[:, k] = [word in words for word in present]
            if not of[:, k].any():
                raise ValueError(
                    f"emotion {label!r}: none of its words is in the space ({', '.join(words)}), "
                    "expected at least one; table_space(whole=False) takes words of several tokens"
                )
        anchors = torch.stack([vectors[word] for word in present])
        return cls(anchors, of, vectors, [word for word in named if word not in vectors])


def nearness(vectors: Tensor, anchors: Tensor, of: np.ndarray | None = None) -> np.ndarray:
    """s (N, C) float64 of vectors (N, D): mean cosine to own anchors minus that to the others'.

    `of` (W, C) bool marks which of the anchors (W, D) belong to which emotion. By default each
    anchor is an emotion of its own.
    """
    if of is None:
        of = np.eye(len(anchors), dtype=bool)
    mean_of_own = of / of.sum(axis=0)  # (W, C)
    mean_of_others = ~of / (~of).sum(axis=0)
    return cosines(vectors, anchors) @ (mean_of_own - mean_of_others)


def weat(a: Tensor, b: Tensor, x: Tensor, y: Tensor) -> dict[str, float]:
    """The association of target words x rather than y with attribute words a rather than b.

    Shapes: a (i, D), b (j, D), x (n, D), y (m, D). Gives effect, low, high, p.

    - effect: Caliskan's d = (mean_x s - mean_y s) / sd of s over x and y, where
      s(w) = mean_a cos(w, a) - mean_b cos(w, b).
    - p: two-sided, over partitions of the target words into n and m: over all of them up to 20,000,
      and over 20,000 random ones if there are more.
    - low, high: Welch's 95 % limits of the difference, divided by the same sd, and cut at the
      largest possible |d|. For 4 to 18 normally distributed words they cover 94 % or more; the
      bootstrap of d covers 79 to 95 %.
    """
    in_a = torch.arange(len(a) + len(b)) < len(a)
    of = in_a.numpy()[:, None]  # (i + j, 1)
    attributes = torch.cat([a, b])
    first = nearness(x, attributes, of).T  # (1, n)
    second = nearness(y, attributes, of).T  # (1, m)
    d, low, high = effect_sizes(first, second)[:, 0]
    p = _partitions_p(first, second)[0]
    return {"effect": float(d), "low": float(low), "high": float(high), "p": float(p)}


def text_association(
    space: Space,
    lists: WordLists | None = None,
    label_set: str = "ekman",
    alpha: float = 0.05,
    min_effect: float = MIN_EFFECT,
    detector: str = "text association",
) -> pd.DataFrame:
    """`weat` of every emotion with every contrast of the word lists: a detector table.

    An emotion is compared with all others.

    `what` has the form "gender: female, not male". Further columns: `words` and `other_words`, the
    number of words of each pole in the space; `left_out`, the words of the poles and the emotions
    that the space does not contain. With fewer than four words in a pole, the effect is NaN and p
    is 1. Found: q <= alpha and |d| >= min_effect.

    ValueError: an emotion without any word in the space.
    """
    lists = lists or read_word_lists()
    all_words = [word for poles in lists.values() for words in poles.values() for word in words]
    emotions = EmotionWords.find(space, label_set, all_words)
    tables = []
    for name, poles in lists.items():
        (first, x), *others = poles.items()
        for second, y in others:
            table = _contrast(emotions, x, y)
            table["what"] = f"{name}: {first}, not {second}"
            table["where"] = labels_of(label_set)
            tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    return corrected(table, detector, "WEAT d", alpha, min_effect)


def _contrast(emotions: EmotionWords, x: Sequence[str], y: Sequence[str]) -> pd.DataFrame:
    """The tests of one contrast, one row per emotion; NaN if too few words of a pole are found."""
    vectors = emotions.vectors
    own = [vectors[word] for word in x if word in vectors]
    other = [vectors[word] for word in y if word in vectors]
    columns = ["effect", "low", "high", "p"]
    table = pd.DataFrame(np.nan, index=range(emotions.of.shape[1]), columns=columns)
    table["p"] = 1.0
    if min(len(own), len(other)) >= MIN_WORDS:
        first = nearness(torch.stack(own), emotions.anchors, emotions.of).T  # (C, n)
        second = nearness(torch.stack(other), emotions.anchors, emotions.of).T  # (C, m)
        table["effect"], table["low"], table["high"] = effect_sizes(first, second)
        table["p"] = _partitions_p(first, second)
    unknown = [word for word in (*x, *y) if word not in vectors]
    table["words"] = len(own)
    table["other_words"] = len(other)
    table["left_out"] = ", ".join(unknown + emotions.missing)
    return table


def _known(space: Space, words: list[str]) -> dict[str, Tensor]:
    """The vectors of the words that a space contains; a refused list is halved and tried again."""
    try:
        return dict(zip(words, space(words), strict=True))
    except ValueError:
        half = len(words) // 2
        if not half:
            return {}
        return _known(space, words[:half]) | _known(space, words[half:])


def cosines(vectors: Tensor, anchors: Tensor) -> np.ndarray:
    """Cosines (N, W) float64 of vectors (N, D) with anchors (W, D) of any floating dtype."""
    vectors = normalize(vectors.double(), dim=1)
    anchors = normalize(anchors.double(), dim=1)
    return (vectors @ anchors.T).cpu().numpy()


def effect_sizes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cohen's d and its limits (3, R) of samples (R, n) and (R, m); d is over the sd of all values.

    The limits are Welch's, over the same sd. They are cut at the largest possible |d|, which is
    that of samples without any spread of their own.
    """
    test = stats.ttest_ind(first, second, axis=1, equal_var=False)
    limits = test.confidence_interval(0.95)
    difference = first.mean(axis=1) - second.mean(axis=1)
    sd = np.concatenate([first, second], axis=1).std(axis=1, ddof=1)
    d, low, high = np.stack([difference, limits.low, limits.high]) / sd
    n, m = first.shape[1], second.shape[1]
    largest = np.sqrt((n + m) * (n + m - 1) / (n * m))
    return np.stack([d, np.clip(low, -largest, largest), np.clip(high, -largest, largest)])


def _partitions_p(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two-sided p (R,) of the difference of means of samples (R, n) and (R, m), over partitions."""

    def difference(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        return x.mean(axis=axis) - y.mean(axis=axis)

    test = stats.permutation_test(
        (first, second),
        difference,
        axis=1,
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=1000,
        rng=np.random.default_rng(0),
    )
    return test.pvalue
