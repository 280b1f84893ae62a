"""Addresses: encrypted everywhere but on this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from milobot.errors import ConfigurationError

_PLAIN = {"http", "ws"}
_SECURE = {"https", "wss"}


def check_address(url: str, *, name: str) -> str:
    """Return an address without a slash at its end.

    Args:
        url: Address such as ``https://host`` or ``wss://host/path``.
        name: The setting that it comes from, for the message.

    Raises:
        ConfigurationError: It is no such address, or it would send keys unencrypted
            over a network.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in _PLAIN | _SECURE or not host or parts.username or parts.query:
        raise ConfigurationError(
            f"{name} is not an address: write https://host or, on this machine, http://127.0.0.1:port"
        )
    if parts.scheme in _PLAIN and not is_loopback(host):
        raise ConfigurationError(
            f"{name} is not encrypted and {host} is another machine: use {_secured(parts.scheme)}://"
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secured(scheme: str) -> str:
    return "https" if scheme == "http" else "wss"
