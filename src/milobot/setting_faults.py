"""What is wrong with settings, as values: a sentence, and the fields that it is about."""

from collections.abc import Iterable
from dataclasses import dataclass

_PLACE = ("binance_", "bingx_", "keys_", "database_")
"""How the names of fields begin that say where an account and its ledger are."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        said: A sentence for the user.
        fields: What may not have the value that was meant; none where every value counts.
    """

    said: str
    fields: frozenset[str] = frozenset()


def describe(faults: Iterable[Fault]) -> str:
    """Return one sentence about all of them; empty where there is none."""
    sentences = [fault.said for fault in faults]
    if len(sentences) > 1:
        return f"{len(sentences)} settings are wrong: {'; '.join(sentences)}"
    return "".join(sentences)


def stops_exit(fault: Fault) -> bool:
    """Return whether a way out of the market could lead to another account because of it.

    Nothing else may keep anybody from getting out.

        >>> stops_exit(Fault("MAX_LEVERAGE is not valid", frozenset({"max_leverage"})))
        False
    """
    return any(name.startswith(_PLACE) for name in fault.fields)
