"""How much a test tries: a sample in the suite, all of it in ``make prove-scripts``."""

import os


def is_campaign() -> bool:
    """Return whether everything is to be tried."""
    return os.environ.get("PROVE_SCRIPTS") == "1"


def size(sample: int, whole: int) -> int:
    """Return how many cases to try."""
    return whole if is_campaign() else sample
