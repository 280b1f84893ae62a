"""User events of the Binance dialect; the keys follow its recorded frames."""

from milobot.domain.money import ZERO, format_decimal
from milobot.local_exchange.binance.shapes import (
    average_text,
    money,
    price_text,
    quantity_text,
)
from milobot.local_exchange.core.accounts import Account
from milobot.local_exchange.core.events import (
    AccountEvent,
    BalanceEvent,
    ConditionalEvent,
    OrderEvent,
    SettingEvent,
)
from milobot.local_exchange.core.orders import Origin
from milobot.local_exchange.core.venue import Venue
from milobot.local_exchange.wire import Json


class UserEvents:
    """Writes what happened to an account."""

    def __init__(self, venue: Venue) -> None:
        """Keep the venue."""
        self._venue = venue

    def message(self, account: Account, event: AccountEvent) -> dict[str, Json]:
        """Return the frame of an event, as the account is now."""
        now = self._venue.clock.now_ms()
        if isinstance(event, OrderEvent):
            return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": self._order(event, now)}
        if isinstance(event, ConditionalEvent):
            return {"e": "ALGO_UPDATE", "E": now, "T": now, "o": self._algo(event)}
        if isinstance(event, BalanceEvent):
            return {"e": "ACCOUNT_UPDATE", "E": now, "T": now, "a": self._balance(account, event)}
        return self._setting(event, now)

    def _order(self, event: OrderEvent, now: int) -> Json:
        item, done = event.order, event.execution
        ticket = item.ticket
        contract = self._venue.contract(ticket.symbol)
        name = "LIQUIDATION" if item.origin is Origin.LIQUIDATION else ticket.kind.value
        change = "CALCULATED" if name == "LIQUIDATION" and done else event.change.value
        return {
            "s": ticket.symbol,
            "c": ticket.client_id,
            "S": ticket.side,
            "o": name,
            "f": ticket.time_in_force,
            "q": quantity_text(contract, item.quantity),
            "p": price_text(contract, ticket.price or ZERO),
            "ap": f"{item.average_price:.5f}" if event.filled else "0",
            "sp": "0",
            "x": change,
            "X": event.status,
            "i": item.id,
            "l": quantity_text(contract, done.quantity if done else ZERO),
            "z": quantity_text(contract, event.filled),
            "L": price_text(contract, done.price if done else ZERO),
            "n": money(done.fee if done else ZERO),
            "N": contract.quote,
            "T": now,
            "t": done.id if done else 0,
            "b": "0",
            "a": "0",
            "m": done.is_maker if done else False,
            "R": ticket.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": name,
            "ps": "BOTH",
            "cp": False,
            "rp": money(done.realized if done else ZERO),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": 0,
        }

    def _algo(self, event: ConditionalEvent) -> Json:
        item = event.conditional
        ticket, child = item.ticket, item.child
        contract = self._venue.contract(ticket.symbol)
        return {
            "caid": ticket.client_id,
            "aid": item.id,
            "at": "CONDITIONAL",
            "o": ticket.type_name,
            "s": ticket.symbol,
            "S": ticket.side,
            "ps": "BOTH",
            "f": ticket.time_in_force,
            "q": quantity_text(contract, item.quantity or ZERO),
            "X": event.status,
            "ai": str(child.id) if child else "",
            "ap": f"{child.average_price:.5f}" if child else "0.00000",
            "aq": quantity_text(contract, child.filled) if child else "0.00000",
            "act": child.ticket.kind.value if child else "0",
            "tp": format_decimal(item.trigger.price),
            "p": price_text(contract, ticket.price or ZERO),
            "V": "EXPIRE_MAKER",
            "wt": item.trigger.by,
            "pm": "NONE",
            "cp": ticket.close_position,
            "pP": False,
            "R": ticket.reduce_only,
            "tt": item.triggered_ms,
            "gtd": 0,
            "rm": item.reason,
        }

    def _balance(self, account: Account, event: BalanceEvent) -> Json:
        positions = [self._position(account, event.symbol)] if event.symbol else []
        reason = "ORDER" if event.reason == "LIQUIDATION" else event.reason
        return {
            "m": reason,
            "B": [
                {
                    "a": "USDT",
                    "wb": money(account.wallet),
                    "cw": money(account.wallet - account.position_margin),
                    "bc": money(event.amount),
                }
            ],
            "P": positions,
        }

    def _position(self, account: Account, symbol: str) -> Json:
        tape, book = self._venue.tape(symbol), self._venue.book(account, symbol)
        contract, held = self._venue.contract(tape.symbol), book.position
        isolated = account.margin_mode(symbol) == "ISOLATED"
        return {
            "s": symbol,
            "pa": quantity_text(contract, held.side.sign * held.quantity),
            "ep": average_text(held.entry_price),
            "bep": average_text(held.entry_price),
            "cr": money(held.realized_pnl),
            "up": money(account.unrealized_pnl(symbol, tape.last_price)),
            "mt": "isolated" if isolated else "cross",
            "iw": money(book.margin if isolated else ZERO),
            "ps": "BOTH",
            "ma": contract.quote,
        }

    @staticmethod
    def _setting(event: SettingEvent, now: int) -> dict[str, Json]:
        setting = {"s": event.symbol, "l": event.leverage}
        return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": setting}
