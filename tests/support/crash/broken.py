"""Bots that break one law each, so that the judge can be seen to call them wrong.

The mistake is put between the product and its ports; everything else is as in the other runs.
"""

from dataclasses import replace
from typing import Any, cast

from tests.support.crash.judge import DRIFTED, EXPOSED, STATELESS, TWICE

from milobot.app.exchanges import ExchangeClient
from milobot.domain.decisions import Decision
from milobot.domain.money import ZERO
from milobot.domain.orders import (
    Order,
    OrderPurpose,
    OrderStatus,
    OrderUpdate,
    Refusal,
)
from milobot.ports import ExchangeAccount, Journal, Record

# Nothing that protects leaves for this long after the first try; longer than is promised.
_LATE_MS = 4_000


class _Passing:
    """Passes on whatever it does not do itself."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _TwiceSendingAccount(_Passing):
    """Sends every entry a second time under another name, as one who forgot it was sent."""

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        account = cast(ExchangeAccount, self._inner)
        if order.purpose is OrderPurpose.ENTRY:
            await account.place_order(replace(order, client_order_id=f"{order.client_order_id}2"))
        return await account.place_order(order)


class _LateProtectingAccount(_Passing):
    """Lets no stop and no close through for a while."""

    def __init__(self, inner: object) -> None:
        super().__init__(inner)
        self._open_ms: dict[str, int] = {}

    async def place_order(self, order: Order) -> tuple[OrderUpdate, ...]:
        now_ms = order.send_before_ms or 0
        if order.purpose is OrderPurpose.ENTRY:
            self._open_ms.pop(order.symbol, None)
        elif now_ms < self._open_ms.setdefault(order.symbol, now_ms + _LATE_MS):
            refused = OrderUpdate(
                order.client_order_id,
                order.symbol,
                OrderStatus.REJECTED,
                now_ms,
                refusal=Refusal.UNAVAILABLE,
            )
            return (refused,)
        return await cast(ExchangeAccount, self._inner).place_order(order)


class _ForgettingJournal(_Passing):
    """Keeps no decision."""

    async def commit(self, *records: Record) -> None:
        kept = [record for record in records if not isinstance(record, Decision)]
        await cast(Journal, self._inner).commit(*kept)


class _FreeOfChargeJournal(_Passing):
    """Books every fill without its fee."""

    async def commit(self, *records: Record) -> None:
        await cast(Journal, self._inner).commit(*map(_without_fee, records))


def _without_fee(record: Record) -> Record:
    if isinstance(record, OrderUpdate):
        return replace(record, fills=tuple(replace(fill, fee=ZERO) for fill in record.fills))
    return record


_ACCOUNTS = {TWICE: _TwiceSendingAccount, EXPOSED: _LateProtectingAccount}
_JOURNALS = {STATELESS: _ForgettingJournal, DRIFTED: _FreeOfChargeJournal}


class _ClientWith(_Passing):
    def __init__(self, inner: object, account: object) -> None:
        super().__init__(inner)
        self.account = account


def broken_client(client: ExchangeClient, law: str) -> ExchangeClient:
    """Return a client whose account breaks ``law``, or the client itself."""
    kind = _ACCOUNTS.get(law)
    if kind is None:
        return client
    return cast(ExchangeClient, _ClientWith(client, kind(client.account)))


def broken_journal(journal: Journal, law: str) -> Journal:
    """Return a journal that breaks ``law``, or the journal itself."""
    kind = _JOURNALS.get(law)
    return journal if kind is None else cast(Journal, kind(journal))
