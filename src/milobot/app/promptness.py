"""How Python itself is set while an account is traded: what would hold an order up is put off."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# The ledger is written by a thread of its own. One that waits for its turn gets it after this; it
# is 5 ms unless said otherwise, which is more than all that happens between a wish and its order.
_TURN_S = 0.000_5
_USUAL_S = sys.getswitchinterval()
_traded: set[object] = set()


@contextmanager
def prompt() -> Iterator[None]:
    """Keep orders from waiting for threads and for garbage, as long as the body runs.

    Looking through all that a start has loaded holds up orders by tens of milliseconds, again
    and again, and finds nothing: it stays for as long as an account is ours. Of several accounts
    in one process, the last one that ends sets Python back.
    """
    account = object()
    _traded.add(account)
    sys.setswitchinterval(_TURN_S)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        _traded.discard(account)
        if not _traded:
            gc.unfreeze()
            sys.setswitchinterval(_USUAL_S)
