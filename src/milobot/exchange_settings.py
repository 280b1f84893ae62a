"""Settings of the exchanges: whose keys there are, and where requests go."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from milobot.errors import ConfigurationError
from milobot.exchanges.binance import hosts as binance
from milobot.exchanges.bingx import hosts as bingx
from milobot.exchanges.hosts import check_address, is_loopback
from milobot.setting_checks import match_secret

_KEY = re.compile(r"[!-~]{1,256}")
EXCHANGES = ("binance", "bingx")
_DEMO_HOSTS = {"binance": binance.DEMO.rest, "bingx": bingx.DEMO.rest}

EXCHANGE_EXAMPLES = {
    "testnet": "=true, true or false",
    "api_key": " as the exchange shows it, without blanks",
    "secret_key": " as the exchange shows it, without blanks",
    "base_url": "=http://127.0.0.1:8765, https elsewhere",
    "stream_url": "=ws://127.0.0.1:8765, wss elsewhere",
}
"""What to write, by the end of a field's name."""


def check_key(value: SecretStr | None) -> SecretStr | None:
    """Return a key without blanks around it, of characters that fit into a header.

    Raises:
        ValueError: It is another text.
    """
    return match_secret(value, _KEY)


def _check_url(value: str | None) -> str | None:
    try:
        return None if value is None else check_address(value.strip(), name="it")
    except ConfigurationError as error:
        raise ValueError("no address, or not encrypted") from error


_Key = Annotated[SecretStr | None, AfterValidator(check_key)]
_Url = Annotated[str | None, AfterValidator(_check_url)]


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """What is set for one exchange.

    Attributes:
        base_url: Address that replaces the exchange's own; None for those.
        stream_url: Address of its streams; None for what belongs to ``base_url``.
    """

    name: str
    is_testnet: bool
    base_url: str | None
    stream_url: str | None
    api_key: SecretStr | None
    secret_key: SecretStr | None

    @property
    def is_local(self) -> bool:
        """Return whether everything goes to this machine."""
        return self.base_url is not None and _is_local(self.base_url)

    @property
    def is_play_money(self) -> bool:
        """Return whether no real money can be behind the address; in doubt it is real."""
        if self.base_url is None:
            return self.is_testnet
        return self.is_local or self.base_url == _DEMO_HOSTS[self.name]


class ExchangeSettings(BaseSettings):
    """Switches, keys and addresses of each exchange."""

    binance_testnet: bool = True
    bingx_testnet: bool = True
    binance_api_key: _Key = None
    binance_api_key_file: Path | None = None
    binance_secret_key: _Key = None
    binance_secret_key_file: Path | None = None
    bingx_api_key: _Key = None
    bingx_api_key_file: Path | None = None
    bingx_secret_key: _Key = None
    bingx_secret_key_file: Path | None = None
    binance_base_url: _Url = None
    binance_stream_url: _Url = None
    bingx_base_url: _Url = None
    bingx_stream_url: _Url = None

    def venue(self, exchange: str) -> VenueSettings:
        """Return what is set for one exchange, ``binance`` or ``bingx``."""
        return VenueSettings(
            name=exchange,
            is_testnet=getattr(self, f"{exchange}_testnet"),
            base_url=getattr(self, f"{exchange}_base_url"),
            stream_url=getattr(self, f"{exchange}_stream_url"),
            api_key=getattr(self, f"{exchange}_api_key"),
            secret_key=getattr(self, f"{exchange}_secret_key"),
        )


def exchange_contradictions(settings: ExchangeSettings) -> Iterator[tuple[set[str], str]]:
    """Yield what cannot be meant together: the fields, and a sentence."""
    for exchange in EXCHANGES:
        yield from _contradictions_of(settings, exchange)


def _contradictions_of(settings: ExchangeSettings, exchange: str) -> Iterator[tuple[set[str], str]]:
    venue, upper = settings.venue(exchange), exchange.upper()
    fields = {f"{exchange}_{end}" for end in ("testnet", "base_url", "stream_url")}
    if said := _half_a_key(settings, exchange):
        yield {f"{exchange}_api_key", f"{exchange}_secret_key"}, said
    if venue.stream_url and not venue.base_url:
        yield fields, f"{upper}_STREAM_URL is set without {upper}_BASE_URL: set both or none"
    elif venue.stream_url and venue.is_local != _is_local(venue.stream_url):
        said = f"{upper}_BASE_URL and {upper}_STREAM_URL lead to different machines: one is local"
        yield fields, said
    if venue.base_url and venue.is_testnet and not venue.is_play_money:
        said = (
            f"{upper}_TESTNET=true asks for play money, but {upper}_BASE_URL={venue.base_url[:80]}"
            f" may be a real exchange: remove it, or set {upper}_TESTNET=false"
        )
        yield fields, said


def _half_a_key(settings: ExchangeSettings, exchange: str) -> str | None:
    halves = {
        end: getattr(settings, f"{exchange}_{end}") or getattr(settings, f"{exchange}_{end}_file")
        for end in ("api_key", "secret_key")
    }
    there = [f"{exchange}_{end}".upper() for end, value in halves.items() if value]
    missing = [f"{exchange}_{end}".upper() for end, value in halves.items() if not value]
    if not there or not missing:
        return None
    return f"{there[0]} is set without {missing[0]}: set both or none"


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
