"""``milobot doctor`` as its user meets it: a healthy account, and everything that can be wrong."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.clinic import KEY, PASSWORD, SECRET, clinic
from tests.support.process import run_milobot

from milobot.local_exchange.core.accounts import Rights
from milobot.storage.api_key import ApiKey
from milobot.storage.keystore import new_keystore
from milobot.storage.private_file import PrivateFile

TITLES = {"binance": "Binance", "bingx": "BingX"}
NOWHERE = {"BINANCE_BASE_URL": "http://127.0.0.1:9", "BINGX_BASE_URL": "http://127.0.0.1:9"}
BOTH = pytest.mark.parametrize("exchange", ["binance", "bingx"])


@BOTH
async def test_healthy_account_is_found_healthy(exchange: str, tmp_path: Path) -> None:
    """Everything that is asked has an answer, and nothing fails."""
    title = TITLES[exchange]
    async with clinic(tmp_path) as run:
        code, found = await run.examine(exchange)

    assert code == 0, found
    assert {one["verdict"] for one in found.values()} <= {"ok", "warn"}
    assert "answers in" in found[f"{title} host"]["fact"]
    assert "(play money)" in found[f"{title} host"]["fact"]
    assert found[f"{title} clock"]["verdict"] == "ok"
    assert "BTCUSDT trades" in found[f"{title} symbol"]["fact"]
    assert f"{exchange}:default may trade, not withdraw" in found[f"{title} key"]["fact"]
    assert "equity 10000.00 USDT" in found[f"{title} account"]["fact"]
    assert found[f"{title} position mode"]["fact"] == "one-way"
    assert "BTCUSDT: " in found[f"{title} margin mode"]["fact"]
    assert "of BTCUSDT, up to" in found[f"{title} brackets"]["fact"]
    assert " used of " in found[f"{title} rate budget"]["fact"]
    for machine in (
        "switches",
        "database",
        "disk",
        "script isolation",
        "chart",
        "keys file",
        "server",
    ):
        assert machine in found


async def test_table_shows_verdict_fact_and_next_step(tmp_path: Path) -> None:
    """What a person reads; both exchanges, and no key in it."""
    async with clinic(tmp_path) as run:
        ended = await run.run("doctor", **run.keys)

    assert ended.code == 0
    rows = [line for line in ended.out.splitlines() if line.startswith(("ok", "warn", "fail"))]
    assert len(rows) >= 20
    assert any("Binance host" in row and "answers in" in row for row in rows)
    assert any("BingX key" in row and "bind it" in row for row in rows)
    assert ended.out.splitlines()[-1].endswith("0 fail")
    assert KEY not in ended.out
    assert SECRET not in ended.out


def test_without_keys_and_network_it_looks_at_the_rest(tmp_path: Path) -> None:
    """A first start on a train: it says what it could not ask, and still looks at the machine."""
    ended = run_milobot("doctor", "--json", cwd=tmp_path, **NOWHERE)

    found = {one["subject"]: one for one in json.loads(ended.out)}
    assert ended.code == 1
    assert found["script isolation"]["verdict"] in {"ok", "warn", "fail"}
    assert found["database"]["verdict"] == "ok"
    for host in ("Binance host", "BingX host"):
        assert found[host]["verdict"] == "fail"
        assert "http://127.0.0.1:9 (play money)" in found[host]["fact"]
        assert "no connection" in found[host]["fact"]
        assert "check the network" in found[host]["next_step"]


def test_offline_asks_nobody(tmp_path: Path) -> None:
    """For who only wants to back-test here."""
    ended = run_milobot("doctor", "--offline", "--json", cwd=tmp_path, **NOWHERE)

    found = {one["subject"] for one in json.loads(ended.out)}
    assert not {subject for subject in found if subject.startswith(("Binance", "BingX"))}


async def test_without_a_key_the_market_is_looked_at(tmp_path: Path) -> None:
    """Paper and downloads need no key; that there is none is no failure."""
    async with clinic(tmp_path) as run:
        ended = await run.run("doctor", "--json", "--exchange", "binance")

    found = {one["subject"]: one for one in json.loads(ended.out)}
    assert ended.code == 0
    assert found["Binance symbol"]["verdict"] == "ok"
    assert found["Binance key"]["verdict"] == "warn"
    assert "milobot keys set --exchange binance" in found["Binance key"]["next_step"]
    assert "Binance account" not in found


@BOTH
async def test_wrong_key_fails_without_hiding_the_rest(exchange: str, tmp_path: Path) -> None:
    """The market is fine and the doctor says so, beside what to do about the key."""
    title = TITLES[exchange]
    wrong = {f"{exchange.upper()}_SECRET_KEY": "a-secret-that-is-wrong"}
    async with clinic(tmp_path) as run:
        code, found = await run.examine(exchange, **wrong)

    assert code == 1
    assert found[f"{title} symbol"]["verdict"] == "ok"
    assert found[f"{title} rate budget"]["verdict"] == "ok"
    assert found[f"{title} key"]["verdict"] == "fail"
    assert "answered" in found[f"{title} key"]["fact"]
    assert "check key, secret" in found[f"{title} key"]["next_step"]
    assert "a-secret-that-is-wrong" not in json.dumps(found)


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        (Rights(can_trade=False), "may read at Binance but not trade futures"),
        (Rights(can_withdraw=True), "this key may withdraw from Binance"),
        (Rights(allowed_ip=False), "IP"),
    ],
)
async def test_key_with_too_few_or_too_many_rights_fails(
    rights: Rights, said: str, tmp_path: Path
) -> None:
    """Before the first order, not by it."""
    async with clinic(tmp_path, rights=rights) as run:
        code, found = await run.examine("binance")

    assert code == 1
    assert found["Binance key"]["verdict"] == "fail"
    assert said in found["Binance key"]["fact"]


@BOTH
async def test_hedge_mode_fails_with_the_way_out(exchange: str, tmp_path: Path) -> None:
    """In hedge mode every order of ours would be refused."""
    async with clinic(tmp_path) as run:
        run.exchange.venues[exchange].accounts[KEY].is_hedged = True
        code, found = await run.examine(exchange)

    mode = found[f"{TITLES[exchange]} position mode"]
    assert code == 1
    assert mode["verdict"] == "fail"
    assert "hedge mode" in mode["fact"]
    assert "choose one-way mode" in mode["next_step"]


@BOTH
async def test_unknown_symbol_names_the_nearest(exchange: str, tmp_path: Path) -> None:
    """A slip of two letters; account and mode are looked at all the same."""
    async with clinic(tmp_path) as run:
        code, found = await run.examine(exchange, "--symbol", "btcusdx")

    title = TITLES[exchange]
    assert code == 1
    assert "does not trade 'BTCUSDX': did you mean BTCUSDT?" in found[f"{title} symbol"]["fact"]
    assert found[f"{title} position mode"]["verdict"] == "ok"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("html:times=0", "a web page instead of data: check the address, or wait out a maint"),
        ("maintenance:times=0", "maintenance"),
        ("huge_body:times=0", "answer too large"),
        ("banned:seconds=300", "banned"),
    ],
)
async def test_exchange_that_answers_nonsense_is_told_in_one_sentence(
    fault: str, said: str, tmp_path: Path
) -> None:
    """Nobody waits for ever, and nothing else is asked of such an exchange."""
    async with clinic(tmp_path, fault) as run:
        code, found = await run.examine("binance")

    assert code == 1
    assert found["Binance host"]["verdict"] == "fail"
    assert re.search(said, found["Binance host"]["fact"])
    assert "Binance clock" not in found
    assert found["disk"]["verdict"] in {"ok", "warn"}


@BOTH
async def test_clock_that_is_off_fails_and_the_account_is_still_read(
    exchange: str, tmp_path: Path
) -> None:
    """Requests carry the exchange's time, so nothing else suffers; the user learns it here."""
    async with clinic(tmp_path) as run:
        run.exchange.clock.skew_ms = 10_000
        code, found = await run.examine(exchange)

    title = TITLES[exchange]
    clock = found[f"{title} clock"]
    assert code == 1
    assert clock["verdict"] == "fail"
    assert re.search(r"(10\.0|9\.9) s behind", clock["fact"])
    assert "timedatectl" in clock["next_step"]
    assert found[f"{title} account"]["verdict"] == "ok"
    assert found[f"{title} key"]["verdict"] in {"ok", "warn"}


async def test_locked_and_damaged_file_of_keys_is_one_finding(tmp_path: Path) -> None:
    """Without its password the market is still looked at; damage is told without one."""
    path = tmp_path / "keys.json"
    new_keystore(PrivateFile(path), PASSWORD).put("binance:main", ApiKey(KEY, SECRET))
    words = ("doctor", "--json", "--exchange", "binance")
    async with clinic(tmp_path) as run:
        locked = await run.run(*words)
        opened = await run.run(*words, KEYS_PASSWORD=PASSWORD)
        strange = await run.run(*words, "--account", "other", KEYS_PASSWORD=PASSWORD)
        path.write_text("{")
        damaged = await run.run(*words, KEYS_PASSWORD=PASSWORD)

    first, second, other, third = (
        {one["subject"]: one for one in json.loads(ended.out)}
        for ended in (locked, opened, strange, damaged)
    )
    assert "there is no password" in first["Binance key"]["fact"]
    assert first["Binance symbol"]["verdict"] == "ok"
    assert "binance:main may trade" in second["Binance key"]["fact"]
    assert "no key of binance:other is set" in other["Binance key"]["fact"]
    assert third["keys file"]["verdict"] == "fail"
    assert "keys.json is damaged" in third["keys file"]["fact"]
    assert damaged.code == 1


def test_wrong_settings_are_a_finding_and_the_machine_is_still_examined(tmp_path: Path) -> None:
    """Whoever asks the doctor is told everything, settings included."""
    ended = run_milobot(
        *("doctor", "--json"),
        cwd=tmp_path,
        DATA_LIMIT="many",
        BINGX_STREAM_URL="wss://a.example",
    )

    found = {one["subject"]: one for one in json.loads(ended.out)}
    assert ended.code == 1
    assert "DATA_LIMIT='many'" in found["settings"]["fact"]
    assert "BINGX_STREAM_URL is set without" in found["settings"]["fact"]
    assert found["disk"]["verdict"] in {"ok", "warn"}


def test_what_keeps_a_run_from_starting_is_told_at_once(tmp_path: Path) -> None:
    """One visit instead of one start for each; a malformed setting hides none of the others."""
    ended = run_milobot(
        *("doctor", "--offline", "--json"),
        cwd=tmp_path,
        MAX_LEVERAGE="0",
        LISTEN="0.0.0.0",  # noqa: S104 - never bound: the doctor opens nothing
        SIGNAL_PROFILES="elsewhere",
    )

    found = {one["subject"]: one for one in json.loads(ended.out)}
    assert ended.code == 1
    assert "MAX_LEVERAGE='0' is not valid" in found["settings"]["fact"]
    assert "LISTEN=0.0.0.0 lets others reach this server: set API_TOKEN" in found["server"]["fact"]
    assert "SIGNAL_PROFILES='elsewhere' is no folder" in found["profiles"]["fact"]


def test_server_and_profiles_are_described(tmp_path: Path) -> None:
    """Who may give orders, and by whose rules channels are traded."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "default.toml").write_text("leverage_cap = 3\n")

    ended = run_milobot(
        *("doctor", "--offline", "--json"),
        cwd=tmp_path,
        LISTEN="0.0.0.0",  # noqa: S104 - never bound: the doctor opens nothing
        API_TOKEN="a-token-of-the-clinic-1",  # noqa: S106 - opens nothing
    )

    found = {one["subject"]: one for one in json.loads(ended.out)}
    assert found["server"]["fact"] == "0.0.0.0 answers others, with a token"
    assert found["profiles"]["fact"] == "1 in profiles"
    assert {found[one]["verdict"] for one in ("server", "profiles")} == {"ok"}


def test_unknown_exchange_is_refused(tmp_path: Path) -> None:
    """A typing error, not a finding."""
    ended = run_milobot("doctor", "--exchange", "kraken", cwd=tmp_path)

    assert ended.code == 2
    assert "'kraken' is unknown: use binance or bingx" in ended.err


@asynccontextmanager
async def babbling() -> AsyncIterator[str]:
    """Serve a program that answers every connection with something that is not HTTP."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_address_of_something_else_is_told(tmp_path: Path) -> None:
    """A port mixed up is the usual slip with an address of one's own."""
    async with babbling() as url:
        ended = await asyncio.to_thread(
            run_milobot,
            *("doctor", "--json", "--exchange", "bingx"),
            cwd=tmp_path,
            BINGX_BASE_URL=url,
        )

    found = {one["subject"]: one for one in json.loads(ended.out)}
    assert ended.code == 1
    assert found["BingX host"]["verdict"] == "fail"
    assert url in found["BingX host"]["fact"]
