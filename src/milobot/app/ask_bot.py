"""Asking the process that leads an account for something; doing it oneself when there is none."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from milobot.app.audit_trail import log_entry, whoami
from milobot.app.exchanges import AccountName, open_client
from milobot.app.live_account import LiveAccount
from milobot.app.live_bot import LiveBot
from milobot.app.live_setup import first_answer, plan_bot
from milobot.app.presence import find_presence
from milobot.domain.alerts import Alert
from milobot.domain.money import format_decimal
from milobot.errors import ConfigurationError, ExchangeError
from milobot.exchanges.times import SteadyClock
from milobot.ports import ExchangeAccount
from milobot.settings import Settings
from milobot.storage.api_key import ApiKey
from milobot.storage.audit import AuditEntry, append_audit
from milobot.storage.commands import Command, CommandKind, enqueue, read_command, withdraw
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger

_LOOK_S = 0.1
_ANSWER_S = {CommandKind.CLOSE: 30.0, CommandKind.FLATTEN: 30.0}
_SHORT_S = 6.0
_LONGEST_S = 90.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asks of an account.

    Attributes:
        symbol: What to close; empty for the other kinds.
        asked_by: Who asks, for the record; empty for whoever runs this process.
    """

    account: str
    kind: CommandKind
    symbol: str = ""
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of it.

    Attributes:
        is_done: Whether it was done as asked.
        is_alone: Whether nobody leads the account.
    """

    said: str
    is_done: bool
    is_alone: bool = False


async def ask_bot(ledger: Ledger, wish: Wish) -> Reply:
    """Ask the process that leads the account and wait for its answer.

    With nobody there a halt stays on record and holds as soon as somebody is; anything else
    is taken back.
    """
    presence = await find_presence(ledger, wish.account)
    if not presence.is_alive:
        return await _leave_behind(ledger, wish)
    number = await _enqueue(ledger, wish)
    done = await _answer(ledger, number, _ANSWER_S.get(wish.kind, _SHORT_S))
    if done is not None:
        return Reply(done.answer, is_done=bool(done.is_carried_out))
    if wish.kind is CommandKind.HALT:
        return Reply("the bot has not answered yet; the halt stays on record", is_done=False)
    if await ledger.write(lambda connection: withdraw(connection, number)):
        return Reply(
            "the bot did not take the command in time, so it was taken back", is_done=False
        )
    said = f"the bot is still at it: milobot status tells how {wish.account} stands"
    return Reply(said, is_done=False)


async def act_alone(ledger: Ledger, wish: Wish, settings: Settings, key: ApiKey) -> Reply:
    """Lead the account for as long as the wish takes; nobody else does.

    Everything a bot does at its start happens: what is on record is compared with the
    exchange first, and protection is put right.

    Raises:
        MilobotError: The exchange is out of reach or refuses the key.
    """
    exchange, _, name = wish.account.partition(":")
    plan = plan_bot(settings, AccountName(exchange, name))
    async with open_client(settings, exchange, key, deadline=plan.deadline) as client:
        await first_answer(exchange, client)
        number = await _enqueue(ledger, wish)
        bot = LiveBot(client, ledger, plan, _log)
        async with asyncio.TaskGroup() as tasks:
            leading = tasks.create_task(bot.run(_stay))
            done = await _answer(ledger, number, _LONGEST_S)
            left = await _left(client.account)
            leading.cancel()
    if done is None:
        return Reply(f"it was not finished in {_LONGEST_S:g} s; {left}", is_done=False)
    return Reply(f"{done.answer}; {left}", is_done=bool(done.is_carried_out))


def account_name(text: str) -> AccountName:
    """Return an account of the ledger as exchange and name.

    Raises:
        ConfigurationError: It is none that can be traded, such as one of a demo.
    """
    exchange, colon, name = text.partition(":")
    if not colon or exchange not in {"binance", "bingx"}:
        raise ConfigurationError(f"{text[:60]!r} is no account at an exchange")
    return AccountName(exchange, name)


async def _leave_behind(ledger: Ledger, wish: Wish) -> Reply:
    if wish.kind is CommandKind.HALT:
        await _enqueue(ledger, wish)
        said = "no bot runs on it: nothing trades now, and the halt holds as soon as one starts"
        return Reply(said, is_done=False, is_alone=True)
    said = f"no bot runs on it, so nobody carries out {wish.kind.value}: start milobot run first"
    return Reply(said, is_done=False, is_alone=True)


async def _enqueue(ledger: Ledger, wish: Wish) -> int:
    asked_by, now_ms = wish.asked_by or whoami(), SteadyClock().now_ms()

    def ask(connection: Connection) -> tuple[AuditEntry, int]:
        entry = append_audit(
            connection,
            wish.account,
            actor=asked_by,
            event=wish.kind.value,
            details=wish.symbol,
            now_ms=now_ms,
        )
        return entry, enqueue(
            connection,
            wish.account,
            wish.kind,
            asked_by=asked_by,
            now_ms=now_ms,
            symbol=wish.symbol,
        )

    entry, number = await ledger.write(ask)
    log_entry(entry)
    return number


async def _answer(ledger: Ledger, number: int, within_s: float) -> Command | None:
    """Return a command once it is done; None when it is not in time."""
    while within_s > 0:
        command = await ledger.read(lambda connection: read_command(connection, number))
        if command is not None and command.done_ms is not None:
            return command
        await asyncio.sleep(_LOOK_S)
        within_s -= _LOOK_S
    return None


async def _stay(live: LiveAccount) -> None:
    """Ask for no trades: what there is to do came as a command."""
    del live
    await asyncio.Event().wait()


async def _left(account: ExchangeAccount) -> str:
    """Return what the exchange shows as open, whoever opened it."""
    try:
        positions = await account.fetch_positions()
        orders = await account.fetch_open_orders()
    except ExchangeError as error:
        return f"what is left at the exchange is not known ({error})"
    if not positions and not orders:
        return "nothing is left at the exchange"
    held = [f"{p.side.value.lower()} {format_decimal(p.quantity)} {p.symbol}" for p in positions]
    return f"left at the exchange: {', '.join(held) or 'no position'}, {len(orders)} orders"


def _log(alert: Alert) -> None:
    log = get_logger()
    facts = {"kind": alert.kind.value, "symbol": alert.symbol, "said": alert.sentence}
    if alert.is_over:
        log.info("alert_over", **facts)
    else:
        log.warning("alert", **facts)
