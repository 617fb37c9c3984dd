"""The pages for strangers: links lead somewhere, files exist, and examples and commands do what they say."""

import json
import re
from pathlib import Path

import pytest

from local.aws.template import translate
from local.system import ROOT, Connection, LocalSystem
from solvimon_rillet.mapping.field_table import FULL, Row, fill
from solvimon_rillet.mapping.invoices import HEADER_ROWS
from solvimon_rillet.settings import InvoiceScope
from tests.docs.aws_cli import commands, run
from tests.integration.export_invoice.support import FIRST

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a renderer of Markdown makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def python_blocks(page: str) -> list[str]:
    """The examples in Python on a page, as they stand."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.+?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if not link.startswith("https://"):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= set(LINK.findall(readme))


def test_every_command_of_the_deployment_works(system: LocalSystem, default: Connection) -> None:
    default.platform.finalise(FIRST)
    system.connect("another", auth="oauth")  # its client is registered at Rillet
    client = system.aws.secretsmanager.get_secret_value(SecretId="solvimon-rillet/rillet-oauth-client")
    files = {
        "solvimon.json": json.dumps(
            {"api_key": default.solvimon_api_key, "webhook_secret": default.webhook_secret}
        ),
        "rillet.json": json.dumps({"auth": "api_key", "api_key": default.rillet_api_key}),
        "client.json": client["SecretString"],
        "settings.json": json.dumps({**default.settings, "start_date": "2026-01-01"}),
    }
    text = (DOCS / "deploy.md").read_text(encoding="utf-8").replace("invo_AbC123", FIRST)

    chosen = commands(text, {"STACK": system.deployment.stack})
    answers = [(command, run(system, command, files)) for command in chosen]

    assert len(answers) >= 12
    for command, answer in answers:
        if command.service == "lambda":
            assert "error" not in answer, command.text


def test_what_the_page_says_stays_is_what_the_template_retains() -> None:
    resources = translate(ROOT / "template.yaml", {})["Resources"]

    # A function's versions go with the function.
    retained = {
        name
        for name, each in resources.items()
        if each.get("DeletionPolicy") == "Retain" and each["Type"] != "AWS::Lambda::Version"
    }

    assert retained == {"LedgerTable", "ReportBucket"}
    removal = (DOCS / "deploy.md").read_text(encoding="utf-8").partition("## Remove")[2]
    assert "**ledger table**" in removal
    assert re.search(r"\*\*bucket of\s+reports\*\*", removal)


def test_one_function_runs_by_hand_as_the_page_shows(system: LocalSystem) -> None:
    [example] = python_blocks("deploy.md")
    names: dict[str, object] = {}

    exec(example.replace("quiet=True", 'quiet=True, stack="by-hand"'), names)  # noqa: S102 - our own page

    [result] = names["answer"]["results"]  # type: ignore[index]
    assert result["outcome"] in {"would_export", "would_reject", "would_skip"}


def test_the_example_of_a_new_field_is_a_row_that_fills_it() -> None:
    row: Row[object] = eval(python_blocks("extending.md")[0], {"Row": Row, "FULL": FULL})  # noqa: S307 - our own page

    class Invoice:
        purchase_order_number = "sales/4711"

    class Header:
        invoice = Invoice()

    filled, origins = fill([row], Header(), InvoiceScope.FULL)

    assert (filled, origins) == ({"department": "sales"}, {"department": "purchase_order_number"})
    assert fill([row], Header(), InvoiceScope.AR_ONLY) == ({}, {})
    assert row.target not in {each.target for each in HEADER_ROWS}


def test_every_proof_of_the_security_model_exists() -> None:
    named = re.findall(r"`((?:tests|local)/[\w/.]+)`", (DOCS / "security.md").read_text(encoding="utf-8"))

    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []
