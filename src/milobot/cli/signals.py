"""``milobot signals``: what messages say, what became of them, what a channel is worth."""

from pathlib import Path
from typing import Annotated

import typer

from milobot.cli.signal_audit import audit_channel
from milobot.cli.signal_records import list_messages, show_message

app = typer.Typer(
    add_completion=False,
    help="Read messages as signals, see what became of them, audit channels.",
    context_settings={"help_option_names": ["--help", "-h"]},
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
    from milobot.cli.channel_profile import load_profile
    from milobot.cli.signal_table import print_reading, reading_to_json
    from milobot.cli.tables import print_json
    from milobot.signals.reader import read

    reading = read(text, profile=load_profile(profile))
    if as_json:
        print_json(reading_to_json(reading))
    else:
        print_reading(reading)


app.command("audit")(audit_channel)
app.command("list")(list_messages)
app.command("show")(show_message)
