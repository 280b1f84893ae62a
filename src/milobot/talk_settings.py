"""Settings of talking back: who is talked to by Telegram, and about what."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode

from milobot.signals.talk.notices import EVERYTHING, NoticeKind, parse_kinds

_LARGEST_ID = 2**53
_MOST_PEOPLE = 50

TALK_EXAMPLES = {
    "telegram_admins": "=123456789,987654321, at most 50 numbers of people as @userinfobot tells"
    " them",
    "notify": f"=all, none, or some of {','.join(NoticeKind)}",
}
"""What to write, by the name of a field."""


def _parse_people(value: object) -> object:
    """Return the people whose ids a text such as ``123,456`` names; a set is one already.

    Raises:
        ValueError: One is no id of a person: those of groups and channels are negative.
    """
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip()]
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise ValueError("ids of people are whole numbers above 0")
    people = frozenset(int(word) for word in words)
    if len(people) > _MOST_PEOPLE or not all(0 < one < _LARGEST_ID for one in people):
        raise ValueError("too many, or too large")
    return people


def _parse_kinds(value: object) -> object:
    return parse_kinds(value) if isinstance(value, str) else value


class TalkSettings(BaseSettings):
    """Who is talked to, and about what.

    Attributes:
        telegram_admins: Ids of the people who are told things and may ask; nobody without it.
        notify: What they are told; what is urgent comes with any choice but ``none``.
    """

    # NoDecode: a set is no JSON in the environment.
    telegram_admins: Annotated[frozenset[int], NoDecode, BeforeValidator(_parse_people)] = (
        frozenset()
    )
    notify: Annotated[frozenset[NoticeKind], NoDecode, BeforeValidator(_parse_kinds)] = EVERYTHING
