"""What users ask of a running bot, taken from the ledger and carried out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from milobot.app.audit_trail import BOT, log_entry
from milobot.app.live_account import LiveAccount
from milobot.domain.governor import GovernorState
from milobot.errors import LeaseLostError, MilobotError
from milobot.exchanges.times import Sleep
from milobot.ports import Clock
from milobot.storage.audit import AuditEntry, append_audit
from milobot.storage.commands import Command, CommandKind, finish, is_any_waiting, take_next
from milobot.storage.ledger import Ledger
from milobot.telemetry import get_logger

_LOOK_S = 0.25
_FLAT_WITHIN_S = 20.0


@dataclass(slots=True)
class CommandDesk:
    """Carries out the commands of one account, one after the other.

    Attributes:
        save: Puts the governor's state on record.
    """

    account: str
    ledger: Ledger
    live: LiveAccount
    clock: Clock
    sleep: Sleep
    save: Callable[[GovernorState], Awaitable[None]]

    async def run(self) -> None:
        """Look for commands until cancelled."""
        while True:
            try:
                command = await self._next()
                if command is not None:
                    await self._carry_out(command)
                    continue
            except LeaseLostError:
                raise
            except MilobotError as error:
                get_logger().warning("commands_unread", reason=str(error))
            await self.sleep(_LOOK_S)

    async def _next(self) -> Command | None:
        if not await self.ledger.read(lambda c: is_any_waiting(c, self.account)):
            return None
        now_ms = self.clock.now_ms()
        return await self.ledger.write(lambda c: take_next(c, self.account, now_ms=now_ms))

    async def _carry_out(self, command: Command) -> None:
        try:
            answer, is_done = await self._act(command)
        except LeaseLostError:
            raise
        except MilobotError as error:
            answer, is_done = str(error), False
        now_ms = self.clock.now_ms()
        end = partial(
            self._finish, command=command, answer=answer, is_carried_out=is_done, now_ms=now_ms
        )
        log_entry(await self.ledger.write(end))
        get_logger().info("command_done", command=command.kind.value, answer=answer)

    def _finish(
        self,
        connection: Connection,
        *,
        command: Command,
        answer: str,
        is_carried_out: bool,
        now_ms: int,
    ) -> AuditEntry:
        """Answer a command and note what came of it, in one transaction."""
        number = command.command_id
        finish(connection, number, answer=answer, is_carried_out=is_carried_out, now_ms=now_ms)
        return append_audit(
            connection,
            self.account,
            actor=BOT,
            event=f"{command.kind.value}_{'done' if is_carried_out else 'not_done'}",
            details=f"for {command.asked_by}: {answer}",
            now_ms=now_ms,
        )

    async def _act(self, command: Command) -> tuple[str, bool]:
        """Return what came of a command, as a sentence, and whether it was done as asked."""
        governor, now_ms = self.live.governor, self.clock.now_ms()
        match command.kind:
            case CommandKind.HALT:
                await self.save(governor.halt(f"by {command.asked_by}", now_ms))
                return "halted: nothing enters until milobot resume", True
            case CommandKind.RESUME:
                state = governor.resume()
                await self.save(state)
                if state.halts:
                    return f"still halted: {state.halts[0].reason}", False
                return "entries pass again", True
            case CommandKind.CLOSE:
                return await self._close((command.symbol,), "close")
            case CommandKind.FLATTEN:  # pragma: no branch - mypy proves that none is left
                await self.save(governor.halt(f"by {command.asked_by}, flatten", now_ms))
                return await self._close(self._busy_symbols(), "halt")

    async def _close(self, symbols: tuple[str, ...], reason: str) -> tuple[str, bool]:
        engine = self.live.engine
        busy = [s for s in symbols if not engine.slot(s).is_idle]
        if not busy:
            return "nothing of ours is open there", True
        for symbol in busy:
            await engine.close_position(symbol, reason)
        left_s = _FLAT_WITHIN_S
        while left_s > 0 and any(not engine.slot(s).is_idle for s in busy):
            await self.sleep(_LOOK_S)
            left_s -= _LOOK_S
        open_still = [s for s in busy if not engine.slot(s).is_idle]
        if open_still:
            return f"not flat yet, and being tried on: {', '.join(open_still)}", False
        return f"flat: {', '.join(busy)}", True

    def _busy_symbols(self) -> tuple[str, ...]:
        return tuple(slot.symbol for slot, _ in self.live.engine.slots() if not slot.is_idle)
