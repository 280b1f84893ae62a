"""Commands: asked by one process, carried out by another, answered either way."""

from functools import partial

from milobot.storage.commands import (
    SHELF_LIFE_MS,
    CommandKind,
    enqueue,
    finish,
    is_any_waiting,
    read_command,
    take_next,
    withdraw,
)
from milobot.storage.ledger import Ledger

ACCOUNT = "binance:default"


async def ask(
    ledger: Ledger, kind: CommandKind, *, now_ms: int, symbol: str = "", account: str = ACCOUNT
) -> int:
    """Enqueue a command."""
    return await ledger.write(
        partial(enqueue, account=account, kind=kind, asked_by="cli", now_ms=now_ms, symbol=symbol)
    )


async def test_a_command_is_taken_carried_out_and_answered(ledger: Ledger) -> None:
    """Who asked looks for the answer by the number it was given."""
    number = await ask(ledger, CommandKind.CLOSE, now_ms=1_000, symbol="BTCUSDT")

    taken = await ledger.write(partial(take_next, account=ACCOUNT, now_ms=2_000))
    await ledger.write(
        partial(finish, command_id=number, answer="closed", is_carried_out=True, now_ms=3_000)
    )

    assert taken is not None
    assert (taken.command_id, taken.kind, taken.symbol) == (number, CommandKind.CLOSE, "BTCUSDT")
    assert (taken.taken_ms, taken.done_ms) == (2_000, None)
    done = await ledger.read(partial(read_command, command_id=number))
    assert done is not None
    assert (done.answer, done.is_carried_out, done.done_ms) == ("closed", True, 3_000)
    assert await ledger.write(partial(take_next, account=ACCOUNT, now_ms=4_000)) is None


async def test_a_look_says_whether_there_is_anything_to_take(ledger: Ledger) -> None:
    """It is made four times a second and must hold up nobody who writes."""
    look = partial(is_any_waiting, account=ACCOUNT)
    assert not await ledger.read(look)
    await ask(ledger, CommandKind.HALT, now_ms=1_000, account="bingx:default")
    assert not await ledger.read(look)
    number = await ask(ledger, CommandKind.HALT, now_ms=1_000)
    assert await ledger.read(look)

    await ledger.write(partial(take_next, account=ACCOUNT, now_ms=2_000))
    assert await ledger.read(look)  # taken and not finished: it comes again
    await ledger.write(
        partial(finish, command_id=number, answer="done", is_carried_out=True, now_ms=3_000)
    )

    assert not await ledger.read(look)


async def test_commands_come_in_the_order_they_were_asked(ledger: Ledger) -> None:
    """`halt` and then `resume` is not the same as the other way round."""
    first = await ask(ledger, CommandKind.HALT, now_ms=1_000)
    second = await ask(ledger, CommandKind.RESUME, now_ms=1_000)

    seen = []
    for _ in range(2):
        command = await ledger.write(partial(take_next, account=ACCOUNT, now_ms=2_000))
        assert command is not None
        seen.append(command.command_id)
        await ledger.write(
            partial(
                finish,
                command_id=command.command_id,
                answer="done",
                is_carried_out=True,
                now_ms=2_000,
            )
        )

    assert seen == [first, second]


async def test_what_a_dead_process_took_comes_again(ledger: Ledger) -> None:
    """Killed between taking a `flatten` and doing it: the successor does it."""
    number = await ask(ledger, CommandKind.FLATTEN, now_ms=1_000)
    await ledger.write(partial(take_next, account=ACCOUNT, now_ms=1_500))

    again = await ledger.write(
        partial(take_next, account=ACCOUNT, now_ms=1_500 + 2 * SHELF_LIFE_MS)
    )

    assert again is not None
    assert again.command_id == number


async def test_what_nobody_took_in_time_is_not_done_later(ledger: Ledger) -> None:
    """A `close` of this morning must not close what was opened at noon; a halt still holds."""
    late = await ask(ledger, CommandKind.CLOSE, now_ms=1_000, symbol="BTCUSDT")
    halt = await ask(ledger, CommandKind.HALT, now_ms=1_000)

    taken = await ledger.write(partial(take_next, account=ACCOUNT, now_ms=1_001 + SHELF_LIFE_MS))

    assert taken is not None
    assert taken.command_id == halt
    answered = await ledger.read(partial(read_command, command_id=late))
    assert answered is not None
    assert answered.is_carried_out is False
    assert "nobody was there in time" in answered.answer


async def test_a_command_can_be_withdrawn_until_it_is_taken(ledger: Ledger) -> None:
    """Who waited in vain takes it back, unless somebody has begun."""
    number = await ask(ledger, CommandKind.HALT, now_ms=1_000)
    other = await ask(ledger, CommandKind.RESUME, now_ms=1_000)
    await ledger.write(partial(take_next, account=ACCOUNT, now_ms=1_000))

    assert not await ledger.write(partial(withdraw, command_id=number))
    assert await ledger.write(partial(withdraw, command_id=other))
    assert await ledger.read(partial(read_command, command_id=other)) is None


async def test_commands_of_other_accounts_are_not_seen(ledger: Ledger) -> None:
    """Each account has its own leader."""
    await ask(ledger, CommandKind.HALT, now_ms=1_000, account="bingx:default")

    assert await ledger.write(partial(take_next, account=ACCOUNT, now_ms=1_000)) is None
