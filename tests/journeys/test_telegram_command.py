"""``milobot telegram`` as its user meets it, against a server on this machine."""

import asyncio
from pathlib import Path

from tests.support.mtproto.login import TOKEN
from tests.support.mtproto.world import marked
from tests.support.process import Ended, run_milobot
from tests.support.telegrams import CALLS, Scene, scene


async def typed(stage: Scene, folder: Path, *words: str, **more: str) -> Ended:
    """Return what a command said while the server went on."""
    pem = folder / "server.pem"
    stage.server.key.save(pem)
    environment = {
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "hash",
        "TELEGRAM_SERVER": f"127.0.0.1:{stage.server.port}",
        "TELEGRAM_SERVER_PEM": str(pem),
    }
    return await asyncio.to_thread(
        run_milobot, "telegram", *words, cwd=folder, **(environment | more)
    )


async def test_a_bot_logs_in_and_hears_of_its_chats(tmp_path: Path) -> None:
    """The ids it prints are what the allow-list takes."""
    async with scene(tmp_path) as stage:

        async def post_now_and_then() -> None:
            while True:
                stage.server.post(CALLS, "hello")
                await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(post_now_and_then())
            login = await typed(stage, tmp_path, "login", TELEGRAM_BOT_TOKEN=TOKEN)
            chats = await typed(stage, tmp_path, "chats", "--wait", "1", TELEGRAM_BOT_TOKEN=TOKEN)
            posting.cancel()

    assert (login.code, login.err) == (0, "")
    assert login.out == (
        "logged in as signals (@sigbot); the session is in telegram.session, encrypted\n"
    )
    assert (chats.code, chats.err) == (0, "")
    assert f"{marked(CALLS)}  channel      Calls" in chats.out
    assert TOKEN not in login.out + chats.out


async def test_what_does_not_work_is_one_sentence(tmp_path: Path) -> None:
    """No settings, a wrong token, nobody to ask, nobody at the other end: never a traceback."""
    async with scene(tmp_path) as stage:
        wrong = await typed(stage, tmp_path, "login", TELEGRAM_BOT_TOKEN="777:OTHER")  # noqa: S106 - of no bot
        alone = await typed(stage, tmp_path, "login", KEYS_PASSWORD="long enough")  # noqa: S106 - of nothing
        ledgerless = await typed(stage, tmp_path, "status")
    away = await typed(stage, tmp_path, "login", TELEGRAM_BOT_TOKEN=TOKEN)
    unset = run_milobot("telegram", "chats", cwd=tmp_path)

    for ended, sentence in (
        (wrong, "AccessTokenInvalid"),
        (alone, "there is no terminal to ask at"),
        (ledgerless, "milobot.db"),
        (away, "Telegram cannot be reached"),
        (unset, "https://my.telegram.org"),
    ):
        assert (ended.code, ended.out) == (2, "")
        assert len(ended.err.splitlines()) == 1
        assert sentence in ended.err
