"""What the fuzz tests share: how many examples they draw, and what an error must look like.

By default the examples are the same in every run. `make fuzz` draws twenty times as many, and
others each time; the statistics that it prints say how many were read and how many refused.
"""

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings

USUAL, LONG = 100, 2000  # max_examples of the profiles: percent of the number that a test names
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]  # examples are files
settings.register_profile(
    "fixed",
    max_examples=USUAL,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=SLOW,
)
settings.register_profile(
    "long",
    settings.get_profile("fixed"),
    max_examples=LONG,
    derandomize=False,
    print_blob=True,
)
settings.load_profile("fixed")


def examples(number: int) -> settings:
    """`number` examples in the usual profile, and in proportion in the long one."""
    return settings(max_examples=number * settings().max_examples // USUAL)


def refusal(read: Callable[[], object], names: str | Path) -> str | None:
    """The sentence with which `read` refuses its input, None if it reads it.

    AssertionError: the sentence has several lines, or does not contain `names`. Any other kind of
    error than those of a bad file is not caught.
    """
    try:
        read()
    except (ValueError, FileNotFoundError) as error:
        sentence = str(error)
        assert str(names) in sentence and "\n" not in sentence and len(sentence) < 2000, sentence
        return sentence
    return None
