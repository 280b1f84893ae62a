"""User events of the BingX dialect; the keys follow recorded frames."""

from milobot.domain.money import ZERO
from milobot.local_exchange.bingx.shapes import price_text, quantity_text, symbol_name
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import (
    AccountEvent,
    BalanceEvent,
    ConditionalEvent,
    OrderEvent,
    SettingEvent,
)
from milobot.local_exchange.core.orders import Origin, Status
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Json

_CONDITIONAL_CHANGES = {
    Status.NEW: ("NEW", "NEW"),
    Status.CANCELED: ("CANCELED", "CANCELED"),
    Status.EXPIRED: ("EXPIRED", "EXPIRED"),
    Status.REJECTED: ("EXPIRED", "FAILED"),
}


class UserEvents:
    """Writes what happened to an account."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue

    def message(self, account: Account, event: AccountEvent) -> dict[str, Json] | None:
        """Return the frame of an event, as the account is now; None when nothing is told."""
        now = self._venue.clock.now_ms()
        if isinstance(event, OrderEvent):
            news = self._order(account, event, now)
            return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": news}
        if isinstance(event, ConditionalEvent):
            if event.status not in _CONDITIONAL_CHANGES:
                return None  # triggered: its child tells the rest under the same id
            news = self._conditional(event, now)
            return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": news}
        if isinstance(event, BalanceEvent):
            return {"e": "ACCOUNT_UPDATE", "E": now, "T": now, "a": self._balance(account, event)}
        return self._setting(account, event, now)

    def _order(self, account: Account, event: OrderEvent, now: int) -> Json:
        item, done = event.order, event.execution
        parent = account.conditionals.get(item.parent_id)
        ticket = parent.ticket if parent else item.ticket
        contract = self._venue.contract(ticket.symbol)
        name = "LIQUIDATION" if item.origin is Origin.LIQUIDATION else ticket.type_name
        change = "CALCULATED" if name == "LIQUIDATION" and done else event.change.value
        return {
            "s": symbol_name(ticket.symbol),
            "c": ticket.client_id,
            "i": str(parent.id if parent else item.id),
            "S": ticket.side,
            "o": name,
            "q": quantity_text(contract, item.quantity),
            "p": price_text(contract, ticket.price or ZERO),
            "sp": price_text(contract, ticket.trigger.price if ticket.trigger else ZERO),
            "ap": price_text(contract, item.average_price),
            "x": change,
            "X": event.status,
            "N": contract.quote,
            "n": f"{-(done.fee if done else ZERO):.8f}",
            "T": now,
            "wt": ticket.trigger.by if ticket.trigger else "MARK_PRICE",
            "ps": ticket.position_side,
            "rp": f"{done.realized if done else ZERO:.8f}",
            "z": quantity_text(contract, event.filled),
            "l": quantity_text(contract, done.quantity if done else ZERO),
            "L": price_text(contract, done.price if done else ZERO),
            "t": str(done.id) if done else "0",
            "m": done.is_maker if done else False,
            "ro": ticket.reduce_only,
        }

    def _conditional(self, event: ConditionalEvent, now: int) -> Json:
        item = event.conditional
        ticket, contract = item.ticket, self._venue.contract(item.ticket.symbol)
        change, status = _CONDITIONAL_CHANGES[event.status]
        zero = quantity_text(contract, ZERO)
        return {
            "s": symbol_name(ticket.symbol),
            "c": ticket.client_id,
            "i": "" if item.is_nameless else str(item.id),
            "S": ticket.side,
            "o": ticket.type_name,
            "q": quantity_text(contract, item.quantity or ZERO),
            "p": price_text(contract, ticket.price or ZERO),
            "sp": price_text(contract, item.trigger.price),
            "ap": price_text(contract, ZERO),
            "x": change,
            "X": status,
            "N": contract.quote,
            "n": "0.00000000",
            "T": now,
            "wt": item.trigger.by,
            "ps": ticket.position_side,
            "rp": "0.00000000",
            "z": zero,
            "l": zero,
            "L": price_text(contract, ZERO),
            "t": "0",
            "m": False,
            "ro": ticket.reduce_only,
        }

    def _balance(self, account: Account, event: BalanceEvent) -> Json:
        balance = {
            "a": "USDT",
            "bc": f"{event.amount:.8f}",
            "cw": f"{account.wallet - account.position_margin:.8f}",
            "wb": f"{account.wallet:.8f}",
        }
        positions = [self._position(account, event.symbol)] if event.symbol else []
        reason = "ORDER" if event.reason == "LIQUIDATION" else event.reason
        return {"m": reason, "B": [balance], "P": positions}

    def _position(self, account: Account, symbol: str) -> Json:
        contract, book = self._venue.contract(symbol), self._venue.book(account, symbol)
        held, mark = book.position, self._venue.tape(symbol).last_price
        return {
            "s": symbol_name(symbol),
            "pa": quantity_text(contract, held.quantity),
            "ep": f"{held.entry_price:.8f}",
            "cr": f"{held.realized_pnl:.8f}",
            "up": f"{account.unrealized_pnl(symbol, mark):.8f}",
            "mt": "isolated" if account.margin_mode(symbol) == "ISOLATED" else "cross",
            "iw": f"{book.margin:.8f}",
            "ps": held.side,
        }

    def _setting(self, account: Account, event: SettingEvent, now: int) -> dict[str, Json]:
        config = self._config(account, event.symbol)
        return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "ac": config}

    def snapshot(self, account: Account) -> Json:
        """Return what a user stream begins with: leverage and margin mode."""
        now, first = self._venue.clock.now_ms(), next(iter(self._venue.contracts))
        return {"e": "SNAPSHOT", "E": now, "T": now, "ac": self._config(account, first)}

    @staticmethod
    def _config(account: Account, symbol: str) -> Json:
        leverage = account.leverage(symbol)
        mode = "isolated" if account.margin_mode(symbol) == "ISOLATED" else "cross"
        return {"s": symbol_name(symbol), "l": leverage, "S": leverage, "mt": mode}
