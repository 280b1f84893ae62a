"""The profiles of channels: one TOML file for each source, read once at the start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from milobot.errors import ConfigurationError
from milobot.signal_settings import DEFAULT_PROFILES
from milobot.signals.profile import ChannelProfile
from milobot.signals.profile_toml import parse_profile
from milobot.small_files import read_small

_LARGEST = 65_536
_EVERY = "default"


@dataclass(frozen=True, slots=True)
class Profiles:
    """What is fixed for each source of signals.

    Attributes:
        by_name: By the name of the file without its ending; ``default`` is for all others.
    """

    by_name: Mapping[str, ChannelProfile] = field(default_factory=dict)

    def of(self, source: str) -> ChannelProfile:
        """Return the profile of a source such as ``telegram:-1001234``.

        Its file is called after the source (``telegram_-1001234.toml``), or after what stands
        behind the colon alone (``-1001234.toml``).
        """
        names = (source.replace(":", "_"), source.partition(":")[2], _EVERY)
        found = (self.by_name[name] for name in names if name in self.by_name)
        return next(found, ChannelProfile())

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that some profile names, in order."""
        return tuple(sorted({s for profile in self.by_name.values() for s in profile.symbols}))

    @property
    def leverages(self) -> Mapping[str, int]:
        """Return by symbol the leverage that most set-ups of its profile will have: the cap."""
        return {
            symbol: profile.leverage_cap
            for profile in self.by_name.values()
            if profile.leverage_cap is not None
            for symbol in sorted(profile.symbols)
        }

    @property
    def exchanges(self) -> frozenset[str]:
        """Return the exchanges that some profile names."""
        return frozenset(p.exchange for p in self.by_name.values() if p.exchange is not None)


def load_profiles(folder: Path) -> Profiles:
    """Return the profiles of a folder; none when it is the default one and not there.

    Raises:
        ConfigurationError: The folder that was named is none, or a file cannot be read or says
            something that is not known: a channel must not be traded by other rules than its
            owner wrote.
    """
    # A link that leads nowhere is there, too: somebody meant something by it.
    if folder == DEFAULT_PROFILES and not os.path.lexists(folder):
        return Profiles()
    try:
        # Not with a pattern: what may not be listed would look like what is empty.
        files = sorted(file for file in folder.iterdir() if file.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigurationError(
            f"SIGNAL_PROFILES={str(folder)[:80]!r} is no folder: make it, or name the one with the"
            " channels' profiles"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"SIGNAL_PROFILES={str(folder)[:80]!r} cannot be listed ({error.strerror}): allow it to"
            " this user, or name another folder"
        ) from error
    return Profiles({file.stem: _load(file) for file in files})


def _load(path: Path) -> ChannelProfile:
    try:
        content = read_small(path, _LARGEST)
        if len(content) > _LARGEST:
            raise ConfigurationError(f"{path.name} is too large for a profile: it has a few lines")
        return parse_profile(content.decode(), path.name)
    except (OSError, UnicodeDecodeError) as error:
        reason = "is no text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise ConfigurationError(
            f"the profile {path.name} {reason}: correct or remove it"
        ) from error
