"""The Helm chart: sound in every combination, refused where it cannot work."""

from typing import Any

import pytest
import yaml
from tests.support.process import ROOT
from tests.support.tools import find_package

CHART = ROOT / "helm" / "trading-bot"
TLS = {"enabled": True, "hosts": ["bot.example.com"], "tlsSecretName": "bot-tls"}
LET_IN = {"allowFrom": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}
OUTSIDE: dict[str, Any] = {"ingress": TLS, "networkPolicy": LET_IN}
SQLITE = {"database": {"kind": "sqlite"}, "persistence": {"enabled": True}}
REAL = {"TRADING_ENABLED": True, "BINGX_TESTNET": False}
OF_OPERATOR = {"ServiceMonitor", "PrometheusRule"}
COMBINATIONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "as the specification installs it": {
        "image": {"tag": "latest"},
        "env": {"TRADING_ENABLED": True},
    },
    "three replicas": {"replicaCount": 3},
    "SQLite": SQLITE,
    "SQLite on a volume that is there": {
        **SQLITE,
        "persistence": {"enabled": True, "existingClaim": "old", "storageClass": "fast"},
    },
    "real money": {"env": REAL},
    "from outside": {
        **OUTSIDE,
        "ingress": {**TLS, "className": "nginx", "annotations": {"a/b": "c"}},
    },
    "monitored": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "scripts and profiles": {
        "scripts": {"a.script": "x = 1\n", "b.script": 'timeframe = "1h"\n\ny = 2\n'},
        "profiles": {"-100.toml": "risk = '1%'\n"},
        "args": ["--exchange", "bingx"],
    },
    "volume that several may mount": {
        "persistence": {"enabled": True, "accessMode": "ReadWriteMany"},
    },
    "without what can be left out": {
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "migration": {"enabled": False},
        "serviceAccount": {"create": False},
    },
    "everything set": {
        "image": {"tag": 7, "digest": "sha256:" + "a" * 64, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "pull"}],
        "env": {"DATA_LIMIT": 1000000, "ALLOWED_HOSTS": "proxy.example.com", "MAX_LEVERAGE": 5.5},
        "networkPolicy": {
            **LET_IN,
            "metricsFrom": [{"podSelector": {}}],
            "egressPorts": [443, 6432],
        },
        "serviceAccount": {"name": "mine", "annotations": {"a": "b"}},
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "fullnameOverride": "another",
    },
}


def render(values: dict[str, Any], name: str = "trading-bot") -> list[dict[str, Any]]:
    """Return the manifests of an installation."""
    helm = find_package("helm_python")
    with helm.Chart.load(str(CHART)) as chart:
        texts = chart.render(values, name=name, namespace="trading")
    manifests = [text for path, text in texts.items() if not path.endswith("NOTES.txt")]
    return [one for text in manifests for one in yaml.safe_load_all(text) if one]


def notes(values: dict[str, Any]) -> str:
    """Return what is said after an installation."""
    helm = find_package("helm_python")
    with helm.Chart.load(str(CHART)) as chart:
        texts: dict[str, str] = chart.render(values, name="trading-bot", namespace="trading")
    return next(text for path, text in texts.items() if path.endswith("NOTES.txt"))


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the one manifest of a kind."""
    (found,) = [one for one in manifests if one["kind"] == kind]
    return found


def container(values: dict[str, Any]) -> dict[str, Any]:
    """Return the bot's container."""
    pod = of_kind(render(values), "Deployment")["spec"]["template"]["spec"]
    found: dict[str, Any] = pod["containers"][0]
    return found


def env_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return the bot's variables: a text, or where in the secret they come from."""
    return {
        one["name"]: one.get("value", one.get("valueFrom", {}).get("secretKeyRef"))
        for one in container(values)["env"]
    }


def refusal(values: dict[str, Any]) -> str:
    """Return why an installation is refused."""
    with pytest.raises(Exception, match=r".") as refused:
        render(values)
    assert type(refused.value).__name__ in {"HelmRenderError", "HelmValuesError"}
    return str(refused.value)


def test_helm_finds_nothing_wrong() -> None:
    """A chart that does not lint is not taken by most pipelines."""
    told = find_package("helm_python").lint(str(CHART), strict=True)

    assert told["errors"] == []
    assert [one for one in told["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize("values", COMBINATIONS.values(), ids=COMBINATIONS.keys())
def test_every_combination_gives_valid_manifests(values: dict[str, Any]) -> None:
    """What a cluster refuses half-way leaves half an installation."""
    judge = find_package("kubernetes_validate")
    manifests = render(values, name="mine")

    for manifest in manifests:
        if manifest["kind"] not in OF_OPERATOR:
            judge.validate(manifest, "1.32", strict=True)
    assert {"Deployment", "Service"} <= {one["kind"] for one in manifests}


@pytest.mark.parametrize("values", COMBINATIONS.values(), ids=COMBINATIONS.keys())
def test_no_pod_may_more_than_it_needs(values: dict[str, Any]) -> None:
    """The restricted standard of Kubernetes, and a root file system that nobody writes to."""
    for manifest in render(values):
        if manifest["kind"] not in {"Deployment", "Job"}:
            continue
        pod = manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for one in pod["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert one["resources"]["limits"]["memory"]


def test_by_default_nothing_trades_and_testnets_are_on() -> None:
    """Who installs without reading must not find out by losing money."""
    env = env_of({})

    assert env["TRADING_ENABLED"] == "false"
    assert env["BINGX_TESTNET"] == env["BINANCE_TESTNET"] == "true"
    assert "trades on paper" in notes({})


def test_the_documented_installation_says_whose_money_it_trades() -> None:
    """The two lines of the specification, and what a further switch means."""
    values = COMBINATIONS["as the specification installs it"]

    assert container(values)["image"] == "ghcr.io/myorg/trading-bot:latest"
    assert env_of(values)["TRADING_ENABLED"] == "true"
    assert "play money" in notes(values)
    assert "REAL MONEY" in notes({"env": REAL})


def test_the_secret_has_the_specified_keys() -> None:
    """Secrets made by the documented command are found; what is not in them is not demanded."""
    refs = {ref["key"]: ref for ref in env_of({}).values() if isinstance(ref, dict)}
    specified = {"telegram_api_id", "telegram_api_hash", "telegram_bot_token", "database_url"}
    specified |= {"bingx_api_key", "bingx_secret_key"}

    assert specified <= refs.keys()
    assert {"api_token", "binance_api_key", "binance_secret_key"} <= refs.keys()
    assert {ref["name"] for ref in refs.values()} == {"trading-bot-secrets"}
    assert [key for key, ref in refs.items() if not ref.get("optional")] == ["database_url"]


def test_variables_of_the_chart_are_variables_of_the_bot() -> None:
    """A misspelt variable is ignored, and the limit that it should set is not there."""
    known = {line.partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines()}

    for values in COMBINATIONS.values():
        assert env_of(values).keys() <= known


def test_without_a_token_only_play_money_and_only_inside() -> None:
    """With real money, or from outside, the bot refuses to start open."""
    assert env_of({})["API_OPEN"] == "true"
    assert env_of({"env": REAL})["API_OPEN"] == "false"
    assert env_of(OUTSIDE)["API_OPEN"] == "false"
    assert "anybody trade" in refusal({"env": {**REAL, "API_OPEN": True}})
    assert "anybody trade" in refusal({**OUTSIDE, "env": {"API_OPEN": True}})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**SQLITE, "replicaCount": 2}, "replicaCount=2 needs PostgreSQL"),
        ({"database": {"kind": "sqlite"}}, "loses the ledger"),
        ({"replicaCount": 2, "persistence": {"enabled": True}}, "cannot share a volume"),
        (
            {"replicaCount": 2, "persistence": {"enabled": True, "accessMode": "ReadWriteMany"}},
            "replicaCount=2 cannot share a volume",
        ),
        ({"ingress": TLS}, "name its namespace in networkPolicy.allowFrom"),
        ({"ingress": {"enabled": True, "hosts": ["a.example.com"]}}, "tlsSecretName"),
        ({"env": {"BINGX_API_KEY": "k"}}, "as bingx_api_key into the secret"),
        ({"env": {"DATABASE_URL": "postgresql://"}}, "env.DATABASE_URL would be readable"),
        ({"env": {"LISTEN": "127.0.0.1"}}, "env.LISTEN"),
        ({"env": {"METRICS_PORT": 9191}}, "env.METRICS_PORT is 9090 in a pod"),
        ({"env": {"DATABASE_KIND": "sqlite"}}, "env.DATABASE_KIND comes from database.kind"),
        (
            {"env": {"SIGNAL_PROFILES": "/data/mine"}, "profiles": {"a.toml": ""}},
            "leave one of the two out",
        ),
        ({"env": {"TRADING_ENABLED": "yes"}}, "TRADING_ENABLED"),
        ({"replicas": 2}, "replicas"),
        ({"database": {"kind": "mysql"}}, "database"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(values: dict[str, Any], said: str) -> None:
    """Before anything is installed, not by a pod that never gets ready."""
    assert said in refusal(values)


def test_replicas_roll_and_one_on_a_volume_is_replaced() -> None:
    """Two pods cannot hold one volume, and an account is never without a process for long."""

    def strategy(values: dict[str, Any]) -> str:
        return str(of_kind(render(values), "Deployment")["spec"]["strategy"]["type"])

    assert strategy({"replicaCount": 3}) == "RollingUpdate"
    assert strategy(COMBINATIONS["volume that several may mount"]) == "Recreate"
    assert strategy(SQLITE) == "Recreate"


def test_replicas_never_have_a_ledger_each() -> None:
    """An empty database_url means a file to the bot: each replica would lead the account."""
    job = of_kind(render({}), "Job")["spec"]["template"]["spec"]["containers"][0]
    of_job = {one["name"]: one.get("value") for one in job["env"]}

    assert env_of({})["DATABASE_KIND"] == of_job["DATABASE_KIND"] == "postgresql"
    assert env_of(SQLITE)["DATABASE_KIND"] == "sqlite"


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ({}, "IfNotPresent"),
        ({"tag": "1.2.3"}, "IfNotPresent"),
        ({"tag": "latest"}, "Always"),
        ({"tag": "latest", "digest": "sha256:" + "a" * 64}, "IfNotPresent"),
        ({"tag": "latest", "pullPolicy": "Never"}, "Never"),
    ],
)
def test_what_is_called_latest_is_pulled_anew(image: dict[str, str], policy: str) -> None:
    """A node that keeps its old one would run it under the new one's name."""
    job = of_kind(render({"image": image}), "Job")["spec"]["template"]["spec"]["containers"][0]

    assert container({"image": image})["imagePullPolicy"] == job["imagePullPolicy"] == policy


def test_migrations_run_before_the_new_version_and_on_postgresql_only() -> None:
    """A bot that finds older tables waits and trades nothing."""
    job = of_kind(render({}), "Job")

    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == [
        "alembic",
        "upgrade",
        "head",
    ]
    assert not [one for one in render(SQLITE) if one["kind"] == "Job"]


def test_the_alerts_are_those_of_the_repository() -> None:
    """Only one set of rules is tested."""
    rule = of_kind(render(COMBINATIONS["monitored"]), "PrometheusRule")

    assert rule["spec"] == yaml.safe_load((ROOT / "monitoring" / "alerts.yml").read_text())


def test_the_alerts_find_their_job() -> None:
    """The operator names jobs after services; the rules know one name."""
    monitor = of_kind(render(COMBINATIONS["monitored"], name="mine"), "ServiceMonitor")

    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "trading-bot"}]
    assert endpoint["port"] == "metrics"


def test_numbers_stay_as_they_were_written() -> None:
    """1e+06 candles are not understood."""
    env = env_of(COMBINATIONS["everything set"])

    assert env["DATA_LIMIT"] == "1000000"
    assert env["MAX_LEVERAGE"] == "5.5"
    assert env["ALLOWED_HOSTS"].endswith(",proxy.example.com")


def test_every_script_is_traded_as_it_was_written() -> None:
    """A line lost on the way is another strategy."""
    values = COMBINATIONS["scripts and profiles"]
    texts = [one for one in render(values) if one["kind"] == "ConfigMap"]

    assert texts[0]["data"] == values["scripts"]
    assert container(values)["args"] == [
        *("milobot", "run", "--script", "/scripts/a.script", "--script", "/scripts/b.script"),
        *("--exchange", "bingx"),
    ]
    assert env_of(values)["SIGNAL_PROFILES"] == "/profiles"
