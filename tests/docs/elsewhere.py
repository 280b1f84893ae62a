"""The one table of documented commands that are not typed here: why not, and what is looked at instead.

``make prove-docs`` types those of ``FROM_ZERO`` in a fresh clone.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from tests.support.process import ROOT

from milobot.storage.schema import REVISIONS

ENGINE = "there is no container engine here"
CLUSTER = "there is no cluster here"
CAMPAIGN = "a campaign of minutes, or the tests themselves"
INSTALLS = "installs into the folder from a package registry"
TELEGRAM = "logs in to Telegram; tests/journeys/test_telegram_command.py does so on a local server"


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _makes(command: str) -> None:
    """Look whether the target exists, and its program knows the flags in ARGS."""
    words = shlex.split(command)
    recipe = re.search(rf"^{words[1]}:.*?## .*\n((?:\t.*\n)+)", _text("Makefile"), re.MULTILINE)
    assert recipe is not None, command
    further = next((word[5:] for word in words if word.startswith("ARGS=")), "")
    if further:
        assert "$(ARGS)" in recipe[1], command
        module = re.search(r"-m (tests\.[\w.]+)", recipe[1])
        assert module is not None, command
        source = _text(f"{module[1].replace('.', '/')}.py")
        for flag in re.findall(r"--\w+", further):
            assert f'add_argument("{flag}"' in source, command


def _activates(command: str) -> None:
    """Look whether make puts its environment where the reader is told to find it."""
    folder = command.split()[1].partition("/bin/")[0]
    assert f"VENV := {folder}\n" in _text("Makefile")


def _stages(command: str) -> None:
    """Look whether the Dockerfile has ports, volume and variables of the command."""
    dockerfile, words = _text("Dockerfile"), shlex.split(command)
    assert dockerfile.rindex("FROM ") == dockerfile.index("FROM base AS final")
    for flag, value in pairwise(words):
        if flag == "--publish":
            assert value.rpartition(":")[2] in re.findall(r"EXPOSE (.*)", dockerfile)[-1].split()
        if flag == "--volume":
            assert f"VOLUME {value.partition(':')[2]}\n" in dockerfile
        if flag == "--env":
            assert f"\n{value.partition('=')[0]}=" in _text(".env.example")


def _composes(command: str) -> None:
    """Look whether the compose file has the service, and the service the program."""
    compose, words = _text("docker-compose.yml"), shlex.split(command.partition(" | ")[0])
    services = re.findall(r"^  (\w+):$", compose.partition("\nvolumes:")[0], re.MULTILINE)
    named = [word for word in (w.partition(":")[0] for w in words[2:]) if word in services]
    assert named or words[1] == "up", command
    if words[1] == "exec" and named == ["bot"]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        program = words[words.index("bot") + 1]
        assert shutil.which(program, path=path), f"{program} is not there for development"
        assert "--cov=src" not in words or find_spec("pytest_cov"), "pytest-cov is missing"
    if words[1] == "cp" or "-w" in words:
        assert "- bot-data:/data\n" in compose
    if {"psql", "pg_dump"} & set(words):
        for flag, variable in (("-U", "POSTGRES_USER"), ("-d", "POSTGRES_DB")):
            assert f"{variable}: {words[words.index(flag) + 1]}\n" in compose


def _secrets(command: str) -> None:
    """Look whether the chart looks for the secret under its name, and for each of its parts."""
    helpers = _text("helm/trading-bot/templates/_helpers.tpl")
    assert f"secretName: {command.split()[4]}\n" in _text("helm/trading-bot/values.yaml")
    for part in re.findall(r"--from-literal=(\w+)=", command):
        assert f'"{part}"' in helpers or f"key: {part}" in helpers, part


def _installs(command: str) -> None:
    """Look whether the chart is there and knows each value that is set."""
    words = shlex.split(command)
    values = Path(ROOT, words[3], "values.yaml").read_text(encoding="utf-8")
    for flag, value in pairwise(words):
        if flag == "--set":
            outer, _, inner = value.partition("=")[0].partition(".")
            section = re.search(rf"^{outer}:\n((?:  .*\n)+)", values, re.MULTILINE)
            assert section is not None, value
            assert re.search(rf"^  {inner}:", section[1], re.MULTILINE), value


def _acts_on_cluster(command: str) -> None:
    """Look whether what kubectl is told to change is what the chart makes, or the page shows."""
    words = shlex.split(command)
    if words[1] == "scale":
        assert words[2] == f"deployment/{_RELEASE}"
    elif words[1] == "run":
        assert "--image=ghcr.io/myorg/trading-bot:" in command
        assert words[words.index("--") + 1 :] == ["alembic", "downgrade", REVISIONS[-1]]
    elif words[1] == "apply":
        assert f"`{words[3]}`, " in _text("docs/deployment.md")
    else:
        assert words[-1].removeprefix("pod/") == "mend"
        assert "\n  name: mend\n" in _text("docs/deployment.md")


def _rolls_back(command: str) -> None:
    """Look whether it is the release that the page installs."""
    assert command.rsplit(maxsplit=1)[-1] == _RELEASE


def _releases(command: str) -> None:
    """Look whether the workflow that releases makes what is asked for."""
    wanted = "sbom: true" if "SBOM" in command else "attest-build-provenance@"
    assert wanted in _text(".github/workflows/release.yml")


def _telegram(command: str) -> None:
    """Look whether the test that types it on a local server does."""
    assert f'"{command.split()[2]}"' in _text("tests/journeys/test_telegram_command.py")


@dataclass(frozen=True, slots=True)
class Instead:
    """Why a command is not typed, and what is looked at in its place."""

    reason: str
    check: Callable[[str], None]


_RELEASE = "trading-bot"
FROM_ZERO = ("make demo", "make test", "source .venv/bin/activate")
_IMAGE = "ghcr.io/myorg/trading-bot:latest"
ELSEWHERE = {
    "make demo": Instead(INSTALLS, _makes),
    "make test": Instead(CAMPAIGN, _makes),
    "source .venv/bin/activate": Instead(INSTALLS, _activates),
    "make prove-crash": Instead(CAMPAIGN, _makes),
    "make prove-takeover": Instead(CAMPAIGN, _makes),
    "make prove-recovery": Instead(CAMPAIGN, _makes),
    'make prove-recovery ARGS="--only binance/postgres/7"': Instead(CAMPAIGN, _makes),
    "make prove-soak": Instead(CAMPAIGN, _makes),
    'make prove-soak ARGS="--minutes 5 --csv build/soak.csv"': Instead(CAMPAIGN, _makes),
    "make prove-simulation": Instead(CAMPAIGN, _makes),
    "make prove-crash ARGS=\"--only 'binance/sqlite/drop_after:times=2/commit:12:end/17'\"": Instead(
        CAMPAIGN, _makes
    ),
    'make prove-crash ARGS="--again"': Instead(CAMPAIGN, _makes),
    'make prove-crash ARGS="--fresh"': Instead(CAMPAIGN, _makes),
    'make prove-crash ARGS="--count 60 --seed 5000"': Instead(CAMPAIGN, _makes),
    f"docker build -t {_IMAGE} .": Instead(ENGINE, _stages),
    f"docker push {_IMAGE}": Instead(ENGINE, _stages),
    "docker run --read-only --tmpfs /tmp --volume bot-data:/data --cap-drop ALL"
    " --security-opt no-new-privileges --publish 127.0.0.1:8080:8080 --publish 127.0.0.1:9090:9090"
    f" --env API_OPEN=true {_IMAGE}": Instead(ENGINE, _stages),
    "docker-compose up --build": Instead(ENGINE, _composes),
    "docker-compose exec bot alembic upgrade head": Instead(ENGINE, _composes),
    "docker-compose exec bot pytest": Instead(ENGINE, _composes),
    "docker-compose exec bot pytest --cov=src --cov-report=html": Instead(ENGINE, _composes),
    "docker-compose exec bot bash": Instead(ENGINE, _composes),
    "docker-compose exec db psql -U postgres -d trading_bot": Instead(ENGINE, _composes),
    "docker-compose cp profiles bot:/data/": Instead(ENGINE, _composes),
    "docker-compose restart bot": Instead(ENGINE, _composes),
    "docker-compose exec -w /data bot milobot data backup candles.db": Instead(ENGINE, _composes),
    "docker-compose exec -T db pg_dump -U postgres -d trading_bot -Fc > trading_bot.dump": Instead(
        ENGINE, _composes
    ),
    "docker-compose logs -f bot": Instead(ENGINE, _composes),
    "docker-compose logs --no-log-prefix bot | grep '\"signal_id\":17'": Instead(ENGINE, _composes),
    "kubectl create secret generic trading-bot-secrets"
    ' --from-literal=telegram_api_id="$TELEGRAM_API_ID"'
    ' --from-literal=telegram_api_hash="$TELEGRAM_API_HASH"'
    ' --from-literal=telegram_bot_token="$TELEGRAM_BOT_TOKEN"'
    ' --from-literal=database_url="${DATABASE_URL:?}"'
    ' --from-literal=bingx_api_key="$BINGX_API_KEY"'
    ' --from-literal=bingx_secret_key="$BINGX_SECRET_KEY"'
    ' --from-literal=api_token="$API_TOKEN"'
    ' --from-literal=binance_api_key="$BINANCE_API_KEY"': Instead(CLUSTER, _secrets),
    "helm install trading-bot ./helm/trading-bot --set image.tag=latest"
    " --set env.TRADING_ENABLED=true": Instead(CLUSTER, _installs),
    "helm upgrade trading-bot ./helm/trading-bot --reset-then-reuse-values"
    " --set image.tag=1.3.0": Instead(CLUSTER, _installs),
    "kubectl scale deployment/trading-bot --replicas=0": Instead(CLUSTER, _acts_on_cluster),
    "kubectl scale deployment/trading-bot --replicas=1": Instead(CLUSTER, _acts_on_cluster),
    "kubectl run downgrade --rm --attach --restart=Never"
    ' --image=ghcr.io/myorg/trading-bot:1.3.0 --env=DATABASE_URL="${DATABASE_URL:?}"'
    " -- alembic downgrade 0003": Instead(CLUSTER, _acts_on_cluster),
    "helm rollback trading-bot": Instead(CLUSTER, _rolls_back),
    "kubectl apply -f mend.yaml": Instead(CLUSTER, _acts_on_cluster),
    "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/mend": Instead(
        CLUSTER, _acts_on_cluster
    ),
    "kubectl delete pod mend": Instead(CLUSTER, _acts_on_cluster),
    f"docker buildx imagetools inspect {_IMAGE} --format '{{{{ json .SBOM }}}}'": Instead(
        ENGINE, _releases
    ),
    f"gh attestation verify oci://{_IMAGE} --owner myorg": Instead(ENGINE, _releases),
    "milobot telegram login": Instead(TELEGRAM, _telegram),
    "milobot telegram chats": Instead(TELEGRAM, _telegram),
}
"""By command, as it is documented with blanks counted once."""
