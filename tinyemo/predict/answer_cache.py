"""Answers that survive a kill: a file of JSON lines, one answer per line, appended as it comes.

Takes a file and the digest of a picture's content; gives the answer that is known of it. The file
belongs to one question (a bundle, labels, whether to explain): its name is a hash of that. It is
deleted when all pictures are answered.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

from tinyemo.predict.predictor import Answer


class AnswerCache:
    """The answers of `file`.

    An incomplete line (the process was killed), and what follows a damaged one, is cut off.

    OSError: the file cannot be read or written.
    """

    def __init__(self, file: Path):
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self.answers: dict[str, Answer] = {}
        whole = 0  # bytes of complete lines
        for line in file.read_bytes().splitlines(keepends=True) if file.exists() else []:
            if not line.endswith(b"\n"):
                break
            try:
                content = json.loads(line)
                digest = content.pop("digest")
                self.answers[digest] = Answer(**content)
            except (ValueError, KeyError, TypeError):  # a damaged disk: what follows is made again
                break
            whole += len(line)
        self.lines = file.open("ab")
        self.lines.truncate(whole)

    def find(self, digest: str, image: str) -> Answer | None:
        """The answer about a picture with this content, under its present name."""
        known = self.answers.get(digest)
        return known and replace(known, image=image)

    def add(self, digest: str, answer: Answer) -> None:
        """Append an answer; it is on its way to the disk when this returns."""
        line = json.dumps({"digest": digest, **asdict(answer)})
        self.lines.write(line.encode() + b"\n")
        self.lines.flush()

    def close(self) -> None:
        """Close the file, for a later run to continue."""
        self.lines.close()

    def delete(self) -> None:
        """Delete the file: nothing is left to continue."""
        self.file.unlink(missing_ok=True)
