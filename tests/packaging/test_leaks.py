"""The search for secrets in the functions' logs: it knows them all, and finds what is there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local.aws.deployment import DeployedFunction
from local.rillet_webhook import add_rillet_webhook
from local.system import LocalSystem
from tests.packaging.leaks import leaked, secrets_of
from tests.packaging.process import FunctionProcess, Sandbox
from tests.packaging.scenario import connect_by_oauth

LOG: dict[str, Callable[[str], str]] = {
    "a line": lambda secret: f"Bearer {secret}",
    "a field of a line": lambda secret: json.dumps({"message": "sent", "body": {"token": secret}}),
}


def test_every_key_token_and_webhook_secret_of_a_run_is_known(system: LocalSystem) -> None:
    connection = connect_by_oauth(system)
    add_rillet_webhook(system, connection, token="rillets-webhook-token")
    stored = [
        json.loads(
            system.aws.secretsmanager.get_secret_value(SecretId=f"solvimon-rillet/{name}")["SecretString"]
        )
        for name in ("default/solvimon", "default/rillet", "rillet-oauth-client")
    ]

    known = secrets_of(system)

    solvimon, rillet, client = stored
    assert known >= {
        solvimon["api_key"],
        solvimon["webhook_secret"],
        rillet["webhook_token"],
        client["client_secret"],
        connection.rillet_api_key,
        *system.rillet.state.oauth.tokens,
        *system.rillet.state.oauth.codes,
    }
    assert client["client_id"] not in known
    assert len(system.rillet.state.oauth.tokens) == 2


@pytest.mark.parametrize("written", LOG)
def test_a_secret_in_a_log_is_counted_once(written: str) -> None:
    line = LOG[written]("token-0123456789")

    assert leaked({"token-0123456789", "another-one"}, [line, f"{line}\n{line}"]) == 1
    assert leaked({"token-0123456789"}, ["all is well"]) == 0


@pytest.mark.parametrize(("level", "seen"), [("DEBUG", True), ("INFO", False)])
def test_a_function_runs_with_the_root_logger_that_lambda_sets(
    sandbox: Sandbox, tmp_path: Path, level: str, seen: bool
) -> None:
    source = (
        "import logging\ndef handler(event, context):\n    logging.getLogger('botocore').debug('key-0123')\n"
    )
    (tmp_path / "greet.py").write_text(source, encoding="utf-8")
    variables = {"POWERTOOLS_LOG_LEVEL": level}
    function = DeployedFunction("greet", "dev-greet", "arn:greet", tmp_path, variables, 30, 128)

    with FunctionProcess(sandbox, function, "eu-central-1") as process:
        process.invoke({})
        log = process.output()

    assert leaked({"key-0123"}, [log]) == int(seen)
