"""The doctor's checks one by one: what is found, and that none takes another with it."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr
from tests.support.trading import rules

from milobot.app.doctor import Check, Finding, Verdict, examine, examine_all, is_fit
from milobot.app.doctor_exchange import Patient, _Look
from milobot.app.doctor_machine import (
    judge_room,
    look_at_chart,
    look_at_database,
    look_at_disk,
    look_at_isolation,
    look_at_keys,
    look_at_server,
    machine_checks,
)
from milobot.app.exchanges import ExchangeClient
from milobot.domain.market import LeverageBracket
from milobot.domain.reports import KeyRights, MarginMode, SymbolSettings
from milobot.errors import ConfigurationError, ExchangeUnavailableError, StorageError
from milobot.ports import Account
from milobot.settings import Settings, load_settings
from milobot.storage.api_key import ApiKey
from milobot.storage.candle_schema import MIGRATIONS
from milobot.storage.candles import SqliteCandleStore
from milobot.storage.keystore import new_keystore
from milobot.storage.private_file import PrivateFile

GOOD = Finding(Verdict.OK, "good", "fine")


async def fine() -> Finding:
    """Find nothing wrong."""
    return GOOD


async def refuse() -> Finding:
    """Fail as an exchange does."""
    raise ExchangeUnavailableError("the exchange is down")


async def hang() -> Finding:
    """Never end."""
    await asyncio.sleep(3600)
    return GOOD


async def forbid() -> Finding:
    """Fail as the system does."""
    raise PermissionError(13, "Permission denied")


async def break_down() -> Finding:
    """Fail as only a fault of ours does."""
    raise KeyError("secret-of-a-fault")


async def test_no_check_takes_another_with_it() -> None:
    """One that fails, hangs or breaks becomes a finding of its own, in its place."""
    looks = {
        "refused": refuse,
        "hung": hang,
        "broken": break_down,
        "forbidden": forbid,
        "good": fine,
    }
    checks = [Check(name, look, "do this") for name, look in looks.items()]

    found = [await examine(check, limit_s=0.05) for check in checks]

    assert [one.verdict for one in found] == [*[Verdict.FAIL] * 4, Verdict.OK]
    assert found[0] == Finding(Verdict.FAIL, "refused", "the exchange is down", "do this")
    assert "no end within 0.05 s" in found[1].fact
    assert "KeyError" in found[2].fact
    assert "secret-of-a-fault" not in str(found[2])
    assert found[3].fact == "the system refused: Permission denied"
    assert not is_fit(found)


async def test_order_of_findings_is_the_order_of_checks() -> None:
    """A report whose lines change places cannot be compared with yesterday's."""

    async def late() -> Finding:
        await asyncio.sleep(0.02)
        return replace(GOOD, subject="late")

    found = await examine_all([Check("late", late), Check("good", fine)])

    assert [one.subject for one in found] == ["late", "good"]
    assert is_fit(found)


def test_database_that_is_not_there_is_made_later(tmp_path: Path) -> None:
    """A first start has none, and looking must not make one."""
    found = look_at_database(tmp_path / "candles.db")

    assert found.verdict is Verdict.OK
    assert not list(tmp_path.iterdir())


def test_database_of_ours_is_read_and_written(tmp_path: Path) -> None:
    """Version and size stand in the report."""
    path = tmp_path / "candles.db"
    SqliteCandleStore(path).close()

    found = look_at_database(path)

    assert found.verdict is Verdict.OK
    assert f"version {len(MIGRATIONS)}" in found.fact


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("PRAGMA user_version = 99", "is of version 99"),
        ("CREATE TABLE theirs (x)", "database of another program"),
    ],
)
def test_database_that_is_not_ours_is_refused(statement: str, said: str, tmp_path: Path) -> None:
    """Before a run writes into it."""
    path = tmp_path / "candles.db"
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()

    with pytest.raises(StorageError, match=said):
        look_at_database(path)


def test_locked_and_damaged_database_is_refused(tmp_path: Path) -> None:
    """Each with its own sentence."""
    path, broken = tmp_path / "candles.db", tmp_path / "broken.db"
    SqliteCandleStore(path).close()
    broken.write_bytes(b"no database" * 1000)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageError, match="is locked by another program"):
        look_at_database(path)
    with pytest.raises(StorageError, match="is not a SQLite database"):
        look_at_database(broken)

    holder.close()


def test_room_on_the_disk_decides(tmp_path: Path) -> None:
    """Also of a folder that is not there yet: its nearest one counts."""
    assert "GiB are free" in look_at_disk(tmp_path / "not" / "yet").fact
    assert judge_room(1 << 40).verdict is Verdict.OK
    assert judge_room(1 << 30).verdict is Verdict.WARN
    assert judge_room(1 << 20).verdict is Verdict.FAIL


def test_isolation_is_that_of_a_real_worker() -> None:
    """The level is found by locking one in, not by asking for a kernel version."""
    found = look_at_isolation()

    assert found.verdict is not Verdict.OK or found.fact == "full"
    assert found.verdict is Verdict.OK or "live trading needs full" in found.next_step


def test_chart_library_is_looked_for(tmp_path: Path) -> None:
    """Without it the page works and shows tables: a warning."""
    assert look_at_chart(tmp_path).verdict is Verdict.WARN
    library = tmp_path / "vendor" / "lightweight-charts.js"
    library.parent.mkdir()
    library.touch()
    assert look_at_chart(tmp_path).verdict is Verdict.OK


def test_file_of_keys_is_looked_at_without_opening_it(tmp_path: Path) -> None:
    """A plain one is a warning and is left as it is: looking changes nothing."""
    path = tmp_path / "keys.json"
    assert "there is no keys.json" in look_at_keys(path).fact
    path.write_text(json.dumps({"api_key": "k", "api_secret": "s", "password": "p"}))
    path.chmod(0o600)
    plain = look_at_keys(path)
    assert plain.verdict is Verdict.WARN
    assert json.loads(path.read_text())["password"] == "p"  # noqa: S105 - made up
    path.unlink()
    new_keystore(PrivateFile(path), "long enough").put("bingx:a", ApiKey("k", "s"))
    assert look_at_keys(path).verdict is Verdict.OK


SAFE = KeyRights(can_trade=True, can_withdraw=False, is_address_bound=True)


@dataclass
class Clock:
    """How far an exchange's clock is off."""

    offset_ms: int = 0
    uncertainty_ms: int = 5


@dataclass
class Client:
    """An exchange that answers what the test says; every part of a client at once."""

    clock: Clock = field(default_factory=Clock)
    rights: KeyRights = SAFE
    equity: Decimal = Decimal(100)
    open: tuple[str, ...] = ()
    mode: MarginMode = MarginMode.ISOLATED
    brackets: tuple[LeverageBracket, ...] = ()
    used: dict[str, tuple[int, int]] = field(default_factory=lambda: {"weight": (1, 100)})

    @property
    def market(self) -> "Client":
        """Be the market."""
        return self

    @property
    def account(self) -> "Client":
        """Be the account."""
        return self

    @property
    def limiter(self) -> "Client":
        """Be the limiter."""
        return self

    def standing(self) -> dict[str, tuple[int, int]]:
        """Return the budgets."""
        return self.used

    async def fetch_key_rights(self) -> KeyRights:
        """Return what the key may do."""
        return self.rights

    async def fetch_account(self) -> Account:
        """Return the account."""
        return Account(self.equity, self.equity, Decimal(0), Decimal(0))

    async def fetch_positions(self) -> tuple[str, ...]:
        """Return what is open."""
        return self.open

    async def fetch_open_orders(self) -> tuple[str, ...]:
        """Return what rests."""
        return ()

    async def fetch_symbol_settings(self, symbol: str) -> SymbolSettings:
        """Return leverage and margin mode."""
        return SymbolSettings(symbol, 20, self.mode)

    async def fetch_rules(self, symbol: str) -> Any:
        """Return rules with brackets."""
        return replace(rules(), brackets=self.brackets)


def looking_at(client: Client, **changed: Any) -> _Look:
    """Return the doctor before a client."""
    given = Settings.model_construct(**changed)
    return _Look(
        Patient(given, "bingx", "BTCUSDT", None, "bingx:a"), cast("ExchangeClient", client)
    )


async def found_by(look: Awaitable[Finding]) -> tuple[Verdict, str, str]:
    """Return a finding's parts."""
    finding = await look
    return finding.verdict, finding.fact, finding.next_step


@pytest.mark.parametrize(
    ("offset_ms", "verdict", "way"),
    [
        (1000, Verdict.OK, "1000 ms apart"),
        (-1001, Verdict.WARN, "1.0 s ahead of BingX"),
        (4999, Verdict.WARN, "5.0 s behind BingX"),
        (-10_000, Verdict.FAIL, "10.0 s ahead of BingX"),
    ],
)
async def test_clock_is_judged_by_its_distance(offset_ms: int, verdict: Verdict, way: str) -> None:
    """Both directions; the way back stands beside it."""
    look = looking_at(Client(Clock(offset_ms)), bingx_base_url="http://127.0.0.1:1")

    judged, fact, step = await found_by(look.at_clock("clock"))

    assert judged is verdict
    assert way in fact
    assert ("timedatectl" in step) is (verdict is not Verdict.OK)
    assert ("--clock wall" in step) is (verdict is not Verdict.OK)


async def test_key_is_judged_by_its_rights() -> None:
    """Bound and without withdrawals is best; what a host does not tell is said so."""
    bound = await found_by(looking_at(Client()).at_key("key"))
    rights = KeyRights(can_trade=True, can_withdraw=False, is_address_bound=False)
    free = await found_by(looking_at(Client(rights=rights)).at_key("key"))
    rights = KeyRights(can_trade=True, can_withdraw=None)
    silent = await found_by(looking_at(Client(rights=rights)).at_key("key"))

    assert bound == (Verdict.OK, "bingx:a may trade, not withdraw", "")
    assert free[0] is Verdict.WARN
    assert "bind it" in free[2]
    assert silent[0] is Verdict.OK
    assert "not told here" in silent[1]


async def test_account_with_strangers_or_without_money_is_a_warning() -> None:
    """Neither breaks anything; both are why a script would not trade."""
    empty = await found_by(looking_at(Client(equity=Decimal(0))).at_account("account"))
    shared = await found_by(looking_at(Client(open=("theirs",))).at_account("account"))

    assert (empty[0], shared[0]) == (Verdict.WARN, Verdict.WARN)
    assert "transfer USDT" in empty[2]
    assert "1 positions" in shared[1]


async def test_cross_margin_and_missing_brackets_are_warnings() -> None:
    """Milobot sets the mode itself, and estimates without brackets; both are said."""
    cross = await found_by(looking_at(Client(mode=MarginMode.CROSS)).at_margin_mode("margin"))
    isolated = await found_by(looking_at(Client()).at_margin_mode("margin"))
    none = await found_by(looking_at(Client()).at_brackets("brackets"))

    assert (cross[0], isolated[0], none[0]) == (Verdict.WARN, Verdict.OK, Verdict.WARN)
    assert isolated[1] == "BTCUSDT: isolated, 20x"


async def test_fullest_budget_is_the_one_that_counts() -> None:
    """Somebody else on the same address may use it up."""
    used = {"requests": (10, 1000), "weight": (1300, 2400)}

    judged, fact, _ = await found_by(looking_at(Client(used=used)).at_budget("budget"))

    assert judged is Verdict.WARN
    assert fact == "1300 of 2400 used of weight, the fullest"


def test_an_open_server_is_a_fault_where_real_money_is_certain() -> None:
    """A run on the exchange that is set to play money starts; one on the other does not."""
    mixed = load_settings(None).model_copy(
        update={"trading_enabled": True, "api_open": True, "binance_testnet": False}
    )

    found = look_at_server(mixed)
    assert found.verdict is Verdict.WARN
    assert "does not start so with real money at binance" in found.fact
    with pytest.raises(ConfigurationError, match="API_OPEN=true lets anybody"):
        look_at_server(mixed.model_copy(update={"binance_api_key": SecretStr("a-key")}))
    for update in ({"trading_enabled": False}, {"binance_testnet": True}, {"api_open": False}):
        assert look_at_server(mixed.model_copy(update=update)).verdict is Verdict.OK


def test_a_server_whose_own_settings_are_malformed_is_not_judged() -> None:
    """It would be told to set a token that is set."""
    settings = load_settings(None)

    def subjects(faulty: set[str]) -> set[str]:
        return {check.subject for check in machine_checks(settings, faulty)}

    assert subjects({"max_leverage"}) - subjects({"api_token"}) == {"server"}
