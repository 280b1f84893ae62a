"""The verdict: what the trades of a channel say, and how much of that may be luck."""

from milobot.signals.audit.report import AuditReport, Trades

# Below the first nothing can be said; below the second an interval is hardly an interval.
_NOTHING, _FEW = 10, 30


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
    if count < _NOTHING:
        return f"{shown}: too few to tell anything from luck."
    if trades.interval.low <= 0 <= trades.interval.high:
        return f"{shown}: the interval includes zero, so this may be luck.{_needed(trades)}"
    few = f" But {count} trades are few: the interval itself is rough." if count < _FEW else ""
    if trades.interval.high < 0:
        return f"{shown}: following this channel lost money, and luck hardly explains it.{few}"
    return (
        f"{shown}: the channel earned more than its costs. That is the past of one market; it"
        f" promises nothing.{few}"
    )


def insight_of(report: AuditReport) -> str:
    """Return what the first targets say: their hit rate beside that of chance; empty without any."""
    lines = report.trades.targets
    if lines and (chance := lines[0].chance) is not None:
        share = _percent(lines[0].hits / lines[0].count)
        return (
            f"The first target was reached in {share} of {lines[0].count:,} trades; a market"
            f" without direction reaches it in {_percent(chance)}."
        )
    shapes = report.shapes
    if shapes.first_chance is None or shapes.first_reward is None:
        return ""
    return (
        f"Its first targets lie {shapes.first_reward:.2f} R away (median): a market without"
        f" direction reaches such targets before the stop in {_percent(shapes.first_chance)} of"
        " cases, so a hit rate below that shows no skill."
    )


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.0f} %"


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
