"""Associations in large models: do the words, or the images, of a concept lie nearer to one emotion than to others?

Owns: the word embedding association test (WEAT) and its kin for one word and for images. Takes word lists
(word_lists.yaml), a space of words (a language model's embedding table, CLIP's text tower), embeddings of images and
anchors; gives one row a concept and emotion. An association says what lies near what, not what is unfair, nor what a
model makes of it: crying lies near sadness, rightly. What training added is asked by `parts`.

Nearness is always s(w) = mean cosine to an emotion's words less mean cosine to the other emotions' words (Caliskan,
Bryson and Narayanan 2017, doi:10.1126/science.aal4230): what lies near all emotions is near none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from scipy import stats
from torch import Tensor
from torch.nn.functional import normalize

from tinyemo.bias.attributes import detector_table
from tinyemo.bias.evidence import corrected
from tinyemo.bias.values import LEVELS, AttributeValues
from tinyemo.emotions import GROUPS, SYNONYMS, labels_of
from tinyemo.models.anchors import embedding_table

Space = Callable[
    [list[str]], Tensor
]  # n words -> (n, D); ValueError where it does not know one of them
WordLists = Mapping[str, Mapping[str, Sequence[str]]]  # list -> pole -> words

WORD_LISTS = Path(__file__).with_name("word_lists.yaml")
PERMUTATIONS = 20_000  # two poles of eight words have 12,870 partitions: all of them are tried
LEAST_WORDS = 4  # of a pole that a space knows; of three against three no p is below .1
LEAST_EFFECT = 0.2  # in standard deviations: Cohen's small effect
CHECK = "objects, flowers and insects: flowers, not insects"  # found by any test that sees what people see


def read_word_lists(path: str | Path = WORD_LISTS) -> dict[str, dict[str, list[str]]]:
    """Word lists from a YAML file like the package's own. ValueError names the file, the list and the pole."""
    lists = yaml.safe_load(Path(path).read_text("utf-8"))
    for name, poles in (lists if isinstance(lists, dict) else {"": lists}).items():
        for pole, words in (
            poles if isinstance(poles, dict) and len(poles) > 1 else {"": poles}
        ).items():
            if not (
                pole
                and isinstance(words, list)
                and {type(word) for word in words} == {str}
                and LEAST_WORDS <= len(words) == len(set(words))
            ):
                raise ValueError(
                    f"{path}, list {name!r}, pole {pole!r}: expected lists of two poles or more, each of "
                    f"{LEAST_WORDS} different words or more, got {words!r:.80}"
                )
    return lists


def emotion_words(label_set: str) -> dict[str, list[str]]:
    """The words that stand for each label of a set: itself, the finer labels under it, and the synonyms of these."""
    groups = GROUPS["ekman"] | GROUPS.get(label_set, {})
    return {
        label: list(
            dict.fromkeys(
                word
                for fine in (label, *groups.get(label, ()))
                for word in (fine, *SYNONYMS.get(fine, ()))
            )
        )
        for label in labels_of(label_set)
    }


def table_space(
    checkpoint: str | Path, tokenizer: str | Path | None = None, whole: bool = True
) -> Space:
    """A language model's input-embedding table as a space, read once. Errors as of `models.anchors.embedding_table`.

    `whole`: the words that are one token, at the start of a text or within, and no others. Otherwise a word is the
    mean of its tokens, as anchors are; such means lie closer together than whole words do.
    """
    table, tokenize = embedding_table(checkpoint, tokenizer)

    def place(words: list[str]) -> Tensor:
        tokens = [
            min(
                (
                    tokenize(text, add_special_tokens=False)["input_ids"]
                    for text in (word, f" {word}")
                ),
                key=len,
            )
            for word in words
        ]
        for word, ids in zip(words, tokens, strict=True):
            if not ids or tokenize.unk_token_id in ids or (whole and len(ids) > 1):
                raise ValueError(f"{checkpoint}: no word {word!r} in its vocabulary")
        return torch.stack([table[ids].float().mean(dim=0) for ids in tokens])

    return place


def nearness(vectors: Tensor, anchors: Tensor, of: np.ndarray | None = None) -> np.ndarray:
    """s of vectors (N, D) to each of C emotions, (N, C) float64: mean cosine to its anchors less that to the others'.

    `of` (W, C) bool says which of the anchors (W, D) are an emotion's; by default each is one of its own.
    """
    of = np.eye(len(anchors), dtype=bool) if of is None else of
    return _cosines(vectors, anchors) @ (of / of.sum(axis=0) - ~of / (~of).sum(axis=0))


def weat(a: Tensor, b: Tensor, x: Tensor, y: Tensor) -> dict[str, float]:
    """The association of target words x (n, D) rather than y (m, D) with attribute words a (i, D) rather than b (j, D).

    Gives effect, low, high, p. effect is Caliskan's d = (mean_x s - mean_y s) / sd of s over x and y, with
    s(w) = mean_a cos(w, a) - mean_b cos(w, b). p is two-sided, over partitions of the target words into n and m: over
    all of them up to 20,000, over so many drawn ones beyond. low and high are Welch's 95 % limits of the difference,
    over the same sd and within what d can be: of 4 to 18 normal words they cover 94 % or more, the bootstrap of d 79 to
    95 %.
    """
    of = (torch.arange(len(a) + len(b)) < len(a)).numpy()[:, None]
    first, second = (nearness(words, torch.cat([a, b]), of).T for words in (x, y))  # (1, n), (1, m)
    d, low, high = _effect(first, second)[:, 0]
    return {
        "effect": float(d),
        "low": float(low),
        "high": float(high),
        "p": float(_partitions_p(first, second)[0]),
    }


def text_association(
    space: Space,
    lists: WordLists | None = None,
    label_set: str = "ekman",
    alpha: float = 0.05,
    least: float = LEAST_EFFECT,
    detector: str = "text association",
) -> pd.DataFrame:
    """`weat` of every emotion, against the others, with every contrast of the word lists: a detector table.

    `what` is "gender: female, not male"; further columns `words` and `other_words`, how many of either pole the space
    knows, and `left_out`, those of the poles and the emotions that it does not. With fewer than four in a pole: effect
    NaN, p 1. Found: q <= alpha and |d| >= least. ValueError: an emotion none of whose words the space knows.
    """
    lists, rows = lists or read_word_lists(), []
    anchors, of, vectors, strange = _emotions_in(
        space,
        label_set,
        (word for poles in lists.values() for words in poles.values() for word in words),
    )
    for name, poles in lists.items():
        (first, x), *others = poles.items()
        for second, y in others:
            own, other = ([vectors[word] for word in words if word in vectors] for words in (x, y))
            tests = np.array([[np.nan] * 3 + [1.0]] * of.shape[1]).T
            if min(len(own), len(other)) >= LEAST_WORDS:
                near = [
                    nearness(torch.stack(words), anchors, of).T for words in (own, other)
                ]  # (C, n), (C, m)
                tests = np.stack([*_effect(*near), _partitions_p(*near)])
            rows.append(
                pd.DataFrame(tests.T, columns=["effect", "low", "high", "p"]).assign(
                    what=f"{name}: {first}, not {second}",
                    where=labels_of(label_set),
                    words=len(own),
                    other_words=len(other),
                    left_out=", ".join([w for w in (*x, *y) if w not in vectors] + strange),
                )
            )
    return corrected(pd.concat(rows, ignore_index=True), detector, "WEAT d", alpha, least)


def image_association(
    x: Tensor,
    anchors: Tensor,
    y: np.ndarray,
    words: Sequence[str],
    values: AttributeValues,
    alpha: float = 0.05,
    least: float = LEAST_EFFECT,
    detector: str = "image association",
) -> pd.DataFrame:
    """Do images that show a value lie nearer to an emotion than images of the same label that do not?

    x (N, D) and anchors (C, D) of one space, labels y (N,) of `words` (C,), values of the same N items: a detector
    table of V * C rows, `items` beside them: how many show the value. The effect is the difference in `nearness` with
    and without the value, labels weighted by n1 n0 / n (as least squares on value and label does), in standard
    deviations within labels. p and the interval are those of permutations within labels, normal with their exact
    variance (Strasser and Weber 1999): thousands of tests ask for smaller p than drawn permutations can give. Found:
    q <= alpha and |effect| >= least.

    A value that rightly speaks for the emotion within a label is found as well: alone, this is no sign of bias.
    """
    y, present, near = np.asarray(y), values.present.tocsr(), nearness(x, anchors)
    if not len(near) == len(y) == present.shape[0]:
        raise ValueError(
            f"image association: {len(near)} embeddings, {len(y)} labels, {present.shape[0]} rows of "
            "values; expected one of each an item"
        )
    score, information, variance, within, labels = 0.0, 0.0, 0.0, 0.0, np.unique(y)
    for label in labels:
        rows = np.flatnonzero(y == label)
        centred, n = near[rows] - near[rows].mean(axis=0), len(rows)
        shown, squares = (
            present[rows].sum(axis=0)[:, None].astype(float),
            (centred**2).sum(axis=0),
        )  # (V, 1), (C,)
        score = score + present[rows].T @ centred  # (V, C)
        information = information + shown * (n - shown) / n
        variance = (
            variance + shown * (n - shown) / (n * max(n - 1, 1)) * squares
        )  # of the score, over permutations
        within = within + squares
    with np.errstate(
        invalid="ignore", divide="ignore"
    ):  # of a value that all or none of each label show
        scale = information * np.sqrt(within / (len(y) - len(labels)))
        effect, reach = score / scale, stats.norm.ppf(0.975) * np.sqrt(variance) / scale
        p = np.nan_to_num(2 * stats.norm.sf(np.abs(score / np.sqrt(variance))), nan=1.0)
    table = detector_table(
        detector,
        values,
        words,
        effect,
        effect - reach,
        effect + reach,
        p,
        "sd within label",
        alpha,
        least,
    )
    return table.assign(items=np.repeat(values.counts, len(words)))


def parts(
    values: AttributeValues,
    y: np.ndarray,
    label_set: str,
    projector: tuple[Tensor, Tensor],
    *,
    controls: Sequence[Tensor] = (),
    encoder: tuple[Tensor, Tensor] | None = None,
    space: Space | None = None,
    least: float = LEAST_EFFECT,
) -> pd.DataFrame:
    """Which part of a model carries an association: one row a value and emotion, three columns a part.

    - `projector`: `image_association` of embeddings (N, D) with anchors (C, D): the whole that is to be explained.
    - `added`: what it has more than the same recipe without the association has: `controls` are embeddings (N, D) of
      the same items by three or more projectors trained where value and label are independent. The interval is that
      of one more control (Student's t).
    - `encoder`: `image_association` of features (N, E) with CLIP's text anchors (C, E).
    - `anchors`: the value's own word in `space`: its mean cosine to the emotion's words less that to the others', over
      the sd of all (Caliskan's WEFAT), interval Welch's over emotion words. NaN where the space does not know it.

    `carried_by` names the parts (`added` in place of `projector` where there are controls) that have the whole's sign,
    an effect of `least` or more and an interval without zero. Nothing is corrected here: ask it of what was found.
    ValueError: one control or two, or inputs of different length.
    """
    if 0 < len(controls) < 3:
        raise ValueError(f"parts: expected three controls or more, got {len(controls)}")
    words = labels_of(label_set)

    def image(x: Tensor, anchors: Tensor) -> np.ndarray:  # (V * C, 3)
        return image_association(x, anchors, y, words, values)[["effect", "low", "high"]].to_numpy()

    whole = image(*projector)
    columns = {"projector": whole}
    if len(controls):
        others = np.stack([image(x, projector[1])[:, 0] for x in controls])
        reach = (
            stats.t.ppf(0.975, len(others) - 1)
            * others.std(axis=0, ddof=1)
            * np.sqrt(1 + 1 / len(others))
        )
        columns["added"] = (whole[:, 0] - others.mean(axis=0))[:, None] + reach[:, None] * [
            0,
            -1,
            1,
        ]
    if encoder is not None:
        columns["encoder"] = image(*encoder)
    if space is not None:
        concepts = [
            f"{value} {attribute}" if value in LEVELS else value
            for attribute, value in zip(values.attributes, values.values, strict=True)
        ]
        anchors, of, vectors, _ = _emotions_in(space, label_set, concepts)
        columns["anchors"] = np.full_like(whole, np.nan)
        for row, concept in enumerate(concepts):
            if concept in vectors:
                near = _cosines(vectors[concept][None], anchors)
                columns["anchors"].reshape(-1, len(words), 3)[row] = [
                    _effect(near[:, own], near[:, ~own])[:, 0] for own in of.T
                ]

    table = pd.DataFrame(
        {"what": np.repeat(values.names, len(words)), "where": words * len(values.names)}
    )
    carriers = {}
    for name, part in columns.items():
        table[[name, f"{name}_low", f"{name}_high"]] = part
        carriers[name] = (
            (np.abs(part[:, 0]) >= least)
            & (part[:, 1] * part[:, 2] > 0)
            & (part[:, 0] * whole[:, 0] > 0)
        )
    if len(controls):
        del carriers["projector"]
    return table.assign(
        carried_by=[
            ", ".join(name for name, carries in zip(carriers, row, strict=True) if carries)
            for row in zip(*carriers.values(), strict=True)
        ]
    )


def _emotions_in(
    space: Space, label_set: str, others: Iterable[str]
) -> tuple[Tensor, np.ndarray, dict[str, Tensor], list[str]]:
    """Emotion words a space knows: (W, D), whose (W, C); vectors of all words it knows; emotion words it does not."""
    emotions = emotion_words(label_set)
    named = list(dict.fromkeys(word for words in emotions.values() for word in words))
    vectors = _known(space, list(dict.fromkeys([*named, *others])))
    known = [word for word in named if word in vectors]
    of = np.array([[word in words for words in emotions.values()] for word in known]).reshape(
        -1, len(emotions)
    )
    for label, any_known in zip(emotions, of.any(axis=0), strict=True):
        if not any_known:
            raise ValueError(
                f"emotion {label!r}: the space knows none of its words ({', '.join(emotions[label])}); "
                "table_space(whole=False) takes words of several tokens as well"
            )
    return (
        torch.stack([vectors[word] for word in known]),
        of,
        vectors,
        [w for w in named if w not in vectors],
    )


def _known(space: Space, words: list[str]) -> dict[str, Tensor]:
    """The vectors of the words a space knows: it is asked for halves until it refuses a single word."""
    try:
        return dict(zip(words, space(words), strict=True))
    except ValueError:
        half = len(words) // 2
        return _known(space, words[:half]) | _known(space, words[half:]) if half else {}


def _cosines(vectors: Tensor, anchors: Tensor) -> np.ndarray:
    """(N, D) and (W, D) of any float dtype -> (N, W) float64."""
    return (normalize(vectors.double(), dim=1) @ normalize(anchors.double(), dim=1).T).cpu().numpy()


def _effect(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cohen's d over the sd of all values, and Welch's limits over it, of samples (R, n) and (R, m): (3, R).

    The limits stop at the largest |d| there can be: that of samples without any spread of their own.
    """
    limits = stats.ttest_ind(first, second, axis=1, equal_var=False).confidence_interval(0.95)
    both, (n, m) = np.concatenate([first, second], axis=1), (first.shape[1], second.shape[1])
    most = np.sqrt((n + m) * (n + m - 1) / (n * m))
    d, *ends = np.stack(
        [first.mean(axis=1) - second.mean(axis=1), limits.low, limits.high]
    ) / both.std(axis=1, ddof=1)
    return np.stack([d, *np.clip(ends, -most, most)])


def _partitions_p(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two-sided p (R,) of the difference of means of samples (R, n) and (R, m), over partitions of their columns."""
    return stats.permutation_test(
        (first, second),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        axis=1,
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=1000,
        rng=np.random.default_rng(0),
    ).pvalue
