"""Seconds and memory of checking a million instruction records, and of json.load on the same file.

    python benchmarks/instructions.py [--records 1000000]

Writes records of about 500 bytes in LLaVA's format, three per image, as a JSON list and as JSON
lines. Each row of the table is measured in a process of its own; peak memory is that of the whole
process.
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
unit = 2**20 if sys.platform == "darwin" else 2**10  # units of ru_maxrss per megabyte
print(records, faulty, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""
# row of the table, function of MEASURED, file
RUNS = [
    ("checked, JSON list", "check", "many.json"),
    ("checked, JSON lines", "check", "many.jsonl"),
    ("json.load, JSON list", "load", "many.json"),
]


def random_instructions(n: int) -> Iterator[Instruction]:
    """n records with random words, always the same."""
    rng = random.Random(1)
    letters = "abcdefghijklmnoprstuvwy"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(3000)]
    for i in range(n):
        answer = " ".join(rng.choices(words, k=45)).capitalize() + "."
        question = f"<image>\nWhat may one feel here, and why? Think of {rng.choice(words)}."
        name, image = f"webemo/{i // 3:07d}#{i % 3}", f"train/love/{i // 3:07d}.jpg"
        yield Instruction(name, image, ((question, answer),))


def measure(function: str, path: Path, n: int) -> tuple[float, float]:
    """(seconds, peak megabytes) of a function of MEASURED on the file."""
    command = [sys.executable, "-c", MEASURED, function, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    records, faulty, seconds, peak = done.stdout.split()
    assert (records, faulty) == (str(n), "0"), done.stdout
    return float(seconds), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    n = parser.parse_args().records
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in ("json", "jsonl"):
            path = Path(folder, f"many.{form}")
            write_instructions(random_instructions(n), path)
            size = path.stat().st_size
            print(f"{path.name}: {size / 1e6:,.0f} MB, {size / n:.0f} bytes per record")
        for name, function, file in RUNS:
            rows[name] = measure(function, Path(folder, file), n)
    loaded_seconds, loaded_peak = rows["json.load, JSON list"]
    print("\n| | s | ratio | peak MB | ratio |\n|---|---|---|---|---|")
    for name, (seconds, peak) in rows.items():
        ratios = seconds / loaded_seconds, peak / loaded_peak
        print(f"| {name} | {seconds:.1f} | {ratios[0]:.2f} | {peak:,.0f} | {ratios[1]:.2f} |")


if __name__ == "__main__":
    main()
