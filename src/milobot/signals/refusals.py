"""Why a message is not traded: one code and one sentence each."""

from enum import StrEnum
from typing import NoReturn

from milobot.errors import SignalFormatError


class Reason(StrEnum):
    """Reason codes of refused messages, and of messages that are no signal."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTERS = "control_characters"
    CHAT = "chat"
    RESULT = "result"
    NEGATED = "negated"
    QUESTION = "question"
    NO_SYMBOL = "no_symbol"
    UNKNOWN_SYMBOL = "unknown_symbol"
    TWO_SYMBOLS = "two_symbols"
    NOT_TRADABLE = "not_tradable"
    NO_DIRECTION = "no_direction"
    TWO_DIRECTIONS = "two_directions"
    NO_LEVELS = "no_levels"
    NO_ENTRY = "no_entry"
    UNCLEAR_PRICE = "unclear_price"
    UNCLEAR_ENTRY = "unclear_entry"
    TWO_ENTRIES = "two_entries"
    UNCLEAR_STOP = "unclear_stop"
    TWO_STOPS = "two_stops"
    NO_STOP = "no_stop"
    STOP_WRONG_SIDE = "stop_wrong_side"
    UNCLEAR_TARGETS = "unclear_targets"
    TARGETS_WRONG_SIDE = "targets_wrong_side"
    TARGETS_OUT_OF_ORDER = "targets_out_of_order"
    TOO_MANY_TARGETS = "too_many_targets"
    TOO_MANY_ENTRIES = "too_many_entries"
    AMBIGUOUS_NUMBER = "ambiguous_number"
    PRICES_FAR_APART = "prices_far_apart"
    PERCENT_WITHOUT_ENTRY = "percent_without_entry"
    BAD_PERCENT = "bad_percent"
    BAD_LEVERAGE = "bad_leverage"
    BAD_QUANTITY = "bad_quantity"
    UNCLEAR_COMMAND = "unclear_command"
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed"
    SIDE_NOT_ALLOWED = "side_not_allowed"
    SHARES_DO_NOT_FIT = "shares_do_not_fit"


def refuse(code: Reason, sentence: str) -> NoReturn:
    """Refuse a message.

    Raises:
        SignalFormatError: Always, with the code and the sentence.
    """
    raise SignalFormatError(code.value, sentence)
