"""Keep the local system running: `python -m local.up`, Ctrl-C to stop."""

import logging
import signal
import socket
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial

from rich.console import Console
from rich.markup import escape

from local import sample_data
from local.aws.server import REGION
from local.rillet_webhook import add_rillet_webhook
from local.system import ROOT, Connection, LocalSystem, Ports

LOG = ROOT / "build" / "up.log"
PORTS = Ports(aws=5740, api=5741, solvimon=5742, rillet=5743)
"""Where everything listens, unless something else does."""
UNCONNECTED = "acme"
"""A connection that the reader may authorise in the browser."""


def main() -> None:
    """Start everything, print where it is and what to try, and wait for Ctrl-C."""
    # Ctrl-C must not interrupt the start; `sigwait` fetches it when everything runs.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    say = partial(Console(file=sys.stdout).print, soft_wrap=True, highlight=False)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        logging.basicConfig(stream=log, level=logging.WARNING)
        with LocalSystem(ports=_free(PORTS)) as system:
            connection = system.connect_demo()
            add_rillet_webhook(system, connection)
            system.connect(UNCONNECTED, auth="oauth", rillet={"organization": {"trade_name": "Acme Inc."}})
            system.start_workers()
            system.solvimon.start_delivery()
            system.rillet.start_delivery()
            for name, address in _addresses(system, connection):
                say(f"[bold]{name:<25}[/bold]{escape(address)}")
            for number, (title, command) in enumerate(_examples(system, connection), start=1):
                say(f"\n[bold]{number}. {title}[/bold]\n{escape(command)}")
            say(f"\nThe functions' logs are in {LOG.relative_to(ROOT)}. Ctrl-C stops everything.")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
            say("Stopping.")


def _free(ports: Ports) -> Ports:
    """Return the ports on which nothing listens, and 0 for the others."""
    return Ports(**{name: port if _is_free(port) else 0 for name, port in vars(ports).items()})


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _addresses(system: LocalSystem, connection: Connection) -> list[tuple[str, str]]:
    return [
        ("AWS endpoint", system.aws.url),
        ("HTTP API", system.gateway.url),
        ("Solvimon", system.solvimon.url),
        ("Solvimon X-API-KEY", connection.solvimon_api_key),
        ("Rillet", system.rillet.url),
        ("Rillet bearer token", connection.rillet_api_key),
        ("Webhook for Solvimon", connection.webhook_url),
        ("Webhook for Rillet", connection.webhook_url.replace("/solvimon/", "/rillet/")),
        (
            f"Connect {UNCONNECTED}",
            system.invoke("connect_rillet", {"connection": UNCONNECTED})["authorisation_url"],
        ),
        (
            "For the pages' commands",
            f"export AWS_ENDPOINT_URL={system.aws.url} AWS_REGION={REGION} AWS_ACCESS_KEY_ID=local "
            f"AWS_SECRET_ACCESS_KEY=local STACK={system.deployment.stack}",
        ),
    ]


def _examples(system: LocalSystem, connection: Connection) -> list[tuple[str, str]]:
    """Three commands to try, in this order."""
    invoice = sample_data.invoice_id("first")
    return [
        (
            "Finalise an invoice in Solvimon; its webhook sets everything in motion",
            f"curl -s {system.solvimon.origin}/_fake/finalise -H 'Content-Type: application/json' "
            f'-d \'{{"invoice_id": "{invoice}"}}\'',
        ),
        (
            "See it in Rillet",
            f"curl -s {system.rillet.url}/invoices -H 'Authorization: Bearer {connection.rillet_api_key}' "
            "-H 'X-Rillet-API-Version: 4'",
        ),
        (
            "Read its history",
            f"AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws lambda invoke --region {REGION} "
            f"--endpoint-url {system.aws.url} --function-name {system.deployment.stack}-sync-status "
            "--cli-binary-format raw-in-base64-out "
            f'--payload \'{{"invoice_id": "{invoice}"}}\' /dev/stdout',
        ),
    ]


if __name__ == "__main__":
    main()
