"""TradingView's alerts: ``POST /webhook/tradingview``, with the secret in the body or the path.

Whoever knows the secret may trade, so it goes no further than this file: it is cut out of
everything that is handed in.
"""

import hashlib
from dataclasses import replace

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from milobot.errors import SignalFormatError
from milobot.signals.door import Incoming
from milobot.telemetry import HIDDEN
from milobot.web.access import Gate, Gated, Refusal
from milobot.web.alerts import (
    Alert,
    read_json_alert,
    read_text_alert,
    secret_in_json,
    secret_in_text,
)
from milobot.web.bodies import media_type, parse_object, read_body
from milobot.web.intake import Intake

SOURCE = "tradingview"
PATH = "/webhook/tradingview"
_JSON = "application/json"
_TYPES = frozenset({_JSON, "text/plain", ""})


def tradingview_routes(intake: Intake) -> list[BaseRoute]:
    """Return the webhook; without ``TRADINGVIEW_SECRET`` it answers 404."""
    hook = _Webhook(intake)
    gate = [Middleware(Gated, access=intake.access, gate=Gate.WEBHOOK)]
    return [
        Route(PATH, hook.post, methods=["POST"], middleware=gate),
        Route(PATH + "/{secret}", hook.post, methods=["POST"], middleware=gate),
    ]


class _Webhook:
    def __init__(self, intake: Intake) -> None:
        self._intake, self._access = intake, intake.access

    async def post(self, request: Request) -> Response:
        if not self._access.rules.tradingview_secret:
            sentence = "Nothing is served here: set TRADINGVIEW_SECRET to take alerts."
            return Refusal(404, "not_set_up", sentence).response()
        try:
            alert = await self._read(request)
            incoming = self._incoming(alert)
        except SignalFormatError as error:
            return self._intake.refuse(error, request)
        return await self._intake.hand_in(incoming, request)

    async def _read(self, request: Request) -> Alert:
        """Return an alert that shows the secret.

        Raises:
            SignalFormatError: It shows another one or none, or cannot be understood.
        """
        in_path = request.path_params.get("secret")
        if in_path is not None:
            self._check(in_path)
        kind = media_type(request)
        if kind not in _TYPES:
            raise SignalFormatError("wrong_content_type", "Send the alert as text or as JSON.")
        body = await read_body(request)
        # TradingView says text when an alert meant as JSON is malformed: not to be read as text.
        if kind == _JSON or body.lstrip()[:1] == b"{":
            content = parse_object(body)
            self._check(in_path or secret_in_json(content))
            return read_json_alert(content)
        text = _decode(body)
        self._check(in_path or secret_in_text(text))
        return read_text_alert(text)

    def _check(self, shown: str) -> None:
        if not self._access.is_tradingview_secret(shown):
            raise _stranger()

    def _incoming(self, alert: Alert) -> Incoming:
        alert = self._without_secret(alert)
        now_ms = self._intake.now_ms()
        return Incoming(
            source=SOURCE,
            message_id=_identity(alert) or self._intake.fresh_id(),
            text=alert.text,
            posted_ms=min(alert.posted_ms or now_ms, now_ms),
            metadata=alert.metadata,
        )

    def _without_secret(self, alert: Alert) -> Alert:
        def clean(text: str) -> str:
            return text.replace(self._access.rules.tradingview_secret, HIDDEN)

        metadata = {clean(name): clean(value) for name, value in alert.metadata.items()}
        return replace(alert, text=clean(alert.text), key=clean(alert.key), metadata=metadata)


def _identity(alert: Alert) -> str:
    """Return what is the same when an alert is delivered again; empty when nothing tells.

    The time belongs to it: ``{{strategy.order.id}}`` is the same for each entry of a strategy.
    """
    sent = "" if alert.posted_ms is None else f"at:{alert.posted_ms}"
    if alert.key:
        return f"{sent}|id:{alert.key}"
    if not sent:
        return ""
    digest = hashlib.sha256(alert.text.encode("utf-8", "replace")).hexdigest()[:32]
    return f"{sent}|{digest}"


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise SignalFormatError("not_text", "The alert is not text in UTF-8.") from None


def _stranger() -> SignalFormatError:
    return SignalFormatError("wrong_secret", "The alert does not show the right secret.")
