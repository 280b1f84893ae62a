"""What was used last, as much as fits."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the values that were set last; who needs an older one asks the ledger."""

    def __init__(self, limit: int) -> None:
        """Keep up to ``limit`` values."""
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        """Return whether the value of a key is still kept."""
        return key in self._values

    def get(self, key: K) -> V | None:
        """Return the value of a key, if it is still kept."""
        return self._values.get(key)

    def pop(self, key: K) -> V | None:
        """Return the value of a key, if it is still kept, and keep it no more."""
        return self._values.pop(key, None)

    def __setitem__(self, key: K, value: V) -> None:
        """Keep a value; the one set longest ago leaves when there are too many."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._limit:
            self._values.popitem(last=False)
