"""Dockerfile and compose file: what the image is made of, who it runs as, what stays out."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.container.context import is_sent, read_patterns, send_context
from tests.support.container.dockerfile import Stage, needed, read_stages
from tests.support.process import ROOT
from tests.support.tools import complaints

DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "docker-compose.yml"
SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|HASH|DATABASE_URL")


def stages() -> dict[str, Stage]:
    """Return the stages of the image."""
    return read_stages(DOCKERFILE)


def words_of(stage: str, word: str) -> list[str]:
    """Return what follows a kind of instruction."""
    return [one.rest for one in stages()[stage].instructions if one.word == word]


def compose() -> dict[str, Any]:
    """Return the services of the compose file."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_linter_of_dockerfiles_is_content() -> None:
    """It knows the traps of a language in which everything is a string."""
    assert complaints("hadolint", DOCKERFILE) == ""


def test_base_images_are_named_exactly() -> None:
    """What is built tomorrow is to be what was tried today."""
    bases = {stage.base for stage in stages().values()} - stages().keys()

    assert bases
    assert all(
        re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-(?:slim-)?bookworm(?:-slim)?", one) for one in bases
    )


def test_the_last_stage_runs_as_nobody_with_a_check() -> None:
    """Number and not name: a cluster can see that it is not root."""
    assert list(stages())[-1] == "final"
    assert words_of("final", "USER") == ["10001:10001"]
    assert words_of("final", "CMD") == ['["milobot", "run"]']
    assert "8080/health" in words_of("final", "HEALTHCHECK")[0]
    assert words_of("final", "WORKDIR") == words_of("final", "VOLUME") == ["/data"]


def test_the_last_stage_holds_no_tool_of_the_build() -> None:
    """No npm, no compiler, no source, no tests: what is not there cannot be used by a thief."""
    built = needed(stages(), "final")

    assert [stage.name for stage in built] == ["node", "base", "tools", "build", "final"]
    assert stages()["final"].base == "base"
    assert words_of("final", "COPY") == [
        "--from=build /opt/milobot /opt/milobot",
        "alembic.ini /opt/milobot/alembic.ini",
    ]
    assert words_of("final", "RUN") == []


def test_everything_is_compiled_before_the_root_is_read_only() -> None:
    """A container that cannot keep its compiled files compiles at every start of every worker."""
    assert "python -m compileall" in words_of("base", "RUN")[0]
    assert "python -m compileall -q /opt/milobot/lib" in words_of("build", "RUN")[-1]


def test_no_secret_is_in_a_layer() -> None:
    """A layer is for everybody who may pull."""
    for stage in stages().values():
        for instruction in stage.instructions:
            if instruction.word in {"ENV", "ARG", "LABEL"}:
                assert not SECRET.search(instruction.rest), instruction


def test_the_build_installs_pinned_versions() -> None:
    """Every pip install of dependencies goes by constraints.txt."""
    for stage in stages().values():
        for instruction in stage.instructions:
            for command in instruction.rest.split("&&"):
                if " install " in command and "pip" in command and "--no-deps" not in command:
                    assert "-c constraints.txt" in command, command


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "keys.json",
        "my-keys.json",
        "telegram.session",
        "milobot.db",
        "milobot.db-wal",
        "backups/milobot-1.db",
        "profiles/-100.toml",
        "src/.env",
        "tests/keys.json",
        "docs/old.db",
        ".git/config",
        ".venv/bin/python",
        "src/milobot/__pycache__/a.pyc",
        "notes.txt",
    ],
)
def test_what_could_be_secret_is_not_sent_to_the_build(path: str) -> None:
    """What is not named stays out: nobody has to think of every file that could be one."""
    assert not is_sent(path, read_patterns(ROOT / ".dockerignore"))


@pytest.mark.parametrize(
    "path", ["src/milobot/errors.py", "samples/rsi.script", "tests/conftest.py", ".env.example"]
)
def test_what_is_built_is_sent(path: str) -> None:
    """The other half: an empty context builds nothing."""
    assert is_sent(path, read_patterns(ROOT / ".dockerignore"))


def test_what_the_stages_copy_is_sent(tmp_path: Path) -> None:
    """A file that the Dockerfile asks for and the ignore file keeps back ends the build."""
    send_context(ROOT, tmp_path)
    copied = [
        name
        for stage in stages().values()
        for one in stage.instructions
        if one.word == "COPY" and "from" not in one.flags
        for name in one.words[:-1]
    ]

    assert [name for name in copied if not (tmp_path / name).exists()] == []


def test_the_image_builds_what_the_package_needs() -> None:
    """A file that the wheel wants and the build does not copy is missed in the last minute."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    copied = {
        name
        for one in stages()["build"].instructions
        if one.word == "COPY"
        for name in one.words[:-1]
    }

    assert {told["project"]["readme"], "LICENSE", "hatch_build.py", "src"} <= copied
    assert set(told["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]) <= copied


def test_a_stage_is_read_with_everything_it_needs(tmp_path: Path) -> None:
    """The proof of the image rests on this reader."""
    path = tmp_path / "Dockerfile"
    path.write_text(
        "# a remark\nFROM a:1 AS x\nFROM b:2 AS y\nRUN one \\\n    # another\n    && two\n"
        'COPY --from=x --chown=u:u /a /b\nCMD ["p", "q r"]\n'
    )

    read = read_stages(path)

    assert read["y"].instructions[0].rest == "one && two"
    assert read["y"].instructions[1].flags == {"from": "x", "chown": "u:u"}
    assert read["y"].instructions[1].words == ["/a", "/b"]
    assert read["y"].instructions[2].words == ["p", "q r"]
    assert [stage.name for stage in needed(read, "y")] == ["x", "y"]


def test_the_compose_file_is_well_formed() -> None:
    """An unknown key is refused by some versions and ignored by others."""
    assert complaints("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE) == ""


def test_the_documented_commands_find_their_services() -> None:
    """`exec bot pytest`, `exec bot bash` and `exec db psql -U postgres -d trading_bot`."""
    bot, db = compose()["bot"], compose()["db"]

    assert bot["build"]["target"] == "dev"
    assert db["environment"]["POSTGRES_USER"] == "postgres"
    assert db["environment"]["POSTGRES_DB"] == "trading_bot"
    assert "@db:5432/trading_bot" in bot["environment"]["DATABASE_URL"]
    assert bot["depends_on"]["db"]["condition"] == "service_healthy"
    assert "pg_isready" in " ".join(db["healthcheck"]["test"])


def test_ports_are_published_on_this_machine_only() -> None:
    """No token is asked for, so nobody else may reach it."""
    assert compose()["bot"]["ports"] == ["127.0.0.1:8080:8080", "127.0.0.1:9090:9090"]
    assert "ports" not in compose()["db"]
    assert compose()["bot"]["environment"]["API_OPEN"] == "true"
    assert compose()["bot"]["environment"]["LISTEN"] == "0.0.0.0"  # noqa: S104 - inside the container


def test_settings_come_from_a_file_that_need_not_be_there() -> None:
    """`docker-compose up` works in a fresh clone; `.env` is for who wants more."""
    assert compose()["bot"]["env_file"] == [{"path": ".env", "required": False}]


def test_the_container_of_a_developer_may_not_more_either() -> None:
    """Habits of the laptop end up in production."""
    bot = compose()["bot"]

    assert bot["cap_drop"] == ["ALL"]
    assert bot["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in bot
