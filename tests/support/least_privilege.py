"""After the whole suite: no role allows what its function never did, and none lacked what it tried.

Each worker's local system applies the roles' policies to every call (``local.aws.permissions``), so that a
missing permission fails the test that needs it. What was never used is only known at the end.
"""

from typing import Any

import pytest

from local.aws.permissions import AllowedAction
from local.aws.server import ACCOUNT
from local.system import LocalSystem

BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "lambda:CheckpointDurableExecution",
    "lambda:GetDurableExecutionState",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
}
"""What AWS does in the role's name: logs, traces, polling, dead letters, checkpoints, the topic's key."""
SHARED = {
    "solvimon-rillet-configure: secretsmanager:GetSecretValue on "
    f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:solvimon-rillet/*/solvimon-??????"
}
"""What a function has only by the policy that all callers of Rillet share (`RilletTokensPolicy`)."""
_granted: dict[str, set[str]] = {}
_used: dict[str, set[str]] = {}


def note(system: LocalSystem) -> None:
    """Keep what a local system's functions may do, and have done; other stacks beside it are not judged.

    A resource without a name of its own has another one in each worker; its logical id stands for it.
    """
    ours = {function.name for function in system.deployment.functions.values()}
    logical = {
        physical: name
        for name, physical in system.deployment.resources.items()
        if f"-{name}-".lower() in physical.lower()
    }
    permissions = system.aws.permissions
    for kept, found in ((_granted, permissions.granted()), (_used, permissions.used_grants)):
        _add(
            kept,
            {
                name: {_text(each, logical) for each in grants}
                for name, grants in found.items()
                if name in ours
            },
        )


def unused(granted: dict[str, set[str]], used: dict[str, set[str]]) -> list[str]:
    """The permissions that no call has used, each with its function: an action on a resource."""
    left = {
        f"{name}: {grant}"
        for name, grants in granted.items()
        for grant in grants - used.get(name, set())
        if grant.partition(" ")[0] not in BY_LAMBDA
    }
    return sorted(left - SHARED)


def _text(grant: AllowedAction, logical: dict[str, str]) -> str:
    resource = grant.resource
    for physical, name in logical.items():
        resource = resource.replace(physical, name)
    return f"{grant.action} on {resource}"


def _add(whole: dict[str, set[str]], part: dict[str, Any]) -> None:
    for name, actions in part.items():
        whole.setdefault(name, set()).update(actions)


def _whole_suite(config: pytest.Config) -> bool:
    chosen = config.option.keyword or config.option.markexpr or getattr(config.option, "lf", False)
    return not chosen and config.args == [str(path) for path in config.getini("testpaths")]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ANN401 - xdist has no types
    """Take over what a worker's functions did."""
    output = getattr(node, "workeroutput", {})
    _add(_granted, output.get("granted", {}))
    _add(_used, output.get("used", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand it over, or judge it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["granted"] = {name: sorted(a) for name, a in _granted.items()}
        session.config.workeroutput["used"] = {name: sorted(a) for name, a in _used.items()}
        return
    if _whole_suite(session.config) and session.exitstatus == pytest.ExitCode.OK and unused(_granted, _used):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401
    """Name what no function used."""
    if _whole_suite(config) and (left := unused(_granted, _used)):
        terminalreporter.section("permissions that no function used")
        for line in left:
            terminalreporter.line(line)
