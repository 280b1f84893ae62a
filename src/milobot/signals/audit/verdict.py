"""The verdict: what the trades of a channel say, and how much of that may be luck."""

from milobot.signals.audit.report import AuditReport, Trades

# Below this an interval is hardly an interval.
_FEW = 30


def verdict_of(report: AuditReport) -> str:
    """Return in a sentence or two what the audit comes to."""
    trades = report.trades
    if not trades.results:
        return _nothing(report)
    count = len(trades.results)
    named = "1 trade" if count == 1 else f"{count:,} trades"
    if trades.expectancy is None or trades.interval is None:
        return f"{named}: that says nothing, one way or the other."
    shown = (
        f"{named}, {trades.expectancy:+.2f} R each after costs"
        f" (95 % interval {trades.interval.low:+.2f} to {trades.interval.high:+.2f} R)"
    )
    if trades.interval.low <= 0 <= trades.interval.high:
        return f"{shown}: the interval includes zero, so this may be luck.{_needed(trades)}"
    few = f" But {count} trades are few: the interval itself is rough." if count < _FEW else ""
    if trades.interval.high < 0:
        return f"{shown}: following this channel lost money, and luck hardly explains it.{few}"
    return (
        f"{shown}: the channel earned more than its costs. That is the past of one market; it"
        f" promises nothing.{few}"
    )


def _needed(trades: Trades) -> str:
    if trades.needed is None or trades.needed <= len(trades.results):
        return ""
    return f" About {trades.needed:,} trades like these would be needed to tell."


def _nothing(report: AuditReport) -> str:
    setups = len(report.conversation.setups)
    if not setups:
        return "No message is a set-up that can be traded: there is nothing to judge."
    if report.played:
        return f"{len(report.played):,} set-ups were played and none entered: nothing to judge."
    reasons = ", ".join(f"{count:,}: {reason}" for reason, count in report.not_played.items())
    return (
        f"None of the {setups:,} set-ups could be played ({reasons}): what the channel earned"
        " cannot be said."
    )
