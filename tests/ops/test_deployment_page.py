"""What docs/deployment.md shows to copy: files for compose and cluster that fit what they are for."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.docs.pages import blocks_of
from tests.ops.test_chart import of_kind, render
from tests.support.process import ROOT
from tests.support.tools import find_package

PAGE = ROOT / "docs" / "deployment.md"


def shown(part: str) -> dict[str, Any]:
    """Return the one YAML block of the page that has a part at its top."""
    read = [yaml.safe_load(one.body) for one in blocks_of(PAGE) if one.language == "yaml"]
    (found,) = [one for one in read if part in one]
    values: dict[str, Any] = found
    return values


def test_a_script_in_compose_is_started_as_the_bot_is() -> None:
    """The override replaces the command; it must still work in the volume."""
    (name, override), *others = shown("services")["services"].items()
    usual = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][name]

    place = override["volumes"][0].split(":")[1]
    assert others == []
    assert override["command"] == [
        *usual["command"][:-1],
        f"{usual['command'][-1]} --script {place}",
    ]


def test_the_shown_ingress_is_let_in() -> None:
    """The controller's namespace and our own; without the policy's part the chart refuses it."""
    manifests = render(shown("ingress"))

    assert of_kind(manifests, "Ingress")["spec"]["ingressClassName"] == "nginx"
    page, _ = of_kind(manifests, "NetworkPolicy")["spec"]["ingress"]
    names = {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert page["from"] == [{"namespaceSelector": {"matchLabels": names}}, {"podSelector": {}}]


def test_the_pod_that_mends_modes_is_valid_and_of_the_same_user() -> None:
    """It has the chart's volume, and no group that would change the modes again."""
    pod = shown("kind")
    find_package("kubernetes_validate").validate(pod, "1.32", strict=True)
    manifests = render({"persistence": {"enabled": True}})
    bot = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]

    claim = pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == of_kind(manifests, "PersistentVolumeClaim")["metadata"]["name"]
    user = {name: value for name, value in bot["securityContext"].items() if "fsGroup" not in name}
    assert pod["spec"]["securityContext"] == user


def test_modes_are_mended_of_what_is_there(tmp_path: Path) -> None:
    """Most have one of the two files; a pod that fails over the other is waited for in vain."""
    shell, flag, command = shown("kind")["spec"]["containers"][0]["args"]
    (tmp_path / "keys.json").touch()
    (tmp_path / "keys.json").chmod(0o660)

    subprocess.run(  # noqa: S603 - what the manual says, in a folder of the test
        [shell, flag, command.replace("/data", str(tmp_path))],
        check=True,
        env={"PATH": os.environ["PATH"]},
    )

    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["keys.json"]
