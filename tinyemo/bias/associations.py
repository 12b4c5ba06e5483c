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

from tinyemo.bias.values import LEVELS, AttributeValues
from tinyemo.emotions import GROUPS, SYNONYMS, labels_of
from tinyemo.models.anchors import embedding_table

Space = Callable[[list[str]], Tensor]  # n words -> (n, D); ValueError where it does not know one of them
WordLists = Mapping[str, Mapping[str, Sequence[str]]]  # list -> pole -> words

WORD_LISTS = Path(__file__).with_name("word_lists.yaml")
PERMUTATIONS = 20_000  # two poles of eight words have 12,870 partitions: all of them are tried
LEAST_WORDS = 4  # of a pole that a space knows; of three against three no p is below .1
LEAST_EFFECT = 0.2  # in standard deviations: Cohen's small effect


def read_word_lists(path: str | Path = WORD_LISTS) -> dict[str, dict[str, list[str]]]:
    """Word lists from a YAML file like the package's own. ValueError names the file, the list and the pole."""
    lists = yaml.safe_load(Path(path).read_text("utf-8"))
    if not isinstance(lists, dict):
        raise ValueError(f"{path}: expected lists by name, each with its poles")
    for name, poles in lists.items():
        if not isinstance(poles, dict) or len(poles) < 2:
            raise ValueError(f"{path}, list {name!r}: expected two poles or more, each with its words")
        for pole, words in poles.items():
            if (not isinstance(words, list) or not all(isinstance(word, str) for word in words)
                    or len(set(words)) < max(len(words), LEAST_WORDS)):
                raise ValueError(f"{path}, list {name!r}, pole {pole!r}: expected {LEAST_WORDS} different words or "
                                 f"more, got {words!r:.80}")
    return lists


def emotion_words(label_set: str) -> dict[str, list[str]]:
    """The words that stand for each label of a set: itself, the finer labels under it, and the synonyms of these."""
    groups = GROUPS["ekman"] | GROUPS.get(label_set, {})
    return {label: list(dict.fromkeys(word for fine in (label, *groups.get(label, ()))
                                      for word in (fine, *SYNONYMS.get(fine, ()))))
            for label in labels_of(label_set)}


def table_space(checkpoint: str | Path, tokenizer: str | Path | None = None, whole: bool = True) -> Space:
    """A language model's input-embedding table as a space, read once. Errors as of `models.anchors.embedding_table`.

    `whole`: the words that are one token, at the start of a text or within, and no others. Otherwise a word is the
    mean of its tokens, as anchors are; such means lie closer together than whole words do.
    """
    table, tokenize = embedding_table(checkpoint, tokenizer)

    def place(words: list[str]) -> Tensor:
        tokens = [min((tokenize(text, add_special_tokens=False)["input_ids"] for text in (word, f" {word}")), key=len)
                  for word in words]
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
    over the same sd: of 4 to 18 normal words they cover 94 % or more, the bootstrap of d 79 to 95 %.
    """
    of = (torch.arange(len(a) + len(b)) < len(a)).numpy()[:, None]
    first, second = (nearness(words, torch.cat([a, b]), of).T for words in (x, y))  # (1, n), (1, m)
    d, low, high = _effect(first, second)[:, 0]
    return {"effect": float(d), "low": float(low), "high": float(high), "p": float(_partitions_p(first, second)[0])}


def text_association(space: Space, lists: WordLists | None = None, label_set: str = "ekman", alpha: float = 0.05,
                     least: float = LEAST_EFFECT, detector: str = "text association") -> pd.DataFrame:
    """`weat` of every emotion, against the others, with every contrast of the word lists: a detector table.

    `what` is "gender: female, not male"; further columns `words` and `other_words`, how many of either pole the space
    knows, and `left_out`, the words of both poles and of the emotions that it does not. A contrast with fewer than
    four known words in a pole is not tested: effect NaN, p 1. Found: q <= alpha and |d| >= least. ValueError: an
    emotion none of whose words the space knows.
    """
    lists, rows = lists or read_word_lists(), []
    vectors, of, strange = _emotions_in(space, label_set, (w for poles in lists.values() for ws in poles.values()
                                                          for w in ws))
    anchors = torch.stack(list(vectors.values()))[: len(of)]
    for name, poles in lists.items():
        (first, x), *others = poles.items()
        for second, y in others:
            own, other = ([vectors[word] for word in words if word in vectors] for words in (x, y))
            tests = np.array([[np.nan] * 3 + [1.0]] * of.shape[1]).T
            if min(len(own), len(other)) >= LEAST_WORDS:
                near = [nearness(torch.stack(words), anchors, of).T for words in (own, other)]  # (C, n), (C, m)
                tests = np.stack([*_effect(*near), _partitions_p(*near)])
            left_out = ", ".join([*(word for word in (*x, *y) if word not in vectors), *strange])
            rows += [{"what": f"{name}: {first}, not {second}", "where": label, "effect": d, "low": low, "high": high,
                      "p": p, "words": len(own), "other_words": len(other), "left_out": left_out}
                     for label, (d, low, high, p) in zip(labels_of(label_set), tests.T, strict=True)]
    return _detector_table(pd.DataFrame(rows), detector, "WEAT d", alpha, least)


def image_association(x: Tensor, anchors: Tensor, y: np.ndarray, words: Sequence[str], values: AttributeValues,
                      alpha: float = 0.05, least: float = LEAST_EFFECT,
                      detector: str = "image association") -> pd.DataFrame:
    """Do images that show a value lie nearer to an emotion than images of the same label that do not?

    x (N, D) and anchors (C, D) of one space, labels y (N,) of `words` (C,), values of the same N items: a detector
    table of V * C rows, `items` beside them: how many show the value. The effect is the difference in `nearness` with
    and without the value, labels weighted by n1 n0 / n (as least squares on value and label does), in standard
    deviations within labels; its interval allows for unequal variances (White 1980). p is that of permutations within
    labels, by their exact mean and variance (Strasser and Weber 1999): thousands of tests ask for smaller ones than
    drawn permutations can give. Found: q <= alpha and |effect| >= least.

    A value that rightly speaks for the emotion within a label is found as well: this is not yet a bias.
    """
    y, present, near = np.asarray(y), values.present.tocsr(), nearness(x, anchors)
    if not len(near) == len(y) == present.shape[0]:
        raise ValueError(f"image association: {len(near)} embeddings, {len(y)} labels, {present.shape[0]} rows of "
                         "values; expected one of each an item")
    # by label: items, with the value (V, 1), sums over these of c (V, C) and of c^2, sum of c^2 over all (C,)
    strata = []
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        a, c = present[rows], near[rows] - near[rows].mean(axis=0)
        strata.append((len(rows), a.sum(axis=0)[:, None].astype(float), a.T @ c, a.T @ c**2, (c**2).sum(axis=0)))
    information = sum(with_it * (n - with_it) / n for n, with_it, *_ in strata)
    score = sum(sums for _, _, sums, _, _ in strata)
    variance = sum(w * (n - w) / (n * max(n - 1, 1)) * total for n, w, _, _, total in strata)
    with np.errstate(invalid="ignore", divide="ignore"):  # of a value that all or none of each label show
        slope, z = score / information, score / np.sqrt(variance)
        squared = 0.0  # sum over items of (centred value times residual)^2
        for n, w, sums, squares, total in strata:
            absent, share = 1 - w / n, w / n
            squared = (squared + absent**2 * (squares - 2 * slope * absent * sums + slope**2 * absent**2 * w)
                       + share**2 * (total - squares - 2 * slope * share * sums + slope**2 * share**2 * (n - w)))
        sd = np.sqrt(sum(total for *_, total in strata) / (len(y) - len(strata)))
        reach = stats.norm.ppf(0.975) * np.sqrt(squared) / information
        effects = {"effect": slope / sd, "low": (slope - reach) / sd, "high": (slope + reach) / sd,
                   "p": np.nan_to_num(2 * stats.norm.sf(np.abs(z)), nan=1.0)}
    table = pd.DataFrame({"what": np.repeat(values.names, len(words)), "where": list(words) * len(values.names),
                          **{name: column.ravel() for name, column in effects.items()},
                          "items": np.repeat(values.counts, len(words))})
    return _detector_table(table, detector, "sd within label", alpha, least)


def parts(values: AttributeValues, y: np.ndarray, label_set: str, projector: tuple[Tensor, Tensor], *,
          controls: Sequence[Tensor] = (), encoder: tuple[Tensor, Tensor] | None = None, space: Space | None = None,
          least: float = LEAST_EFFECT) -> pd.DataFrame:
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
    words, columns = labels_of(label_set), {}

    def image(x: Tensor, anchors: Tensor) -> np.ndarray:  # (3, V, C)
        found = image_association(x, anchors, y, words, values)
        return found[["effect", "low", "high"]].to_numpy().T.reshape(3, len(values.names), len(words))

    columns["projector"] = image(*projector)
    if len(controls):
        if len(controls) < 3:
            raise ValueError(f"parts: expected three controls or more, got {len(controls)}")
        effects = np.stack([image(x, projector[1])[0] for x in controls])
        added = columns["projector"][0] - effects.mean(axis=0)
        reach = stats.t.ppf(0.975, len(effects) - 1) * effects.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(effects))
        columns["added"] = np.stack([added, added - reach, added + reach])
    if encoder is not None:
        columns["encoder"] = image(*encoder)
    if space is not None:
        concepts = [f"{value} {attribute}" if value in LEVELS else value
                    for attribute, value in zip(values.attributes, values.values, strict=True)]
        vectors, of, _ = _emotions_in(space, label_set, concepts)
        known = [i for i, concept in enumerate(concepts) if concept in vectors]
        columns["anchors"] = np.full_like(columns["projector"], np.nan)
        if known:
            near = _cosines(torch.stack([vectors[concepts[i]] for i in known]),
                            torch.stack(list(vectors.values()))[: len(of)])
            columns["anchors"][:, known] = np.stack([_effect(near[:, own], near[:, ~own]) for own in of.T], axis=-1)

    table = pd.DataFrame({"what": np.repeat(values.names, len(words)), "where": words * len(values.names)})
    carried = np.full(len(table), "", dtype=object)
    for name, (effect, low, high) in columns.items():
        table[[name, f"{name}_low", f"{name}_high"]] = np.stack([effect, low, high], axis=-1).reshape(-1, 3)
        carries = (low * high > 0) & (np.abs(effect) >= least) & (effect * columns["projector"][0] > 0)
        if name != "projector" or not len(controls):
            carried[carries.ravel()] += f"{name} "
    return table.assign(carried_by=[names.strip().replace(" ", ", ") for names in carried])


def _emotions_in(space: Space, label_set: str,
                 others: Iterable[str]) -> tuple[dict[str, Tensor], np.ndarray, list[str]]:
    """Vectors of the words a space knows, the W emotion words first; (W, C) bool, whose these are; the unknown ones."""
    emotions = emotion_words(label_set)
    named = list(dict.fromkeys(word for words in emotions.values() for word in words))
    vectors = _known(space, list(dict.fromkeys([*named, *others])))
    of = np.array([[word in own for own in emotions.values()] for word in named if word in vectors])
    for label, words in emotions.items():
        if not set(words) & set(vectors):
            raise ValueError(f"emotion {label!r}: the space knows none of its words ({', '.join(words)})")
    return vectors, of, [word for word in named if word not in vectors]


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
    """Cohen's d over the sd of all values, and Welch's limits over it, of samples (R, n) and (R, m): (3, R)."""
    limits = stats.ttest_ind(first, second, axis=1, equal_var=False).confidence_interval(0.95)
    sd = np.concatenate([first, second], axis=1).std(axis=1, ddof=1)
    return np.stack([first.mean(axis=1) - second.mean(axis=1), limits.low, limits.high]) / sd


def _partitions_p(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two-sided p (R,) of the difference of means of samples (R, n) and (R, m), over partitions of their columns."""
    return stats.permutation_test((first, second), lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis), axis=1,
                                  vectorized=True, n_resamples=PERMUTATIONS, batch=1000,
                                  rng=np.random.default_rng(0)).pvalue


def _detector_table(table: pd.DataFrame, detector: str, unit: str, alpha: float, least: float) -> pd.DataFrame:
    """Columns effect, low, high, p and others -> a detector table, corrected over its rows."""
    table = table.assign(detector=detector, unit=unit, q=stats.false_discovery_control(table["p"]))
    table["found"] = (table["q"] <= alpha) & (table["effect"].abs() >= least)
    first = ["detector", "what", "where", "effect", "low", "high", "unit", "p", "q", "found"]
    return table[[*first, *table.columns.difference(first, sort=False)]]
