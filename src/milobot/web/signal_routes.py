"""Signals over HTTP: ``POST /signal``, and what became of them."""

import re
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from milobot.errors import SignalFormatError, StorageError
from milobot.ports import Clock
from milobot.signals.door import Incoming, SignalDoor
from milobot.web.access import Access, Gate, Gated, Refusal
from milobot.web.bodies import media_type, parse_object, read_body
from milobot.web.intake import RETRY_AFTER_S, Intake, history_row, to_json
from milobot.web.metadata import read_metadata
from milobot.web.tradingview import tradingview_routes

SOURCE = "http:default"
"""Who hands in: one token, one source."""
_KEY = re.compile(r"[!-~]{1,128}")
_ID = re.compile(r"[1-9][0-9]{0,17}")
_FIELDS = frozenset({"message", "metadata"})
MOST_LISTED = 200
_LISTED = 50


def signal_routes(door: SignalDoor, access: Access, clock: Clock) -> list[BaseRoute]:
    """Return the routes of signals and of TradingView's webhook, each behind its gate."""
    counter = _SignalCounter(door, Intake(door, access, clock))
    acts = [Middleware(Gated, access=access, gate=Gate.ACTS)]
    tells = [Middleware(Gated, access=access, gate=Gate.TELLS)]
    return [
        Route("/signal", counter.post, methods=["POST"], middleware=acts),
        Route("/signals", counter.latest, methods=["GET"], middleware=tells),
        Route("/signals/{number}", counter.show, methods=["GET"], middleware=tells),
        *tradingview_routes(Intake(door, access, clock)),
    ]


class _SignalCounter:
    def __init__(self, door: SignalDoor, intake: Intake) -> None:
        self._door, self._intake = door, intake

    async def post(self, request: Request) -> Response:
        try:
            incoming = await self._read(request)
        except SignalFormatError as error:
            return self._intake.refuse(error, request)
        return await self._intake.hand_in(incoming, request)

    async def show(self, request: Request) -> Response:
        number = request.path_params["number"]
        try:
            known = _ID.fullmatch(number) and await self._door.history(int(number))
        except StorageError:
            return self._unreadable(request)
        if not known:
            return Refusal(404, "unknown_signal", "No signal has this number.").response()
        return to_json(history_row(known))

    async def latest(self, request: Request) -> Response:
        limit = request.query_params.get("limit", str(_LISTED))
        if not _ID.fullmatch(limit) or int(limit) > MOST_LISTED:
            wrong = SignalFormatError("bad_limit", f"limit must be from 1 to {MOST_LISTED}.")
            return self._intake.refuse(wrong, request)
        try:
            found = await self._door.latest(int(limit))
        except StorageError:
            return self._unreadable(request)
        return to_json({"signals": [history_row(history) for history in found]})

    async def _read(self, request: Request) -> Incoming:
        """Return the message of a request.

        Raises:
            SignalFormatError: The request is malformed.
        """
        if media_type(request) != "application/json":
            raise SignalFormatError(
                "wrong_content_type", "Send JSON with the header 'Content-Type: application/json'."
            )
        key = _key_of(request)
        content = parse_object(await read_body(request))
        _check_fields(content)
        return Incoming(
            source=SOURCE,
            message_id=key or self._intake.fresh_id(),
            text=content["message"],
            posted_ms=self._intake.now_ms(),
            metadata=read_metadata(content.get("metadata")),
        )

    def _unreadable(self, request: Request) -> Response:
        refusal = Refusal(
            503,
            "ledger_unavailable",
            "The ledger cannot be read now: ask again.",
            {"Retry-After": str(RETRY_AFTER_S)},
        )
        return self._intake.access.note(refusal, request.scope).response()


def _key_of(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return ""
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise SignalFormatError(
            "bad_key", "Idempotency-Key must be one of 1 to 128 characters without blanks."
        )
    return keys[0]


def _check_fields(content: dict[str, Any]) -> None:
    if "message" not in content:
        raise SignalFormatError(
            "no_message", 'A message is missing: send {"message": "BUY BTCUSDT 0.001"}.'
        )
    if not isinstance(content["message"], str):
        raise SignalFormatError("no_message", "The message must be a text.")
    unknown = sorted(content.keys() - _FIELDS)
    if unknown:
        # Whoever sends a quantity here believes that it counts.
        raise SignalFormatError(
            "unknown_field",
            f"Nothing is known of {unknown[0][:40]!r}: say it in the message or under metadata.",
        )
