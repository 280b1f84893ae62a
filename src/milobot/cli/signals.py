"""``milobot signals``: what a message says, and which of its words say so."""

from pathlib import Path
from typing import Annotated

import typer


def _stay_a_group() -> None:
    """Keep ``read`` a sub-command of its own, also while it is the only one."""


app = typer.Typer(
    add_completion=False,
    help="Read messages as signals, and explain the reading.",
    context_settings={"help_option_names": ["--help", "-h"]},
    callback=_stay_a_group,
)


@app.command("read")
def read_message(
    text: Annotated[str, typer.Argument(help="The message, in quotes.")],
    *,
    profile: Annotated[
        Path | None, typer.Option(help="Read it with a channel's profile (TOML).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read one message and show each field beside the words it came from.

    Nothing is sent and nothing is recorded; a message that is refused, or is no
    signal, is told so with its reason.
    """
    from milobot.cli.signal_table import print_reading, reading_to_json
    from milobot.cli.tables import print_json
    from milobot.errors import ConfigurationError
    from milobot.signals.profile_toml import parse_profile
    from milobot.signals.reader import read

    chosen = None
    if profile is not None:
        try:
            content = profile.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"--profile: {profile} cannot be read ({error}); name a TOML file"
            ) from error
        chosen = parse_profile(content, profile.name)
    reading = read(text, profile=chosen)
    if as_json:
        print_json(reading_to_json(reading))
    else:
        print_reading(reading)
