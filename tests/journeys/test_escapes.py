"""The corpus of escapes, against the language and the lock together and against the lock alone."""

from collections import Counter

import pytest
from tests.support.escapes.corpus import Payload, bombs, capability, escapes, traps
from tests.support.escapes.runs import Unfenced, Unlocked, as_script
from tests.support.locked_python import End
from tests.support.waves import HEAD, wave

from milobot.domain.market import COLUMNS
from milobot.errors import ScriptError, ScriptForbiddenError
from milobot.scripting.interpreter import Interpreter
from milobot.scripting.pool import ScriptPool

WITNESS = HEAD + (
    "swings = await calculate_zigzag(data, 0.5, 2)\n"
    "rsi = await calculate_rsi(data, 5)\n"
    "found = await detect_divergences(rsi, swings, data, 90, 0)\n"
    "print(sum(c['close'] for c in data), rsi[-1], list(swings), found, str(abs(-1)))\n"
    "condition_true = rsi[-1] < 50\n"
)
LENGTH = 200


def test_corpus_is_as_large_as_it_claims() -> None:
    """A file that lost its payloads would let every other test pass."""
    payloads = escapes()
    names = Counter((p.group, p.name) for p in payloads)

    assert len(payloads) >= 300
    assert len(bombs()) >= 50
    assert max(names.values()) == 1
    assert all(p.code.strip() for p in [*payloads, *bombs()])


def test_payloads_work_where_nothing_stops_them() -> None:
    """Without language and lock they get what they want: their failure elsewhere means something."""
    escaped, capable = [], []
    with traps() as set_up, Unlocked() as process:
        for payload in escapes():
            set_up.set_again()
            text = process.run(set_up.fill(payload.code))
            if set_up.caught(text):
                escaped.append(payload)
            elif capability(text):
                capable.append(payload)

    assert len(escaped) >= 80, len(escaped)
    assert len(capable) >= 100, len(capable)


async def test_script_gets_nothing() -> None:
    """No file, variable, connection, process, no class, frame or function, no worker lost.

    Beside each payload another script of the same workers decides as if it were alone.
    """
    payloads = escapes()
    last = LENGTH + len(payloads)
    columns = {name: getattr(wave(last), name) for name in COLUMNS}
    interpreter = Interpreter(WITNESS)
    interpreter.append(columns)
    how: Counter[str] = Counter()
    with traps() as set_up:
        async with ScriptPool(workers=2) as pool:
            await pool.add("witness", WITNESS, wave(LENGTH))
            pids = pool.pids
            for index, payload in enumerate(payloads, LENGTH):
                set_up.set_again()
                kind, text = await _as_script(pool, set_up.fill(payload.code))
                how[kind] += 1
                assert (set_up.caught(text), capability(text)) == ([], ""), (payload, text)

                witness = await pool.evaluate("witness", wave(index + 1, index))
                alone = interpreter.evaluate(index, index + 1)
                assert witness.codes.tolist() == alone.codes.tolist(), payload
                assert witness.prints == alone.prints, payload
            assert pool.pids == pids

    assert how["forbidden"] >= 250, how
    assert how["ran"] >= 15, how


async def _as_script(pool: ScriptPool, code: str) -> tuple[str, str]:
    """Return how a payload ended as a script, and all that came out of it."""
    try:
        await pool.add("payload", as_script(code), wave(LENGTH))
    except ScriptForbiddenError as exc:
        return "forbidden", str(exc)
    except ScriptError as exc:
        return "wrong", str(exc)
    result = await pool.evaluate("payload", wave(LENGTH + 1, LENGTH))
    await pool.remove("payload")
    texts = [line.text for line in result.prints] + [fault.reason for fault in result.errors]
    return "failed" if result.errors else "ran", "\n".join(texts)


@pytest.fixture(scope="module")
def outcomes() -> list[tuple[Payload, End, list[str], str]]:
    """Return how each payload ended in a locked worker without the allow-list."""
    found = []
    with traps() as set_up, Unfenced() as process:
        for payload in escapes():
            set_up.set_again()
            outcome = process.run(set_up.fill(payload.code))
            found.append((payload, outcome.end, set_up.caught(outcome.text), outcome.text))
    return found


def test_lock_alone_lets_nothing_out(
    outcomes: list[tuple[Payload, End, list[str], str]],
) -> None:
    """With all of Python in its hands an intruder still reads and writes nothing."""
    assert [row for row in outcomes if row[2]] == []


def test_lock_alone_was_really_alone(
    outcomes: list[tuple[Payload, End, list[str], str]],
) -> None:
    """The payloads ran: they got at classes and frames, and the kernel raised its alarm."""
    ends = Counter(end for _, end, _, _ in outcomes)

    assert sum(bool(capability(text)) for _, _, _, text in outcomes) >= 100
    assert ends[End.ALARM] >= 10, ends
    assert ends[End.RETURNED] >= 250, ends


def test_traps_close() -> None:
    """Each trap tells what it is there for, once, and is set again."""
    with traps() as set_up:
        assert set_up.caught("") == []
        assert set_up.caught((set_up.folder / "marker").read_text()) == ["file read"]
        assert set_up.caught("'listed-2d55', 'marker'") == ["folder read"]
        set_up.out.write_text("x")
        set_up.canary.kill()
        set_up.canary.wait()
        assert set_up.caught("") == ["file written", "process killed"]
        set_up.set_again()
        assert set_up.caught("") == []
