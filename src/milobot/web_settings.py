"""Settings of the HTTP server: where it listens, and who may give it orders."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from milobot.setting_checks import match_secret

_SECRET = re.compile(r"[A-Za-z0-9._~-]{16,256}")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?")

WEB_SECRETS = ("api_token", "tradingview_secret")
"""What may come from a file instead."""
_HOW = " as 16 characters or more: letters, digits, - and _"

WEB_EXAMPLES = {
    "listen": "=127.0.0.1, an address of this machine; 0.0.0.0 for all",
    "api_token": _HOW,
    "api_open": "=false, true or false",
    "allowed_hosts": "=bot.example.com,10.0.0.5, names without ports",
    "signal_rate": "=20, requests a second from 0.1 to 100000",
    "tradingview_secret": _HOW,
    "metrics_port": "=9090, a port from 1 to 65535, or 0 for none",
}
"""What to write, by the name of a field."""


def check_web_secret(value: SecretStr | None) -> SecretStr | None:
    """Return a secret that fits into a header and a path, and is too long to be guessed.

    Raises:
        ValueError: It is another text.
    """
    return match_secret(value, _SECRET)


def _check_host(value: str) -> str:
    host = value.strip()
    if not _HOST.fullmatch(host):
        raise ValueError("no host")
    return host.strip("[]")


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _check_names(values: tuple[str, ...]) -> tuple[str, ...]:
    for name in values:
        if not _HOST.fullmatch(name):
            raise ValueError("no host")
    return tuple(f"[{name.strip('[]')}]" if ":" in name else name.lower() for name in values)


_Secret = Annotated[SecretStr | None, AfterValidator(check_web_secret)]


class WebSettings(BaseSettings):
    """Where the server listens, and who may reach it.

    Attributes:
        listen: Address of this machine.
        api_token: What callers show as Bearer.
        api_open: Whether others may reach it without a token; with play money only.
        allowed_hosts: Host names, besides those of this machine, under which it answers.
        signal_rate: Requests a second, from one address.
        tradingview_secret: What TradingView's alerts show.
        metrics_port: Where metrics are served alone; 0 serves them beside the page only.
    """

    listen: Annotated[str, AfterValidator(_check_host)] = "127.0.0.1"
    api_token: _Secret = None
    api_token_file: Path | None = None
    api_open: bool = False
    # NoDecode: a list of names is no JSON in the environment.
    allowed_hosts: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_names)
    ] = ()
    signal_rate: Annotated[float, Field(ge=0.1, le=100_000)] = 20.0
    tradingview_secret: _Secret = None
    tradingview_secret_file: Path | None = None
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9090
