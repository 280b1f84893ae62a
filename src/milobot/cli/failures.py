"""What a command that fails tells its user: one sentence on stderr, and an exit code."""

import errno
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Protocol, cast

import typer

from milobot.errors import MilobotError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
EXIT_UNEXPECTED = 1
EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130
"""What shells report for a process that Ctrl-C ended: 128 + SIGINT."""

# typer names only some of its errors publicly; this one is the base of every wrong flag or argument.
_USAGE_ERROR = typer.BadParameter.__bases__[0]


class _UsageError(Protocol):
    """The part of typer's usage errors that is used here."""

    ctx: typer.Context | None

    def format_message(self) -> str:
        """Return the message without the usage lines."""
        ...


def run_reporting(run: Callable[[], object]) -> int:
    """Run a command and return the exit code of the process.

    An expected error (bad input, a wrong flag) becomes one sentence and code 2,
    Ctrl-C code 130 without a word, a reader that went away (``| head``) code 1
    without a word, output that finds no room a sentence and code 1. Anything else
    is a fault of milobot: one sentence that names a report file, and code 1.
    ``MILOBOT_DEBUG=1`` prints the traceback as well.
    """
    _replace_closed_streams()
    try:
        result = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except typer.Exit as exit_:
        return exit_.exit_code
    except typer.Abort:
        return EXIT_UNEXPECTED
    except Exception as error:  # noqa: BLE001 - the process ends here; nothing is swallowed
        return _report(error)
    return result if isinstance(result, int) else 0


def _replace_closed_streams() -> None:
    """Put nothing in place of standard streams that the caller has closed.

    A database or socket opened next would take the place of a closed stdout, and receive
    what is printed.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open to the end


def installed_version() -> str:
    """Return the version of the installed package."""
    from importlib import metadata

    try:
        return metadata.version("milobot")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def refuse(sentence: str) -> int:
    """Say on stderr why a command does not run; return the exit code."""
    from milobot.telemetry import redact

    print(f"milobot: {redact(sentence)}", file=sys.stderr)
    return EXIT_REFUSED


def _report(error: Exception) -> int:
    expected = _expected_error(error)
    if expected is None and (lost := _why_output_is_lost(error)) is not None:
        _discard_stdout()
        if lost:
            print(f"milobot: {lost}", file=sys.stderr)
        return EXIT_UNEXPECTED
    if expected is None:
        return _report_unexpected(error)
    if _wants_traceback():
        from milobot.telemetry import redact

        print(redact("".join(traceback.format_exception(error))), file=sys.stderr, end="")
    return refuse(_sentence(expected))


def _expected_error(error: BaseException) -> Exception | None:
    """Return the error to show; a group of errors from parallel tasks is shown by its first."""
    if isinstance(error, Exception) and isinstance(error, MilobotError | _USAGE_ERROR):
        return error
    if isinstance(error, BaseExceptionGroup):
        shown = [_expected_error(inner) for inner in error.exceptions]
        return shown[0] if all(shown) else None
    return None


def _why_output_is_lost(error: BaseException) -> str | None:
    """Return why printing failed, nothing when the reader has gone; None when it did not."""
    if isinstance(error, BaseExceptionGroup):
        reasons = [_why_output_is_lost(inner) for inner in error.exceptions]
        return None if None in reasons else reasons[0]
    if isinstance(error, BrokenPipeError):
        return ""
    if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
        return "the output finds no room, the disk is full: make room, then try again"
    return None


def _sentence(error: Exception) -> str:
    if not isinstance(error, _USAGE_ERROR):
        return str(error)
    usage = cast("_UsageError", error)
    message = usage.format_message().strip().rstrip(".")
    if usage.ctx is None:
        return message
    message = message if message and not message.startswith("Usage:") else "a command is missing"
    return f"{message} (see '{usage.ctx.command_path} --help')"


def _report_unexpected(error: Exception) -> int:
    from milobot.telemetry import redact

    summary = redact("".join(traceback.format_exception_only(error)).strip().splitlines()[-1])
    details = redact("".join(traceback.format_exception(error)))
    if _wants_traceback():
        print(details, file=sys.stderr, end="")
    print(
        f"milobot: unexpected error ({summary}); this is a fault of milobot: please report it, "
        f"with {_save_report(details)}",
        file=sys.stderr,
    )
    return EXIT_UNEXPECTED


def _save_report(details: str) -> str:
    """Write the traceback where only this user reads it; return how to name the place."""
    head = (
        f"milobot {installed_version()}, Python {platform.python_version()}, {platform.platform()}"
    )
    try:
        handle, path = tempfile.mkstemp(prefix="milobot-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as report:
            report.write(f"{head}\narguments: {sys.argv[1:]}\n\n{details}")
    except OSError:
        return "the traceback that MILOBOT_DEBUG=1 prints"
    return f"the file {path}"


def _wants_traceback() -> bool:
    return os.environ.get("MILOBOT_DEBUG", "") not in {"", "0"}


def _discard_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush finds no broken pipe."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
