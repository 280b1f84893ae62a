"""Hands what came over HTTP in at the door, and says what became of it."""

import asyncio
import secrets
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from milobot.domain.times import format_time
from milobot.errors import SignalFormatError, StorageError
from milobot.ports import Clock
from milobot.signals.door import Incoming, Receipt, SignalDoor, SignalHistory, SignalState
from milobot.storage.plain_text import to_plain_text
from milobot.telemetry import get_logger
from milobot.web.access import Access, Refusal

LEDGER_S = 15.0
"""How long the ledger may take to record a signal before the sender is told to come again."""
RETRY_AFTER_S = 2
_STATUS = {
    "malformed_json": 400,
    "bad_key": 400,
    "body_cut": 400,
    "wrong_secret": 401,
    "body_too_slow": 408,
    "body_too_large": 413,
    "wrong_content_type": 415,
}
_UNREAD = frozenset(
    {"body_too_large", "body_too_slow", "body_cut", "wrong_content_type", "bad_key"}
)
_NOT_TAKEN = frozenset({SignalState.REFUSED, SignalState.NOT_A_SIGNAL, SignalState.LATE})


class Intake:
    """The counter at which requests become signals.

    Attributes:
        access: Who may do what.
    """

    def __init__(self, door: SignalDoor, access: Access, clock: Clock) -> None:
        """Hand in at ``door``; ``clock`` says when a message came."""
        self.access = access
        self._door, self._clock = door, clock

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return self._clock.now_ms()

    def fresh_id(self) -> str:
        """Return an identity that no other message has."""
        return f"{self._clock.now_ms():012x}-{secrets.token_hex(8)}"

    async def hand_in(self, incoming: Incoming, request: Request) -> Response:
        """Put a message on record and answer what it was taken for."""
        try:
            async with asyncio.timeout(LEDGER_S):
                receipt = await self._door.receive(incoming)
                is_other = receipt.is_known and await self._is_other(receipt, incoming)
        except (StorageError, TimeoutError) as error:
            get_logger().error("signal_not_recorded", source=incoming.source, reason=str(error))
            return self._unrecorded(incoming, request)
        if is_other:
            return self._refuse(
                Refusal(422, "key_reused", "This key is on record with another message."),
                request,
                id=receipt.signal_id,
            )
        return self._answer(receipt, request)

    def refuse(self, error: SignalFormatError, request: Request) -> Response:
        """Answer what is wrong with a request that does not get as far as the door."""
        status = _STATUS.get(error.code, 422)
        # What was not read of a body must not be taken for the next request.
        headers = {"Connection": "close"} if error.code in _UNREAD else {}
        return self._refuse(Refusal(status, error.code, str(error), headers), request)

    def _answer(self, receipt: Receipt, request: Request) -> Response:
        facts = receipt_row(receipt)
        if receipt.state in _NOT_TAKEN:
            reason = receipt.reason or "It is not traded."
            return self._refuse(Refusal(422, receipt.code, reason), request, **facts)
        is_old = receipt.is_known or receipt.state is SignalState.DUPLICATE
        location = {"Location": f"/signals/{receipt.signal_id}"}
        return to_json(facts, 200 if is_old else 202, location)

    async def _is_other(self, receipt: Receipt, incoming: Incoming) -> bool:
        """Return whether the id belongs to a message that says something else."""
        history = await self._door.history(receipt.signal_id)
        return history is not None and history.text != to_plain_text(incoming.text)

    def _unrecorded(self, incoming: Incoming, request: Request) -> Response:
        sentence = (
            "The ledger does not take it now: send it again with the Idempotency-Key "
            f"{incoming.message_id}, so that it counts once."
        )
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        refusal = Refusal(503, "not_recorded", sentence, headers)
        return self._refuse(refusal, request, idempotency_key=incoming.message_id)

    def _refuse(self, refusal: Refusal, request: Request, **facts: Any) -> Response:
        return self.access.note(refusal, request.scope).response(**facts)


def to_json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def receipt_row(receipt: Receipt) -> dict[str, Any]:
    """Return the JSON form of a receipt."""
    return {
        "id": receipt.signal_id,
        "state": receipt.state.value,
        "code": receipt.code,
        "reason": receipt.reason,
    }


def history_row(history: SignalHistory) -> dict[str, Any]:
    """Return the JSON form of everything about a signal; times are UTC."""
    return {
        **receipt_row(history.receipt),
        "account": history.account,
        "source": history.source,
        "message_id": history.message_id,
        "text": history.text,
        "received_ms": history.received_ms,
        "received": format_time(history.received_ms),
        "reading": dict(history.reading),
        "intent_keys": list(history.intent_keys),
        "events": [
            {
                "time_ms": event.time_ms,
                "time": format_time(event.time_ms),
                "kind": event.kind,
                "state": event.state.value,
                "code": event.code,
                "sentence": event.sentence,
            }
            for event in history.events
        ],
    }
