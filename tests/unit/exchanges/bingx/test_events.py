"""User events of BingX: what is believed, what is asked for, what is left out."""

from decimal import Decimal
from typing import Any

import pytest

from milobot.domain.intents import PositionSide
from milobot.domain.orders import FundingUpdate, OrderPurpose, OrderStatus, OrderUpdate
from milobot.domain.reports import AccountNews, MarginMode, NewsKind, SymbolSettings
from milobot.errors import ProtocolError
from milobot.exchanges.bingx.events import FollowOrder, UserEvents
from milobot.exchanges.bingx.mapping import funding_id
from milobot.exchanges.listen_keys import ListenKeyExpired

TIME_MS = 1_700_000_000_000
STOP_ID = "1769281218845814784"


def order_event(status: str, filled: str = "0.00000000", **more: Any) -> dict[str, Any]:
    """Return an event as recorded: no trade id, execution TRADE beside NEW, time 0."""
    order = {
        "s": "BTC-USDT", "c": "", "i": int(STOP_ID), "S": "SELL", "o": "STOP_MARKET",
        "q": "0.01000000", "p": "0", "sp": "60000.0", "ap": "0.0", "x": "TRADE", "X": status,
        "N": "USDT", "n": "0.0", "T": 0, "wt": "CONTRACT_PRICE", "ps": "LONG", "rp": "0.0",
        "z": filled, **more,
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": TIME_MS, "o": order}


def account_event(reason: str, balances: Any = (), positions: Any = (), **more: Any) -> Any:
    body = {"m": reason, "B": list(balances), "P": list(positions), **more}
    return {"e": "ACCOUNT_UPDATE", "E": TIME_MS, "T": TIME_MS + 7, "a": body}


def config_event(leverage: int, kind: str = "ACCOUNT_CONFIG_UPDATE") -> dict[str, Any]:
    setting = {"s": "BTC-USDT", "l": leverage, "S": leverage, "mt": "isolated"}
    return {"e": kind, "E": TIME_MS, "ac": setting}


def test_an_order_of_ours_without_an_id_gets_its_name_back() -> None:
    """Stops carry no id: theirs is looked up."""
    reader = UserEvents()
    reader.ids.bind("milo2", STOP_ID)

    (update,) = reader.parse(order_event("NEW"))

    assert isinstance(update, OrderUpdate)
    assert (update.client_order_id, update.status) == ("milo2", OrderStatus.SUBMITTED)
    assert update.time_ms == TIME_MS


def test_an_order_that_is_not_ours_goes_by_their_id() -> None:
    """Reported, never mistaken for ours."""
    (update,) = UserEvents().parse(order_event("CANCELED"))

    assert isinstance(update, OrderUpdate)
    assert (update.client_order_id, update.exchange_order_id) == (STOP_ID, STOP_ID)
    assert update.status is OrderStatus.CANCELLED


def test_our_id_is_read_in_lower_case() -> None:
    """BingX stores it so."""
    (update,) = UserEvents().parse(order_event("NEW", c="MILO1"))

    assert isinstance(update, OrderUpdate)
    assert update.client_order_id == "milo1"


@pytest.mark.parametrize(
    ("status", "filled", "is_over"),
    [
        ("PARTIALLY_FILLED", "0.004", False),
        ("FILLED", "0.010", True),
        ("FILLED", "", True),
        ("CANCELED", "0.004", True),
        ("NEW", "0.004", False),
    ],
)
def test_what_was_executed_is_asked_for(status: str, filled: str, is_over: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """An event names no execution: booked from two sources it would count twice."""
    (follow,) = UserEvents().parse(order_event(status, filled))

    quantity = Decimal(filled or 0)
    assert isinstance(follow, FollowOrder)
    assert (follow.symbol, follow.exchange_order_id) == ("BTCUSDT", STOP_ID)
    assert (follow.filled_quantity, follow.is_over) == (quantity, is_over)
    assert follow.status.is_final is is_over


def test_an_order_that_came_of_our_stop_has_its_name() -> None:
    """Where the event names the condition, the child's fills are the stop's."""
    reader = UserEvents()
    reader.ids.bind("milo2", STOP_ID)

    reader.parse(order_event("FILLED", "0.010", i=77, o="MARKET", ti=STOP_ID))

    assert reader.ids.client_id("77") == "milo2"


@pytest.mark.parametrize("more", [{"o": "LIQUIDATION"}, {"x": "CALCULATED"}])
def test_a_forced_order_is_told_apart(more: dict[str, Any]) -> None:
    """Liquidation and ADL are ours to book."""
    (update,) = UserEvents().parse(order_event("NEW", **more))
    (follow,) = UserEvents().parse(order_event("FILLED", "0.010", **more))

    assert isinstance(update, OrderUpdate)
    assert update.purpose is OrderPurpose.LIQUIDATION
    assert isinstance(follow, FollowOrder)
    assert follow.is_forced


def test_a_refused_trigger_ends_the_stop() -> None:
    """The engine flattens: the stop is gone and the position is not."""
    (update,) = UserEvents().parse(order_event("FAILED"))

    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.REJECTED


def test_positions_and_wallet_are_news() -> None:
    """Flat is told as a quantity of zero without a side."""
    balance = {"a": "USDT", "wb": "99.5", "cw": "99.5", "bc": "0"}
    long = {
        "s": "BTC-USDT",
        "pa": "0.010",
        "ep": "61000",
        "up": "0",
        "mt": "isolated",
        "ps": "LONG",
    }
    flat = {"s": "ETH-USDT", "pa": "0", "ep": "0", "ps": "SHORT"}

    (news,) = UserEvents().parse(account_event("ORDER", [balance], [long, flat]))

    assert isinstance(news, AccountNews)
    assert (news.kind, news.wallet, news.time_ms) == (
        NewsKind.POSITION,
        Decimal("99.5"),
        TIME_MS + 7,
    )
    assert [(p.symbol, p.side, p.quantity) for p in news.positions] == [
        ("BTCUSDT", PositionSide.LONG, Decimal("0.010")),
        ("ETHUSDT", None, Decimal(0)),
    ]


def test_play_money_is_the_wallet_of_the_demo_host() -> None:
    """There the account is kept in VST."""
    reader = UserEvents(assets=("VST", "USDT"))
    rows = [{"a": "USDT", "wb": "1"}, {"a": "VST", "wb": "100000"}]

    (news,) = reader.parse(account_event("DEPOSIT", rows))

    assert isinstance(news, AccountNews)
    assert (news.kind, news.wallet) == (NewsKind.BALANCE, Decimal(100_000))


def test_funding_of_an_isolated_position_is_booked() -> None:
    """Under the name that the listing of bookings gives it too."""
    balance = {"a": "USDT", "wb": "99.5", "bc": "-0.5"}
    position = {"s": "BTC-USDT", "pa": "0.010", "ep": "61000", "ps": "LONG"}

    update, news = UserEvents().parse(account_event("FUNDING_FEE", [balance], [position]))

    name = funding_id("BTCUSDT", TIME_MS + 60_000)
    assert update == FundingUpdate(name, "BTCUSDT", Decimal("0.5"), TIME_MS + 7)
    assert isinstance(news, AccountNews)


def test_funding_without_a_position_is_news_of_the_balance_only() -> None:
    """Of which symbol it was nobody says: the listing of bookings tells."""
    balance = {"a": "USDT", "wb": "99.5", "bc": "-0.5"}

    (news,) = UserEvents().parse(account_event("FUNDING_FEE", [balance]))

    assert isinstance(news, AccountNews)


def test_settings_are_news_only_when_they_change() -> None:
    """All of them come every five seconds; each asks for a reconciliation."""
    reader = UserEvents()

    told = [reader.parse(config_event(n)) for n in (10, 10, 20, 20)]

    assert [len(one) for one in told] == [0, 0, 1, 0]
    assert isinstance(told[2][0], AccountNews)
    assert (told[2][0].kind, told[2][0].symbol) == (NewsKind.SETTINGS, "BTCUSDT")
    assert told[2][0].settings == SymbolSettings("BTCUSDT", 20, MarginMode.ISOLATED)


@pytest.mark.parametrize("terms", [{"S": 5}, {"l": "much", "S": "much"}, {"mt": "other"}])
def test_settings_that_are_not_told_in_full_are_left_to_be_read(terms: dict[str, Any]) -> None:
    """Two leverages, or a mode that we do not know: an answer says more."""
    reader = UserEvents()
    reader.parse(config_event(10))
    event = config_event(20)
    event["ac"] |= terms

    (news,) = reader.parse(event)

    assert isinstance(news, AccountNews)
    assert news.settings is None


def test_a_snapshot_is_read_for_what_it_holds() -> None:
    """The first frame after connecting; of settings it starts the comparison."""
    reader = UserEvents()

    assert reader.parse(config_event(10, kind="SNAPSHOT")) == []
    assert len(reader.parse(config_event(20))) == 1
    account = {**account_event("SNAPSHOT", [{"a": "USDT", "wb": "5"}]), "e": "SNAPSHOT"}
    (news,) = reader.parse(account)
    assert isinstance(news, AccountNews)
    assert news.wallet == 5


def test_an_expired_key_is_said_so() -> None:
    """No event comes any more until there is a new one."""
    event = {"e": "listenKeyExpired", "E": TIME_MS, "listenKey": "x"}

    assert UserEvents().parse(event) == [ListenKeyExpired()]


def test_unknown_events_are_counted() -> None:
    """A new kind must not stop the stream, nor vanish."""
    reader = UserEvents()

    assert reader.parse({"e": "SOMETHING_NEW"}) == []
    assert reader.skipped == {"SOMETHING_NEW": 1}


def test_an_event_that_lacks_what_it_promises_is_refused() -> None:
    """Counted as garbage by the stream, and reported."""
    with pytest.raises(ProtocolError, match="SOMETHING"):
        UserEvents().parse(order_event("SOMETHING"))
    with pytest.raises(ProtocolError):
        UserEvents().parse({"e": "ACCOUNT_UPDATE", "E": TIME_MS})
