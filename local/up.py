"""Keep the local system running: `python -m local.up`, Ctrl-C to stop."""

import signal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local import sample_data
from local.aws.server import REGION
from local.system import Connection, LocalSystem

UNCONNECTED = "acme"
"""A connection that the reader may authorise in the browser."""


def main() -> None:
    """Start everything, print where it is and what to try, and wait for Ctrl-C."""
    # Ctrl-C must not interrupt the start; `sigwait` fetches it when everything runs.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    console = Console()
    with LocalSystem() as system:
        connection = system.connect_demo()
        system.connect(UNCONNECTED, auth="oauth", rillet={"organization": {"trade_name": "Acme Inc."}})
        system.start_workers()
        system.solvimon.start_delivery()
        console.print(_addresses(system, connection))
        for title, command in _examples(system, connection):
            console.print(f"[bold]{title}[/bold]")
            console.print(f"  {escape(command)}", soft_wrap=True, highlight=False)
        console.print("\nThe functions' logs follow. Ctrl-C stops everything; nothing is kept.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
        console.print("Stopping.")


def _addresses(system: LocalSystem, connection: Connection) -> Table:
    table = Table(title="The local system", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("AWS endpoint", system.aws.url)
    table.add_row("HTTP API", system.gateway.url)
    table.add_row("Solvimon", system.solvimon.url)
    table.add_row("Rillet", system.rillet.url)
    table.add_row("Webhook of connection default", connection.webhook_url)
    table.add_row("Solvimon X-API-KEY", connection.solvimon_api_key)
    table.add_row("Rillet bearer token", connection.rillet_api_key)
    return table


def _examples(system: LocalSystem, connection: Connection) -> list[tuple[str, str]]:
    solvimon, rillet = system.solvimon.origin, system.rillet.url
    aws = (
        f"AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws --region {REGION} "
        f"--endpoint-url {system.aws.url}"
    )
    outputs = system.deployment.outputs
    invoice = sample_data.invoice_id("first")
    authorisation = system.invoke("connect_rillet", {"connection": UNCONNECTED})["authorisation_url"]
    return [
        (
            "Finalise an invoice in Solvimon (its webhook sets everything in motion)",
            f"curl -s {solvimon}/_fake/finalise -H 'Content-Type: application/json' "
            f'-d \'{{"invoice_id": "{invoice}"}}\'',
        ),
        (
            "See it in Rillet",
            f"curl -s {rillet}/invoices -H 'Authorization: Bearer {connection.rillet_api_key}' "
            "-H 'X-Rillet-API-Version: 4'",
        ),
        (
            "Let Rillet be down, and up again",
            f"curl -s {rillet}/_fake/misbehave -H 'Content-Type: application/json' "
            f'-d \'{{"kind": "down"}}\'\n  curl -s -X POST {rillet}/_fake/behave',
        ),
        (
            f'Connect Rillet for connection "{UNCONNECTED}": open this in a browser within ten minutes '
            f'(connect_rillet answered it to {{"connection": "{UNCONNECTED}"}})',
            authorisation,
        ),
        ("Read the ledger", f"{aws} dynamodb scan --table-name {outputs['LedgerTableName']}"),
        (
            "Look at the queue",
            f"{aws} sqs get-queue-attributes --attribute-names All "
            f"--queue-url {outputs['ExportInvoiceQueueUrl']}",
        ),
    ]


if __name__ == "__main__":
    main()
