"""What slots hold, as a table."""

from collections.abc import Iterable

from rich.console import Console

from milobot.app.account_status import Held
from milobot.cli.tables import number, print_table


def print_held(title: str, held: Iterable[Held], out: Console) -> None:
    """Print what slots hold and how safe it is; nothing when there are none."""
    titles = ("symbol", "side", "quantity", "entry", "stop", "state", "owner", "")
    print_table(title, titles, (_row(one) for one in held), out)


def _row(one: Held) -> tuple[str, ...]:
    slot = one.slot
    is_open = slot.held > 0
    note = f"closing: {slot.closing}" if slot.closing else slot.blocked
    return (
        slot.symbol,
        slot.held_side.value if is_open else "-",
        number(slot.held if is_open else None),
        number(slot.position.entry_price if is_open else None),
        number(slot.stop),
        one.state.value,
        slot.owner,
        note,
    )
