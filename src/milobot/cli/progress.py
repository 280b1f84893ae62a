"""A progress line for work with stages; silent where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SHOWN_AFTER_S = 0.4


@contextmanager
def stages() -> Iterator[Callable[[str, float], None]]:
    """Yield a function that takes a stage's name and the fraction of it done.

    The line goes to stderr, so that output stays clean, and only to a terminal. It appears
    after a moment: short work shows nothing.
    """
    if not sys.stderr.isatty():
        yield lambda _stage, _done: None
        return
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<10}"), BarColumn(), TimeElapsedColumn())
    began = monotonic()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=1.0)
    is_shown = False

    def advance(stage: str, done: float) -> None:
        nonlocal is_shown
        if not is_shown and monotonic() - began > _SHOWN_AFTER_S:
            bar.start()
            is_shown = True
        if is_shown:
            bar.update(task, description=stage, completed=done)

    try:
        yield advance
    finally:
        bar.stop()
