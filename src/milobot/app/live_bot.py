"""A bot for one account: it leads the account or stands by, and looks after its records."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection

from milobot.app.audit_trail import AuditTrail
from milobot.app.exchanges import ExchangeClient
from milobot.app.halt_alerts import halt_alerts
from milobot.app.leader import Leader, SigningDeadline
from milobot.app.live_account import LiveAccount, LivePlan
from milobot.app.promptness import prompt
from milobot.app.upkeep import Task, Upkeep
from milobot.app.user_commands import CommandDesk
from milobot.domain.alerts import Alert
from milobot.domain.governor import (
    GovernorLimits,
    GovernorState,
    Halt,
    format_state,
    parse_state,
)
from milobot.domain.money import format_decimal
from milobot.domain.orders import OrderPurpose
from milobot.domain.timeframes import DAY_MS, MINUTE_MS
from milobot.errors import AuthenticationError, ExchangeError, LeaseLostError, MilobotError
from milobot.exchanges.times import Sleep, real_sleep
from milobot.exchanges.urgency import vital
from milobot.execution.drift import WalletMark, booked_total, wallet_drift
from milobot.execution.governor import Governor, transfers_of
from milobot.ports import Journal
from milobot.storage.account_records import (
    EquitySnapshot,
    load_governor,
    save_equity,
    save_governor,
)
from milobot.storage.leases import Lease, require_lease
from milobot.storage.ledger import Ledger
from milobot.storage.ledger_backup import back_up_ledger
from milobot.storage.ledger_pruning import prune
from milobot.storage.queries import list_orders
from milobot.telemetry import get_logger

CAPITAL_EVERY_S = 60.0
_AGAIN_S = 1.0
# A booking may be listed some minutes after it was made; one that is known changes nothing.
_LISTED_LATE_MS = 10 * MINUTE_MS
_DAY_S = DAY_MS / 1000


@dataclass(frozen=True, slots=True)
class BotPlan:
    """How an account is run.

    Attributes:
        live: What is traded and how.
        limits: Of the governor.
        holder: Who we are: another one for every process that was ever started.
        deadline: What the client asks until when it may sign; it is shown our lease.
        database_url: Of the ledger; what is copied every day when it is a file.
        backups: Folder of the copies; None keeps none.
        kept_days: How long ended orders, fills and decisions are kept.
    """

    live: LivePlan
    limits: GovernorLimits
    holder: str
    deadline: SigningDeadline
    database_url: str = ""
    backups: Path | None = None
    kept_days: int = 365


class LiveBot:
    """Trades one account while it is ours.

    Attributes:
        drift: USDT by which the wallet was off the books when it was last read; None before.
    """

    def __init__(
        self,
        client: ExchangeClient,
        ledger: Ledger,
        plan: BotPlan,
        tell: Callable[[Alert], None],
        *,
        sleep: Sleep = real_sleep,
        show: Callable[[Journal], Journal] = lambda journal: journal,
    ) -> None:
        """Prepare; nothing is asked before ``run``.

        Args:
            client: Made with the plan's ``deadline`` as its signing deadline.
            ledger: Open, and of this version.
            plan: How the account is run.
            tell: Takes alerts.
            sleep: Waits.
            show: Puts something before the journal, such as a page that shows what goes by.
        """
        self._client, self._ledger, self._plan = client, ledger, plan
        self._tell, self._sleep, self._show = tell, sleep, show
        self._account = plan.live.config.account
        self._lease = ledger.lease(self._account, plan.holder, client.clock)
        plan.deadline.follow(self._lease)
        self._mark: WalletMark | None = None
        self._halts: tuple[Halt, ...] = ()
        self.drift: Decimal | None = None
        self._leader: Leader | None = None
        self._trail = AuditTrail(ledger, self._account, client.clock)

    @property
    def lease(self) -> Lease:
        """Return our hold on the account, whether or not it is held now."""
        return self._lease

    @property
    def trouble(self) -> str:
        """Return why the ledger takes no records now; empty when it does, or was not asked yet."""
        return "" if self._leader is None else self._leader.trouble

    async def run(self, work: Callable[[LiveAccount], Awaitable[None]]) -> None:
        """Lead the account and let ``work`` ask for trades; stand by while another one leads.

        Args:
            work: Begun anew each time the account becomes ours, once it is known.

        Raises:
            AuthenticationError: The exchange refuses the key (inside an exception group).
            ExchangeError: The exchange does not tell its time.
        """
        # Leases and requests are held against the exchange's clock: it has to be known first.
        if not self._client.clock.is_measured:
            await self._client.market.fetch_server_time()
        self._leader = leader = Leader(
            self._account, self._lease, self._client.clock, self._tell, self._sleep
        )
        await leader.run(lambda: self._lead(work))

    async def _lead(self, work: Callable[[LiveAccount], Awaitable[None]]) -> None:
        journal = self._show(self._ledger.journal(self._account, self._lease))
        governor = await self._governor()
        self._mark = None
        await self._trail.note("lead_taken", f"{self._lease.holder}, epoch {self._lease.epoch}")
        live = LiveAccount(
            self._client, journal, governor, self._plan.live, self._tell, sleep=self._sleep
        )
        clock = self._client.clock
        desk = CommandDesk(self._account, self._ledger, live, clock, self._sleep, self._save)
        upkeep = Upkeep(self._account, self._ledger, clock, self._sleep)

        async def trade() -> None:
            # The day's start is known before anything enters.
            said = await self._first_capital(live)
            with prompt():
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(desk.run())
                    tasks.create_task(upkeep.run(self._tasks(live, said)))
                    await work(live)

        await live.run(trade)

    async def _first_capital(self, live: LiveAccount) -> str:
        """Read the account until it could be read; what is open is looked after meanwhile."""
        while True:
            try:
                return await self._capital(live)
            except (AuthenticationError, LeaseLostError):
                raise
            except MilobotError as error:
                get_logger().warning("account_unread", account=self._account, reason=str(error))
                await self._sleep(_AGAIN_S)
                await self._hear_of_budget()

    async def _hear_of_budget(self) -> None:
        """Ask for as little as there is: the answer tells when the budget is there again."""
        try:
            with vital():
                await self._client.market.fetch_server_time()
        except ExchangeError:
            return  # nothing else can be asked then either

    async def _governor(self) -> Governor:
        account, now_ms = self._account, self._client.clock.now_ms()
        content = await self._ledger.write(lambda c: load_governor(c, account))
        state = parse_state(content) if content else GovernorState(account)
        lines = await self._ledger.read(lambda c: list_orders(c, account, limit=1_000))
        entered = [
            line.order.created_ms
            for line in lines
            if line.order.purpose is OrderPurpose.ENTRY
            and line.order.created_ms > now_ms - MINUTE_MS
        ]
        return Governor(state, self._plan.limits, entered_ms=entered)

    async def _save(self, state: GovernorState) -> None:
        now_ms, account, lease = self._client.clock.now_ms(), self._account, self._lease
        content = format_state(state)

        def save(connection: Connection) -> None:
            require_lease(connection, lease)
            save_governor(connection, account, content, now_ms=now_ms)

        await self._ledger.write(save)

    def _tasks(self, live: LiveAccount, capital: str) -> list[Task]:
        """Return what is done now and then; ``capital`` is what came of its first turn."""
        tasks = [
            Task(
                "capital", lambda: self._capital(live), CAPITAL_EVERY_S, is_daily=True, said=capital
            ),
            Task("prune", self._prune, _DAY_S),
            Task("maintain", self._maintain, _DAY_S),
        ]
        if self._plan.backups is not None and self._plan.database_url.startswith("sqlite"):
            tasks.append(Task("backup", self._back_up, _DAY_S))
        return tasks

    async def _capital(self, live: LiveAccount) -> str:
        """Read the account: for the governor, and for the record."""
        now_ms = self._client.clock.now_ms()
        account = await live.view.fetch_account()
        first_ms = income_since(live.governor.state, now_ms)
        income = await live.view.fetch_income(first_ms=first_ms, last_ms=now_ms)
        state = live.governor.observe(account.equity, now_ms, transfers_of(income))
        for alert in halt_alerts(self._halts, state.halts, now_ms):
            self._tell(alert)
        self._halts = state.halts
        await self._trail.note_halts(state.halts)
        await self._save(state)
        snapshot = EquitySnapshot(
            self._account, now_ms, account.wallet, account.available, account.unrealized_pnl
        )
        await self._ledger.write(lambda c: save_equity(c, snapshot))
        said = f"equity {format_decimal(account.equity)} USDT"
        self.drift = self._drift(live, account.wallet)
        return f"{said}, wallet {self.drift:+.2f} USDT off the books"

    def _drift(self, live: LiveAccount, wallet: Decimal) -> Decimal:
        """Return how far the wallet has moved, since we lead, from what our books explain."""
        slots = [slot for slot, _ in live.engine.slots()]
        if self._mark is None:
            self._mark = WalletMark(wallet, booked_total(slots))
        return wallet_drift(self._mark, wallet, slots)

    async def _prune(self) -> str:
        now_ms = self._client.clock.now_ms()
        gone = await prune(self._ledger.database, now_ms=now_ms, days=self._plan.kept_days)
        return f"{gone.total} rows older than {self._plan.kept_days} days removed"

    async def _maintain(self) -> str:
        await self._ledger.database.maintain()
        return "database tidied up"

    async def _back_up(self) -> str:
        folder, now_ms = self._plan.backups, self._client.clock.now_ms()
        if folder is None:
            return "no folder for copies is set"
        url = self._plan.database_url
        copy = await asyncio.to_thread(back_up_ledger, url, folder, now_ms=now_ms)
        return f"copied to {copy.name}"


def income_since(state: GovernorState, now_ms: int) -> int:
    """Return since when bookings may be unknown: today's, and not before the last reading.

    A busy account books thousands a day, of which each thousand costs a request. The last
    reading is on record, so this holds over restarts.
    """
    day_ms = now_ms - now_ms % DAY_MS
    if state.last is None:
        return day_ms
    return max(day_ms, min(state.last.time_ms, now_ms) - _LISTED_LATE_MS)
