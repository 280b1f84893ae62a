"""Ids that an exchange gives out, each once."""

from dataclasses import dataclass


@dataclass(slots=True)
class Numbers:
    """The last id of each kind that was given out; the next one is one more.

    Attributes:
        order: Of an order or a conditional order; not used yet when it begins.
        execution: Of a fill.
        income: Of a booking.
    """

    order: int
    execution: int = 1_000_000
    income: int = 9_000_000
