"""HMAC-SHA256 with one secret: what a request is signed with."""

import hmac


class Stamp:
    """Signs texts with one secret, which is hashed once and not for every text anew."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: str) -> None:
        """Take the secret; it is not kept as text."""
        self._keyed = hmac.new(secret.encode(), digestmod="sha256")

    def over(self, text: str) -> str:
        """Return the signature of a text, in lower-case hexadecimal.

        >>> Stamp("secret").over("symbol=BTCUSDT&timestamp=1")[:8]
        'ef9d3d77'
        """
        signed = self._keyed.copy()
        signed.update(text.encode())
        return signed.hexdigest()
