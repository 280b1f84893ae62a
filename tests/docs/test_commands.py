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
            assert ended.code == 0, f"{page}: {command}\n{ended.out[-3000:]}\n{ended.err}"
