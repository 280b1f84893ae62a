"""Let ``python -m milobot`` do what ``milobot`` does."""

import sys

from milobot.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
