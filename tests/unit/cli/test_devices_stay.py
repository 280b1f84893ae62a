"""Files that are replaced as a whole must not replace what is no file."""

import os
import stat
from pathlib import Path

import pytest

from milobot.backtest.report import write_json
from milobot.cli.main import main
from milobot.errors import StorageError


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Return a named pipe, which stands for /dev/stdout and /dev/full."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_report_does_not_replace_a_device(pipe: Path) -> None:
    """``--json /dev/stdout`` typed by root would take the device away from the whole machine."""
    with pytest.raises(StorageError, match="no ordinary file"):
        write_json(pipe, {})

    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_backup_does_not_replace_a_device(
    pipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same for a copy of the database."""
    market, database = str(tmp_path / "m.csv"), str(tmp_path / "c.db")
    main(["data", "generate", market, "--days", "1"])
    main(["data", "import", market, "--symbol", "BTCUSDT", "--db", database])

    assert main(["data", "backup", str(pipe), "--db", database]) == 2
    assert "no ordinary file" in capsys.readouterr().err
    assert stat.S_ISFIFO(pipe.stat().st_mode)
