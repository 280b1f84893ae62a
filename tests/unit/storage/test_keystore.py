"""Keys on disk: sealed, private, whole, and silent about themselves."""

import fcntl
import json
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from milobot.errors import KeystoreError
from milobot.storage import keystore
from milobot.storage.api_key import ApiKey
from milobot.storage.keystore import Keystore, check_form, new_keystore, open_keystore
from milobot.storage.private_file import PrivateFile

PASSWORD = "correct horse battery"  # noqa: S105 - opens files of these tests
KEY = ApiKey("key-of-these-tests-0123456789", "secret-of-these-tests-9876543210")
OPENS_NOT = "does not open: the password is wrong or the file was changed"


@pytest.fixture
def file(tmp_path: Path) -> PrivateFile:
    """Return a file that is not there yet."""
    return PrivateFile(tmp_path / "keys.json")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return what a file with one key holds; each sealing costs 600,000 rounds."""
    made = PrivateFile(tmp_path_factory.mktemp("keys") / "keys.json")
    new_keystore(made, PASSWORD).put("binance:default", KEY)
    return made.path.read_bytes()


@pytest.fixture
def stored(file: PrivateFile, sealed: bytes) -> PrivateFile:
    """Return a file with one key."""
    file.path.touch(0o600)
    file.path.write_bytes(sealed)
    return file


def plain(file: PrivateFile, **changes: object) -> None:
    """Write the plain form of old."""
    document = {"api_key": KEY.key, "api_secret": KEY.secret, "password": PASSWORD, **changes}
    file.path.write_text(json.dumps(document))
    file.path.chmod(0o600)


def change(file: PrivateFile, edit: Callable[[dict[str, object]], None]) -> None:
    """Change the document in the file."""
    document = json.loads(file.path.read_text())
    edit(document)
    file.path.write_text(json.dumps(document))


def test_what_is_stored_comes_back_with_the_password(file: PrivateFile) -> None:
    """The point of the file; rounds and mode are those promised."""
    new_keystore(file, PASSWORD).put("binance:default", KEY)

    again = open_keystore(PrivateFile(file.path), PASSWORD)

    assert again.keys == {"binance:default": KEY}
    assert json.loads(file.path.read_text())["rounds"] == 600_000
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_neither_key_nor_name_nor_password_is_in_the_file(stored: PrivateFile) -> None:
    """Who copies the file learns how many bytes there are, no more."""
    content = stored.path.read_text()

    for text in (KEY.key, KEY.secret, PASSWORD, "binance", "default"):
        assert text not in content


def test_two_saves_share_neither_salt_nor_nonce(stored: PrivateFile) -> None:
    """A nonce used twice under one key would open both."""
    first = json.loads(stored.path.read_text())
    open_keystore(stored, PASSWORD).put("bingx:second", KEY)
    second = json.loads(stored.path.read_text())

    assert first["salt"] != second["salt"]
    assert first["nonce"] != second["nonce"]


def test_removed_key_is_gone_and_another_is_named(stored: PrivateFile) -> None:
    """A typing error must not look like success."""
    store = open_keystore(stored, PASSWORD)
    with pytest.raises(KeystoreError, match="no key of binance:old: it has binance:default"):
        store.remove("binance:old")

    store.remove("binance:default")

    assert open_keystore(stored, PASSWORD).keys == {}


def damage_sealed(document: dict[str, object]) -> None:
    """Change one character of what is sealed."""
    text = str(document["sealed"])
    document["sealed"] = ("B" if text[0] == "A" else "A") + text[1:]


def damage_salt(document: dict[str, object]) -> None:
    """Take another salt."""
    document["salt"] = "AAAAAAAAAAAAAAAAAAAAAA=="


def damage_rounds(document: dict[str, object]) -> None:
    """Take another number of rounds, within what is allowed."""
    document["rounds"] = 600_001


@pytest.mark.parametrize("edit", [damage_sealed, damage_salt, damage_rounds])
def test_changed_file_and_wrong_password_say_the_same(
    edit: Callable[[dict[str, object]], None], stored: PrivateFile
) -> None:
    """Otherwise whoever may write the file could ask it about the password."""
    with pytest.raises(KeystoreError, match=OPENS_NOT) as wrong:
        open_keystore(stored, "another password")

    change(stored, edit)
    with pytest.raises(KeystoreError, match=OPENS_NOT) as changed:
        open_keystore(stored, PASSWORD)

    assert str(wrong.value) == str(changed.value)


def test_wrong_password_and_changed_file_take_the_same_time(stored: PrivateFile) -> None:
    """One derivation each: time tells no more than the words do."""

    def seconds(password: str) -> float:
        begun = time.perf_counter()
        with pytest.raises(KeystoreError, match=OPENS_NOT):
            open_keystore(stored, password)
        return time.perf_counter() - begun

    # The least of some: a busy machine only ever adds.
    wrong = min(seconds("another password") for _ in range(4))
    change(stored, damage_sealed)
    changed = min(seconds(PASSWORD) for _ in range(4))

    assert 0.3 < wrong / changed < 3
    assert min(wrong, changed) > 0.02  # both did derive


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe\x00",
        b'{"format": "milobot-keys-2", "rounds": 600000, "salt": "", "nonce": "", "sealed": ""}',
        b'{"format": "milobot-keys-1", "rounds": 600000, "salt": "", "nonce": "", "sealed": ""}',
        b'{"format": "milobot-keys-1", "rounds": 600000, "salt": 1, "nonce": "%", "sealed": "\xc3\xa9"}',
    ],
)
def test_file_that_is_broken_in_form_says_so(content: bytes, file: PrivateFile) -> None:
    """That needs no password to be seen, so it may be said, with the way out."""
    file.path.write_bytes(content)
    file.path.chmod(0o600)

    with pytest.raises(KeystoreError, match=r"keys\.json is damaged.*backup") as caught:
        open_keystore(file, PASSWORD)

    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("rounds", [1, 599_999, 10_000_001, "600000", True, 6e5])
def test_weak_or_endless_rounds_are_no_file_of_ours(rounds: object, stored: PrivateFile) -> None:
    """A file must neither make the password cheap to guess nor keep us busy for minutes."""
    change(stored, lambda document: document.update(rounds=rounds))

    with pytest.raises(KeystoreError, match="is damaged"):
        open_keystore(stored, PASSWORD)


def test_every_cut_of_the_file_is_refused(stored: PrivateFile) -> None:
    """A disk that was full leaves half a file; never half a key."""
    whole = stored.path.read_bytes()
    for length in range(0, len(whole) - 2, 23):
        stored.path.write_bytes(whole[:length])
        with pytest.raises(KeystoreError):
            check_form(stored)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
def test_file_that_others_may_read_is_refused(mode: int, stored: PrivateFile) -> None:
    """The way out stands in the sentence."""
    stored.path.chmod(mode)

    with pytest.raises(KeystoreError, match=f"mode 0{mode:o}.*chmod 600"):
        open_keystore(stored, PASSWORD)


def test_pipe_folder_and_giant_are_no_files_of_keys(tmp_path: Path) -> None:
    """A start must neither hang on a pipe nor read a disk full."""
    pipe, giant = tmp_path / "pipe", tmp_path / "giant"
    os.mkfifo(pipe, 0o600)
    giant.touch(0o600)
    os.truncate(giant, 1 << 30)

    with pytest.raises(KeystoreError, match="no plain file"):
        PrivateFile(pipe).read()
    with pytest.raises(KeystoreError, match="too large"):
        PrivateFile(giant).read()
    with pytest.raises(KeystoreError, match="cannot be used"):
        PrivateFile(tmp_path / "nowhere" / "keys.json").read()


def test_missing_file_says_how_it_is_made(file: PrivateFile) -> None:
    """The first thing a newcomer meets."""
    with pytest.raises(KeystoreError, match="does not exist: make it with `milobot keys set`"):
        open_keystore(file, PASSWORD)


def test_no_password_says_where_it_comes_from(stored: PrivateFile) -> None:
    """A container that was not given one must say which variable is missing."""
    with pytest.raises(KeystoreError, match="KEYS_PASSWORD_FILE"):
        open_keystore(stored, None)


def test_short_password_is_not_taken(file: PrivateFile) -> None:
    """Encryption under '1234' is none."""
    with pytest.raises(KeystoreError, match="too short"):
        new_keystore(file, "1234567")


def test_plain_form_is_encrypted_in_place_and_its_password_forgotten(file: PrivateFile) -> None:
    """The documented form of old works once; afterwards the password is asked for."""
    plain(file)

    store = open_keystore(file, None)

    assert store.keys == {keystore.PLAIN_ACCOUNT: KEY}
    content = file.path.read_text()
    assert PASSWORD not in content
    assert KEY.secret not in content
    assert check_form(file) == "encrypted"
    assert open_keystore(file, PASSWORD).keys == store.keys
    with pytest.raises(KeystoreError, match="no password"):
        open_keystore(file, None)


def test_plain_content_is_overwritten_before_it_is_let_go(file: PrivateFile) -> None:
    """The disk's blocks would otherwise hold the secret until somebody else needs them."""
    plain(file)
    with file.path.open("rb") as old:
        open_keystore(file, None)

        assert set(old.read()) == {0}


@pytest.mark.parametrize("changes", [{"api_key": ""}, {"api_secret": 5}, {"password": "  "}])
def test_plain_form_with_a_hole_is_not_touched(
    changes: dict[str, object], file: PrivateFile
) -> None:
    """Nothing is encrypted that could not be used; the field is named, its value is not."""
    plain(file, **changes)
    before = file.path.read_bytes()

    with pytest.raises(KeystoreError, match=next(iter(changes))) as caught:
        open_keystore(file, None)

    assert KEY.secret not in str(caught.value)
    assert file.path.read_bytes() == before


def test_two_who_change_it_at_once_lose_nothing(stored: PrivateFile) -> None:
    """The slower one is told to try again, instead of undoing what the faster one did."""
    slower = open_keystore(PrivateFile(stored.path), PASSWORD)
    open_keystore(PrivateFile(stored.path), PASSWORD).put("bingx:fast", KEY)

    with pytest.raises(KeystoreError, match="changed by another program"):
        slower.put("bingx:slow", KEY)

    assert set(open_keystore(stored, PASSWORD).keys) == {"binance:default", "bingx:fast"}


def test_failed_write_leaves_the_old_file_and_no_draft(stored: PrivateFile) -> None:
    """Half a file of keys would be no keys at all."""
    store = open_keystore(stored, PASSWORD)
    before = stored.path.read_bytes()
    folder = stored.path.parent
    blocker = folder / f".keys.json.{os.getpid()}.new"
    blocker.mkdir()  # a name that cannot be written to, as on a full disk

    with pytest.raises(KeystoreError, match="cannot be used"):
        store.put("bingx:main", KEY)

    blocker.rmdir()
    assert stored.path.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["keys.json"]


def test_file_that_is_being_changed_says_so(stored: PrivateFile) -> None:
    """Two who write at once would leave one of the two keys."""
    store = open_keystore(stored, PASSWORD)
    folder = os.open(stored.path.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)

    with pytest.raises(KeystoreError, match="is being changed by another program"):
        store.put("bingx:main", KEY)

    os.close(folder)


def test_second_name_of_a_plain_file_is_left_alone(file: PrivateFile) -> None:
    """A hard link is somebody's copy: it is theirs to delete."""
    plain(file)
    copy = file.path.with_name("copy.json")
    copy.hardlink_to(file.path)
    before = copy.read_bytes()

    open_keystore(file, None)

    assert copy.read_bytes() == before
    assert check_form(file) == "encrypted"


def test_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    """Who keeps the file on an encrypted disk links to it."""
    real = tmp_path / "safe"
    real.mkdir()
    link = tmp_path / "keys.json"
    link.symlink_to(real / "keys.json")

    new_keystore(PrivateFile(link), PASSWORD).put("binance:default", KEY)

    assert link.is_symlink()
    assert open_keystore(PrivateFile(real / "keys.json"), PASSWORD).keys


def test_nothing_shows_a_secret(stored: PrivateFile) -> None:
    """Not as text, not in a traceback, not in the mask."""
    store = open_keystore(stored, PASSWORD)
    wrong = str(10**12 + 1)  # made, so that no line of this file holds it
    shown = [repr(KEY), str(KEY), repr(store), KEY.masked, repr([KEY]), f"{store!s}"]
    try:
        open_keystore(stored, wrong)
    except KeystoreError as error:
        shown += traceback.format_exception(error)

    for text in shown:
        assert KEY.secret not in text
        assert KEY.key not in text
        assert wrong not in text
    assert KEY.masked == "key-…6789"
    assert ApiKey("short-key", "s").masked == "****"


def test_store_is_what_it_says(file: PrivateFile) -> None:
    """A new store writes nothing before there is something to write."""
    assert isinstance(new_keystore(file, PASSWORD), Keystore)
    assert not file.is_there
