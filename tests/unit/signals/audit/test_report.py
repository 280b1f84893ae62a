"""What a report counts, what it leaves out and says so, and what it concludes."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from tests.support.audit_scene import FREE, Prices, audited, say, source, tracks

from milobot.signals.audit.attempts import Attempt
from milobot.signals.audit.audit import read_export
from milobot.signals.audit.claims import claimed_target
from milobot.signals.audit.counting import trades_of
from milobot.signals.audit.desk import Desk
from milobot.signals.audit.document import to_json
from milobot.signals.audit.messages import Export
from milobot.signals.audit.outcomes import Result, result_of
from milobot.signals.audit.report import Trades
from milobot.signals.audit.verdict import insight_of, verdict_of
from milobot.signals.profile import ChannelProfile

CALM: Prices = (100, 100.5, 99.5, 100)
WON: list[Prices] = [CALM, (100, 112, 100, 111), (111, 111, 99, 100)]
SETUP = "Long BTCUSDT now SL 90 TP 110"


def _channel(count: int) -> tuple[list[str], list[Prices]]:
    """Return set-ups three minutes apart, two of three of which win 1 R."""
    lost: list[Prices] = [CALM, (100, 101, 89, 90), (90, 100, 90, 100)]
    rows = [row for n in range(count) for row in (lost if n % 3 == 2 else WON)]
    return [SETUP] * count, rows


def _audited(count: int) -> tuple[Trades, str]:
    texts, rows = _channel(count)
    messages = [say(text, 3 * n, number=n + 1) for n, text in enumerate(texts)]
    profile = ChannelProfile(duplicate_window_s=0)
    report = audited(messages, source(rows), terms=replace(FREE, profile=profile))
    return report.trades, verdict_of(report)


def test_figures_of_a_channel_worked_out_by_hand() -> None:
    """Six wins of 1 R, three losses of 1 R: each figure follows."""
    trades, _ = _audited(9)

    assert trades.results == pytest.approx([1, 1, -1] * 3)
    assert trades.expectancy == pytest.approx(1 / 3)
    assert trades.win_rate == pytest.approx(2 / 3)
    assert trades.profit_factor == pytest.approx(2)
    assert trades.drawdown == pytest.approx(1)
    assert trades.longest_losing_streak == 1
    (target,) = trades.targets
    assert (target.count, target.hits) == (9, 6)
    assert target.chance == pytest.approx(0.5)  # as far up as down
    assert target.reward == pytest.approx(1)
    assert {line.name: line.count for line in trades.by_exit} == {"target": 6, "stop": 3}


def test_few_trades_are_called_few() -> None:
    """Six of nine is what a coin does: nobody may sell it as skill."""
    _, verdict = _audited(9)

    assert verdict.startswith("9 trades, +0.33 R each after costs")
    assert verdict.endswith("too few to tell anything from luck.")


def test_interval_with_zero_in_it_may_be_luck() -> None:
    """Fifteen trades with ten wins: better than a coin, and a coin does that as well."""
    _, verdict = _audited(15)

    assert "includes zero, so this may be luck. About" in verdict


def test_many_trades_stand_out_from_luck() -> None:
    """Two of three over ninety trades is more than a coin does."""
    _, verdict = _audited(90)

    assert "earned more than its costs" in verdict
    assert "few" not in verdict


def test_losing_channel_is_called_losing() -> None:
    """A sentence that a follower understands before he pays."""
    rows: list[Prices] = [CALM, (100, 101, 89, 90), (90, 100, 90, 100)] * 40
    messages = [say(SETUP, 3 * n, number=n + 1) for n in range(40)]
    terms = replace(FREE, fee=Decimal("0.001"), profile=ChannelProfile(duplicate_window_s=0))
    report = audited(messages, source(rows), terms=terms)

    assert report.trades.interval is not None
    assert report.trades.interval.high < 0
    assert "lost money" in verdict_of(report)


def test_what_cannot_be_played_is_counted_by_reason() -> None:
    """Missing candles and missing times are no results: they are named and left out."""
    messages = [
        say(SETUP, 0, number=1),
        say("Long ETHUSDT now SL 90 TP 110", 0, number=2),
        say("Long BTCUSDT now SL 91 TP 111", 500, number=3),
        say("Long BTCUSDT now SL 92 TP 112", None, number=4),
    ]
    report = audited(messages, source(WON))

    assert len(report.played) == 1
    assert report.not_played == {
        "no candles of its symbol": 1,
        "no candles at its time": 1,
        "the message has no time": 1,
    }
    assert report.missing == {"ETHUSDT": 1}


def test_repeated_set_up_is_played_once() -> None:
    """A forward within the hour is the same set-up; a reply to it concerns the first."""
    messages = [
        say(SETUP, 0, number=1),
        say(SETUP, 1, number=2),
        say("Close BTC", 1.5, number=3, reply_to="2"),
    ]
    report = audited(messages, source([CALM] * 5))

    assert report.conversation.duplicates == 1
    assert [r.exit_reason for r in report.played] == ["close"]


def test_command_for_nothing_is_counted() -> None:
    """A close of what was never opened must not close something else."""
    report = audited([say("Close ETH", 0, number=1), say(SETUP, 0, number=2)], source(WON))

    assert report.conversation.unmatched == 1


def test_refusals_are_counted_with_an_example() -> None:
    """A trader wants to see what the reader would not take, and why."""
    report = audited([say("XAUUSD buy now SL 1900 TP 2000", 0), say("good morning", 1, number=2)])

    assert report.conversation.refusals == {"not_tradable": 1}
    assert "not traded here" in report.conversation.samples["not_tradable"]
    assert "nothing to judge" in verdict_of(report)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Target 1 hit ✅", 1),
        ("TP2 reached", 2),
        ("TP1 ✅ TP2 ✅ TP3 ✅", 3),
        ("All targets achieved", 0),
        ("Target 2 is next, be patient", None),
        ("good morning", None),
    ],
)
def test_claims_are_found(text: str, target: int | None) -> None:
    """Channels advertise by what they say was reached."""
    assert claimed_target(text) == target


def test_claims_are_held_against_the_candles() -> None:
    """The market was at 110 by the second claim, and not by the first."""
    messages = [
        say("Long BTCUSDT now SL 90 TP1 105 TP2 110 TP3 140", 0, number=1),
        say("Target 1 hit ✅", 1, number=2, reply_to="1"),
        say("TP2 hit ✅", 2, number=3, reply_to="1"),
        say("All targets reached", 2, number=4, reply_to="1"),
        say("Target 1 hit", 2, number=5),
    ]
    report = audited(messages, source([CALM, (100, 112, 100, 111), CALM]))

    assert [(c.target, c.was_reached) for c in report.claims.checked] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    assert report.claims.unmatched == 1


def test_lateness_is_what_the_market_had_moved_before() -> None:
    """Posted at 100, first tradable at 102, with a stop at 90: a fifth of the risk is gone."""
    rows: list[Prices] = [CALM, (102, 103, 101, 102), (102, 103, 99, 100), (100, 111, 100, 110)]
    report = audited([say("Long BTCUSDT entry 100 SL 90 TP 110", 0.5)], source(rows))

    late = report.lateness
    assert (late.count, late.gone, late.gone_for_good) == (1, 1, 0)
    assert late.median == pytest.approx(0.02)
    assert late.median_r == pytest.approx(0.2)


def test_undated_set_up_is_tried_and_kept_apart() -> None:
    """It is no record of the channel: its tries count nowhere else."""
    day = 24 * 60
    far: list[Prices] = [(200, 201, 199, 200)] * (day - 2)
    rows = [CALM, (100, 112, 100, 111), *far, CALM, (100, 101, 89, 90)]
    report = audited([say("Long BTCUSDT entry 100 SL 90 TP 110", None)], source(rows))

    assert report.rehearsal is not None
    assert (report.rehearsal.setups, report.rehearsal.tries) == (1, 2)
    assert report.rehearsal.expectancy == pytest.approx(0)
    assert not report.trades.results
    assert "cannot be said" in verdict_of(report)
    assert "50 % of cases" in insight_of(report)


def test_json_has_every_figure() -> None:
    """Programs read what people see, and null where there is nothing."""
    document = to_json(audited([say(SETUP, 0)], source(WON)))

    assert document["trades"]["count"] == 1  # type: ignore[index] # a document of objects
    assert document["trades"]["interval"] is None  # type: ignore[index] # one trade has none
    assert document["played"] == {"closed": 1}


def test_no_trades_have_no_figures() -> None:
    """Empty is a result, not a crash."""
    assert trades_of([]).expectancy is None


def test_channel_that_guesses_earns_its_costs_less() -> None:
    """A walk without direction, and calls that know nothing: hits as by chance, nothing earned.

    Any price that is used before it was there, any entry that fills too well, shows here.
    """
    chance, price = np.random.default_rng(11), 100.0
    rows: list[Prices] = []
    for _ in range(9_000):
        path = price * np.cumprod(1 + chance.normal(0, 0.0005, 8))
        rows.append((price, max(price, *path), min(price, *path), float(path[-1])))
        price = float(path[-1])
    messages = []
    for number in range(1, 181):
        now, sign = rows[number * 45][0], 1 if chance.random() < 0.5 else -1
        entry = now * (1 - sign * 0.001)
        text = (
            f"{'Long' if sign > 0 else 'Short'} BTCUSDT entry {entry:.4f}"
            f" SL {entry * (1 - sign * 0.01):.4f}"
            f" TP1 {entry * (1 + sign * 0.005):.4f} (50%) TP2 {entry * (1 + sign * 0.01):.4f} (50%)"
        )
        messages.append(say(text, number * 45, number=number))

    trades = audited(messages, source(rows)).trades

    assert len(trades.results) > 110
    assert trades.interval is not None
    assert trades.interval.low < 0 < trades.interval.high
    for line, expected in zip(trades.targets, (2 / 3, 1 / 2), strict=True):
        assert line.chance == pytest.approx(expected, abs=0.001)
        assert line.interval is not None
        assert line.interval.low < expected < line.interval.high


def test_passing_candles_over_changes_nothing() -> None:
    """Skipped candles are those on which nothing happens: all results are the same without it."""
    chance = np.random.default_rng(7)
    price, rows = 100.0, []
    for _ in range(900):
        close = price * (1 + float(chance.normal(0, 0.003)))
        high = max(price, close) * (1 + abs(float(chance.normal(0, 0.001))))
        low = min(price, close) * (1 - abs(float(chance.normal(0, 0.001))))
        rows.append((price, high, low, close))
        price = close
    messages = []
    for number in range(1, 26):
        at = number * 30
        now, sign = rows[at][0], 1 if number % 2 else -1
        near, stop = now * (1 - sign * 0.002), now * (1 - sign * 0.012)
        aims = [now * (1 + sign * x) for x in (0.004, 0.008, 0.02)]
        text = (
            f"{'Long' if sign > 0 else 'Short'} BTCUSDT Entry 1: {near:.4f} Entry 2:"
            f" {near * (1 - sign * 0.003):.4f} SL {stop:.4f} TP {' / '.join(f'{a:.4f}' for a in aims)}"
        )
        messages.append(say(text, at, number=number))
    found = tracks(source(rows))
    export = Export("x", tuple(messages))
    setups = read_export(export, FREE).setups

    def outcome(*, skips: bool) -> list[Result | None]:
        attempts = [Attempt(s, found["BTCUSDT"].find(s.message.time_ms or 0) or 0) for s in setups]
        asyncio.run(Desk(found, FREE, skips=skips).play(attempts))
        return [result_of(a, found["BTCUSDT"], FREE) for a in attempts]

    assert sum(r is not None and r.r is not None for r in outcome(skips=True)) > 10
    assert outcome(skips=True) == outcome(skips=False)
