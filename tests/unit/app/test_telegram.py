"""Telegram in processes: one listens, and what one that was killed left is taken up by the next."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr
from tests.support.mtproto.login import CODE, PHONE, TOKEN
from tests.support.mtproto.world import marked
from tests.support.process import ROOT, child_environment
from tests.support.telegrams import CALLS, QUICK, RecordingDoor, Scene, scene, until

from milobot.app.telegram import Telegram
from milobot.app.telegram_desk import list_chats, log_in, read_telegram_status
from milobot.app.telegram_plan import TelegramPlan, plan_telegram, telegram_account
from milobot.errors import ConfigurationError, KeystoreError
from milobot.settings import Settings

CHAT = marked(CALLS)


@pytest.fixture(name="stage")
async def _stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


def settings_for(stage: Scene, folder: Path, **more: str) -> Settings:
    """Return settings that lead to the server of the scene."""
    pem = folder / "server.pem"
    stage.server.key.save(pem)
    fields = {
        "database_url": f"sqlite:///{folder / 'ledger.db'}",
        "telegram_api_id": "1",
        "telegram_api_hash": "hash",
        "telegram_chats": str(CHAT),
        "telegram_session_file": str(folder / "telegram.session"),
        "telegram_server": f"127.0.0.1:{stage.server.port}",
        "telegram_server_pem": str(pem),
    }
    return Settings(_env_file=None, **(fields | more))  # type: ignore[call-arg, arg-type]  # pydantic checks them


class Person:
    """Types what logs in."""

    def phone(self) -> str:
        """Return the phone number."""
        return PHONE

    def code(self) -> str:
        """Return the code."""
        return CODE

    def password(self) -> str:
        """Fail: the account has none."""
        raise AssertionError


@asynccontextmanager
async def child(stage: Scene, folder: Path) -> AsyncIterator[None]:
    """Listen in a process of its own that is killed in the end; go on once it looks at the chat."""
    pem = folder / "server.pem"
    stage.server.key.save(pem)
    before = stage.server.calls.count("GetChannelsRequest")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.telegram_child", f"sqlite:///{folder / 'child.db'}"),
        *(str(stage.server.port), str(pem), str(folder / "record"), str(CHAT)),
        cwd=ROOT,
        env=child_environment(),
    )
    try:
        await until_slowly(lambda: stage.server.calls.count("GetChannelsRequest") > before)
        yield
    finally:
        process.kill()
        await process.wait()


async def until_slowly(holds: Callable[[], bool]) -> None:
    """Wait until something holds that takes a process to start."""
    for _ in range(4):
        try:
            await until(holds)
        except TimeoutError:
            continue
        return
    raise TimeoutError


async def test_kill_9_loses_and_repeats_nothing(stage: Scene, tmp_path: Path) -> None:
    """Killed in the middle of a burst: each message is on record once, in order."""
    texts: list[str] = []

    def post(count: int) -> None:
        for _ in range(count):
            texts.append(f"message {len(texts)}")
            stage.server.post(CALLS, texts[-1])

    def on_record() -> list[str]:
        record = tmp_path / "record"
        content = record.read_bytes() if record.exists() else b""
        return [orjson.loads(line)["text"] for line in content.splitlines() if line]

    async with child(stage, tmp_path):
        post(40)
        await until_slowly(lambda: len(on_record()) > 10)
    assert len(on_record()) < len(texts)
    post(10)
    async with child(stage, tmp_path):
        await until_slowly(lambda: len(on_record()) >= len(texts))

    assert on_record() == texts


async def test_of_two_replicas_one_listens_and_the_other_takes_over(stage: Scene) -> None:
    """Two bots on one ledger must not both hand in, and one that ends must be replaced."""
    plan = TelegramPlan(stage.account(), stage.chats, terms=QUICK)
    first, second = (Telegram(plan, stage.ledger.database, stage.alerts.append) for _ in range(2))
    doors = RecordingDoor(), RecordingDoor()
    async with asyncio.TaskGroup() as tasks:
        one = tasks.create_task(first.run(doors[0]))
        await until(lambda: first.state.is_connected)
        two = tasks.create_task(second.run(doors[1]))
        await until(lambda: any("stands by" in said for said in stage.sentences()))
        stage.server.post(CALLS, "one")
        await until(lambda: bool(doors[0].incoming))
        one.cancel()
        await until(lambda: second.state.is_connected)
        stage.server.post(CALLS, "two")
        await until(lambda: bool(doors[1].incoming))
        two.cancel()

    assert (doors[0].texts, doors[1].texts) == (["one"], ["two"])


async def test_a_bot_keeps_its_session_sealed_and_lists_the_chats_it_hears(
    stage: Scene, tmp_path: Path
) -> None:
    """Logging in at every start would run into flood waits."""
    settings = settings_for(stage, tmp_path, telegram_bot_token=TOKEN)

    name = await log_in(settings, None, Person())
    chats = await list_chats(settings, None, 0.1)

    session = tmp_path / "telegram.session"
    assert name == "signals (@sigbot)"
    assert [(chat.chat_id, chat.title) for chat in chats] == [(CHAT, "Calls")]
    assert stage.server.calls.count("ImportBotAuthorizationRequest") == 1
    assert session.stat().st_mode & 0o777 == 0o600
    other = settings_for(stage, tmp_path, telegram_bot_token="778:OTHER")  # noqa: S106 - of no bot
    with pytest.raises(KeystoreError, match="does not open"):
        telegram_account(other, None).session.load()
    session.write_bytes(b"{}")
    with pytest.raises(KeystoreError, match="damaged"):
        telegram_account(settings, None).session.load()


async def test_a_person_logs_in_and_lists_their_chats(stage: Scene, tmp_path: Path) -> None:
    """The session is opened by the password of the keys."""
    settings = settings_for(stage, tmp_path, keys_password="long enough")  # noqa: S106 - of nothing

    name = await log_in(settings, None, Person())
    chats = await list_chats(settings, None, 0.1)

    assert name == "Tess"
    assert {chat.title for chat in chats} == {"Calls", "Chatter"}


async def test_status_tells_how_far_each_chat_was_read(stage: Scene, tmp_path: Path) -> None:
    """From the ledger alone: the bot that listens is not disturbed."""
    settings = settings_for(stage, tmp_path, telegram_bot_token=TOKEN)
    nothing_yet = await read_telegram_status(settings)
    telegram = Telegram(
        TelegramPlan(stage.account(), stage.chats, terms=QUICK), stage.ledger.database, print
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(telegram.run(stage.door))
        await until(lambda: telegram.state.is_connected)
        stage.server.post(CALLS, "one")
        stage.server.post(CALLS, "two")
        await until(lambda: len(stage.door.incoming) == 2)
        await asyncio.sleep(0.05)
        status = await read_telegram_status(settings)
        running.cancel()

    assert (nothing_yet.is_listening, nothing_yet.chats[0].last_id) == (False, 0)
    assert (status.is_listening, status.chats[0].chat_id, status.chats[0].last_id) == (
        True,
        CHAT,
        2,
    )


def test_who_does_not_use_telegram_does_not_load_its_library() -> None:
    """It takes 20 MB and a third of a second."""
    look = (
        "import sys, milobot.app.telegram, milobot.cli.telegram; print('telethon' in sys.modules)"
    )

    said = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", look],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "False\n"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """No application, no password, no key file: one sentence each."""
    nothing = Settings(_env_file=None)  # type: ignore[call-arg]  # as in settings.py
    person = nothing.model_copy(update={"telegram_api_id": 1, "telegram_api_hash": _secret("hash")})
    bot = person.model_copy(
        update={
            "telegram_bot_token": _secret(TOKEN),
            "telegram_server": "127.0.0.1:1",
            "telegram_server_pem": tmp_path / "nowhere.pem",
        }
    )

    assert plan_telegram(nothing, None) is None
    for settings, sentence in (
        (nothing, "TELEGRAM_API_ID"),
        (person, "KEYS_PASSWORD"),
        (bot, "TELEGRAM_SERVER_PEM"),
    ):
        with pytest.raises(ConfigurationError, match=sentence):
            telegram_account(settings, None)


def _secret(text: str) -> SecretStr:
    return SecretStr(text)
