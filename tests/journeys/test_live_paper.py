"""Paper trading on an exchange's live candles: trades on paper, nothing at the exchange."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milobot.app.exchange_process import ExchangeAddress, local_exchange
from milobot.app.live_paper import LivePaperRequest, MarketClient, open_run
from milobot.app.preparation import Source, load_script
from milobot.backtest.runner import Terms
from milobot.errors import ConfigurationError
from milobot.exchanges.binance.client import BinanceClient
from milobot.exchanges.binance.hosts import BinanceHosts
from milobot.exchanges.bingx.client import BingxClient
from milobot.exchanges.bingx.hosts import BingxHosts
from milobot.scripting.client import ScriptWorker

SCRIPT = """
timeframe = "1m"
coin = "BTCUSDT"
action_if_true = "long(1%risk@30x,sl=0.1%,rr=1)"
action_if_false = "short(1%risk@30x,sl=0.1%,rr=1)"
fast = await calculate_ema(data, 3)
slow = await calculate_ema(data, 9)
condition_true = fast[-1] > slow[-1]
"""
LIMIT_S = 45.0


def binance(exchange: ExchangeAddress) -> MarketClient:
    """Return Binance's public data, without a key."""
    return BinanceClient(BinanceHosts.at(exchange.url))


def bingx(exchange: ExchangeAddress) -> MarketClient:
    """Return BingX's public data, without a key."""
    return BingxClient(BingxHosts.at(exchange.url))


def request_in(folder: Path, script: str, exchange: str) -> LivePaperRequest:
    """Return a run of a script that is written into a folder."""
    path = folder / "x.script"
    path.write_text(script, encoding="utf-8")
    source = Source(path, database=folder / "candles.db", data_limit=60)
    return LivePaperRequest(source, Terms(), exchange)


@pytest.mark.parametrize(("dialect", "client"), [("binance", binance), ("bingx", bingx)])
async def test_a_script_trades_on_paper_over_live_candles(
    dialect: str, client: Callable[[ExchangeAddress], MarketClient], tmp_path: Path
) -> None:
    """History first, then each candle as it closes; the exchange sees no order."""
    request = request_in(tmp_path, SCRIPT, f"{dialect}-local")
    flags = ("--dialect", dialect, "--speed", "10", "--history", "200")
    async with local_exchange(flags) as exchange:
        with ScriptWorker() as worker:
            info = load_script(worker, request.source)
            async with open_run(request, info, worker, lambda: client(exchange)) as (paper, work):
                journal = paper.account.journal
                async with asyncio.TaskGroup() as tasks:
                    running = tasks.create_task(work())
                    await until(lambda: len(journal.round_trips) > 1)
                    running.cancel()
        ledger = await asyncio.to_thread(fetch, f"{exchange.url}/control/ledger")

    snapshot = paper.state.snapshot()
    assert snapshot["mode"] == "paper"
    assert len(snapshot["candles"]) > 60
    assert journal.round_trips[0].stop is not None
    assert "MARKET" not in json.dumps(ledger)


async def test_a_symbol_that_is_not_traded_is_named_with_its_neighbours(tmp_path: Path) -> None:
    """A typing error costs a sentence, not a night."""
    request = request_in(tmp_path, SCRIPT.replace("BTCUSDT", "BTCUSD"), "binance-local")
    async with local_exchange(("--dialect", "binance", "--speed", "1")) as exchange:
        with ScriptWorker() as worker:
            info = load_script(worker, request.source)
            with pytest.raises(ConfigurationError, match="did you mean BTCUSDT"):
                async with open_run(request, info, worker, lambda: binance(exchange)):
                    raise AssertionError("a run was opened")


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; what the engine has traded is no event to wait for."""
    for _ in range(int(LIMIT_S / 0.1)):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {LIMIT_S} s")


def fetch(address: str) -> Any:
    """Return a JSON answer."""
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http on loopback
        return json.loads(answer.read())
