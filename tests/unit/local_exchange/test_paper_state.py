"""The file of a paper account: all of it comes back, and a bad one is left alone."""

import json
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.paper import BTC, account_of, held, paper_exchange, until
from tests.unit.local_exchange.test_following import RULES, Told

from milobot.errors import ConfigurationError


async def trade(file: Path) -> None:
    """Leave an account with a position, a stop and a limit order behind."""
    async with paper_exchange("binance", file) as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        await wire.quote("40000", "40000")
        await wire.order("BUY", newClientOrderId="first")
        await wire.algo("39000")
        await wire.limit("35000", newClientOrderId="second")


async def test_everything_comes_back_and_ids_go_on(tmp_path: Path) -> None:
    """What a bot reads after a restart must be what it read before it."""
    file = tmp_path / "paper-binance.json"
    await trade(file)
    async with paper_exchange("binance", file) as paper, Told(paper) as wire:
        account = account_of(paper)
        used = {*account.orders, *account.conditionals}
        assert held(paper) == Decimal("0.01")
        assert [o.ticket.client_id for o in account.open_orders] == ["second"]
        assert len(account.open_conditionals) == 1
        assert account.executions[0].order_id in used
        assert account.incomes
        assert account.wallet < Decimal(10_000)
        late = await wire.order("BUY")
        assert late.status == 503  # the price is of before the restart
        await wire.quote("34000", "34000")
        fresh = await wire.order("BUY", "0.02")

    assert fresh.body["orderId"] not in used
    assert fresh.body["orderId"] > max(used)
    kinds = [order.ticket.type_name for order in account.orders.values()]
    assert kinds.count("LIMIT") == 1
    assert account.orders[min(account.orders)].executions


async def test_a_change_is_on_the_disk_before_the_end(tmp_path: Path) -> None:
    """A machine that loses its power must not lose the trades of a day."""
    file = tmp_path / "paper-binance.json"
    async with paper_exchange("binance", file) as paper, Told(paper) as wire:
        await wire.tell("contracts", rules=[RULES])
        await wire.quote("40000", "40000")
        await wire.order("BUY")
        await until(lambda: file.exists() and "COMMISSION" in file.read_text())

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name(".paper-binance.json.new").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "it is no JSON"),
        (b'{"form": "something else"}', "another program wrote it"),
        (b'{"form": "milobot paper exchange", "version": 99}', "version 99"),
        (
            b'{"form": "milobot paper exchange", "version": 1, "dialect": "bingx"}',
            "of bingx, not of binance",
        ),
        (
            b'{"form": "milobot paper exchange", "version": 1, "dialect": "binance"}',
            "move it away",
        ),
    ],
)
async def test_a_file_that_is_none_is_refused_and_left_alone(
    content: bytes, said: str, tmp_path: Path
) -> None:
    """Nothing is lost by a mistake: neither a damaged account nor somebody's other file."""
    file = tmp_path / "paper-binance.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        async with paper_exchange("binance", file):
            raise AssertionError("it was opened")
    assert file.read_bytes() == content


@pytest.mark.parametrize("damage", ["wallet", "orders", "held", "executions"])
async def test_a_part_that_is_damaged_is_found(damage: str, tmp_path: Path) -> None:
    """Half an account is worse than none: the whole file is refused."""
    file = tmp_path / "paper-binance.json"
    await trade(file)
    content = json.loads(file.read_text())
    content[damage] = "x" if damage == "wallet" else [{"id": "x"}]
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="move it away"):
        async with paper_exchange("binance", file):
            raise AssertionError("it was opened")


async def test_two_processes_do_not_share_an_account(tmp_path: Path) -> None:
    """Each would overwrite what the other one traded."""
    file = tmp_path / "paper-binance.json"
    async with paper_exchange("binance", file):
        with pytest.raises(ConfigurationError, match="another milobot"):
            async with paper_exchange("binance", file):
                raise AssertionError("it was opened")
    async with paper_exchange("binance", file) as again:
        assert not held(again, BTC)
