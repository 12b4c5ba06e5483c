"""Filters: which written records are fit to train on, and why the others are not.

Takes instruction records in the order in which they are to be kept; gives those that pass every filter, and a
table that accounts for each of them. Only answers are judged, all those of a conversation: the first that offends
drops the record. That the human turn gives the label away is as it should be; an answer that says so is not.
Words are runs of letters and digits; each Chinese or Japanese character is one.
The language limits, as measured: none of 17,098 English texts dropped (MELD's utterances, class names in caption
templates, the scenes' captions); of one-line messages in 14 languages 98 % caught from eight words, 87 % from five.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from zlib import crc32

import pandas as pd
from datasketch import MinHash, MinHashLSH
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from emoscenes.felt import contradicts
from tinyemo.data.instructions import IMAGE_TOKEN, TASKS, Instruction
from tinyemo.emotions import LABEL_SETS

# task -> words of an answer: at least, at most; and how many in a row, shared with the question, make an echo. Where
# the teacher makes up the question, the answer may take up most of it ("Yes, the man in the red coat ...")
LIMITS: dict[str, tuple[int, int, int]] = {
    "caption": (2, 256, 10),
    "vqa": (1, 80, 16),
    "sentiment": (1, 120, 16),
    "reasoning": (8, 320, 10),
    "conversation": (1, 200, 16),
}
ECHO_SENTENCE = 8  # words from which a sentence of the question, copied whole, is an echo
FELT_TASKS = (
    "sentiment",
    "reasoning",
    "conversation",
)  # a caption may well tell what people in a photo feel
LONG_ANSWERS = (
    "caption",
    "reasoning",
    "conversation",
)  # no two should be alike, whatever the image
SAME_ANSWER_WORDS = 8  # from which the same long answer to another image is a duplicate
NEAR_WORDS = 12  # from which near duplicates are looked for: below, one changed word is a seventh of the text
NEAR_JACCARD = 0.85  # of the sets of word 3-grams
BANDS, ROWS = (
    24,
    7,
)  # of the MinHash index: a pair at NEAR_JACCARD is missed with p = (1 - .85^7)^24 = 1e-4

FOREIGN_LETTERS = (
    0.3  # share of letters of another script than Latin that makes a text foreign, at any length
)
LANGUAGE_WORDS = (
    5  # different words, without names, from which the language of a Latin text can be told
)
ENGLISH_AT_LEAST = (
    0.05  # probability of English, among LANGUAGES, below which such a text is foreign
)
LANGUAGES = (
    "af",
    "ca",
    "cs",
    "da",
    "de",
    "en",
    "es",
    "et",
    "fi",
    "fr",
    "hr",
    "hu",
    "id",
    "it",
    "lt",
    "lv",
    "nl",
    "no",
    "pl",
    "pt",
    "ro",
    "sk",
    "sl",
    "sv",
    "tr",
    "vi",
)  # a rarer language gets one of these

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W_])+(?:['’](?=\w)\w+)?"
)
_QUOTED = re.compile(r"(?<!\w)\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")
_NAME = re.compile(
    r"(?<=[\w,;'-] )[A-Z]\S*"
)  # a capital within a sentence: says nothing of its language
_SENTENCE_END = re.compile(r"(?<=[.?!:])\s+|\n")
_LATIN = re.compile(
    r"[a-zA-Z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff]"
)  # letters, with accents or without


def _any(*patterns: str) -> re.Pattern:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


_PICTURE = r"(?:(?:the|this|that|your|any|an|a|these)(?: \w+)? )?(?:images?|pictures?|photos?|photographs?)\b"
_CANNOT = (
    r"(?:(?:can(?:no| no|')|could no|couldn')t|(?:am|'m) (?:unable|not able) to"
    r"|(?:do not|don't) have the (?:ability|capability) to|lack the ability to)(?: \w+ly| currently| even)?"
)
_SEE = r"(?:see|view|access|open|load|display|process|analy[sz]e|interpret|perceive)"
_REFUSE = (
    r"(?:provide|assist|comply|fulfil+|identify|determine|answer|generate|create|write|comment"
    r"|help(?! (?:but|\w+ing)\b)|describe(?! how| what))\b"
)
REFUSAL_WORDS = frozenset(
    "i i'm we my our no please you unable cannot can't could violate violates against".split()
)
REFUSALS = _any(  # holds one of these words, or no such phrase
    r"\bas an? (?:\w+[- ]){0,2}(?:ai|language model|assistant|chatbot)\b[^.!?]{0,40}?\b(?:i|my)\b",
    r"\bi(?: am|'m) (?:just |only |merely |simply )?an? (?:\w+[- ]){0,2}(?:ai|language model|chatbot)\b",
    r"\bsorry\W+(?:but |however,? )?(?:i|we)(?:(?:'m| am) (?:unable|not able|afraid)| can(?:no|')t"
    r"| (?:do not|don't) (?:have|see)| must\b)",
    r"\bi apologi[sz]e\b|\bmy apologies\b",
    rf"\bi ?{_CANNOT} (?:{_REFUSE}|{_SEE} (?:{_PICTURE}|it\b))",
    rf"(?:^|[.!?] +|\bi am |\bi'm )unable to {_SEE}\b",
    rf"\bi (?:do not|don't) (?:have access to|see|find) {_PICTURE}",
    rf"\bno {_PICTURE} (?:was|is|has been|were) (?:provided|attached|uploaded|given|included|shared)",
    r"\byou (?:have not|haven't|did not|didn't) (?:provide|attach|upload|share)",
    rf"\bplease (?:provide|upload|attach|share|describe|send) (?:me )?{_PICTURE}",
    rf"{_PICTURE} (?:cannot|can't|could not) be (?:displayed|loaded|viewed|accessed|processed)",
    r"\bi (?:do not|don't|cannot|can't) (?:have|experience|possess) (?:any )?(?:personal|human|real)\b",
    r"\bi (?:must (?:respectfully )?decline|won't be able|will not be able|would rather not)\b",
    r"\b(?:against|violates?) (?:my|our|the) (?:\w+ )?(?:guidelines|polic(?:y|ies)|programming)\b",
)
MARKS = re.compile(
    r"\b(?:USER|ASSISTANT|SYSTEM):|Labels: \[|<image>|### |</s>|\[/?INST\]|<\|"
    r"|(?m:^\s*(?i:user|human|assistant|question|answer|labels)\s*:)"
)
_EMOTION = "|".join(sorted({label for labels in LABEL_SETS.values() for label in labels}))
_TOLD = r"(?:labels?|prompt|instructions?|task|user)\b"
_ITS = rf"(?! (?:on|attached|stuck|printed|around|at|of (?!(?:{_EMOTION})\b)))"  # the label of a thing: no leak
LEAK_WORDS = frozenset(
    "label labels labeled labelled category given provided specified supplied assigned told gave"
    " instructed instruction instructions requested asked informed prompt caption task user".split()
)
LEAKS = _any(  # holds one of these words, or no such phrase
    r"\b(?:correct|true|given|provided|assigned|stated|specified|target|ground[- ]truth|candidate|supplied)"
    rf" (?:(?:emotion(?:al)?|sentiment) )?labels?\b{_ITS}",
    r"\b(?:given|provided|specified|supplied|assigned) (?:emotion|feeling|sentiment|caption|description)\b",
    r"\blabels? (?:that )?(?:\w+ )?(?:provided|given|stated|supplied|assigned|specified)\b(?! (?:by|to|on|with))",
    r"\b(?:labels?|category) (?:is|was|being|of|says|reads|states|indicates|suggests)(?: (?:that it is|given as))?"
    rf" [\"'“‘]?(?:{_EMOTION})\b",
    rf"\b(?:{_EMOTION})[\"'”’]? (?:label|is the (?:label|correct|given))\b",
    r"\b(?:according to|based on|given|as per|consistent with|in line with|match(?:es|ing)?|justif(?:y|ies)|supports?"
    rf"|as (?:\w+ ){{1,2}}(?:by|in|from)) (?:the|this|your) (?:\w+ )?{_TOLD}{_ITS}",
    r"\baccording to the caption\b(?! (?:on|under|below))",
    r"\bas (?:was )?(?:given|instructed|told|specified|labell?ed|requested)(?=\s*(?:[.,;:!)]|$))",
    r"\byou(?:['’]ve| have)? (?:(?:told|gave|given|instructed) (?:me|us)|provided|supplied|specified)\b",
    r"\b(?:i|we) (?:was|were|am|are|have been) (?:told|instructed|asked|informed)\b",
    r"\bthe (?:prompt|instructions?) (?:says?|states?|tells?|asks?|specif(?:y|ies)|notes?|gives?|mentions?)\b",
    r"\b(?:image|picture|photo|scene|emotion|feeling|sentiment) (?:is|was|has been) labell?ed\b",
    rf"\b(?:of|among|from|between) the (?:two|three|listed|offered|possible|other) labels\b{_ITS}",
)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))


@dataclass(frozen=True)
class Answer:
    """One answer of a record, with what was asked."""

    question: str
    text: str
    task: str
    label: str

    @cached_property
    def words(self) -> list[str]:
        return _words(self.text)

    @cached_property
    def said(self) -> str:
        """The text without what it quotes from signs, pages or people, unless it is one quotation."""
        text = self.text.replace("’", "'")
        return unquoted if _WORD.search(unquoted := _QUOTED.sub('""', text)) else text


@lru_cache(maxsize=4096)
def _asked(question: str) -> list[str]:
    return _words(question.replace(IMAGE_TOKEN, ""))


@lru_cache(maxsize=4096)
def _runs(question: str, echo: int) -> list[str]:
    """The runs of words of a question that no answer to it should hold."""
    runs = []
    for words in map(_words, _SENTENCE_END.split(question)):
        if len(words) >= ECHO_SENTENCE:
            n = min(len(words), echo)
            runs += [f" {' '.join(words[i : i + n])} " for i in range(len(words) - n + 1)]
    return runs


def _echoes(answer: Answer) -> bool:
    asked, runs = _asked(answer.question), _runs(answer.question, LIMITS[answer.task][2])
    said = f" {' '.join(_words(answer.said))} " if runs else ""
    return (
        bool(MARKS.search(answer.text))
        or any(run in said for run in runs)
        or len(asked) >= 3
        and answer.words[: len(asked)] == asked
    )


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier


def _is_foreign(answer: Answer) -> bool:
    text = answer.said
    letters = [] if text.isascii() else [c for c in text if c.isalpha()]
    if sum(not _LATIN.match(c) for c in letters) > FOREIGN_LETTERS * len(letters):
        return True
    text = text.lower() if text.isupper() else _NAME.sub("", text)
    different = {word for word in _words(text) if not word.isdigit()}
    return (
        len(different) >= LANGUAGE_WORDS and dict(_identifier().rank(text))["en"] < ENGLISH_AT_LEAST
    )


# reason -> whether an answer is to be dropped for it; applied in this order, then come the two of duplicates
FILTERS: dict[str, Callable[[Answer], object]] = {
    "empty": lambda a: not a.words,
    "too short": lambda a: len(a.words) < LIMITS[a.task][0],
    "too long": lambda a: len(a.words) > LIMITS[a.task][1],
    "refusal": lambda a: not REFUSAL_WORDS.isdisjoint(a.words) and REFUSALS.search(a.said),
    "prompt echo": _echoes,
    "leaks the label line": lambda a: not LEAK_WORDS.isdisjoint(a.words) and LEAKS.search(a.text),
    "contradicts the label": lambda a: (
        a.label and a.task in FELT_TASKS and contradicts(a.text, a.label)
    ),
    "not English": _is_foreign,
}
REASONS = (*FILTERS, "exact duplicate", "near duplicate")


def _grams(words: list[str]) -> set[str]:
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


class _Kept:
    """The records kept so far, and whether another one repeats one of them; about 10 KB for each long answer."""

    def __init__(self) -> None:
        self.items: list[Instruction] = []
        self._keys: set[tuple] = set()
        self._index = {
            task: MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS)) for task in LONG_ANSWERS
        }
        self._sketch = MinHash(num_perm=BANDS * ROWS, hashfunc=crc32)

    def add(self, item: Instruction, answers: list[Answer]) -> str:
        """Keep the record and give "", or name the kind of duplicate that it is."""
        said = tuple(" ".join(answer.words) for answer in answers)
        words, long = " ".join(said).split(), item.task in LONG_ANSWERS
        keys = {(item.image, *said, *(" ".join(_asked(answer.question)) for answer in answers))}
        if long and len(words) >= SAME_ANSWER_WORDS:
            keys.add((item.task, said))
        if keys & self._keys:
            return "exact duplicate"
        if long and len(words) >= NEAR_WORDS:
            grams, sketch, index = _grams(words), self._sketch.copy(), self._index[item.task]
            sketch.update_batch(gram.encode() for gram in grams)
            for k in index.query(sketch):
                other = _grams([word for _, text in self.items[k].turns for word in _words(text)])
                if len(grams & other) >= NEAR_JACCARD * len(grams | other):
                    return "near duplicate"
            index.insert(len(self.items), sketch, check_duplication=False)
        self._keys |= keys
        self.items.append(item)
        return ""


def filter_instructions(items: Iterable[Instruction]) -> tuple[list[Instruction], pd.DataFrame]:
    """The records that pass every filter, in their order, and where the others went.

    The table has a row for every task that occurs and each of REASONS, then "kept": columns task, reason, records
    (their sum is the number of items), example_id and example (the first record so dropped, and its answer that
    was; "" where none was, or it was kept). ValueError names a record whose task is none of TASKS.
    """
    kept, counts, examples = _Kept(), Counter(), {}
    for item in items:
        if item.task not in TASKS:
            raise ValueError(
                f"record {item.id!r}: task {item.task!r}, expected one of {', '.join(TASKS)}"
            )
        answers = [Answer(question, text, item.task, item.label) for question, text in item.turns]
        reason, text = next(
            (
                (reason, answer.text)
                for answer in answers or [Answer("", "", item.task, "")]
                for reason, offends in FILTERS.items()
                if offends(answer)
            ),
            ("", ""),
        )
        if not reason and (reason := kept.add(item, answers)):
            text = answers[0].text
        counts[item.task, reason or "kept"] += 1
        if reason:
            examples.setdefault((item.task, reason), (item.id, text))
    rows = [
        (task, reason, counts[task, reason], *examples.get((task, reason), ("", "")))
        for task in TASKS
        if any(task == found for found, _ in counts)
        for reason in (*REASONS, "kept")
    ]
    return kept.items, pd.DataFrame(
        rows, columns=["task", "reason", "records", "example_id", "example"]
    )
