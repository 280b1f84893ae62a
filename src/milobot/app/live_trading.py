"""``milobot run`` with trading on: one account, its scripts, its page, until a signal."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from milobot.app.exchanges import (
    AccountName,
    ExchangeClient,
    describe_hosts,
    environment_name,
    open_client,
)
from milobot.app.live_page import LivePage
from milobot.app.live_run import LiveRun, RunPlan
from milobot.app.live_setup import (
    check_key,
    first_answer,
    load_plans,
    open_patiently,
    plan_bot,
    refuse_twins,
    sharing,
    trust_of,
)
from milobot.app.pages import serve_beside
from milobot.app.preparation import Source
from milobot.settings import Settings
from milobot.storage.account_records import Session, list_sessions
from milobot.storage.api_key import ApiKey
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger
from milobot.web.server import open_listener, page_address
from milobot.web.state import Heading, Mode

RISK_NOTICE = (
    "RISK NOTICE: trading leveraged crypto futures is highly speculative; you can lose everything"
    " you put in. The authors accept no responsibility for losses, damages or wrong decisions. You"
    " use this software at your own risk."
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What to trade.

    Attributes:
        sources: Scripts, at least one; the first has the chart.
        key: Of the account.
    """

    sources: tuple[Source, ...]
    account: AccountName
    settings: Settings
    key: ApiKey

    @property
    def is_real(self) -> bool:
        """Return whether real money may be behind the account."""
        return not self.settings.venue(self.account.exchange).is_play_money


def run_live(request: LiveRequest, *, port: int, say: Say) -> None:
    """Trade an account until Ctrl-C or SIGTERM; another process on it stands by.

    Raises:
        MilobotError: The port is taken, a script or the key is wrong, the exchange is out of
            reach, or the ledger cannot be used.
    """
    announce(request)
    listener = open_listener("127.0.0.1", port)
    with closing(listener):
        trading = LiveTrading(request, say)
        say(f"chart: {page_address(listener)}  (Ctrl-C ends it)")
        page = trading.page.state
        asyncio.run(serve_beside(trading.run, page, listener, stays=False, finish=trading.finish))
        say("ended: what is open keeps its stop at the exchange, milobot status tells")


def announce(request: LiveRequest) -> None:
    """Say in the first line of the log what is traded with whose money."""
    money = "REAL MONEY" if request.is_real else "play money"
    hosts = describe_hosts(request.settings, request.account.exchange)
    scripts = ", ".join(source.script.name for source in request.sources)
    get_logger().warning(
        "live_trading",
        money=money,
        account=str(request.account),
        hosts=hosts,
        scripts=scripts,
        said=f"LIVE with {money}: {scripts} on {request.account} at {hosts}",
    )


def is_first_time(sessions: Sequence[Session]) -> bool:
    """Return whether an account with these sessions has never been traded with real money."""
    return not any(session.mode == "live" for session in sessions)


class LiveTrading:
    """A live run with what it has to be given first.

    Attributes:
        page: Where it is shown.
    """

    def __init__(self, request: LiveRequest, say: Say) -> None:
        """Read the scripts; nothing is asked of the exchange yet.

        Raises:
            MilobotError: A script or a flag is wrong.
        """
        self._request, self._say = request, say
        sources, is_real = request.sources, request.is_real
        scripts = [source.script for source in sources]
        trusted = all(source.trusts_script for source in sources)
        trust = trust_of(scripts, is_real=is_real, is_trusted=trusted)
        plans = load_plans(sources, trust)
        refuse_twins(str(request.account), plans)
        for sentence in sharing(plans):
            get_logger().warning("symbol_shared", said=sentence)
        mode: Mode = "live" if is_real else "testnet"
        self._plan = RunPlan(
            bot=plan_bot(request.settings, request.account, plans),
            scripts=plans,
            trust=trust,
            mode=mode,
            source=environment_name(request.settings, request.account.exchange),
            candle_file=sources[0].database,
        )
        first = plans[0]
        name, timeframe = first.source.script.name, first.info.timeframe.value
        self.page = LivePage(Heading(mode, first.info.coin, timeframe, name))
        self._run: LiveRun | None = None

    async def run(self) -> None:
        """Trade until cancelled.

        Raises:
            MilobotError: Key, exchange or ledger do not let it begin.
        """
        request, plan = self._request, self._plan
        exchange, deadline = request.account.exchange, plan.bot.deadline
        async with open_client(
            request.settings, exchange, request.key, deadline=deadline
        ) as client:
            await first_answer(exchange, client)
            await check_key(exchange, client)
            async with await open_patiently(plan.bot.database_url, self._wait) as ledger:
                await self._trade(client, ledger)

    async def finish(self) -> None:
        """Prepare for the end: no entries, stops in place."""
        if self._run is not None:
            await self._run.finish()

    async def _trade(self, client: ExchangeClient, ledger: Ledger) -> None:
        if self._request.is_real:
            await self._notice_risk(ledger)
        self._run = LiveRun(client, ledger, self._plan, self.page)
        await self._run.run()

    async def _notice_risk(self, ledger: Ledger) -> None:
        """Show the risk notice before the first live session of an account."""
        account = str(self._request.account)
        sessions = await ledger.read(lambda connection: list_sessions(connection, account))
        if is_first_time(sessions):
            get_logger().warning("risk_notice", said=RISK_NOTICE)

    def _wait(self, reason: str) -> None:
        get_logger().error("ledger_not_usable", reason=reason, said=f"nothing trades: {reason}")
        self.page.wait(f"nothing trades: {reason}")
