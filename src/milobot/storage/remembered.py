"""Values as texts and back, without reading again what was written or read a moment ago."""

import threading
from typing import Generic, TypeVar

from milobot.storage.codec import Codec

_T = TypeVar("_T")
_MOST = 256


class RememberedCodec(Generic[_T]):
    """A codec of frozen values that keeps the latest ones; any thread may use it.

    The same value is needed in each step of a signal's life: whoever waits for an order should
    not wait for its text to be taken apart again.
    """

    def __init__(self, codec: Codec[_T], most: int = _MOST) -> None:
        """Write and read with a codec, and keep so many values."""
        self._codec = codec
        self._most = most
        self._known: dict[str, _T] = {}
        self._lock = threading.Lock()

    def encode(self, value: _T) -> str:
        """Return the value as JSON, always the same for the same value."""
        text = self._codec.encode(value)
        self._keep(text, value)
        return text

    def decode(self, text: str) -> _T:
        """Return the value that was encoded.

        Raises:
            LedgerError: The text is not such a value.
        """
        known = self._known.get(text)
        if known is None:
            known = self._codec.decode(text)
            self._keep(text, known)
        return known

    def _keep(self, text: str, value: _T) -> None:
        with self._lock:
            self._known[text] = value
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
