"""Several keys of one account, which show in the ledger who sent what."""

from tests.support.wire import BinanceWire, BingxWire, flat_bars, setup_of

from milobot.local_exchange.server import LocalExchange
from milobot.local_exchange.setup import DEFAULT_KEY, Credentials

_TWO_KEYS = (Credentials(further_keys=("other-key",)),)


async def test_binance_requests_by_two_keys_reach_one_account_and_are_told_apart() -> None:
    """Two processes on one account must not look like two accounts, nor like one sender."""
    setup = setup_of(flat_bars(4), credentials=_TWO_KEYS)
    async with LocalExchange(setup) as exchange:
        await exchange.advance()
        for key in (DEFAULT_KEY, "other-key"):
            async with BinanceWire(exchange, key) as wire:
                assert (await wire.order()).status == 200

        truth = exchange.ledger()

    account = next(a for a in truth["accounts"] if a["dialect"] == "binance")
    assert [p["quantity"] for p in account["positions"]] == ["0.02"]
    assert [r["key"] for r in truth["requests"]] == [DEFAULT_KEY, "other-key"]
    assert len(truth["accounts"]) == 2


async def test_bingx_knows_a_further_key_too() -> None:
    """Both dialects find accounts in one way."""
    setup = setup_of(flat_bars(4), credentials=_TWO_KEYS, dialects=("bingx",))
    async with LocalExchange(setup) as exchange, BingxWire(exchange, "other-key") as wire:
        balance = await wire.call("GET", "/openApi/swap/v3/user/balance")

    assert balance.body["code"] == 0
