"""Seconds and memory to check a million instructions, and of json.load on the same file.

    python benchmarks/instructions.py [--records 1000000]

Writes records of about 500 bytes in LLaVA's format, three to an image, as a JSON list and as JSON lines. Each row of
the table is a process of its own; peak memory is that of the whole process.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinyemo.data.instructions import Instruction, write_instructions

MEASURED = """
import json, resource, sys, time
from tinyemo.data.instructions import check_file

def load(path):
    with open(path, encoding="utf-8") as file:
        return len(json.load(file)), 0

def check(path):
    summary = check_file(path)
    return summary.records, summary.faulty

start = time.perf_counter()
records, faulty = globals()[sys.argv[1]](sys.argv[2])
seconds = time.perf_counter() - start
unit = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss in a megabyte
print(records, faulty, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""
TURNS = [
    ("checked, JSON list", "check", "many.json"),
    ("checked, JSON lines", "check", "many.jsonl"),
    ("json.load, JSON list", "load", "many.json"),
]


def made_up(n: int) -> Iterator[Instruction]:
    rng = random.Random(1)
    words = [
        "".join(rng.choices("abcdefghijklmnoprstuvwy", k=rng.randint(2, 10))) for _ in range(3000)
    ]
    for i in range(n):
        answer = " ".join(rng.choices(words, k=45)).capitalize() + "."
        question = f"<image>\nWhat may one feel here, and why? Think of {rng.choice(words)}."
        yield Instruction(
            f"webemo/{i // 3:07d}#{i % 3}", f"train/love/{i // 3:07d}.jpg", ((question, answer),)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    n = parser.parse_args().records
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in ("json", "jsonl"):
            path = Path(folder, f"many.{form}")
            write_instructions(made_up(n), path)
            print(
                f"{path.name}: {path.stat().st_size / 1e6:,.0f} MB, {path.stat().st_size / n:.0f} bytes a record"
            )
        for name, what, file in TURNS:
            command = [sys.executable, "-c", MEASURED, what, str(Path(folder, file))]
            done = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, check=True
            ).stdout.split()
            assert done[:2] == [str(n), "0"], done
            rows[name] = (float(done[2]), float(done[3]))
    loaded = rows["json.load, JSON list"]
    print("\n| | s | ratio | peak MB | ratio |\n|---|---|---|---|---|")
    for name, (seconds, peak) in rows.items():
        print(
            f"| {name} | {seconds:.1f} | {seconds / loaded[0]:.2f} | {peak:,.0f} | {peak / loaded[1]:.2f} |"
        )


if __name__ == "__main__":
    main()
