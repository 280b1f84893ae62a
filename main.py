"""The classic command line: ``python3 main.py --script FILE --backtest --data FILE``."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

VENV = Path(__file__).resolve().parent / ".venv"


def find_milobot() -> None:
    """Go on in the environment that ``make`` set up when this Python does not have milobot."""
    if find_spec("milobot") and find_spec("typer"):
        return
    python = VENV / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != VENV:
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - no shell: the same words again
    sys.stderr.write(
        "milobot: not installed for this Python; run 'make demo' once, or 'pip install .'\n"
    )
    sys.exit(2)


if __name__ == "__main__":
    find_milobot()
    from milobot.cli.classic import main

    sys.exit(main())
