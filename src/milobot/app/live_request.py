"""What a live run is asked to trade, and how that is announced."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from milobot.app.exchanges import (
    AccountName,
    ExchangeClient,
    describe_hosts,
    environment_name,
    open_client,
    with_production_data,
)
from milobot.app.live_run import RunPlan
from milobot.app.paper_plan import PAPER, PaperPlan
from milobot.app.preparation import Source
from milobot.app.sessions import SIGNALS
from milobot.app.telegram_plan import TelegramPlan
from milobot.settings import Settings
from milobot.storage.account_records import Session
from milobot.storage.api_key import ApiKey
from milobot.telemetry import get_logger
from milobot.web.state import Mode


@dataclass(frozen=True, slots=True)
class AccountWork:
    """What trades one account.

    Attributes:
        key: Of the account; None on paper.
        sources: Scripts; those of the first account with any have the page.
        takes_signals: Whether messages are traded here.
        paper: On what terms it is a paper account; None for one at an exchange.
    """

    account: AccountName
    key: ApiKey | None
    sources: tuple[Source, ...] = ()
    takes_signals: bool = False
    paper: PaperPlan | None = None

    @property
    def names(self) -> list[str]:
        """Return what trades it: scripts by their file, signals by that word."""
        return [source.script.name for source in self.sources] + [SIGNALS] * self.takes_signals


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What to trade.

    Attributes:
        works: By account, at least one; no two of the same.
        telegram: Who listens and talks; None for nobody.
        left_out: Why something is not traded, in sentences.
    """

    works: tuple[AccountWork, ...]
    settings: Settings
    telegram: TelegramPlan | None = None
    left_out: tuple[str, ...] = ()

    @property
    def is_real(self) -> bool:
        """Return whether real money may be behind one of the accounts."""
        return any(self.is_real_at(work) for work in self.works)

    def is_real_at(self, work: AccountWork) -> bool:
        """Return whether real money may be behind an account."""
        is_play = work.paper is not None or self.settings.venue(work.account.exchange).is_play_money
        return not is_play

    def mode_of(self, work: AccountWork) -> Mode:
        """Return what an account is, for page and sessions."""
        if work.paper is not None:
            return "paper"
        return "live" if self.is_real_at(work) else "testnet"

    def source_of(self, work: AccountWork) -> str:
        """Return the name under which candles of an account's market are stored."""
        exchange = work.account.exchange
        settings = self.settings
        return environment_name(
            settings if work.paper is None else with_production_data(settings, exchange), exchange
        )

    def client_of(
        self,
        work: AccountWork,
        plan: RunPlan,
        answers: Callable[[ExchangeClient], Awaitable[object]],
    ) -> AbstractAsyncContextManager[ExchangeClient]:
        """Return a client of an account that is not open yet.

        Args:
            work: What trades the account.
            plan: How it is run.
            answers: Returns once an exchange answers, for those who need it to begin.

        Raises:
            ConfigurationError: An address is none, or not encrypted.
        """
        exchange, deadline = work.account.exchange, plan.bot.deadline
        if work.paper is not None:
            from milobot.app.paper_exchange import paper_client  # noqa: PLC0415 - 30 modules, for paper alone

            return paper_client(self.settings, exchange, work.paper, answers, deadline=deadline)
        return open_client(self.settings, exchange, work.key, deadline=deadline)

    def announce(self) -> None:
        """Say in the first lines of the log what is traded with whose money."""
        for work in self.works:
            what = ", ".join(work.names)
            if work.paper is not None:
                hosts = describe_hosts(
                    with_production_data(self.settings, work.account.exchange),
                    work.account.exchange,
                ).partition(" (")[0]
                said = f"PAPER: {what} on {work.account}, prices of {hosts}; no order leaves this machine"
                money = PAPER
            else:
                hosts = describe_hosts(self.settings, work.account.exchange)
                money = "REAL MONEY" if self.is_real_at(work) else "play money"
                said = f"LIVE with {money}: {what} on {work.account} at {hosts}"
            get_logger().warning(
                "paper_trading" if work.paper is not None else "live_trading",
                money=money,
                account=str(work.account),
                hosts=hosts,
                scripts=what,
                said=said,
            )
        for sentence in self.left_out:
            get_logger().info("left_out", said=sentence)


def is_first_time(sessions: Sequence[Session]) -> bool:
    """Return whether an account with these sessions has never been traded with real money."""
    return not any(session.mode == "live" for session in sessions)
