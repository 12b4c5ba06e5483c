"""Filters: which instruction records are fit to train on, and why the others are not.

Takes instruction records in the order in which they are to be kept. Gives those that pass every
filter, and a table that counts kept and dropped records by reason. Only answers are checked, in a
conversation all of them. One bad answer is enough to drop the record. The human turn may name the
label, but an answer must not mention that the label was given. A word is a run of letters and
digits; each Chinese or Japanese character counts as one word.

Two filters check the free text of a teacher model by short rules:

- "leaks the label line": the answer mentions the line of the question that gives the label, for
  example as "the given label". Such answers match a pattern in filters.yaml.
- "contradicts the label": the answer names an emotion that cannot be true beside the label, in a
  clause without a word of denial or supposition. Beside a label of one's own, which is in no
  built-in label set, any emotion may be true. On 798 sentences written by hand, 57 of which name
  another emotion than their label, it finds 56 and drops 13 of the others.

The limits of the language filter were measured. It dropped none of 17,098 English texts (MELD's
utterances, class names in caption templates, the scenes' captions). Of one-line messages in 14
languages it dropped 98 % if they had eight words or more, and 87 % if they had five or more.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from zlib import crc32

import pandas as pd
import yaml
from datasketch import MinHash, MinHashLSH
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tinyemo.data.instructions import IMAGE_TOKEN, TASKS, Instruction
from tinyemo.emotion_words import EMOTION_WORDS, other_emotions
from tinyemo.emotions import LABEL_SETS

_DATA = yaml.safe_load(Path(__file__).with_name("filters.yaml").read_text(encoding="utf-8"))

# task -> fewest and most words of an answer, and how many consecutive words of the question in an
# answer make it an echo
LIMITS: dict[str, tuple[int, int, int]] = {
    task: tuple(limits) for task, limits in _DATA["limits"].items()
}
# Only sentences of the question with at least this many words are searched for in answers.
ECHO_SENTENCE = 8
# The tasks whose answers name the label. A caption may name what people in a photo feel.
LABEL_TASKS = ("sentiment", "reasoning", "conversation")
# The tasks whose answers must differ between images.
LONG_ANSWERS = ("caption", "reasoning", "conversation")
# Equal answers to different images are duplicates only if they have at least this many words.
SAME_ANSWER_WORDS = 8
# Near duplicates are searched only among texts of at least this many words. In shorter texts a
# single changed word makes too large a difference.
NEAR_WORDS = 12
NEAR_JACCARD = 0.85  # of the sets of word 3-grams
# Settings of the MinHash index: it misses a pair at NEAR_JACCARD with p = (1 - 0.85^7)^24 = 1e-4.
BANDS, ROWS = 24, 7

FOREIGN_LETTERS = 0.3  # a text is foreign if a larger share of its letters is not Latin
# The language is checked only in texts of at least this many different words, without names.
LANGUAGE_WORDS = 5
ENGLISH_AT_LEAST = 0.05  # a text is foreign if English, among LANGUAGES, is less probable than this
LANGUAGES = tuple(_DATA["languages"])

_LABELS = sorted({label for labels in LABEL_SETS.values() for label in labels})
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W_])+(?:['’](?=\w)\w+)?"
)
_QUOTED = re.compile(r"(?<!\w)\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")
_NAME = re.compile(r"(?<=[\w,;'-] )[A-Z]\S*")  # a capital within a sentence, in any language
_SENTENCE_END = re.compile(r"(?<=[.?!:])\s+|\n")
_LATIN = re.compile(r"[a-zA-Z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff]")  # with accents or without
_CLAUSE_END = re.compile(
    r"[.,;:!?()\n]|\b(?:but|because|while|since|though|although)\b", re.IGNORECASE
)
_DENIED = re.compile(
    r"\b(?:no|not|never|neither|nor|without|nobody|nothing|if|like|than|would|could)\b|n't\b",
    re.IGNORECASE,
)
_EMOTIONS = re.compile(
    r"\b(?:" + "|".join(sorted(EMOTION_WORDS, key=len, reverse=True)) + r")\b", re.IGNORECASE
)
# Marks of a chat template or of the conditioning line.
MARKS = re.compile(
    r"\b(?:USER|ASSISTANT|SYSTEM):|Labels: \[|<image>|### |</s>|\[/?INST\]|<\|"
    r"|(?m:^\s*(?i:user|human|assistant|question|answer|labels)\s*:)"
)


def _any_of(patterns: Iterable[str]) -> re.Pattern:
    """One pattern that matches what any of `patterns` matches.

    The named parts of filters.yaml are filled in.
    """
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    for name, part in _DATA["parts"].items():
        joined = joined.replace(name, part)
    return re.compile(joined.replace("EMOTION", "|".join(_LABELS)), re.IGNORECASE)


REFUSAL_WORDS = frozenset(_DATA["refusal_words"])
REFUSALS = _any_of(_DATA["refusals"])
CONDITIONING_WORDS = frozenset(_DATA["conditioning_words"])
CONDITIONING = _any_of(_DATA["conditioning"])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))


@dataclass(frozen=True)
class Answer:
    """One answer of a record, with its question."""

    question: str
    text: str
    task: str
    label: str

    @cached_property
    def words(self) -> list[str]:
        return _words(self.text)

    @cached_property
    def unquoted(self) -> str:
        """The text without quotations (of signs or people), unless all of it is quoted."""
        text = self.text.replace("’", "'")
        unquoted = _QUOTED.sub('""', text)
        return unquoted if _WORD.search(unquoted) else text


@lru_cache(maxsize=4096)
def _question_words(question: str) -> list[str]:
    return _words(question.replace(IMAGE_TOKEN, ""))


@lru_cache(maxsize=4096)
def _question_runs(question: str, echo: int) -> list[str]:
    """The word sequences of a question that no answer may contain, with a space at both ends."""
    runs = []
    for sentence in _SENTENCE_END.split(question):
        words = _words(sentence)
        if len(words) < ECHO_SENTENCE:
            continue
        n = min(len(words), echo)
        for i in range(len(words) - n + 1):
            runs.append(f" {' '.join(words[i : i + n])} ")
    return runs


def _is_refusal(answer: Answer) -> bool:
    if REFUSAL_WORDS.isdisjoint(answer.words):  # a fast test, before the slow patterns
        return False
    return bool(REFUSALS.search(answer.unquoted))


def _is_echo(answer: Answer) -> bool:
    """Whether an answer copies its question, or holds marks of a chat template."""
    if MARKS.search(answer.text):
        return True
    asked = _question_words(answer.question)
    if len(asked) >= 3 and answer.words[: len(asked)] == asked:
        return True
    runs = _question_runs(answer.question, LIMITS[answer.task][2])
    if not runs:
        return False
    text = f" {' '.join(_words(answer.unquoted))} "
    return any(run in text for run in runs)


def _mentions_conditioning(answer: Answer) -> bool:
    if CONDITIONING_WORDS.isdisjoint(answer.words):
        return False
    return bool(CONDITIONING.search(answer.text))


def _contradicts_label(answer: Answer) -> bool:
    """Whether an answer names an emotion that cannot be true beside the label."""
    if answer.label not in _LABELS or answer.task not in LABEL_TASKS:
        return False
    named = []
    for clause in _CLAUSE_END.split(answer.text.replace("’", "'")):
        if not _DENIED.search(clause):
            named += [EMOTION_WORDS[word.lower()] for word in _EMOTIONS.findall(clause)]
    return bool(other_emotions(named, answer.label))


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier


def _is_foreign(answer: Answer) -> bool:
    """Whether an answer is in another script than Latin, or another language than English."""
    text = answer.unquoted
    letters = [] if text.isascii() else [c for c in text if c.isalpha()]
    foreign_letters = sum(not _LATIN.match(c) for c in letters)
    if foreign_letters > FOREIGN_LETTERS * len(letters):
        return True
    # Names do not show the language of a text. In a text in capitals they cannot be recognised.
    text = text.lower() if text.isupper() else _NAME.sub("", text)
    different = {word for word in _words(text) if not word.isdigit()}
    if len(different) < LANGUAGE_WORDS:
        return False
    probabilities = dict(_identifier().rank(text))
    return probabilities["en"] < ENGLISH_AT_LEAST


# reason -> whether an answer is to be dropped for it; applied in this order, before duplicates
FILTERS: dict[str, Callable[[Answer], bool]] = {
    "empty": lambda answer: not answer.words,
    "too short": lambda answer: len(answer.words) < LIMITS[answer.task][0],
    "too long": lambda answer: len(answer.words) > LIMITS[answer.task][1],
    "refusal": _is_refusal,
    "prompt echo": _is_echo,
    "leaks the label line": _mentions_conditioning,
    "contradicts the label": _contradicts_label,
    "not English": _is_foreign,
}
REASONS = (*FILTERS, "exact duplicate", "near duplicate")


def _grams(words: list[str]) -> set[str]:
    """The word 3-grams of a text."""
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


class _Kept:
    """The records kept so far, and an index of their answers; about 10 KB for each long answer."""

    def __init__(self) -> None:
        self.items: list[Instruction] = []
        self._keys: set[tuple] = set()
        self._index = {
            task: MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS)) for task in LONG_ANSWERS
        }
        self._empty_sketch = MinHash(num_perm=BANDS * ROWS, hashfunc=crc32)

    def add(self, item: Instruction, answers: list[Answer]) -> str:
        """Keep the record and return "", or return the kind of duplicate that it is."""
        texts = tuple(" ".join(answer.words) for answer in answers)
        questions = (" ".join(_question_words(answer.question)) for answer in answers)
        words = " ".join(texts).split()
        is_long = item.task in LONG_ANSWERS
        keys: set[tuple] = {(item.image, *texts, *questions)}
        if is_long and len(words) >= SAME_ANSWER_WORDS:
            keys.add((item.task, texts))
        if keys & self._keys:
            return "exact duplicate"
        if is_long and len(words) >= NEAR_WORDS and self._has_near(item.task, words):
            return "near duplicate"
        self._keys |= keys
        self.items.append(item)
        return ""

    def _has_near(self, task: str, words: list[str]) -> bool:
        """Whether a kept record of the task is nearly the same; if not, index the text."""
        grams = _grams(words)
        sketch = self._empty_sketch.copy()
        sketch.update_batch(gram.encode() for gram in grams)
        index = self._index[task]
        for k in index.query(sketch):
            others = [word for _, text in self.items[k].turns for word in _words(text)]
            other_grams = _grams(others)
            shared, either = grams & other_grams, grams | other_grams
            if len(shared) >= NEAR_JACCARD * len(either):
                return True
        index.insert(len(self.items), sketch, check_duplication=False)
        return False


def filter_instructions(items: Iterable[Instruction]) -> tuple[list[Instruction], pd.DataFrame]:
    """The records that pass every filter, in their order, and a table that counts all records.

    The table has one row for every task that occurs and each of REASONS, then "kept". Columns:
    task, reason, records (their sum is the number of items), example_id and example (the first
    record dropped for this reason, and its answer; "" where none was, and for "kept").

    ValueError: a task that is none of TASKS; the message names the record.
    """
    kept = _Kept()
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], tuple[str, str]] = {}
    for item in items:
        if item.task not in TASKS:
            raise ValueError(
                f"record {item.id!r}: task {item.task!r}, expected one of {', '.join(TASKS)}"
            )
        answers = [Answer(question, text, item.task, item.label) for question, text in item.turns]
        reason, text = _first_fault(answers or [Answer("", "", item.task, "")])
        if not reason:
            reason = kept.add(item, answers)
            text = answers[0].text
        counts[item.task, reason or "kept"] += 1
        if reason:
            examples.setdefault((item.task, reason), (item.id, text))
    tasks = [task for task in TASKS if any(task == found for found, _ in counts)]
    rows = []
    for task in tasks:
        for reason in (*REASONS, "kept"):
            example = examples.get((task, reason), ("", ""))
            rows.append((task, reason, counts[task, reason], *example))
    columns = ["task", "reason", "records", "example_id", "example"]
    return kept.items, pd.DataFrame(rows, columns=columns)


def _first_fault(answers: list[Answer]) -> tuple[str, str]:
    """The first reason to drop one of the answers, and that answer; ("", "") if there is none."""
    for answer in answers:
        for reason, is_bad in FILTERS.items():
            if is_bad(answer):
                return reason, answer.text
    return "", ""
