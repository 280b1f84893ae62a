"""The messenger that a live run is to have: nobody, or Telegram."""

from milobot.app.live_messenger import Messenger, NoMessenger, Surroundings
from milobot.app.telegram_plan import TelegramPlan
from milobot.settings import Settings


def open_messenger(
    plan: TelegramPlan | None, settings: Settings, beside: Surroundings
) -> Messenger:
    """Return who listens and talks, as the plan says; nobody without one.

    Raises:
        ConfigurationError: The library for it is not installed.
    """
    if plan is None:
        return NoMessenger()
    from milobot.app.telegram_messenger import telegram_messenger  # noqa: PLC0415 - 40 modules, for Telegram alone

    return telegram_messenger(plan, settings, beside)
