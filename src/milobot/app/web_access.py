"""Who may reach the server, from the settings."""

from pydantic import SecretStr

from milobot.settings import Settings
from milobot.telemetry import hide
from milobot.web.access_rules import AccessRules, check_access


def access_rules(settings: Settings, *, is_real_money: bool) -> AccessRules:
    """Return the rules that the settings state; secrets are kept out of the log from here on.

    Raises:
        ConfigurationError: Strangers could trade; the sentence says what to set.
    """
    rules = AccessRules(
        listen=settings.listen,
        token=_hidden(settings.api_token),
        is_open=settings.api_open,
        allowed_hosts=settings.allowed_hosts,
        signal_rate=settings.signal_rate,
        tradingview_secret=_hidden(settings.tradingview_secret),
    )
    check_access(rules, is_real_money=is_real_money)
    return rules


def _hidden(secret: SecretStr | None) -> str:
    text = "" if secret is None else secret.get_secret_value()
    hide(text)
    return text
