"""What the tests of connecting share: a person with a browser, and everything that a connection keeps."""

import io
import json
import logging
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from local import sample_data
from local.aws.configuration import StackConfiguration
from local.aws.runtime import Killed
from local.aws.server import environment
from local.fake_rillet.oauth.server import AuthorisationServer
from local.fake_rillet.organisation import Organisation
from local.system import Connection, LocalSystem
from solvimon_rillet.entrypoints.services import Services

Json = dict[str, Any]

STACK = "solvimon-rillet"
ACME = "acme"
HOUR = 3600
CALLBACK = "/oauth/rillet/callback"
FUNCTIONS = ("receive_webhook", "export_invoice", "connect_rillet")


def add_connection(
    system: LocalSystem,
    name: str = ACME,
    trade_name: str = "Acme Inc.",
    *,
    world: bool = False,
    **settings: object,
) -> Connection:
    """A connection with an organisation of its own, that nobody has authorised yet.

    Args:
        system: the local system.
        name: the connection's.
        trade_name: the organisation's.
        world: both sides hold the demo's records, so that there is something to export.
        settings: of the connection.
    """
    organization = {"id": f"org-{name}", "trade_name": trade_name}
    if not world:
        return system.connect(name, settings, auth="oauth", rillet={"organization": organization})
    seed = sample_data.rillet_seed()
    seed["organization"] |= organization
    return system.connect(
        name,
        {"fallback_products": sample_data.fallback_products(), **settings},
        auth="oauth",
        solvimon=sample_data.solvimon_seed(),
        rillet=seed,
    )


def oauth(system: LocalSystem) -> AuthorisationServer:
    """Rillet's authorization server."""
    return system.rillet.state.oauth


def ask(system: LocalSystem, connection: str = ACME, action: str = "connect") -> Json:
    """Invoke ``connect_rillet`` directly."""
    answer: Json = system.invoke("connect_rillet", {"connection": connection, "action": action})
    return answer


def start(system: LocalSystem, connection: str = ACME) -> str:
    """The one-time URL for a connection."""
    url: str = ask(system, connection)["authorisation_url"]
    return url


def grant(system: LocalSystem, url: str, organisation: Organisation, decision: str = "grant") -> str:
    """Decide at Rillet; the answer is where the browser is sent, which nobody has opened yet."""
    return oauth(system).grant(url, organisation, decision)


def query_of(url: str) -> dict[str, str]:
    """The query of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


def callback(system: LocalSystem, query: Mapping[str, str]) -> requests.Response:
    """Open the callback with a query."""
    return open_page(f"{system.gateway.url}{CALLBACK}?{urlencode(query)}")


def open_page(url: str) -> requests.Response:
    """Open a page as a browser does."""
    return requests.get(url, timeout=30)


def connect(system: LocalSystem, connection: Connection) -> requests.Response:
    """Authorise a connection from beginning to end."""
    return open_page(grant(system, start(system, connection.name), connection.organisation))


def connected(system: LocalSystem, connection: Connection) -> Connection:
    """Authorise a connection, and see that it worked."""
    page = connect(system, connection)
    assert page.status_code == 200, page.text
    return connection


def secret(system: LocalSystem, name: str = f"{ACME}/rillet") -> Json:
    """A secret as it is now."""
    text = system.aws.secretsmanager.get_secret_value(SecretId=f"{STACK}/{name}")["SecretString"]
    value: Json = json.loads(text)
    return value


def add_to_secret(system: LocalSystem, vendor: str, connection: str = ACME, **more: str) -> None:
    """Add to a secret what a person adds in the console."""
    system.put_secret(connection, vendor, {**secret(system, f"{connection}/{vendor}"), **more})


def everything(system: LocalSystem) -> Json:
    """All that is kept: secrets, parameters and the table, but not the log of turns at Rillet."""
    return {
        "secrets": all_secrets(system),
        "parameters": all_parameters(system),
        "table": [item for item in system.ledger() if "#pacer#" not in item["pk"]],
    }


def all_secrets(system: LocalSystem) -> dict[str, str]:
    """Every secret by its name."""
    manager = system.aws.secretsmanager
    names = [
        found["Name"]
        for page in manager.get_paginator("list_secrets").paginate()
        for found in page["SecretList"]
    ]
    return {name: manager.get_secret_value(SecretId=name)["SecretString"] for name in sorted(names)}


def all_parameters(system: LocalSystem) -> dict[str, str]:
    """Every parameter of the stack by its name."""
    pages = system.aws.ssm.get_paginator("get_parameters_by_path").paginate(
        Path=f"/{STACK}/", Recursive=True, WithDecryption=True
    )
    return {found["Name"]: found["Value"] for page in pages for found in page["Parameters"]}


def states(system: LocalSystem) -> list[Json]:
    """The one-time states that are not used yet."""
    return [item for item in system.ledger() if "#oauth-state#" in item["pk"]]


def check(answer: Json, name: str) -> Json:
    """A line of the checklist."""
    [line] = [line for line in answer["checklist"] if line["check"] == name]
    return dict(line)


def process(system: LocalSystem) -> Services:
    """What one more process of ``export_invoice`` has."""
    runtime = Services(system.deployment.functions["export_invoice"].environment, system.clock.now)
    _ = runtime.configuration, runtime.table  # boto3 cannot make clients in two threads at once
    return runtime


def bearer(runtime: Services, connection: str = ACME) -> str:
    """The token that a process would send now."""
    return runtime.connections.tokens(connection, runtime.configuration.settings(connection)).access_token()


def whoami(runtime: Services, connection: str = ACME) -> Callable[[], str]:
    """A call to Rillet, as a process makes it."""
    client = runtime.connections.rillet(connection, runtime.configuration.settings(connection))
    return lambda: client.organization().id


def die(*_: object, **__: object) -> None:
    """Stands in for a step before which the process ends."""
    raise Killed


@dataclass
class Heard:
    """What the functions wrote to their log, metrics included."""

    printed: pytest.CaptureFixture[str]
    out: io.StringIO = field(default_factory=io.StringIO)
    others: io.StringIO = field(default_factory=io.StringIO)
    secrets: set[str] = field(default_factory=set)

    @property
    def lines(self) -> list[Json]:
        """Everything that our own code wrote, line by line; each is JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def text(self) -> str:
        """Everything that our own code wrote: log lines, and metrics, which are printed."""
        self.out.write(self.printed.readouterr().out)
        return self.out.getvalue()

    @property
    def counted(self) -> Counter[tuple[str, ...]]:
        """Sums of the metrics, by metric and the values of each set of dimensions."""
        sums: Counter[tuple[str, ...]] = Counter()
        for line in self.lines:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                for metric in directive["Metrics"]:
                    total = int(sum(line[metric["Name"]]))
                    for dimensions in directive["Dimensions"]:
                        sums[(metric["Name"], *(line[name] for name in dimensions))] += total
        return sums

    def leaks(self) -> list[str]:
        """The lines that hold a secret."""
        text = self.text + self.others.getvalue()
        return [line for line in text.splitlines() if any(value in line for value in self.secrets)]


@contextmanager
def listening(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> Iterator[Heard]:
    """Write down what every function says, at its most talkative, and all secrets that come into being."""
    heard = Heard(printed)
    with ExitStack() as undo:
        _note_secrets(heard, monkeypatch)
        ours = [logging.getLogger(name) for name in (*FUNCTIONS, "solvimon_rillet")]
        for logger in ours[:-1]:
            if not _streams(logger):  # a logger gets its handler when its function is first built
                system.invoke(logger.name, {"action": "?"})
        for logger in ours:
            undo.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
            for handler in _streams(logger):
                handler.stream = heard.out  # setStream would flush the one before, which may be closed
                undo.callback(handler.setStream, sys.__stdout__)  # the one before may be closed by then
        root, everybody = logging.getLogger(), logging.StreamHandler(heard.others)
        undo.callback(root.setLevel, root.level)
        root.setLevel(logging.INFO)  # Lambda's own is WARNING
        root.addHandler(everybody)
        undo.callback(root.removeHandler, everybody)
        undo.enter_context(environment({"POWERTOOLS_METRICS_DISABLED": None}))
        yield heard


def _streams(logger: logging.Logger) -> list["logging.StreamHandler[Any]"]:
    """The handlers of a function's own; pytest adds some that are none of ours."""
    return [handler for handler in logger.handlers if type(handler) is logging.StreamHandler]


def _note_secrets(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Note what anybody makes: states, verifiers, codes, tokens, client and webhook secrets, and keys."""
    for name in ("token_urlsafe", "token_hex"):
        make = getattr(secrets, name)

        def noting(nbytes: int | None = None, *, _make: Any = make) -> str:  # noqa: ANN401 - a function
            made: str = _make(nbytes)
            heard.secrets.add(made)
            return made

        monkeypatch.setattr(secrets, name, noting)
    put_secret = StackConfiguration.put_secret

    def putting(self: StackConfiguration, name: str, value: Mapping[str, str]) -> None:
        heard.secrets |= {part for key, part in value.items() if part and _is_secret(key)}
        put_secret(self, name, value)

    monkeypatch.setattr(StackConfiguration, "put_secret", putting)


def _is_secret(key: str) -> bool:
    return key.endswith(("key", "secret", "token")) and key != "token_in"
