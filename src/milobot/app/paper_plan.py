"""What a paper account is, known without loading what keeps one."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from milobot.settings import Settings
from milobot.storage.database_url import SqliteTarget, parse_database_url

PAPER = "paper"
"""The name of the accounts that trade on paper, as in ``binance:paper``."""


@dataclass(frozen=True, slots=True)
class PaperPlan:
    """On what terms a paper account trades, and where it is kept.

    Attributes:
        wallet: In USDT, what a new account begins with; one that is kept goes on.
        fee: Of every market fill, as a fraction of its notional.
        slippage: Adverse fraction of the price on every market fill, beyond bid or ask.
        state_file: Where the account is kept over a restart; None keeps nothing.
    """

    wallet: Decimal = Decimal(10_000)
    fee: Decimal = Decimal("0.0005")
    slippage: Decimal = Decimal(0)
    state_file: Path | None = None


def paper_file(settings: Settings, exchange: str) -> Path:
    """Return where the paper account of an exchange is kept: beside the ledger's file, else here."""
    target = parse_database_url(settings.database_url.get_secret_value())
    folder = target.path.parent if isinstance(target, SqliteTarget) else Path()
    return folder / f"paper-{exchange}.json"
