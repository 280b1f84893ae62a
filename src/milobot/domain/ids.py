"""Identity of orders: derived, so that a restart finds what was sent before it."""

import hashlib
from base64 import b32encode

_PREFIX = "milo"
_HASH_LENGTH = 24


def client_order_id(account: str, intent_key: str, leg: str, revision: int) -> str:
    """Return the client order id of one leg of an intent: ``[a-z0-9]{1,32}``, always the same.

    Lower case because BingX lower-cases what it is sent; 32 characters because that is
    what the stricter exchange takes.

    >>> client_order_id("binance:default", "demo|rsi|1704067200000", "entry", 0)
    'milox32igpqve7ljsgh4rrhw2azp'
    """
    identity = "\x1f".join((account, intent_key, leg, str(revision)))
    digest = hashlib.sha256(identity.encode()).digest()
    return _PREFIX + b32encode(digest).decode().lower()[:_HASH_LENGTH]


def is_ours(order_id: str) -> bool:
    """Return whether a client order id was made by ``client_order_id``, on whatever machine."""
    return order_id.startswith(_PREFIX) and len(order_id) == len(_PREFIX) + _HASH_LENGTH
