"""`tinyemo predict`: pictures or a table of conversations -> answers, printed or written.

Takes the options of the command line; gives the exit code. Pictures are answered in their order.
After a kill, the same command continues with the pictures that have no answer yet.
"""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from tinyemo import __version__
from tinyemo.data.file_walk import walk
from tinyemo.data.left_out import LeftOut
from tinyemo.emotions import labels_of, own_label_set
from tinyemo.io import digests, is_image
from tinyemo.paths import runs_dir
from tinyemo.predict.answer_cache import AnswerCache
from tinyemo.predict.answer_files import json_line, text_table, write_csv, write_page
from tinyemo.predict.bundle import Bundle
from tinyemo.predict.predictor import Answer, Predictor, load

NO_PICTURE = "no picture that can be read"


@dataclass(frozen=True)
class Question:
    """What is asked about every picture."""

    model: str = "emoscenes"
    label_set: str = "ekman"
    explain: bool = False
    device: str | None = None


def question_of(
    model: str, label_set: str, labels: str, explain: bool, device: str | None = None
) -> Question:
    """From the options of the command line; `labels` are words with commas between them.

    ValueError: an unknown label set, or words that `own_label_set` refuses.
    """
    if labels:
        label_set = own_label_set([word.strip() for word in labels.split(",")])
    labels_of(label_set)  # refuses an unknown one before anything is loaded
    return Question(model, label_set, explain, device)


def print_answers(
    paths: Sequence[str],
    question: Question,
    as_json: bool = False,
    csv: str = "",
    page: str = "",
) -> int:
    """Answer, print or write; 1 if a picture could not be read, else 0.

    A table is printed, unless `as_json` (one object per picture and line, as it comes), `csv` or
    `page` (files) is asked for. FileNotFoundError, ValueError: the model cannot be loaded, or
    there is no picture. OSError, before anything is answered: a file cannot be written.
    """
    for file in filter(None, (csv, page)):
        _check_writable(Path(file))
    if any(Path(path).suffix.lower() == ".csv" for path in paths):
        from tinyemo.predict.conversations import conversation_answers  # loads its own models

        found = conversation_answers(paths, question.model, question.device)
    else:
        found = picture_answers(pictures_of(paths), question)
    answers = []
    for answer in found:
        answers.append(answer)
        if as_json:
            print(json_line(answer), flush=True)
    if csv:
        print(write_csv(answers, csv), file=sys.stderr)
    if page:
        title = f"What {len(answers)} pictures may evoke"
        print(write_page(answers, page, question.model, title), file=sys.stderr)
    if not (as_json or csv or page):
        print(text_table(answers))
    return 1 if any(answer.error for answer in answers) else 0


def _check_writable(file: Path) -> None:
    """OSError: a file that could not be written after all pictures are answered."""
    existing = next(folder for folder in file.absolute().parents if folder.exists())
    if file.is_dir() or not existing.is_dir() or not os.access(existing, os.W_OK):
        raise OSError(f"cannot write {file}: expected a file in a folder that can be written")


def pictures_of(paths: Sequence[str]) -> list[str]:
    """The pictures that the command line names: files, all pictures in folders, "-" for a list.

    What is passed over in folders is counted on the error output. ValueError: no picture at all.
    """
    named, passed_over = [], LeftOut()
    for path in paths:
        named += sys.stdin.read().splitlines() if path == "-" else [path]
    pictures = []
    for path in filter(None, named):
        if not Path(path).is_dir():
            pictures.append(path)
            continue
        inside = [entry.path for _, entry in walk(Path(path), passed_over.add)]
        for file in sorted(inside):
            if is_image(file):
                pictures.append(file)
            else:
                passed_over.add(NO_PICTURE, file)
    for reason, items, example in passed_over.table().itertuples(index=False):
        print(f"passed over, {reason}: {items}, such as {example}", file=sys.stderr)
    if not pictures:
        raise ValueError(f"{', '.join(paths)}: no picture in it; expected at least one")
    return pictures


def picture_answers(pictures: Sequence[str], question: Question) -> Iterator[Answer]:
    """The answers, in order; those of an earlier run that was killed are not computed again."""
    predictor = load(question.model, question.device)
    cache = _open_cache(predictor.bundle, question)
    try:
        yield from _continued(predictor, cache, pictures, question)
    finally:
        cache.close()
    cache.delete()


def _continued(
    predictor: Predictor, cache: AnswerCache, pictures: Sequence[str], question: Question
) -> Iterator[Answer]:
    """Answers from the cache, and new ones, which are added to it."""
    digest_of = _digests(pictures)
    known = {}
    for picture in pictures:
        answer = cache.find(digest_of.get(picture, ""), picture)
        if answer is not None:
            known[picture] = answer
    unknown = [picture for picture in pictures if picture not in known]
    new = predictor.answers(unknown, question.label_set, question.explain)
    for picture in tqdm(pictures, unit="picture", disable=None):
        answer = known.get(picture)
        if answer is None:
            answer = next(new)
            if picture in digest_of and not answer.error:
                cache.add(digest_of[picture], answer)
        yield answer


def _digests(pictures: Sequence[str]) -> dict[str, str]:
    """The digest of every file that can be read; of the others, `read_image` says what is wrong."""
    found = {}
    for picture in pictures:
        try:
            found |= digests([picture])
        except OSError:
            continue
    return found


def _open_cache(bundle: Bundle, question: Question) -> AnswerCache:
    """Beside the runs or, where that folder cannot be written, in the system's temporary one."""
    facts = json.dumps([__version__, asdict(bundle), asdict(question)], sort_keys=True)
    name = f"{hashlib.sha256(facts.encode()).hexdigest()[:16]}.jsonl"
    try:
        return AnswerCache(runs_dir() / ".answers" / name)
    except OSError:
        return AnswerCache(Path(tempfile.gettempdir(), f"tinyemo-answers-{os.getuid()}", name))
