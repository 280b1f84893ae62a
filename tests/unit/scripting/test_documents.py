"""The manual is true: every example in it runs, every number in it is the one in the code."""

import re
from pathlib import Path

import numpy as np
import pytest

from milobot.domain.market import COLUMNS
from milobot.errors import ActionFormatError
from milobot.scripting import client, loading, os_lock, prints, vocabulary
from milobot.scripting.actions import parse_action
from milobot.scripting.checking import MAX_NODES
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.language import MAX_FORMAT_WIDTH, MAX_SOURCE_BYTES
from milobot.scripting.results import Code

DOCS = Path(__file__).parents[3] / "docs"
SCRIPTS = (DOCS / "scripts.md").read_text(encoding="utf-8")
ACTIONS = (DOCS / "actions.md").read_text(encoding="utf-8")


def _blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def _walk(length: int, step_ms: int) -> dict[str, np.ndarray]:
    numbers = np.arange(length)
    chance = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, length)))
    opened = np.concatenate([[100.0], close[:-1]])
    columns = (
        1_704_067_200_000 + step_ms * numbers,
        opened,
        np.maximum(opened, close) * 1.002,
        np.minimum(opened, close) * 0.998,
        close,
        chance.uniform(50, 500, length),
    )
    return dict(zip(COLUMNS, columns, strict=True))


@pytest.mark.parametrize("source", _blocks(SCRIPTS, "python"))
def test_example_runs_and_decides(source: str) -> None:
    """An example that fails, or never decides, is worse than none."""
    interpreter = Interpreter(source)
    interpreter.append(_walk(1500, interpreter.metadata.timeframe.milliseconds))

    result = interpreter.evaluate(0, 1500)

    assert result.errors == ()
    assert Code.FALSE in result.codes.tolist()
    assert Code.TRUE in result.codes.tolist()


@pytest.mark.parametrize("text", "".join(_blocks(ACTIONS, "action")).splitlines())
def test_action_example_is_an_action(text: str) -> None:
    """A trader copies these into a script that holds money."""
    parse_action(text)


@pytest.mark.parametrize("block", _blocks(ACTIONS, "mistake"))
def test_shown_mistake_is_told_as_shown(block: str) -> None:
    """The manual shows the very sentence and the very place."""
    text, reason, caret = block.splitlines()

    with pytest.raises(ActionFormatError) as caught:
        parse_action(text)

    assert str(caught.value).split("\n")[0] == reason
    assert caught.value.position == caret.index("^")


def test_words_of_the_language_are_listed() -> None:
    """Every function, method and indicator is in the manual, and none that does not exist."""
    functions = re.search(r"^Functions: `(.*?)`", SCRIPTS, re.MULTILINE | re.DOTALL)
    methods = re.search(r"^Methods: (.*?)\n\n", SCRIPTS, re.MULTILINE | re.DOTALL)
    assert functions is not None
    assert methods is not None

    listed = {
        name for part in re.findall(r"`(.*?)`", methods[1], re.DOTALL) for name in part.split()
    }

    assert set(functions[1].split()) == vocabulary.FUNCTIONS
    assert listed == vocabulary.METHODS - {"is_integer"}
    for name in vocabulary.HOST_FUNCTIONS:
        assert f"{name}(" in SCRIPTS


def test_numbers_in_the_manual_are_those_in_the_code() -> None:
    """A limit that is told wrongly costs an evening."""
    assert f"{MAX_SOURCE_BYTES // 1024} KB of text, {MAX_NODES:,} elements" in SCRIPTS
    assert f"format widths up to {MAX_FORMAT_WIDTH}" in SCRIPTS
    assert f"first {prints.KEPT_FIRST} and the\nlast {prints.KEPT_LAST} lines" in SCRIPTS
    assert f"{prints.MAX_CHARACTERS} characters of each" in SCRIPTS
    assert f"more than {client.QUIET_S:g} seconds" in SCRIPTS
    assert (
        f"{client.TOTAL_S:g} seconds and {client.TOTAL_S_PER_CANDLE * 1000:g} milliseconds"
        in SCRIPTS
    )
    assert f"{os_lock.MEMORY_BYTES // 2**30} GB of memory" in SCRIPTS
    assert f"last {loading.DATA_LIMIT:,} closed candles" in SCRIPTS
