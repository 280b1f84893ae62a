"""What a live run is shown to: the page, a log, and who is told by telephone."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from milobot.app.live_account import LiveAccount
from milobot.app.live_page import LivePage, log_decision
from milobot.domain.alerts import Alert
from milobot.domain.decisions import Decision
from milobot.domain.market import CandleSeries
from milobot.ports import Journal
from milobot.scripting.results import Evaluation


class LiveShow(Protocol):
    """Sees what happens in the run of one account."""

    def before(self, journal: Journal) -> Journal:
        """Return a journal that shows here what goes on record."""
        ...

    def take_over(self, live: LiveAccount | None) -> None:
        """Show an account that is ours from now on; None when it is ours no more."""
        ...

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Show what the first script said about the last of the candles since its anchor."""
        ...

    def decided(self, decision: Decision) -> None:
        """See what became of what a script wanted."""
        ...

    def tell(self, alert: Alert) -> None:
        """Show an alert."""
        ...

    def say(self, what: str) -> None:
        """Say in a word or two what the run is doing."""
        ...

    async def run(self) -> None:
        """Show what is new until cancelled."""
        ...


class Ear(Protocol):
    """Hears what goes on record and what is alarming, such as who talks with people."""

    def before(self, journal: Journal) -> Journal:
        """Return a journal of which is heard what goes on record."""
        ...

    def tell(self, alert: Alert) -> None:
        """Hear an alert."""
        ...


@dataclass(frozen=True, slots=True)
class SecondAccount:
    """A further account of a run, on the page of the first: all but its chart and its equity."""

    page: LivePage
    account: str

    def before(self, journal: Journal) -> Journal:
        """Return a journal of which the page shows what is decided and closed."""
        return self.page.before_beside(journal)

    def take_over(self, live: LiveAccount | None) -> None:
        """Show what it holds."""
        self.page.take_beside(self.account, live)

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Show nothing: the chart is another script's."""

    def decided(self, decision: Decision) -> None:
        """Log what became of what a script wanted."""
        log_decision(decision)

    def tell(self, alert: Alert) -> None:
        """Show an alert in the log of page and process."""
        self.page.tell(alert)

    def say(self, what: str) -> None:
        """Say nothing: the first account does."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()


class HeardShow:
    """A show of which somebody hears, too."""

    def __init__(self, show: LiveShow, ear: Ear) -> None:
        """Put ``ear`` beside ``show``."""
        self._show, self._ear = show, ear

    def before(self, journal: Journal) -> Journal:
        """Return a journal that both see."""
        return self._show.before(self._ear.before(journal))

    def take_over(self, live: LiveAccount | None) -> None:
        """Show an account that is ours from now on; None when it is ours no more."""
        self._show.take_over(live)

    def evaluated(self, evaluation: Evaluation, candles: CandleSeries) -> None:
        """Show what the first script said about the last of the candles since its anchor."""
        self._show.evaluated(evaluation, candles)

    def decided(self, decision: Decision) -> None:
        """Show what became of what a script wanted."""
        self._show.decided(decision)

    def tell(self, alert: Alert) -> None:
        """Tell both."""
        self._show.tell(alert)
        self._ear.tell(alert)

    def say(self, what: str) -> None:
        """Say in a word or two what the run is doing."""
        self._show.say(what)

    async def run(self) -> None:
        """Show what is new until cancelled."""
        await self._show.run()
