"""The end of the month: both sides' books next to each other, by the product's own reconciliation."""

from pathlib import Path
from typing import Any

from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section

BUILD = Path(__file__).resolve().parents[3] / "build"


def _run(context: Context) -> Numbers:
    context.until(context.settled, "The end of all work")
    period = _documents_period(context)
    context.console.say(
        f"What reconcile does every night, for each connection: every final document of {period['from']} to "
        f"{period['to']} in Solvimon beside Rillet's, whatever the ledger thinks of it."
    )
    answers: dict[str, Json] = {
        name: context.system.invoke("reconcile", {"connection": name, **period, "redrive": False})
        for name in context.system.connections
    }
    rows = [
        (name, currency, totals["solvimon"], totals["rillet"], totals["difference"])
        for name, one in answers.items()
        for currency, totals in one.get("totals", {}).items()
    ]
    columns = ("Connection", "Currency", "Solvimon gross", "Rillet gross", "Difference")
    context.console.show(tables.listed(columns, rows))
    for name, one in answers.items():
        _say_verdict(context, name, one)
    return {"tied_out": all(one.get("tied_out") for one in answers.values())}


def _say_verdict(context: Context, name: str, answer: Json) -> None:
    if "error" in answer:
        context.expect(False, f"{name} could not be reconciled: {answer['error']}")
        return
    page = BUILD / f"reconciliation-{name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_read_report(context, answer["report"]["html"]), encoding="utf-8")
    where = f"build/{page.name}"
    if answer["tied_out"]:
        context.console.say(
            f"{name} ties out: {answer['documents']} documents, no difference. The report for a controller: "
            f"{where}"
        )
    for finding in answer["findings"]:
        context.console.say(f"{finding['number']}: {finding['cause']} {finding['remedy']}")
    context.expect(answer["tied_out"], f"{name} has {answer['differences']} difference(s); see {where}.")
    if answer["not_mapped_yet"]:
        count = answer["not_mapped_yet"]
        context.console.note(f"{count} product(s), customer(s) or billing entities are not mapped yet.")


def _documents_period(context: Context) -> dict[str, str]:
    """The days from the first final document to the last one, of all connections."""
    days = []
    for connection in context.system.connections.values():
        with connection.platform.lock:
            records = connection.platform.records["invoices"].values()
            days += [str(one["invoice_date"])[:10] for one in records if one["status"] == "FINAL"]
    return {"from": min(days), "to": max(days)}


def _read_report(context: Context, address: str) -> str:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body: Any = context.system.aws.s3.get_object(Bucket=bucket, Key=key)["Body"]
    return str(body.read().decode("utf-8"))


SECTION = Section("The end of the month: both sides tie out", _run)
