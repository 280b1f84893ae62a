"""Clients of the exchanges, built from settings and keys in this one place.

An account is ``exchange:name``. The environment's keys are ``default`` of their exchange;
``milobot keys set`` adds more, in an encrypted file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from milobot.app.secrecy import hide_memory
from milobot.domain.reports import KeyRights
from milobot.errors import AuthenticationError, ConfigurationError
from milobot.exchanges.binance import hosts as binance
from milobot.exchanges.bingx import hosts as bingx
from milobot.exchanges.candle_feed import Series
from milobot.exchanges.deadlines import Deadline, no_deadline
from milobot.exchanges.gateway import Timeouts
from milobot.exchanges.limits import DownloadPace, PriorityLimiter
from milobot.exchanges.options import ClientOptions
from milobot.exchanges.streams import StreamPlan
from milobot.exchanges.times import ExchangeClock
from milobot.ports import CandleStream, ExchangeAccount, MarketData, PriceStream, UserStream
from milobot.settings import EXCHANGES, Settings, VenueSettings
from milobot.storage.api_key import ApiKey

TITLES = {"binance": "Binance", "bingx": "BingX"}
DEFAULT_NAME = "default"
# So often that /ready tells within 5 s that an exchange has fallen silent; 10 messages a second
# may come in at Binance.
_PING_EVERY_S = 1.5
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class AccountName:
    """Which account at which exchange."""

    exchange: str
    name: str = DEFAULT_NAME

    def __str__(self) -> str:
        """Return it as it is written, such as ``binance:default``."""
        return f"{self.exchange}:{self.name}"


def parse_account(name: str, exchange: str | None = None) -> AccountName:
    """Return the account that ``main``, or ``binance:main``, names.

    Args:
        name: Its name, with or without its exchange in front.
        exchange: The exchange, if said apart.

    Raises:
        ConfigurationError: A part is malformed, missing or said twice in different ways.
    """
    before, colon, after = name.rpartition(":")
    said = before if colon else exchange
    if said is None:
        raise ConfigurationError(
            f"which exchange has the account {name[:40]!r}? Add --exchange binance or --exchange"
            " bingx"
        )
    if exchange is not None and said != exchange:
        raise ConfigurationError(
            f"{name[:60]!r} and --exchange {exchange[:20]!r} name different exchanges: name one"
        )
    if not _NAME.fullmatch(after):
        raise ConfigurationError(
            f"{after[:40]!r} is no name for an account: use 1 to 32 small letters, digits, - and _"
        )
    return AccountName(check_exchange(said), after)


def check_exchange(name: str) -> str:
    """Return the name of an exchange in small letters.

    Raises:
        ConfigurationError: There is no client for it.
    """
    if name.lower() not in EXCHANGES:
        raise ConfigurationError(f"--exchange {name[:20]!r} is unknown: use binance or bingx")
    return name.lower()


class ExchangeClient(Protocol):
    """One connection to an exchange: market data, an account if there is a key, streams."""

    @property
    def market(self) -> MarketData:
        """Return the public data."""
        ...

    @property
    def account(self) -> ExchangeAccount:
        """Return the account of the key; without one its calls raise ``AuthenticationError``."""
        ...

    @property
    def clock(self) -> ExchangeClock:
        """Return the exchange's time."""
        ...

    @property
    def limiter(self) -> PriorityLimiter:
        """Return what holds requests back."""
        ...

    def candle_feed(self, since: Mapping[Series, int | None]) -> CandleStream:
        """Return a stream of closed candles."""
        ...

    def price_feed(self, symbols: Sequence[str]) -> PriceStream:
        """Return a stream of mark prices and best bids and asks."""
        ...

    def user_feed(self) -> UserStream:
        """Return the stream of the account's news."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    async def __aenter__(self) -> Self:
        """Return the client."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        ...


def open_client(
    settings: Settings,
    exchange: str,
    key: ApiKey | None = None,
    *,
    timeouts: Timeouts | None = None,
    deadline: Deadline = no_deadline,
) -> ExchangeClient:
    """Return a client of the hosts that the settings name; nothing is sent yet.

    Args:
        settings: Hosts, switches and pace.
        exchange: ``binance`` or ``bingx``.
        key: The account's key; None for public data only.
        timeouts: How long answers are waited for; None for a live bot's.
        deadline: Until when orders may be signed, such as a ``SigningDeadline``.

    Raises:
        ConfigurationError: An address is none, or not encrypted.
    """
    if key is not None:
        hide_memory()
    options = ClientOptions(
        pace=DownloadPace(parallel=settings.rate_limit_semaphore, apart_s=settings.api_delay),
        plan=StreamPlan(reconnect_delay_s=settings.ws_reconnect_delay, ping_every_s=_PING_EVERY_S),
        timeouts=timeouts or Timeouts(),
        signing_deadline=deadline,
    )
    venue = settings.venue(exchange)
    return _CLIENTS[exchange](venue, key, options)


def with_production_data(settings: Settings, exchange: str) -> Settings:
    """Return settings under which public data is the real market's, unless a base URL is set.

    Paper runs and back-tests use it: a demo host has a market of its own.
    """
    return settings.model_copy(update={f"{exchange}_testnet": False})


def binance_hosts(venue: VenueSettings) -> binance.BinanceHosts:
    """Return Binance's hosts: production, demo, or an address of the user's."""
    if venue.base_url is None:
        return binance.DEMO if venue.is_testnet else binance.PRODUCTION
    hosts = binance.BinanceHosts.at(venue.base_url, name=_environment(venue))
    if not venue.is_local:
        # Rights are told by a host of Binance's own; another one may not have that call.
        hosts = replace(hosts, rights=None)
    return replace(hosts, stream=venue.stream_url) if venue.stream_url else hosts


def bingx_hosts(venue: VenueSettings) -> bingx.BingxHosts:
    """Return BingX's hosts: production, demo (VST), or an address of the user's."""
    if venue.base_url is None:
        return bingx.DEMO if venue.is_testnet else bingx.PRODUCTION
    hosts = bingx.BingxHosts.at(venue.base_url, name=_environment(venue))
    if venue.is_play_money and not venue.is_local:
        hosts = replace(hosts, assets=bingx.DEMO.assets)
    return replace(hosts, stream=venue.stream_url) if venue.stream_url else hosts


def describe_hosts(settings: Settings, exchange: str) -> str:
    """Return in words where requests go and whose money is there."""
    venue = settings.venue(exchange)
    hosts = binance_hosts(venue) if exchange == "binance" else bingx_hosts(venue)
    money = "play money" if venue.is_play_money else "real money"
    return f"{hosts.rest} ({money})"


def key_from_environment(settings: Settings, exchange: str) -> ApiKey | None:
    """Return the key that settings or secret files hold, the account ``default``; or None."""
    venue = settings.venue(exchange)
    if venue.api_key is None or venue.secret_key is None:
        return None
    return ApiKey(venue.api_key.get_secret_value(), venue.secret_key.get_secret_value())


def refuse_rights(rights: KeyRights, exchange: str) -> None:
    """Refuse a key that could do harm beyond trading, or that cannot trade.

    Raises:
        AuthenticationError: It may withdraw, or it may not trade.
    """
    title = TITLES[exchange]
    if rights.can_withdraw:
        raise AuthenticationError(
            f"this key may withdraw from {title}: whoever steals it empties the account; make one"
            " there that may read and trade futures only, and delete this one"
        )
    if not rights.can_trade:
        raise AuthenticationError(
            f"this key may read at {title} but not trade futures: switch that right on for it there"
        )


def environment_name(settings: Settings, exchange: str) -> str:
    """Return the source under which candles of an exchange are stored."""
    venue = settings.venue(exchange)
    return (binance_hosts(venue) if exchange == "binance" else bingx_hosts(venue)).name


def _environment(venue: VenueSettings) -> str:
    if venue.is_local:
        return f"{venue.name}-local"
    if venue.is_play_money:
        return "binance-demo" if venue.name == "binance" else "bingx-vst"
    return venue.name


def _binance_client(
    venue: VenueSettings, key: ApiKey | None, options: ClientOptions
) -> ExchangeClient:
    from milobot.exchanges.binance.client import BinanceClient  # noqa: PLC0415 - few processes need both
    from milobot.exchanges.binance.signing import Credentials  # noqa: PLC0415 - as above

    credentials = Credentials(key.key, key.secret) if key else None
    return BinanceClient(binance_hosts(venue), credentials, options)


def _bingx_client(
    venue: VenueSettings, key: ApiKey | None, options: ClientOptions
) -> ExchangeClient:
    from milobot.exchanges.bingx.client import BingxClient  # noqa: PLC0415 - few processes need both
    from milobot.exchanges.bingx.signing import Credentials  # noqa: PLC0415 - as above

    credentials = Credentials(key.key, key.secret) if key else None
    return BingxClient(bingx_hosts(venue), credentials, options)


_CLIENTS = {"binance": _binance_client, "bingx": _bingx_client}
