"""Set-ups: forms and traps of real channels that the document has no room for."""

from decimal import Decimal

import pytest

from milobot.domain.intents import PositionSide, SizeKind
from milobot.domain.reports import MarginMode
from milobot.signals.reader import read
from milobot.signals.reading import EntryKind, ReadingKind, SignalReading


def _prices(reading: SignalReading) -> tuple[list[str], str | None, list[str]]:
    assert reading.entry is not None, reading.reason
    stop = str(reading.stop.price) if reading.stop else None
    return [str(p) for p in reading.entry.prices], stop, [str(t.price) for t in reading.targets]


@pytest.mark.parametrize(
    ("text", "entries", "stop", "targets"),
    [
        ("BTCUSDT LONG Entry1 65000 Entry2 64000 SL 63000 TP1 66000 TP2 67000",
         ["65000", "64000"], "63000", ["66000", "67000"]),
        ("BTCUSDT Long\nTP3: 68000\nTP1: 66000\nTP2: 67000\nEntry: 65000\nSL: 63000",
         ["65000"], "63000", ["66000", "67000", "68000"]),
        ("Long SOL/USDT\n150\n\nTP 160 170\nSl 145", ["150"], "145", ["160", "170"]),
        ("LONG #SOL 10x\nEntry 150\nTargets:\n\U0001f3af 155\n\U0001f3af 160\n0.1$ fee\nStop loss \U0001f534 145",
         ["150"], "145", ["155", "160"]),
        ("Short SOL/USDT\nEntry 150\nTarget 140\n155$ can be stop", ["150"], "155", ["140"]),
        ("Long SOLUSDT\nEntry: 150\nSTOL LOSS : 145\nTP: 160+", ["150"], "145", ["160"]),
        ("Long SOLUSDT Entry: 150 SL: 1H Candle Close Under 145 TP: 160", ["150"], "145", ["160"]),
        ("Long SOLUSDT Entry 1.30 TP1 1.35 TP2 1.40 TP31.45 SL 1.25", ["1.30"], "1.25", ["1.35", "1.40", "1.45"]),
        ("Long SOLUSDT Entry: 150 OTE: 149 SL: 145 TP: 160\nR:R 1:3 Risk level 8/10", ["150"], "145", ["160"]),
        ("Long SOLUSDT Entry 38 500 SL 37 000.5 TP 39 000", ["38500"], "37000.5", ["39000"]),
        ("Long SOLUSDT Entry: 300 290 280 SL: 270 TP: 310 320", ["300", "290", "280"], "270", ["310", "320"]),
        ("Long SOLUSDT Entry 150 SL 145 TP 160 Trailing stop: 149", ["150"], "145", ["160"]),
        ("Long SOLUSDT Entry Targets:1) 0.43152) 0.3879Take-Profit Targets:1) 0.45272) 0.47Stop Targets:1) 0.37",
         ["0.4315", "0.3879"], "0.37", ["0.4527", "0.47"]),
        ("Long SOLUSDT\nEntry: 150\nSL: 145\nTP 1: 155\nTP 2: 160\nTP 3: open", ["150"], "145", ["155", "160"]),
        ("Bybit CallSOL-USDT\nLong Entry Price (150-149) SL 145 TP 160", ["150", "149"], "145", ["160"]),
        ("long btc scalp, my favourite\nentry 150\nstop 145\ntarget 160\n#ccc", ["150"], "145", ["160"]),
        ("Forex VIP, [9/30/2025 11:22 AM]\nLong SOLUSDT Entry: 150 SL: 145 TP: 160", ["150"], "145", ["160"]),
    ],
)  # fmt: skip
def test_levels_are_read(text: str, entries: list[str], stop: str, targets: list[str]) -> None:
    """Indices, clocks, candles and ratios are numbers too, and none of them is a price."""
    assert _prices(read(text)) == (entries, stop, targets)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("65000", EntryKind.LIMIT),
        ("now 65000", EntryKind.MARKET),
        ("65000 - 64000", EntryKind.ZONE),
        ("between 64000 and 65000", EntryKind.ZONE),
        ("65000 / 64000", EntryKind.LADDER),
        ("65000 - 64500 - 64000", EntryKind.LADDER),
        ("above 65000", EntryKind.BREAKOUT),
        ("below 65000", EntryKind.LIMIT),
    ],
)
def test_entry_has_its_kind(text: str, kind: EntryKind) -> None:
    """A breakout that rests as a limit would fill at once, on the wrong side of the level."""
    entry = read(f"Long BTCUSDT\nEntry: {text}\nSL: 63000\nTP: 70000").entry

    assert entry is not None
    assert entry.kind is kind


def test_short_below_is_a_breakout() -> None:
    """The mirror image of a long above."""
    entry = read("Short BTCUSDT\nEntry: below 65000\nSL: 67000\nTP: 60000").entry

    assert entry is not None
    assert entry.kind is EntryKind.BREAKOUT


@pytest.mark.parametrize(
    ("text", "leverage", "mode"),
    [
        ("Leverage: cross (\u00d720)", 20, MarginMode.CROSS),
        ("use 5lev to 20lev", 5, None),
        ("Leverage X10 X25", 10, None),
        ("LEV : Isolated 3- 8X", 3, MarginMode.ISOLATED),
        ("\u043f\u043b\u0435\u0447\u043e 10\u0445", 10, None),
        ("leverage up to 3x\nsafe traders 2x", 3, None),
    ],
)
def test_terms_are_read(text: str, leverage: int, mode: MarginMode | None) -> None:
    """Of a range the lower end counts: the rest is the reader's own decision."""
    reading = read(f"Long BTCUSDT\nEntry 65000\nSL 63000\nTP 70000\n{text}")

    assert (reading.leverage, reading.margin_mode) == (leverage, mode)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Risk: 1-2%", SizeKind.RISK, "0.01"),
        ("Use 2% of Total Account", SizeKind.EQUITY, "0.02"),
        ("USE 3%-5% FUND", SizeKind.EQUITY, "0.03"),
        ("Capital %: 3", SizeKind.EQUITY, "0.03"),
        ("Amount: 100 USDT", SizeKind.QUOTE, "100"),
        ("Quantity: 0.5", SizeKind.BASE, "0.5"),
    ],
)
def test_sizes_are_read(text: str, kind: SizeKind, value: str) -> None:
    """Four ways to say how much, none to be taken for another."""
    size = read(f"Long BTCUSDT\nEntry 65000\nSL 63000\nTP 70000\n{text}").size

    assert size is not None
    assert (size.kind, size.value) == (kind, Decimal(value))


@pytest.mark.parametrize(
    "text",
    [
        "LTC/USDT Long\nEntry 159\nTP1 164 \u2705\nTP2 170\nSL 145",
        "LTC/USDT Long\nEntry 159\n\u2705 TP1 164\nTP2 170\nSL 145",
        "LTC/USDT Long\nEntry 159\nTP1 164 hit\nTP2 170\nSL 145",
        "LTC/USDT Long\nEntry 159 (filled)\nTP1 164\nTP2 170\nSL 145",
        "LTC/USDT Long \u2705 +120% ROI\nEntry 159\nTP1 164",
        "Example of a signal: LTC/USDT Long\nEntry 159\nTP1 164\nSL 145",
        "Yesterday: LTC/USDT Long\nEntry 159\nTP1 164\nSL 145",
        "Update on LTC/USDT Long: entry 159, stop 145, target 164",
        "Reminder: LTC/USDT Long is still open\nEntry 159\nTP1 164\nSL 145",
    ],
)
def test_trades_under_way_are_no_signals(text: str) -> None:
    """Entering again what others leave is how a copy trader loses."""
    reading = read(text)

    assert (reading.kind, reading.code) == (ReadingKind.NOT_A_SIGNAL, "result")


@pytest.mark.parametrize(
    "text",
    [
        "\u2611 TP1 164\n\u2611 TP2 170",
        "\u2705TP1: 164 \u2705TP2: 170",
        "TP1 164 (+3% profit)\nTP2 170\nAfter TP1 is hit move SL to entry",
    ],
)
def test_bullets_and_conditions_are_no_results(text: str) -> None:
    """Ticks before all targets are decoration, and ``when hit`` is about the future."""
    reading = read(f"LTC/USDT Long\nEntry 159\nSL 145\n{text}")

    assert _prices(reading) == (["159"], "145", ["164", "170"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("BTC/USDT\nIf 65000 breaks: long to 70000, stop 63000", "unclear_price"),
        ("BTCUSDT short, wait for 65000. SL 66000 TP 60000", "unclear_price"),
        ("BTCUSDT short from 65000 to 60000, stop 66000", "unclear_entry"),
        ("BTCUSDT long entry 65000 stop 2000 points tp 66000", "unclear_stop"),
        ("BTCUSDT long entry 65000 sl 63000 tp 2R", "unclear_targets"),
        ("BTCUSDT long entry 65000 (current 65200) sl 63000 tp 66000", "unclear_entry"),
        ("BTCUSDT long entry 65000 sl 63000 (62000 for spot) tp 66000", "unclear_stop"),
        ("BTCUSDT long\nEntry 65000\nSL 63000\n62000\nTP 66000", "unclear_price"),
        ("Long BTC. Buy 65000, sell 66000, cut 63000", "unclear_price"),
        ("LONG ETH/USDT Entry: 30 SL: 29 TP: 31,32", "ambiguous_number"),
        ("BTCUSDT LONG SL 63000 TP 66000\nEntry 1: Market\nEntry 2: 64000", "two_entries"),
        ("BUY STOP BTCUSDT @65000 SL 63000 TP 66000", "unclear_entry"),
        ("BTCUSDT long entry 65000 SL moved to 64000 TP 67000", "unclear_targets"),
        ("BTCUSDT long entry 65000 sl 25% tp 70000 leverage 20x", "bad_percent"),
        ("BTCUSDT long entry 65000 sl 63000 tp 20% 40% leverage 20x", "bad_percent"),
        ("BTCUSDT long entry 65000 - 64000 sl 63000 tp 2% 4%", "percent_without_entry"),
        ("BTCUSDT long entry 65000 sl: no .... 63000 tp 66000", "unclear_stop"),
        ("BTCUSDT LONG CANCELLED\nEntry 65000 SL 63000 TP 70000", "negated"),
        ("Long XRPUSDT\nEntry 1.4\nSL 1.3\nTP 1 - 1.5", "unclear_targets"),
        ("BTCUSDT long entry 65000 sl 63000 tp 66000-67000 by Friday, 70000 by Sunday", "unclear_targets"),
    ],
)  # fmt: skip
def test_near_misses_are_refused(text: str, code: str) -> None:
    """Each of these has a plausible reading that is wrong."""
    reading = read(text)

    assert (reading.kind, reading.code) == (ReadingKind.REFUSED, code)


def test_pictures_stand_for_labels() -> None:
    """Half of the channels write no other label than these."""
    reading = read(
        "BTC/USDT LONG\nEntry 65000\n\U0001f3af 66000\n\U0001f3af 67000\n\U0001f6d1 63000"
    )

    assert _prices(reading) == (["65000"], "63000", ["66000", "67000"])


def test_direction_is_marked_as_implied() -> None:
    """A trader must see that nobody said it."""
    reading = read("BTC/USDT\nEntry: 65000\nSL: 66000\nTP: 64000")

    assert (reading.position_side, reading.is_side_implied) == (PositionSide.SHORT, True)


@pytest.mark.parametrize(
    "text",
    [
        "I'm long ltc from 159, stop at 145",
        "Long if BTC holds 64000, otherwise no trade",
        "I like BTC here, stop loss is for the weak",
        "Join us: 95% win rate, 10x leverage, 300 signals a month!",
        "Good morning! 3 targets were reached yesterday",
        "\u041c\u0430\u0440\u043a, \u0436\u0434\u0451\u043c \u0437\u0430\u043a\u0440\u044b\u0442\u0438\u0435 \u043f\u043e \u0441\u0442\u043e\u043f\u0443 \u0438\u043b\u0438 \u0434\u043e\u0431\u043e\u0440?",
    ],
)
def test_chat_is_not_traded(text: str) -> None:
    """Most of what is said in a channel is said by people to people."""
    assert read(text).kind in {ReadingKind.NOT_A_SIGNAL, ReadingKind.REFUSED}
