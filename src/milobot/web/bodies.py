"""Bodies of requests: bounded in size and time, and JSON where JSON is asked for."""

import asyncio
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from milobot.errors import SignalFormatError

MOST_BYTES = 65_536
BODY_S = 10.0
"""How long a body may take to arrive."""
_MOST_DIGITS = 9


async def read_body(request: Request) -> bytes:
    """Return the body; of one that is too large no more is read.

    Raises:
        SignalFormatError: It is larger than 64 KiB, does not arrive in time, or breaks off.
    """
    told = request.headers.get("content-length", "")
    if told.isdecimal() and (len(told) > _MOST_DIGITS or int(told) > MOST_BYTES):
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise SignalFormatError("body_too_slow", "The body did not arrive in time.") from None
    except ClientDisconnect:
        raise SignalFormatError("body_cut", "The body broke off.") from None
    return bytes(body)


def media_type(request: Request) -> str:
    """Return what the body is said to be, without parameters; empty when nothing is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Raises:
        SignalFormatError: It is no JSON, or no object.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SignalFormatError(
            "malformed_json", f"The body is not JSON: {str(error)[:120]}."
        ) from None
    if not isinstance(content, dict):
        raise SignalFormatError(
            "malformed_json", 'The body must be an object: {"message": "BUY BTCUSDT 0.001"}.'
        )
    return content


def _too_large() -> SignalFormatError:
    return SignalFormatError("body_too_large", f"The body is larger than {MOST_BYTES} bytes.")
