"""``milobot run`` with trading on: accounts, their scripts and signals, one page, until a signal."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from decimal import Decimal
from functools import partial

from milobot.app.audit_trail import AuditTrail, telling_settings
from milobot.app.ledger_place import check_place
from milobot.app.live_messenger import Messenger, Surroundings
from milobot.app.live_page import LivePage
from milobot.app.live_request import AccountWork, LiveRequest, is_first_time
from milobot.app.live_run import LiveRun, RunPlan
from milobot.app.live_setup import (
    check_key,
    load_plans,
    open_patiently,
    plan_bot,
    refuse_twins,
    sharing,
    trust_of,
)
from milobot.app.live_shows import LiveShow, SecondAccount
from milobot.app.live_signals import LiveSignals, SignalHall, SignalPlan
from milobot.app.messengers import open_messenger
from milobot.app.metrics_port import Scraped, open_metrics_port
from milobot.app.pages import Served, serve_beside
from milobot.app.patience import FirstTries, Patience
from milobot.app.profiles import Profiles, load_profiles
from milobot.app.sessions import SIGNALS
from milobot.app.signal_watch import WatchedDoor
from milobot.app.watch import RunWatch
from milobot.app.web_access import access_rules
from milobot.domain.intents import Size, SizeKind
from milobot.errors import ConfigurationError
from milobot.exchanges.times import SteadyClock
from milobot.ports import Clock
from milobot.signals.inbox.inbox import SignalInbox
from milobot.signals.life.plans import SignalTerms
from milobot.storage.account_records import list_sessions
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger
from milobot.web.access import Access
from milobot.web.observe_routes import observe_routes
from milobot.web.server import open_listener, page_address
from milobot.web.signal_routes import signal_routes
from milobot.web.state import Heading

RISK_NOTICE = (
    "RISK NOTICE: trading leveraged crypto futures is highly speculative; you can lose everything"
    " you put in. The authors accept no responsibility for losses, damages or wrong decisions. You"
    " use this software at your own risk."
)
Say = Callable[[str], None]


def run_live(request: LiveRequest, *, port: int, say: Say) -> None:
    """Trade accounts until Ctrl-C or SIGTERM; another process on them stands by.

    Raises:
        MilobotError: The port is taken, a script or the key is wrong, or the ledger cannot be
            used. One that is away is waited for, as is the exchange.
    """
    request.announce()
    check_place(request.settings.database_url.get_secret_value())
    rules = access_rules(request.settings, is_real_money=request.is_real)
    listener = open_listener(rules.listen, port)
    with closing(listener), open_metrics_port(rules.listen, request.settings) as metrics:
        trading = LiveTrading(request, say)
        access = trading.watch.access = Access(rules)
        routes = observe_routes(trading.watch, access)
        if trading.has_signals:
            routes += signal_routes(trading.door, access, SteadyClock())
        say(f"chart: {page_address(listener)}  (Ctrl-C ends it)")
        served = Served(
            trading.page.state, listener, access, tuple(routes), Scraped(trading.watch, metrics)
        )
        asyncio.run(serve_beside(trading.run, served, stays=False, finish=trading.finish))
        say("ended: what is open keeps its stop at the exchange, milobot status tells")


class LiveTrading:
    """A live run with what it has to be given first.

    Attributes:
        page: Where it is shown.
        hall: Where messages go, by account.
        watch: Knows how the run stands.
        door: Where messages are handed in.
    """

    def __init__(self, request: LiveRequest, say: Say) -> None:
        """Read scripts and profiles; nothing is asked of an exchange yet.

        Raises:
            MilobotError: A script, a profile or a flag is wrong.
        """
        self._request, self._say = request, say
        profiles = load_profiles(request.settings.signal_profiles)
        size = Size(SizeKind.RISK, request.settings.signal_risk)
        self._signals = SignalPlan(profiles, SignalTerms(size=size))
        self.hall = SignalHall(profiles)
        mode = request.mode_of(request.works[0])
        self.watch = RunWatch([str(work.account) for work in request.works], mode)
        self.door = WatchedDoor(self.hall, self.watch.meters)
        self._plans = [self._plan_of(work) for work in request.works]
        self._refuse_strays()
        self.page = LivePage(self._heading(), signals=self.hall if self.has_signals else None)
        self._runs: dict[str, LiveRun] = {}
        self._start = FirstTries(str(work.account) for work in request.works)
        self._doors: dict[str, SignalInbox] = {}
        self._are_doors_open = asyncio.Event()
        self._trails: list[AuditTrail] = []

    @property
    def has_signals(self) -> bool:
        """Return whether messages are taken in."""
        return any(work.takes_signals for work in self._request.works)

    async def run(self) -> None:
        """Trade until cancelled; a ledger or an exchange that is away is waited for.

        Raises:
            MilobotError: Key or ledger do not let it begin.
        """
        url = self._plans[0].bot.database_url
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(self.watch.at_work())
            ledger = await opened.enter_async_context(await open_patiently(url, self._wait))
            self.watch.follow(ledger, ())
            messenger = self.watch.messenger = self._messenger(ledger)
            async with asyncio.TaskGroup() as tasks:
                for work, plan in zip(self._request.works, self._plans, strict=True):
                    tasks.create_task(self._trade(work, plan, ledger, messenger))
                tasks.create_task(self._talk(messenger))

    async def finish(self) -> None:
        """Prepare for the end: no entries, stops in place."""
        await asyncio.gather(*(run.finish() for run in self._runs.values()))
        for trail in self._trails:
            await trail.note("stopped", "asked to end")

    async def _trade(
        self, work: AccountWork, plan: RunPlan, ledger: Ledger, messenger: Messenger
    ) -> None:
        """Trade one account, once its exchange answers; the others do not wait for it."""
        account = str(work.account)
        patience = Patience(work.account.exchange, partial(self._await_exchange, account))
        async with self._request.client_of(work, plan, patience.await_answer) as client:
            await patience.await_answer(client)
            await check_key(work.account.exchange, client)
            await self._start.pass_by(account)
            if self._request.is_real_at(work):
                await self._notice_risk(ledger, account)
            signals = None
            if work.takes_signals:
                signals = LiveSignals(account, self._signals, ledger, client)
                await patience.ask(signals.prepare)
            show: LiveShow = (
                self.page if self._is_first(work) else SecondAccount(self.page, account)
            )
            heard = messenger.beside(show, account, plan.bot.holder)
            heard = self.watch.beside(heard, account, client.clock, self.door)
            run = LiveRun(client, ledger, plan, heard, signals, patience)
            self._runs[account] = run
            await self._note_start(ledger, work, plan, client.clock)
            if signals is not None:
                self._open_door(work.account.exchange, signals)
            self.watch.follow(ledger, tuple(self._runs.values()))
            await run.run()

    def _is_first(self, work: AccountWork) -> bool:
        return work is self._request.works[0]

    def _open_door(self, exchange: str, signals: LiveSignals) -> None:
        """Let messages in once every account that trades them is there: none goes elsewhere."""
        self._doors[exchange] = signals.inbox
        takers = [w.account.exchange for w in self._request.works if w.takes_signals]
        if self._doors.keys() == set(takers):
            self.hall.open({taker: self._doors[taker] for taker in takers})
            self._are_doors_open.set()

    async def _talk(self, messenger: Messenger) -> None:
        """Listen once messages can be taken in."""
        if self.has_signals:
            await self._are_doors_open.wait()
        await messenger.run()

    def _await_exchange(self, account: str, reason: str) -> None:
        """Take in why an exchange is waited for; an empty reason: it answers."""
        self.watch.awaited[account] = reason
        if not reason:
            get_logger().info("exchange_answers", account=account, said=f"{account}: it answers")
            return
        self._start.note(account)
        said = f"nothing is traded on {account} yet: {reason}; 'milobot doctor' looks at each part"
        get_logger().warning("exchange_awaited", account=account, reason=reason, said=said)
        if account == str(self._request.works[0].account):
            self.page.wait(said, what="the exchange")

    async def _note_start(
        self, ledger: Ledger, work: AccountWork, plan: RunPlan, clock: Clock
    ) -> None:
        """Note in the audit log that an account is traded from now on, and how."""
        trail = AuditTrail(ledger, str(work.account), clock)
        self._trails.append(trail)
        await trail.note("started", f"{plan.mode}: {', '.join(work.names)} by {plan.bot.holder}")
        await trail.note_settings(telling_settings(self._request.settings))

    def _messenger(self, ledger: Ledger) -> Messenger:
        beside = Surroundings(
            ledger=ledger,
            accounts=tuple(str(work.account) for work in self._request.works),
            door=self.door,
            takes_signals=self.has_signals,
            price_of=self._price_of,
            tell=self.page.tell,
        )
        return open_messenger(self._request.telegram, self._request.settings, beside)

    def _price_of(self, account: str, symbol: str) -> Decimal | None:
        """Return the price of a symbol on an account, as far as it is followed."""
        run = self._runs.get(account)
        if run is None or run.live is None:
            return None
        quote = run.live.view.quote(symbol)
        return None if quote is None else quote.middle

    def _plan_of(self, work: AccountWork) -> RunPlan:
        settings, account = self._request.settings, work.account
        is_real = self._request.is_real_at(work)
        scripts = [source.script for source in work.sources]
        trusted = all(source.trusts_script for source in work.sources)
        trust = trust_of(scripts, is_real=is_real, is_trusted=trusted)
        plans = load_plans(work.sources, trust) if scripts else ()
        refuse_twins(str(account), plans)
        for sentence in sharing(plans):
            get_logger().warning("symbol_shared", said=sentence)
        profiles = self._signals.profiles if work.takes_signals else Profiles()
        return RunPlan(
            bot=plan_bot(
                settings,
                account,
                plans,
                followed=profiles.symbols,
                leverages=profiles.leverages,
                is_paper=work.paper is not None,
            ),
            scripts=plans,
            trust=trust,
            mode=self._request.mode_of(work),
            source=self._request.source_of(work),
            candle_file=work.sources[0].database if work.sources else None,
        )

    def _refuse_strays(self) -> None:
        """Refuse profiles of exchanges where no signals are traded.

        Raises:
            ConfigurationError: A profile names one.
        """
        taken = {work.account.exchange for work in self._request.works if work.takes_signals}
        strays = self._signals.profiles.exchanges - taken
        if taken and strays:
            raise ConfigurationError(
                f"a profile in {self._request.settings.signal_profiles} trades on"
                f" {', '.join(sorted(strays))}, and this run takes signals on"
                f" {', '.join(sorted(taken))} only: add the key there, or change the profile"
            )

    def _heading(self) -> Heading:
        first = self._plans[0]
        mode = self._request.mode_of(self._request.works[0])
        if not first.scripts:
            return Heading(mode, SIGNALS, "", str(self._request.works[0].account), follows=True)
        script = first.scripts[0]
        name, info = script.source.script.name, script.info
        return Heading(mode, info.coin, info.timeframe.value, name)

    async def _notice_risk(self, ledger: Ledger, account: str) -> None:
        """Show the risk notice before the first live session of an account."""
        sessions = await ledger.read(lambda connection: list_sessions(connection, account))
        if is_first_time(sessions):
            get_logger().warning("risk_notice", said=RISK_NOTICE)

    def _wait(self, reason: str) -> None:
        self.watch.ledger.trouble = reason
        get_logger().error("ledger_not_usable", reason=reason, said=f"nothing trades: {reason}")
        self.page.wait(f"nothing trades: {reason}")
