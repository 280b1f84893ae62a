"""Scripts on disk, and the words of ``--set``."""

from pathlib import Path

import pytest

from milobot.app.scripts import LARGEST_SCRIPT, naming, parse_parameters, read_script, sample
from milobot.errors import ConfigurationError, ScriptError


def test_sample_is_found() -> None:
    """The demo of a newcomer needs one, from a checkout as from a wheel."""
    assert "calculate_macd" in read_script(sample("macd_crossover.script"))


def test_unknown_sample_is_refused() -> None:
    """A package without its samples must say what to do."""
    with pytest.raises(ConfigurationError, match="is not installed: name a script with --script"):
        sample("none.script")


def test_largest_script_is_read_and_no_larger(tmp_path: Path) -> None:
    """The limit is a limit, not one byte less."""
    path = tmp_path / "big.script"
    path.write_bytes(b"#" * LARGEST_SCRIPT)
    assert len(read_script(path)) == LARGEST_SCRIPT

    path.write_bytes(b"#" * (LARGEST_SCRIPT + 1))
    with pytest.raises(ConfigurationError, match=r"big\.script has more than 65536 bytes: shorten"):
        read_script(path)


def test_a_script_without_end_is_refused() -> None:
    """The limit is known before all of it is read."""
    with pytest.raises(ConfigurationError, match="/dev/zero has more than 65536 bytes"):
        read_script(Path("/dev/zero"))


def test_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """Editors of Windows put one in front of everything."""
    path = tmp_path / "bom.script"
    path.write_bytes(b"\xef\xbb\xbfx = 1")

    assert read_script(path) == "x = 1"


def test_parameters_are_names_and_texts() -> None:
    """The value may hold an equals sign; blanks around both do not count."""
    assert parse_parameters(["a=1", " b = x=y "]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize(
    ("texts", "reason"),
    [(["a"], "'a' is not understood"), (["=1"], "'=1' is not"), (["a=1", "a =2"], "a twice")],
)
def test_parameters_without_sense_are_refused(texts: list[str], reason: str) -> None:
    """None of two values is the right one."""
    with pytest.raises(ConfigurationError, match=reason):
        parse_parameters(texts)


def test_error_learns_the_name_of_its_script() -> None:
    """With ten scripts running, a line number alone helps nobody."""
    error = ScriptError("oh", line=3, column=4)
    with pytest.raises(ScriptError) as caught, naming(Path("folder/x.script")):
        raise error

    assert str(caught.value) == "x.script, line 3, column 4: oh"
