"""What stands in the way of a deployment: each is said with what to do."""

from __future__ import annotations

import pytest

from infra.replay import SECRET
from tests.system import STACK, System, tocsin
from tocsin.adapters.preflight import STATES, described, quota


@pytest.mark.parametrize("status", [*STATES, "UPDATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_a_half_failed_deployment_says_how_to_go_on(status: str) -> None:
    """Whatever a failed deployment leaves has its way out."""
    found = described(status)
    assert (found.state, status in found.what, bool(found.mend)) == ("failed", True, True)


def test_a_sound_stack_is_updated() -> None:
    """What was deployed before, or went back to what it was, is no obstacle."""
    assert {
        described(status).state for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    } == {"ok"}


@pytest.mark.parametrize(
    ("most", "reserves", "state"), [(1000, True, "ok"), (10, False, "ok"), (10, True, "failed"), (5, False, "failed")]
)
def test_a_quota_that_is_too_low_is_said(most: int, state: str, *, reserves: bool) -> None:
    """Too few concurrent executions, or too few to reserve one of."""
    found = quota({"AccountLimit": {"ConcurrentExecutions": most}}, reserves=reserves)
    assert (found.state, bool(found.mend)) == (state, state == "failed")


def test_everything_in_place_is_said(deployed: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Region, credentials, stack and quota are told; a secret that is missing or goes, a region without a service, and none say what to do."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    secrets = deployed.stack.client("secretsmanager")
    secrets.create_secret(Name="going", SecretString="x")
    secrets.delete_secret(SecretId="going")
    deployed.stack.client("ssm").put_parameter(Name="/plain", Value="x", Type="String")
    ran = tocsin("preflight", "--stack-name", STACK, "--token-secret", SECRET, "--format", "ndjson")
    assert [(row["step"], row["state"]) for row in ran.rows][:3] == [
        ("region", "ok"),
        ("credentials", "ok"),
        ("stack", "ok"),
    ]
    assert (ran.rows[-1]["step"], ran.rows[-1]["state"]) == (f"secret {SECRET}", "ok")
    assert ran.code == int(any(row["state"] == "failed" for row in ran.rows))
    mends = {
        "absent": "create-secret",
        "going": "restore-secret",
        "/absent": "slack token /absent",
        "/plain": "delete it",
    }
    for name, mend in mends.items():
        ran = tocsin("preflight", "--stack-name", "another", "--token-secret", name)
        assert (ran.code, mend in ran.out, "another is new" in ran.out) == (1, True, True)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "xx-nowhere-1")
    assert "choose another region" in tocsin("preflight").out
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    ran = tocsin("preflight")
    assert (ran.code, "nobody" in ran.err, "set AWS_REGION, and AWS_PROFILE" in ran.err) == (3, True, True)
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert "set AWS_REGION" in tocsin("preflight").out
