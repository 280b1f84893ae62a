"""Every command that README and the manual show is typed here, or stands in one table with why not."""

from pathlib import Path

import pytest
from tests.docs.elsewhere import ELSEWHERE
from tests.docs.pages import commands_of, page_files
from tests.docs.reader import Reader
from tests.docs.scenes import SCENES
from tests.support.process import ROOT

PAGES = [path.relative_to(ROOT).as_posix() for path in page_files()]
TYPED = {
    page: [command for command in commands_of(page) if command not in ELSEWHERE] for page in PAGES
}
SAYS = {
    "milobot backtest first.script --data market.csv.gz": "round trips",
    "milobot run --script first.script": "PAPER",
    "milobot signals show 1": "BTCUSDT",
    "milobot close BTCUSDT": "flat: BTCUSDT",
    "milobot keys set --exchange binance": "is stored in keys.json, encrypted",
    "TRADING_ENABLED=true milobot run --script first.script": "play money",
    "milobot status": "binance:default",
    "milobot halt": "binance:default: halted: nothing enters",
    "milobot resume": "entries pass again",
    # An address on this machine is play money whatever the switch says; that it is heard is on record.
    "TRADING_ENABLED=true BINANCE_TESTNET=false milobot run --script my.script": (
        'binance_testnet\\": \\"False'
    ),
    "milobot audit verify": "entries",
    "milobot doctor --offline": "0 fail",
}
"""What some of them must say beside ending with 0: the pages promise it."""


@pytest.mark.timeout(400)  # the way through README is long, and machines are busy
@pytest.mark.parametrize("page", [page for page in PAGES if TYPED[page]])
def test_commands_of_a_page_work_in_the_order_of_the_page(
    page: str, exchange: str, tmp_path: Path
) -> None:
    """A newcomer copies them one by one; the first that fails is where he leaves."""
    scene = SCENES[page]
    with Reader(tmp_path, exchange) as reader:
        for prepare in scene.files:
            prepare(tmp_path)
        if scene.first:
            reader.type(scene.first)
        for command in TYPED[page]:
            ended = reader.type(command)
            said = f"{page}: {command}\n{ended.out[-3000:]}\n{ended.err}"
            assert ended.code == 0, said
            assert SAYS.get(command, "") in ended.out, said


def test_what_must_be_said_is_said_to_somebody() -> None:
    """A command that is not typed any more promises nothing."""
    assert set(SAYS) <= {command for page in PAGES for command in TYPED[page]}
