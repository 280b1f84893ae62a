"""Scripts on disk: the user's own and the samples that come with milobot."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import milobot
from milobot.errors import ConfigurationError, ScriptError
from milobot.small_files import read_small

LARGEST_SCRIPT = 64 * 1024
_PACKAGE = Path(milobot.__file__).parent
# In a wheel the samples lie inside the package, in a checkout beside it.
_SAMPLE_FOLDERS = (_PACKAGE / "samples", _PACKAGE.parents[1] / "samples")


def sample(name: str) -> Path:
    """Return the path of a sample script that comes with milobot."""
    for folder in _SAMPLE_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise ConfigurationError(f"the sample {name} is not installed: name a script with --script")


def is_bundled(path: Path) -> bool:
    """Return whether a script is one of the samples that come with milobot."""
    folders = {folder.resolve() for folder in _SAMPLE_FOLDERS}
    return path.resolve().parent in folders


def read_script(path: Path) -> str:
    """Return the text of a script.

    Raises:
        ConfigurationError: The file is missing, not text, or too large.
    """
    try:
        content = read_small(path, LARGEST_SCRIPT)
    except OSError as error:
        raise ConfigurationError(
            f"the script {path} cannot be read ({error.strerror}): check its name"
        ) from error
    if len(content) > LARGEST_SCRIPT:
        raise ConfigurationError(
            f"the script {path} has more than {LARGEST_SCRIPT} bytes: shorten it"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"the script {path} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the script's name into every script error that passes."""
    try:
        yield
    except ScriptError as error:
        error.script = path.name
        raise


def parse_parameters(assignments: Sequence[str]) -> dict[str, str]:
    """Return name and value of each ``--set name=value``.

    Raises:
        ConfigurationError: One has no ``=``, no name, or names a parameter twice.
    """
    found: dict[str, str] = {}
    for text in assignments:
        name, separator, value = text.partition("=")
        name = name.strip()
        if not separator or not name:
            raise ConfigurationError(
                f"--set {text[:60]!r} is not understood: write --set rsi_period=21"
            )
        if name in found:
            raise ConfigurationError(f"--set names {name} twice: keep one of them")
        found[name] = value.strip()
    return found
