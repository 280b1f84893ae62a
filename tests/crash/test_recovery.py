"""Recovery from faults: a real bot and its judges; ``make prove-recovery`` does thirty of each."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.recovery.batch import Batch, Recovery, carry_out
from tests.support.recovery.faults import DATABASE, KILL, KINDS, STREAMS, faults_of
from tests.support.recovery.line import Line
from tests.support.recovery.runs import all_batches, load_rows
from tests.support.recovery.summary import availability, away_s, figures_of, misses, share


async def test_a_bot_that_is_killed_and_one_without_streams_trade_again(tmp_path: Path) -> None:
    """A real ``milobot run`` under a supervisor: it recovers, nothing is doubled or unprotected."""
    seen: list[Recovery] = []

    verdict = await carry_out(Batch("binance", "sqlite", 2, (KILL, STREAMS)), tmp_path, seen.append)

    assert verdict.wrong == []
    assert {r.kind for r in seen} == {KILL, STREAMS}
    assert all(r.took_ms >= 0 for r in verdict.recoveries)
    assert verdict.figures["entries"] > len(seen)


def test_a_campaign_has_as_many_faults_of_each_kind_and_repeats_itself() -> None:
    """Half of the batches have no server to restart; the others restart theirs twice."""
    batches = all_batches(30)
    faults = [fault for batch in batches for fault in faults_of(batch.seed, batch.kinds)]

    assert {kind: sum(f.kind == kind for f in faults) for kind in KINDS} == dict.fromkeys(KINDS, 30)
    assert faults == [f for b in all_batches(30) for f in faults_of(b.seed, b.kinds)]
    assert {(b.dialect, b.database) for b in batches if DATABASE in b.kinds} == {
        ("binance", "postgres"),
        ("bingx", "postgres"),
    }


def _row(*took_ms: int, kind: str = KILL, lasted_ms: int = 2_000, **more: Any) -> dict[str, Any]:
    recoveries = [
        {"kind": kind, "variant": "x", "lasted_ms": lasted_ms, "took_ms": ms, "ready_ms": ms}
        for ms in took_ms
    ]
    return {"name": "batch", "recoveries": recoveries, "wrong": [], "figures": {}, **more}


def test_the_faults_own_length_is_told_apart_from_the_recovery() -> None:
    """Who counts recoveries alone praises himself; who counts all measures the dice of the drill."""
    rows = [_row(1_000, 3_000), _row(500, kind=STREAMS, lasted_ms=4_000)]
    figures = figures_of(rows)

    assert away_s(figures, whole=False) == pytest.approx(2.5)
    assert away_s(figures, whole=True) == pytest.approx(2.5 + 2 + 4)
    assert availability(86.4) == pytest.approx(0.999)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (_row(*[1_000] * 18, 5_001, 5_001), "kill: p95 5001 ms, limit 5000 ms"),
        (_row(*[1_000] * 29, 10_001), "kill: longest 10001 ms, limit 10000 ms"),
        (_row(1_000, -1), "kill: 1 of 2 were not got over"),
        (_row(1_000, wrong=["it was executed twice"]), "batch: it was executed twice"),
        (_row(1_000, lasted_ms=90_000), "availability 99.8947%, promised 99.9%"),
    ],
)
def test_whatever_is_not_as_promised_is_named(row: dict[str, Any], sentence: str) -> None:
    """The exit code of the campaign hangs on these sentences."""
    assert misses([row]) == [sentence]


def test_a_campaign_within_its_limits_misses_nothing() -> None:
    """One of twenty may take longer than five seconds, none longer than ten."""
    assert misses([_row(*[4_999] * 19, 9_999)]) == []
    assert share((1, 2, 3, 4), 0.5) == 2


def test_a_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Of a batch that was repeated the latest row counts, and of others none."""
    results = tmp_path / "rows.jsonl"
    results.write_text('{"name": "a", "n": 1}\n{"name": "b"}\n{"name": "a", "n": 2}\n')

    assert load_rows(results, {"a", "c"}) == [{"name": "a", "n": 2}]


async def _ask(url: str) -> bytes:
    """Return what an echo answers over a line, or why there is no answer."""
    port = int(url.rpartition(":")[2])
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return b"refused"
    writer.write(b"hello")
    try:
        async with asyncio.timeout(0.2):
            return await reader.read(5)
    except TimeoutError:
        return b"silent"
    finally:
        writer.transport.abort()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(100):
        writer.write(piece)
    writer.close()


async def test_a_line_refuses_is_silent_and_is_mended_on_the_same_port() -> None:
    """A drill whose outage lets something through proves nothing."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Line(f"http://127.0.0.1:{port}") as line:
        before = await _ask(line.url)
        line.refuse()
        refused = await _ask(line.url)
        await line.mend()
        mended = await _ask(line.url)
        line.silence()
        silent = await _ask(line.url)
        await line.mend()
        after = await _ask(line.url)

    assert (before, refused, mended, silent, after) == (
        b"hello",
        b"refused",
        b"hello",
        b"silent",
        b"hello",
    )
