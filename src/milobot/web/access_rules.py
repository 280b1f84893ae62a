"""Who may reach the server, as far as that is settled before it starts."""

from dataclasses import dataclass, field
from ipaddress import ip_address

from milobot.errors import ConfigurationError
from milobot.exchanges.hosts import is_loopback
from milobot.web.security import LOOPBACK_HOSTS

LEAST_SECRET = 16
SIGNAL_RATE = 20.0
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """Who may reach what.

    Attributes:
        listen: Address that the server listens on.
        token: What callers show as Bearer; empty asks for none.
        is_open: Needs no token although others can reach the server.
        allowed_hosts: Host names, besides those of this machine, under which it is asked for.
        signal_rate: Requests a second, for each address and for the token; twice as many at once.
        tradingview_secret: What alerts show; empty takes none.
    """

    listen: str = "127.0.0.1"
    token: str = field(default="", repr=False)
    is_open: bool = False
    allowed_hosts: tuple[str, ...] = ()
    signal_rate: float = SIGNAL_RATE
    tradingview_secret: str = field(default="", repr=False)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return all host names under which requests are answered."""
        own = () if self.listen in _EVERYWHERE else (_as_host(self.listen),)
        return (*LOOPBACK_HOSTS, *own, *self.allowed_hosts)


def check_access(rules: AccessRules, *, is_real_money: bool) -> None:
    """Refuse to start a server that strangers could give orders to.

    Raises:
        ConfigurationError: A token is missing or too short, or an open server would trade
            real money.
    """
    for name, secret in (
        ("API_TOKEN", rules.token),
        ("TRADINGVIEW_SECRET", rules.tradingview_secret),
    ):
        if 0 < len(secret) < LEAST_SECRET:
            raise ConfigurationError(
                f"{name} is too short to keep anybody out: use {LEAST_SECRET} characters or more"
            )
    if rules.token:
        return
    if rules.is_open and is_real_money:
        raise ConfigurationError(
            "API_OPEN=true lets anybody who reaches this server trade, here with real money: "
            "set API_TOKEN, or API_OPEN=false and LISTEN=127.0.0.1"
        )
    if not rules.is_open and not is_loopback(rules.listen):
        raise ConfigurationError(
            f"LISTEN={rules.listen} lets others reach this server: set API_TOKEN to a secret of "
            f"{LEAST_SECRET} characters or more, or LISTEN=127.0.0.1"
        )


def _as_host(address: str) -> str:
    try:
        is_v6 = ip_address(address).version == 6  # noqa: PLR2004 - the version of the protocol
    except ValueError:
        is_v6 = False
    return f"[{address}]" if is_v6 else address
