"""Who may talk to the page, and what a browser may do with it.

The page listens on this machine; the danger is other pages in the same browser.
A foreign page must neither read it (no CORS, ``Host`` checked against DNS
rebinding, ``Origin`` of a WebSocket equal to ``Host``) nor frame it, and text
from scripts must never run (nothing inline is allowed, nothing from elsewhere).
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
# Browsers ask each time, so that a new version is never mixed with an old one.
_REVALIDATE = (b"cache-control", b"no-cache")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_REFUSAL = (
    b"This address is not served here: use the host name that milobot printed, "
    b"or name this one in ALLOWED_HOSTS.\n"
)


class PageGuard:
    """ASGI middleware that checks where a request comes from and adds the headers."""

    def __init__(
        self, app: ASGIApp, *, allowed_hosts: Iterable[str], open_paths: Iterable[str] = ()
    ) -> None:
        """Guard ``app``.

        Args:
            app: What answers the requests that pass.
            allowed_hosts: Host names without port, IPv6 addresses in brackets.
            open_paths: Paths that answer under any host name: probes that ask an
                address for its health, and learn nothing else.
        """
        self._app = app
        self._allowed = frozenset(name.lower() for name in allowed_hosts)
        self._open = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "websocket":
            if self._is_at_home(scope) and is_same_origin(scope):
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] in self._open or self._is_at_home(scope):
            await self._app(scope, receive, _with_headers(send))
        else:
            await _refuse(_with_headers(send))

    def _is_at_home(self, scope: Scope) -> bool:
        hosts = _header(scope, b"host")
        return len(hosts) == 1 and host_name(hosts[0]) in self._allowed


def host_name(header: str) -> str | None:
    """Return the name in a ``Host`` header without its port, None when it is malformed.

    >>> host_name("LOCALHOST:8080"), host_name("[::1]:8080"), host_name("evil@localhost")
    ('localhost', '[::1]', None)
    """
    match = _HOST.fullmatch(header.lower())
    return match.group(1) if match else None


def is_same_origin(scope: Scope) -> bool:
    """Return whether a request comes from a page of this server, or from no page at all.

    Browsers always name the origin of a WebSocket and of a POST; who names none is no browser.
    """
    origins = _header(scope, b"origin")
    if not origins:
        return True
    try:
        origin = urlsplit(origins[0].lower())
    except ValueError:
        return False
    is_web = origin.scheme in {"http", "https"}
    return len(origins) == 1 and is_web and [origin.netloc] == _header(scope, b"host")


def read_header(scope: Scope, name: bytes) -> list[str]:
    """Return what all headers of a name say; ``name`` in small letters."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.lower() for value in read_header(scope, name)]


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *_HEADERS]
            if all(name.lower() != b"cache-control" for name, _ in headers):
                headers.append(_REVALIDATE)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
