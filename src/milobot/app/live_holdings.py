"""What all accounts of a live run hold, valued at the latest prices."""

from milobot.app.held import gain_at, held_view, rough_liquidation
from milobot.app.page_prices import PagePrices
from milobot.app.shown_account import ShownAccount
from milobot.web.views import PositionView


class Holdings:
    """Looks at the accounts of a run; the one without a name is the first, which has the chart."""

    def __init__(self) -> None:
        """Know no account yet."""
        self._accounts: dict[str, ShownAccount | None] = {}
        self._prices = PagePrices()

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the accounts that are not ours now: nobody here knows what they hold."""
        return tuple(name for name, live in self._accounts.items() if live is None)

    def take_over(self, name: str, live: ShownAccount | None) -> None:
        """Look at an account from now on; None when it is ours no more."""
        self._accounts[name] = live

    def views(self, symbol: str) -> list[PositionView]:
        """Return everything that is held; of the first account's ``symbol`` levels are drawn."""
        has_one = len(self._accounts) == 1
        found = []
        for name, live in self._accounts.items():
            for slot, state in [] if live is None else live.engine.slots():
                gain = (
                    None if live is None else gain_at(slot, self._prices.price(live, slot.symbol))
                )
                view = held_view(
                    slot,
                    state,
                    unrealized_pnl=gain,
                    liquidation=rough_liquidation(slot),
                    account="" if has_one or live is None else live.name,
                    on_chart=not name and slot.symbol == symbol,
                )
                found += [view] if view is not None else []
        return found

    async def ask_prices(self) -> None:
        """Ask for prices that no stream tells, a few a minute.

        Raises:
            ExchangeError: One cannot be had now.
        """
        for live in tuple(self._accounts.values()):
            if live is not None:
                held = [slot.symbol for slot, _ in live.engine.slots() if slot.held]
                await self._prices.ask(live, held)
