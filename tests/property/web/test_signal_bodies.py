"""Whatever is sent, the server answers; only what the reader takes is acted on."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signal_servers import SECRET, signal_site

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["message", "metadata", "text", "secret", "id", "timenow", "action", "symbol", "quantity", "price",
     "sl", "tp", "leverage", "risk", "type", "ticker"]
)  # fmt: skip
_LIKELY = _JSON | st.sampled_from(
    [
        "BUY BTCUSDT 0.001",
        "buy",
        "close",
        "BTCUSDT.P",
        "1%",
        SECRET,
        "2025-11-21T15:59:58Z",
        0.5,
        64000,
    ]
)
_OBJECTS = st.dictionaries(_NAMES, _LIKELY, max_size=8).map(
    lambda found: json.dumps(found).encode()
)
_BODIES = st.binary(max_size=200) | _JSON.map(lambda found: json.dumps(found).encode()) | _OBJECTS
_TYPES = st.sampled_from(["application/json", "text/plain", "", "application/json;;;", "\x7f"])
_KEYS = st.none() | st.text(st.characters(max_codepoint=255), max_size=140)
_ANSWERS = frozenset({200, 202, 400, 401, 415, 422})


async def _send(path: str, body: bytes, kind: str, key: str | None) -> tuple[int, Any]:
    headers = [(b"content-type", kind.encode())]
    if key is not None:
        headers.append((b"idempotency-key", key.encode("latin-1")))
    async with signal_site(tradingview_secret=SECRET) as site:
        answer = await site.client.post(path, content=body, headers=headers)
        assert SECRET not in repr(site.door.incoming)
        return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "path", ["/signal", "/webhook/tradingview", f"/webhook/tradingview/{SECRET}"]
)
@settings(max_examples=100)
@given(body=_BODIES, kind=_TYPES, key=_KEYS)
def test_no_request_makes_the_server_fail(
    path: str, body: bytes, kind: str, key: str | None
) -> None:
    """An error page says nothing to the sender, and a failure may leave half a signal behind."""
    status, told = asyncio.run(_send(path, body, kind, key))

    assert status in _ANSWERS
    if status >= 400:
        assert told["code"]
        assert told["detail"]
    else:
        assert told["id"] == 1
