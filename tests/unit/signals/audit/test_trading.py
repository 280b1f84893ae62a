"""Set-ups over candles made by hand: when they enter, where they leave, what they earn."""

from decimal import Decimal

import pytest
from tests.support.audit_scene import Prices, audited, minute, played, say, source

from milobot.signals.profile import ChannelProfile

CALM: Prices = (100, 100.5, 99.5, 100)
LONG = "Long BTCUSDT entry 100 SL 90 TP 110"
AT_MARKET = "Long BTCUSDT now SL 90 TP 110"


def test_market_entry_takes_the_open_of_the_next_candle() -> None:
    """Nobody can buy at the price that was there before the message could be read."""
    result = played(AT_MARKET, [(100, 101, 99, 100), (100, 112, 100, 111)])

    assert (result.entry_price, result.exit_price) == (Decimal(100), Decimal(110))
    assert (result.fate, result.exit_reason) == ("closed", "target")
    assert result.r == pytest.approx(1.0)
    assert result.hits == (1,)


def test_message_inside_a_candle_counts_from_the_next_one() -> None:
    """A candle's open lies before a message that came during it."""
    report = audited([say(AT_MARKET, 0.5)], source([CALM, (101, 112, 101, 111)]))
    (result,) = report.played

    assert result.first_price == 101
    assert result.entry_ms == minute(1)
    assert result.drift == pytest.approx(0.01)  # against the last close before the message


def test_stop_comes_first_inside_a_candle() -> None:
    """A candle that reaches both says nothing about which came first: the worst is taken."""
    result = played(AT_MARKET, [CALM, (100, 115, 85, 100)])

    assert (result.exit_reason, result.exit_price) == ("stop", Decimal(90))
    assert result.r == pytest.approx(-1.0)
    assert result.is_in_doubt


def test_stop_alone_is_in_no_doubt() -> None:
    """Only what a finer candle might change is counted as doubtful."""
    result = played(AT_MARKET, [CALM, (100, 105, 85, 86)])

    assert not result.is_in_doubt


def test_limit_waits_for_the_candle_that_trades_through_it() -> None:
    """A follower's order fills at its price, not at the open of that candle."""
    rows: list[Prices] = [(104, 105, 103, 104), (104, 104, 99, 101), (101, 111, 101, 110)]
    result = played(LONG, rows)

    assert (result.entry_price, result.entry_ms) == (Decimal(100), minute(1))
    assert result.r == pytest.approx(1.0)


def test_limit_that_opens_better_fills_at_the_open() -> None:
    """A market that jumps over a limit price gives the better one."""
    result = played(LONG, [(104, 104, 103, 103), (95, 96, 94, 95), (95, 111, 95, 110)])

    assert result.entry_price == 95


def test_limit_and_stop_in_one_candle_lose() -> None:
    """The way down passes the entry before it reaches the stop."""
    result = played(LONG, [(104, 104, 103, 103), (103, 104, 89, 95)])

    assert result.exit_reason == "stop"
    assert result.r == pytest.approx(-1.0)


def test_high_of_the_entry_candle_is_no_gain() -> None:
    """The high of a candle that falls to the entry was there before the entry, for all we know."""
    result = played(
        "Long BTCUSDT entry 100 SL 90 TP 108",
        [(104, 104, 103, 103), (105, 109, 99, 100), (100, 104, 89, 90)],
    )

    assert (result.entry_ms, result.exit_reason) == (minute(1), "stop")


def test_close_beyond_the_target_proves_it() -> None:
    """A candle that fell to the entry and closes beyond the target has passed it afterwards."""
    result = played(LONG, [(104, 104, 103, 103), (105, 111, 99, 111), (111, 112, 110, 111)])

    assert (result.exit_reason, result.exit_ms) == ("target", minute(1))


def test_target_before_the_entry_ends_the_wait() -> None:
    """What was missed is not chased: the message is over."""
    result = played(LONG, [(104, 104, 103, 103), (105, 111, 104, 108), (108, 108, 99, 100)])

    assert (result.fate, result.code, result.r) == ("cancelled", "target_before_entry", None)


def test_entry_that_never_comes_expires() -> None:
    """An order is not good for ever: a day, unless the profile says otherwise."""
    profile = ChannelProfile(expiry_s=120)
    rows: list[Prices] = [*([(104.0, 105.0, 103.0, 104.0)] * 4), (104, 104, 99, 100)]

    assert played(LONG, rows, profile=profile).fate == "expired"


def test_short_is_the_mirror() -> None:
    """A sign that is wrong somewhere shows here."""
    text = "Short BTCUSDT entry 100 SL 110 TP 90"
    result = played(text, [(96, 97, 95, 96), (96, 101, 96, 99), (99, 99, 89, 90)])

    assert (result.entry_price, result.exit_price) == (Decimal(100), Decimal(90))
    assert result.r == pytest.approx(1.0)


def test_breakout_enters_on_the_way_up() -> None:
    """Through the price, and everything behind it counts."""
    text = "Long BTCUSDT if it breaks above 100, SL 95, TP 110"
    result = played(text, [(98, 99, 97, 98), (98, 111, 98, 110)])

    assert (result.entry_price, result.exit_reason) == (Decimal(100), "target")
    assert result.r == pytest.approx(2.0)


def test_stop_before_the_breakout_ends_the_wait() -> None:
    """What has failed before it began is not entered when the price comes back."""
    text = "Long BTCUSDT if it breaks above 100, SL 95, TP 110"
    calm: list[Prices] = [(98, 99, 97, 98)] * 3
    result = played(text, [*calm, (98, 98, 94, 96), *calm, (98, 111, 98, 110)])

    assert (result.fate, result.code) == ("cancelled", "stop_before_entry")


def test_shares_are_taken_target_by_target() -> None:
    """Half at +1 R, half stopped at -1 R, is nothing."""
    text = "Long BTCUSDT now SL 90 TP1 110 (50%) TP2 120 (50%)"
    result = played(text, [CALM, (100, 111, 100, 110), (110, 110, 89, 90)])

    assert result.hits == (1,)
    assert result.r == pytest.approx(0.0)


def test_break_even_of_the_profile_moves_the_stop() -> None:
    """After its first target a trade cannot lose any more."""
    text = "Long BTCUSDT now SL 90 TP1 110 (50%) TP2 120 (50%)"
    profile = ChannelProfile(break_even_after=1)
    result = played(text, [CALM, (100, 111, 100, 110), (110, 110, 89, 90)], profile=profile)

    assert result.exit_reason == "break_even"
    assert result.r == pytest.approx(0.5)


def test_ladder_adds_its_legs_and_risks_the_whole_once() -> None:
    """Each leg risks half: 1/12 at 100 and 1/8 at 96 have their mean at 97.6."""
    text = "Long BTCUSDT Entry 1: 100 (50%) Entry 2: 96 (50%) SL 88 TP 110"
    result = played(text, [(104, 104, 103, 103), (103, 103, 95, 97), (97, 97, 87, 88)])

    assert float(result.entry_price or 0) == pytest.approx(97.6, rel=1e-5)
    assert result.r == pytest.approx(-1.0, rel=1e-4)


def test_one_leg_of_a_ladder_risks_its_share() -> None:
    """What was not bought is not lost."""
    text = "Long BTCUSDT Entry 1: 100 (50%) Entry 2: 96 (50%) SL 88 TP 110"
    result = played(text, [(104, 104, 103, 103), (103, 103, 99, 101), (101, 111, 101, 110)])

    assert result.entry_price == 100
    assert result.r == pytest.approx(0.5 * 10 / 12)


def test_reply_closes_at_the_next_open() -> None:
    """A reply is followed when it can be, not at the price it was thought of."""
    close = say("Close BTC", 1.5, number=2, reply_to="1")
    result = played(AT_MARKET, [CALM, (100, 105, 99, 104), (103, 104, 102, 103)], close)

    assert (result.exit_reason, result.exit_price) == ("close", Decimal(103))
    assert result.r == pytest.approx(0.3)


def test_close_of_a_symbol_without_an_address_closes_it() -> None:
    """Channels often do not use the reply function: the symbol says what is meant."""
    close = say("Close BTC", 1.5, number=2)
    result = played(AT_MARKET, [CALM, (100, 105, 99, 104), (103, 104, 102, 103)], close)

    assert (result.exit_reason, result.exit_price) == ("close", Decimal(103))


def test_command_without_an_address_means_the_last_set_up_of_its_symbol() -> None:
    """Moving the stop of an older trade to where the newer one entered would be wrong."""
    rows: list[Prices] = [CALM, CALM, (100, 105, 100, 104), (104, 104, 99, 100), CALM]
    messages = [
        say("Long BTCUSDT now SL 90 TP 120", 0),
        say("Long BTCUSDT now SL 91 TP 121", 1, number=2),
        say("Move BTC SL to entry", 2.5, number=3),
    ]
    first, second = audited(messages, source(rows)).played

    assert (first.exit_reason, second.exit_reason) == ("end_of_data", "break_even")


def test_reply_to_a_reply_concerns_the_set_up() -> None:
    """Chatter hangs below chatter, and at the end of it somebody says close."""
    chat = say("looking good so far", 0.5, number=2, reply_to="1")
    close = say("Close it", 1.5, number=3, reply_to="2")
    result = played(AT_MARKET, [CALM, (100, 105, 99, 104), (103, 104, 102, 103)], chat, close)

    assert result.exit_reason == "close"


def test_reply_about_another_symbol_changes_nothing() -> None:
    """It names ETH and answers a trade in BTC: nobody knows which is meant."""
    close = say("Close ETH", 1.5, number=2, reply_to="1")
    result = played(AT_MARKET, [CALM, (100, 105, 99, 104), (103, 104, 102, 103)], close)

    assert result.exit_reason == "end_of_data"


def test_reply_moves_the_stop() -> None:
    """Stop to entry: what came back costs nothing."""
    move = say("Move SL to entry", 1.5, number=2, reply_to="1")
    rows: list[Prices] = [CALM, (100, 105, 99, 104), (104, 104, 103, 103), (103, 103, 89, 90)]
    result = played(AT_MARKET, rows, move)

    assert result.exit_price == 100
    assert result.r == pytest.approx(0.0)


def test_reply_takes_a_waiting_set_up_back() -> None:
    """Cancelled before its entry: no trade, and none is counted."""
    cancel = say("cancel BTC", 0.5, number=2, reply_to="1")
    result = played(LONG, [(104, 105, 103, 104), (104, 104, 99, 101), CALM], cancel)

    assert (result.fate, result.r) == ("cancelled", None)


def test_fees_and_slippage_are_paid() -> None:
    """0.1 % of 100 on each side of a stop 10 away is 2 % of the risk; slippage the same."""
    rows: list[Prices] = [CALM, (100, 112, 100, 111)]
    result = played(AT_MARKET, rows, fee=Decimal("0.001"))

    assert result.fees == pytest.approx(0.021)
    assert result.r == pytest.approx(1 - 0.021)
    assert result.as_posted == pytest.approx(1.0)


def test_open_trade_is_valued_where_the_candles_end() -> None:
    """Its result is not known, and the report says so."""
    result = played(AT_MARKET, [CALM, (100, 106, 100, 105)])

    assert (result.fate, result.exit_reason) == ("unfinished", "end_of_data")
    assert result.r == pytest.approx(0.5)


def test_leverage_that_liquidates_before_the_stop_is_denied() -> None:
    """20x and a stop 10 % away cannot both be: the engine's own gate says so."""
    result = played(AT_MARKET + " leverage 20x", [CALM, CALM])

    assert (result.fate, result.code) == ("denied", "liquidation_before_stop")


def test_price_that_has_left_is_not_chased() -> None:
    """A market entry named at 100 is not bought at 105."""
    result = played("Long BTCUSDT now 100 SL 90 TP 120", [(105, 106, 104, 105), CALM])

    assert (result.fate, result.r) == ("late", None)


def test_together_the_second_set_up_finds_the_symbol_taken() -> None:
    """On one account a channel has one position a symbol; alone both are played."""
    other = "Long BTCUSDT now SL 95 TP 112"
    rows: list[Prices] = [CALM, CALM, (100, 113, 100, 112)]
    report = audited([say(AT_MARKET), say(other, 1, number=2)], source(rows))

    assert len(report.trades.results) == 2
    assert report.portfolio is not None
    assert report.portfolio.trades == 1
    assert report.portfolio.total_return == pytest.approx(0.01)


def test_opposite_set_up_reverses_on_one_account() -> None:
    """The long is left at the open at which the short begins."""
    short = "Short BTCUSDT now SL 110 TP 90"
    rows: list[Prices] = [CALM, (105, 106, 104, 105), (105, 105, 89, 90)]
    report = audited([say(AT_MARKET), say(short, 1, number=2)], source(rows))

    assert report.portfolio is not None
    assert report.portfolio.trades == 2
