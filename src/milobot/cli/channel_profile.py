"""The channel's profile that a command names."""

from pathlib import Path

from milobot.errors import ConfigurationError
from milobot.signals.profile import ChannelProfile
from milobot.signals.profile_toml import parse_profile


def load_profile(path: Path | None) -> ChannelProfile | None:
    """Return the profile in a file; None where none is named.

    Raises:
        ConfigurationError: The file cannot be read, or a key or value in it is wrong.
    """
    if path is None:
        return None
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"--profile: {path} cannot be read ({error}); name a TOML file"
        ) from error
    return parse_profile(content, path.name)
