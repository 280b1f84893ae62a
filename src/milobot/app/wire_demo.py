"""The demo over the wire: a local exchange in its own process, real clients, a script, a page.

Everything a live bot does happens: requests are signed, orders travel, stops rest at the
exchange, news comes back over a stream. Only the money and the market are made up.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from milobot.app.exchange_process import local_exchange
from milobot.app.leader import SigningDeadline
from milobot.app.live_account import LivePlan
from milobot.app.live_bot import BotPlan
from milobot.app.live_page import LivePage
from milobot.app.live_run import LiveRun, RunPlan
from milobot.app.live_setup import load_plans, settings_ahead, trust_of
from milobot.app.local_client import local_client
from milobot.app.pages import Served, serve_beside
from milobot.app.preparation import Source
from milobot.app.sessions import ScriptPlan
from milobot.app.watch import RunWatch
from milobot.backtest.runner import Terms
from milobot.domain.governor import GovernorLimits
from milobot.domain.money import format_decimal
from milobot.domain.timeframes import Timeframe
from milobot.errors import ConfigurationError
from milobot.exchanges.account_view import ViewPlan
from milobot.execution.engine import EngineConfig
from milobot.scripting.lock_levels import Trust
from milobot.scripting.results import ScriptInfo
from milobot.settings import EXCHANGES
from milobot.storage.ledger import open_ledger
from milobot.web.observe_routes import observe_routes
from milobot.web.server import open_listener, page_address
from milobot.web.state import Heading

SCRIPT_CANDLES_PER_S = 4.0
HISTORY = 480
_DAYS = 120
_FASTEST = 900.0


@dataclass(frozen=True, slots=True)
class WireDemoRequest:
    """What to trade on which exchange's dialect, and how fast its market goes.

    Attributes:
        dialect: Whose exchange it is like; ``EXCHANGES`` lists them.
        speed: Candles of the exchange's data a second; None four of the script's.
    """

    source: Source
    terms: Terms
    dialect: str = "binance"
    speed: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked at once.

        Raises:
            ConfigurationError: The dialect is unknown, or the speed is out of range.
        """
        if self.dialect not in EXCHANGES:
            known = " or ".join(EXCHANGES)
            raise ConfigurationError(f"--exchange {self.dialect[:20]!r} is unknown: use {known}")
        if self.speed is not None and not 0 < self.speed <= _FASTEST:
            raise ConfigurationError(
                f"--speed {self.speed:g} is out of range on an exchange: use up to {_FASTEST:g}"
            )


def run_wire_demo(request: WireDemoRequest, *, port: int, say: Callable[[str], None]) -> None:
    """Run the demo with its page until Ctrl-C or SIGTERM.

    Raises:
        MilobotError: The port is taken, or script, candles or a flag is wrong.
    """
    listener = open_listener("127.0.0.1", port)
    source = replace(request.source, data_limit=HISTORY)
    trust = trust_of([source.script], is_real=False, is_trusted=source.trusts_script)
    with closing(listener), TemporaryDirectory(prefix="milobot-demo-") as folder:
        (script,) = load_plans([source], trust)
        ledger = Path(folder) / "demo.db"
        stage = Stage(request, script, trust, f"sqlite:///{ledger}", say)
        say_where = partial(say, f"chart: {page_address(listener)}  (Ctrl-C ends it)")
        asyncio.run(
            serve_beside(
                partial(stage.run, say_where),
                Served(stage.page.state, listener, routes=tuple(observe_routes(stage.watch))),
                stays=False,
                finish=stage.finish,
            )
        )


class Stage:
    """Everything of a demo: the exchange, a client, a ledger that is thrown away, a live run.

    Attributes:
        page: Where it is shown.
        watch: Knows how the run stands.
    """

    def __init__(
        self,
        request: WireDemoRequest,
        script: ScriptPlan,
        trust: Trust,
        database_url: str,
        say: Callable[[str], None],
    ) -> None:
        """Prepare; nothing runs yet."""
        self._request, self._script, self._say = request, script, say
        info, name = script.info, script.source.script.name
        self.page = LivePage(Heading("demo", info.coin, info.timeframe.value, name))
        self._plan = RunPlan(
            bot=_plan_bot(request, script, database_url),
            scripts=(script,),
            trust=trust,
            mode="demo",
            source=f"{request.dialect}-local",
            candle_file=None,
        )
        self.watch = RunWatch([self._plan.bot.live.config.account], "demo")
        self._run: LiveRun | None = None

    async def run(self, say_where: Callable[[], None]) -> None:
        """Trade until cancelled; ``say_where`` tells where the page is once it is served."""
        request, info = self._request, self._script.info
        async with local_exchange(_flags(request, info)) as exchange:
            self._say(f"exchange: {exchange.url} ({request.dialect} dialect, play money)")
            client = local_client(request.dialect, exchange, self._plan.bot.deadline)
            url, account = self._plan.bot.database_url, self._plan.bot.live.config.account
            async with client, await open_ledger(url) as ledger, self.watch.at_work():
                await client.market.fetch_server_time()  # by whose clock orders are counted
                show = self.watch.beside(self.page, account, client.clock)
                self._run = LiveRun(client, ledger, self._plan, show)
                self.watch.follow(ledger, [self._run])
                # Said once Ctrl-C is listened to: who reads it may press it at once.
                self._say(f"demo: {request.source.script.name} on {info.coin} {info.timeframe}")
                say_where()
                await self._run.run()

    async def finish(self) -> None:
        """Prepare for the end as a live run does."""
        if self._run is not None:
            await self._run.finish()


def _plan_bot(request: WireDemoRequest, script: ScriptPlan, database_url: str) -> BotPlan:
    """Return how the demo's account is run.

    Its market goes through days in seconds, so what is counted by the day or the minute
    would stop it: those limits are lifted. Everything else is as live.
    """
    account = f"{request.dialect}:demo"
    return BotPlan(
        live=LivePlan(
            config=EngineConfig(account=account, limits=request.terms.limits),
            symbols=(script.info.coin,),
            settings=settings_ahead([script]),
            view=ViewPlan(has_bulk_brackets=request.dialect == "binance"),
        ),
        limits=GovernorLimits(
            daily_loss=Decimal(1), max_drawdown=Decimal(1), max_entries_per_minute=100_000
        ),
        holder="demo",
        deadline=SigningDeadline(),
        database_url=database_url,
    )


def _flags(request: WireDemoRequest, info: ScriptInfo) -> list[str]:
    per_candle = max(1, info.timeframe.milliseconds // Timeframe.M1.milliseconds)
    speed = request.speed or min(_FASTEST, SCRIPT_CANDLES_PER_S * per_candle)
    source, terms = request.source, request.terms
    candles = ["--data", str(source.data)] if source.data else ["--days", str(_DAYS)]
    pairs = {
        "--dialect": request.dialect,
        "--symbol": info.coin,
        "--speed": f"{speed:g}",
        "--history": str((HISTORY + 1) * per_candle),
        "--wallet": format_decimal(terms.equity),
        "--fee": format_decimal(terms.fee),
        "--slippage": format_decimal(terms.slippage),
    }
    return [*candles, *(word for pair in pairs.items() for word in pair)]
