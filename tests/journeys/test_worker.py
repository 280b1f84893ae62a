"""A script in its own process: decisions, limits, and an end without leftovers."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.support.shared_data import shared_file

from milobot.domain.intents import Close, DoNothing, Enter
from milobot.domain.market import CandleSeries, SymbolRules
from milobot.domain.timeframes import Timeframe
from milobot.errors import (
    DataError,
    ScriptError,
    ScriptForbiddenError,
    ScriptTimeoutError,
)
from milobot.scripting.client import ScriptWorker
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.results import Code

HEAD = 'timeframe = "1h"\ncoin = "BTCUSDT"\naction_if_true = "long(1%risk@10x,sl=2%,rr=3)"\n'
SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.script"))


def _candles(length: int, first: int = 0) -> CandleSeries:
    """Return hourly candles of one endless deterministic walk."""
    numbers = np.arange(length + first)
    close = 100 + 10 * np.sin(numbers / 17) + 5 * np.sin(numbers / 5)
    opened = np.concatenate([[100.0], close[:-1]])
    series = CandleSeries(
        1_704_067_200_000 + 3_600_000 * numbers,
        opened,
        np.maximum(opened, close) + 1,
        np.minimum(opened, close) - 1,
        close,
        (100 + numbers % 7).astype(np.float64),
    )
    return series.part(first, length + first)


@pytest.fixture(scope="module")
def worker() -> Iterator[ScriptWorker]:
    """Share one worker among the tests that do it no harm."""
    with ScriptWorker() as shared:
        yield shared


def _specified_scripts() -> list[str]:
    text = shared_file("milobot.de.md", root="spec").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_specified_strategies_run_verbatim(worker: ScriptWorker) -> None:
    """The three published examples are a promise: not one character may need a change."""
    strategies = [block for block in _specified_scripts() if "timeframe" in block]
    assert len(strategies) == 3

    for source in strategies:
        info = worker.load(source)
        result = worker.evaluate(_candles(600))

        assert (info.timeframe, info.coin) == (Timeframe.H1, "BTCUSDT")
        assert isinstance(info.action_if_true, Enter)
        assert info.action_if_false == DoNothing()
        assert result.errors == ()
        assert set(result.codes.tolist()) == {Code.FALSE, Code.TRUE, Code.WARM_UP}
        assert result.prints[-1].index == 599


def test_specified_snippet_runs_wrapped(worker: ScriptWorker) -> None:
    """The two-line RSI snippet needs only the required variables around it."""
    snippet = next(block for block in _specified_scripts() if "timeframe" not in block)
    worker.load(HEAD + snippet)

    result = worker.evaluate(_candles(300))

    assert result.codes[:14].tolist() == [Code.WARM_UP] * 14
    assert {Code.FALSE, Code.TRUE} == set(result.codes[14:].tolist())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_sample_acts_on_a_year_of_bitcoin(worker: ScriptWorker, sample: Path) -> None:
    """A sample that never or always says yes teaches nothing."""
    path = shared_file("klines/um_BTCUSDT_1h_2024.csv.gz")
    columns = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    worker.load(sample.read_text(encoding="utf-8"))

    result = worker.evaluate(CandleSeries(columns[0].astype(np.int64), *columns[1:6]))

    share = float((result.codes == Code.TRUE).mean())
    assert result.errors == ()
    assert 0.005 < share < 0.5
    assert len(result.codes) == 8784


def test_every_sample_explains_itself() -> None:
    """A newcomer reads a sample before running it."""
    assert len(SAMPLES) == 6
    for sample in SAMPLES:
        assert sample.read_text(encoding="utf-8").startswith("# ")


def test_worker_decides_as_the_interpreter_does(worker: ScriptWorker) -> None:
    """Pipes, blocks and processes must not change a bit."""
    source = SAMPLES[0].read_text(encoding="utf-8")
    candles = _candles(400)
    interpreter = Interpreter(source)
    interpreter.append({n: getattr(candles, n) for n in ("time", *candles.__slots__[1:])})
    expected = interpreter.evaluate(0, 400)

    worker.load(source)
    blocks = [worker.evaluate(candles.part(a, b)) for a, b in ((0, 150), (150, 151), (151, 400))]

    assert np.concatenate([block.codes for block in blocks]).tolist() == expected.codes.tolist()
    assert [block.start for block in blocks] == [0, 150, 151]


def test_overrides_reach_the_script(worker: ScriptWorker) -> None:
    """--set, --symbol and --timeframe replace literals, typed as they were."""
    info = worker.load(
        HEAD + "period = 14\nlevel = 1.5\nname = 'x'\nis_on = False\ncondition_true = is_on\n"
        "print(period, level, name, coin, timeframe)",
        parameters={"period": "21", "level": "2", "name": "y", "is_on": "true"},
        symbol="ETHUSDT",
        timeframe="4h",
    )
    result = worker.evaluate(_candles(1))

    assert (info.coin, info.timeframe) == ("ETHUSDT", Timeframe.H4)
    assert info.parameters == {"period": 21, "level": 2.0, "name": "y", "is_on": True}
    assert result.prints[0].text == "21 2.0 y ETHUSDT 4h"
    assert result.codes.tolist() == [Code.TRUE]


def test_symbol_constraints_are_floats(worker: ScriptWorker) -> None:
    """Scripts calculate in floats; a rule of the exchange must not arrive as text."""
    worker.load(
        HEAD + "rules = await get_symbol_constraints()\nprint(rules)\n"
        "condition_true = rules['minQty'] * 2 == 0",
        rules=SymbolRules("BTCUSDT"),
    )

    result = worker.evaluate(_candles(1))

    text = "{'minQty': 0.0, 'minNotional': 0.0, 'stepSize': 1e-08, 'tickSize': 0.0}"
    assert result.prints[0].text == text
    assert result.codes.tolist() == [Code.TRUE]


def test_refusal_keeps_its_place_and_class(worker: ScriptWorker) -> None:
    """The author sees line and column although the script was checked in another process."""
    with pytest.raises(ScriptForbiddenError, match="import is not part") as caught:
        worker.load(HEAD + "import os\n")

    assert (caught.value.line, caught.value.column) == (4, 1)


def test_caret_survives_the_way_back(worker: ScriptWorker) -> None:
    """A bad action string is shown with the caret under its fault."""
    with pytest.raises(ScriptError) as caught:
        worker.load(HEAD.replace("rr=3", "rr=0") + "condition_true = True")

    reason, text, caret = caught.value.reason.split("\n")
    assert reason == "action_if_true: rr of 0 is not possible"
    assert text[caret.index("^")] == "0"
    assert caught.value.line == 3


def test_endless_loop_is_ended_with_its_line() -> None:
    """The commonest way to hang a bot: the author learns where, others never notice."""
    with ScriptWorker(quiet_s=0.4) as worker:
        worker.load(HEAD + "condition_true = False\nwhile len(data) > 2:\n    x = 1\n")
        with pytest.raises(ScriptTimeoutError, match=r"longer than 0.4 s on") as caught:
            worker.evaluate(_candles(10))

        assert caught.value.line in {5, 6}
        assert "2024-01-01 02:00 (number 2)" in str(caught.value)
        assert worker.pid is None


def test_loop_inside_c_code_is_ended() -> None:
    """No signal handler runs while C code does: only a kill helps, and it is used."""
    with ScriptWorker(quiet_s=0.3) as worker:
        worker.load(HEAD + "x = sum(range(10 ** 13))\ncondition_true = False")
        with pytest.raises(ScriptTimeoutError, match="look for an endless loop"):
            worker.evaluate(_candles(1))


def test_next_candle_goes_on_with_a_new_worker() -> None:
    """One slow candle is a missed decision, not the end of the strategy."""
    hang = "condition_true = True\nif len(data) == 5:\n    while True:\n        pass\n"
    with ScriptWorker(quiet_s=0.3) as worker:
        worker.load(HEAD + "n = 0\n" + hang)
        worker.evaluate(_candles(4))
        with pytest.raises(ScriptTimeoutError):
            worker.evaluate(_candles(1, first=4))

        result = worker.evaluate(_candles(2, first=5))

    assert result.start == 5
    assert result.codes.tolist() == [Code.TRUE, Code.TRUE]


def test_total_time_of_a_block_is_limited() -> None:
    """A script that finishes each candle, slowly, must not hold a back-test for a day."""
    slow = "x = sum(range(300000))\ncondition_true = False"
    with ScriptWorker(total_s=0.3) as worker:
        worker.load(HEAD + slow)
        with pytest.raises(ScriptTimeoutError, match="not done after"):
            worker.evaluate(_candles(400))


@pytest.mark.parametrize(
    "bomb",
    [
        "x = [0] * 10 ** 10",
        "x = 'a' * 10 ** 10",
        "x = [1]\nfor _ in range(60):\n    x = x + x",
        "x = '%999999999999d' % 1",
        "x = 'ab'.replace('a', 'b' * 10 ** 9) * 9",
        "x = {n: [n] * 1000 for n in range(10 ** 7)}",
    ],
)
def test_memory_bomb_fails_its_candle_only(bomb: str) -> None:
    """Memory is limited by the kernel: the script fails, the machine does not swap."""
    # Time is not the point here: a busy machine takes seconds to hand out that much memory.
    with ScriptWorker(quiet_s=40) as worker:
        worker.load(HEAD + bomb + "\ncondition_true = False")
        result = worker.evaluate(_candles(1))

    assert result.codes.tolist() == [Code.FAILED]
    assert result.errors[0].line in {4, 6}


@pytest.mark.parametrize(
    "bomb",
    [
        "x = ()\nfor _ in range(10 ** 6):\n    x = (x,)\ny = {x: 1}",
        "x = [1]\nx.append(x)\nprint(x == [x])",
        "x = []\nfor _ in range(10 ** 5):\n    x = [x]\nprint(x)",
    ],
)
def test_nesting_bomb_is_an_error_of_the_script(bomb: str) -> None:
    """Deep nesting can crash the interpreter itself: it must be the worker's, not the bot's."""
    with ScriptWorker() as worker:
        worker.load(HEAD + bomb + "\ncondition_true = False")
        with suppress(ScriptError):
            assert worker.evaluate(_candles(1)).codes.tolist()[0] in {Code.FAILED, Code.FALSE}

        worker.load(HEAD + "condition_true = True")
        assert worker.evaluate(_candles(1)).codes.tolist() == [Code.TRUE]


def test_flood_of_prints_is_cut(worker: ScriptWorker) -> None:
    """A script may print on every candle for years: both ends are kept, the rest is counted."""
    worker.load(HEAD + "print(len(data), 'x' * 10000)\ncondition_true = False")

    result = worker.evaluate(_candles(3000))

    assert result.print_count == 3000
    assert [line.index for line in result.prints] == [*range(50), *range(2800, 3000)]
    assert all(len(line.text) == 500 for line in result.prints)


def test_printed_control_characters_are_dropped(worker: ScriptWorker) -> None:
    """Prints reach a terminal and a page: no escape sequence, direction mark or surrogate."""
    worker.load(
        HEAD + r"print('\x1b[31mred\u202e \ud800 \x07 ok\nnext')" + "\ncondition_true = False"
    )

    result = worker.evaluate(_candles(1))

    assert result.prints[0].text == "[31mred   ok next"


def test_worker_sees_nothing_of_the_bot(worker: ScriptWorker) -> None:
    """No environment, no open file of ours, one thread: nothing there to be stolen."""
    worker.load(HEAD + "condition_true = False")
    process = Path(f"/proc/{worker.pid}")

    started_with = (process / "environ").read_bytes()
    opened = sorted(int(path.name) for path in (process / "fd").iterdir())

    assert started_with == b""
    assert (process / "cwd").readlink() == Path("/")
    assert len(list((process / "task").iterdir())) == 1
    assert len(opened) <= 4


def test_nothing_is_left_behind() -> None:
    """A worker in the middle of work ends with its client."""
    with ScriptWorker() as worker:
        worker.load(HEAD + "condition_true = False")
        pid = worker.pid
        assert pid is not None

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_killed_worker_is_an_error_then_replaced() -> None:
    """The kernel may end a process at any time: one clear error, then it goes on."""
    with ScriptWorker() as worker:
        worker.load(HEAD + "condition_true = True")
        worker.evaluate(_candles(3))
        assert worker.pid is not None
        os.kill(worker.pid, 9)
        with pytest.raises(ScriptError, match="ended by SIGKILL"):
            worker.evaluate(_candles(1, first=3))

        assert worker.evaluate(_candles(1, first=4)).codes.tolist() == [Code.TRUE]
        assert worker.length == 5


def test_candles_must_follow_in_time(worker: ScriptWorker) -> None:
    """A candle shown twice would shift every indicator: refused before it is sent."""
    worker.load(HEAD + "condition_true = True")
    worker.evaluate(_candles(3))

    with pytest.raises(DataError, match="in order of time"):
        worker.evaluate(_candles(1, first=2))

    assert worker.evaluate(_candles(1, first=3)).start == 3


def test_candles_without_a_script_are_refused() -> None:
    """A slip of the caller, told as such."""
    with pytest.raises(DataError, match="load a script"):
        ScriptWorker().evaluate(_candles(1))


def test_progress_is_told(worker: ScriptWorker) -> None:
    """A long back-test shows how far it is."""
    seen: list[int] = []
    worker.load(HEAD + "condition_true = False")

    worker.evaluate(_candles(500), seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == 500


async def test_event_loop_is_not_blocked() -> None:
    """Paper and live runs await decisions beside everything else they do."""
    worker = ScriptWorker()
    try:
        info = await worker.load_async(HEAD + 'action_if_false = "close"\ncondition_true = False')
        result = await worker.evaluate_async(_candles(2))
    finally:
        worker.close()

    assert info.action_if_false == Close()
    assert result.codes.tolist() == [Code.FALSE, Code.FALSE]
