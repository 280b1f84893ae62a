"""Settings of talking back: people by their ids, notices by their kinds."""

import pytest
from pydantic import ValidationError

from milobot.signals.talk.notices import NoticeKind
from milobot.talk_settings import TALK_EXAMPLES, TalkSettings


def test_without_settings_nobody_is_talked_to_and_everything_would_be_told() -> None:
    """Nobody may ask for anything by default."""
    settings = TalkSettings()

    assert settings.telegram_admins == frozenset()
    assert settings.notify == frozenset(NoticeKind)


def test_settings_are_lists_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """As people write them in a file."""
    monkeypatch.setenv("TELEGRAM_ADMINS", " 123456789, 987654321,")
    monkeypatch.setenv("NOTIFY", "results")

    settings = TalkSettings()

    assert settings.telegram_admins == {123456789, 987654321}
    assert settings.notify == {NoticeKind.RESULTS, NoticeKind.PROTECTION, NoticeKind.GOVERNOR}


@pytest.mark.parametrize(
    "people",
    ["-100123", "@milo", "1;2", "0", "1.5", "\u0663", str(2**60), ",".join(map(str, range(1, 60)))],
)
def test_what_is_no_person_is_refused(people: str) -> None:
    """A group is not a person: everybody in it could close positions."""
    with pytest.raises(ValidationError):
        TalkSettings(telegram_admins=people)  # type: ignore[arg-type]  # as the environment has it


def test_an_unknown_kind_is_refused() -> None:
    """A misspelt kind would mean silence."""
    with pytest.raises(ValidationError):
        TalkSettings(notify="fills")  # type: ignore[arg-type]  # as the environment has it


def test_examples_name_every_field() -> None:
    """A wrong setting is answered with an example."""
    assert set(TALK_EXAMPLES) == set(TalkSettings.model_fields)
