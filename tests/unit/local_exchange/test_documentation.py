"""The page about the local exchange says what is there."""

from tests.support.process import ROOT

from milobot.local_exchange.fault_kinds import KINDS

PAGE = (ROOT / "docs" / "local-exchange.md").read_text(encoding="utf-8")


def test_every_fault_is_documented_in_its_own_words() -> None:
    """Whoever writes a plan finds each fault, where it strikes and what it does."""
    for name, kind in KINDS.items():
        row = next((r for r in PAGE.splitlines() if r.startswith(f"| `{name}` |")), "")
        assert f"| `{kind.on}` |" in row, name
        assert row.endswith(f"| {kind.summary} |"), name
        assert all(f"`{setting}=" in row for setting in kind.parameters), name
