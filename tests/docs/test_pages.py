"""The pages: links lead somewhere, files exist, and examples and commands do what they say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws.template import translate
from local.system import ROOT, LocalSystem
from solvimon_rillet.mapping.field_table import FULL, Row, fill
from solvimon_rillet.mapping.invoices import HEADER_ROWS
from solvimon_rillet.settings import InvoiceScope
from tests.docs.markdown import anchor, blocks

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
PACKAGE = ROOT / "layers/mapping/solvimon_rillet"
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
PATH = re.compile(r"`([\w./-]+(?:/|\.(?:py|yaml|toml|md)))`")
EXAMPLES = blocks((DOCS / "develop.md").read_text(encoding="utf-8"), "python")
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    return set(map(anchor, re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)))


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


def exists(name: str) -> bool:
    """Whether there is a file or folder of this name, in the repository or in our package."""
    return (ROOT / name).exists() or (PACKAGE / name).exists()


def test_what_the_page_says_stays_is_what_the_template_retains() -> None:
    resources = translate(ROOT / "template.yaml", {})["Resources"]

    kept = {
        name: each["Type"] for name, each in resources.items() if "Retain" in each.get("DeletionPolicy", "")
    }

    # A function's versions go with the function.
    retained = {name for name, resource_type in kept.items() if resource_type != "AWS::Lambda::Version"}
    assert retained == {"LedgerTable", "PanelTable", "ReportBucket"}
    removal = (DOCS / "deploy.md").read_text(encoding="utf-8").partition("## Remove")[2]
    assert "**ledger table**" in removal
    assert "**table of the panel**" in removal
    assert re.search(r"\*\*bucket of\s+reports\*\*", removal)


def test_one_function_runs_by_hand_as_the_page_shows_and_prints_its_answer(
    system: LocalSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    [example, _] = EXAMPLES
    names: dict[str, object] = {}

    exec(example.replace("quiet=True", 'quiet=True, stack="by-hand"'), names)  # noqa: S102 - our own page

    [result] = names["answer"]["results"]  # type: ignore[index]
    assert result["outcome"] in {"would_export", "would_reject", "would_skip"}
    assert json.loads(capsys.readouterr().out)["results"][0]["outcome"] == result["outcome"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_alias_that_a_page_names_is_of_a_durable_function(system: LocalSystem, page: Path) -> None:
    durable = {each.name for each in system.deployment.functions.values() if each.durable}
    named = re.findall(r"([\w$-]+):live\b", page.read_text(encoding="utf-8"))

    stack = system.deployment.stack
    assert {f"{stack}-{name.removeprefix('$STACK-')}" for name in named} <= durable


def test_the_example_of_a_new_field_is_a_row_that_fills_it() -> None:
    [_, example] = EXAMPLES
    row: Row[object] = eval(example, {"Row": Row, "FULL": FULL})  # noqa: S307 - our own page

    class Invoice:
        purchase_order_number = "sales/4711"

    class Header:
        invoice = Invoice()

    filled, origins = fill([row], Header(), InvoiceScope.FULL)

    assert (filled, origins) == ({"department": "sales"}, {"department": "purchase_order_number"})
    assert fill([row], Header(), InvoiceScope.AR_ONLY) == ({}, {})
    assert row.target not in {each.target for each in HEADER_ROWS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    roots = {"functions", "layers", "local", "tests", "docs", "events"} | {
        folder.name for folder in packages_in(PACKAGE)
    }

    named = re.findall(r"`(\w+)(/[\w./-]*)`", page.read_text(encoding="utf-8"))

    assert [root + rest for root, rest in named if root in roots and not exists(root + rest)] == []


def test_each_row_of_what_happens_when_names_a_test_that_exists() -> None:
    table = (DOCS / "workflows.md").read_text(encoding="utf-8").partition("## What happens when")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    named = [re.findall(r"`(test_\w+)`", row) for row in rows]

    assert len(rows) > 10
    assert [row for row, names in zip(rows, named, strict=True) if len(names) != 1] == []
    assert [name for [name] in named if f"def {name}(" not in tests] == []


def test_the_security_model_names_its_proofs() -> None:
    named = re.findall(r"`((?:tests|local)/[\w/.]+)`", (DOCS / "security.md").read_text(encoding="utf-8"))

    assert len(named) > 10


def test_every_file_of_the_architecture_exists_and_every_folder_of_the_package_is_on_its_picture() -> None:
    picture = ARCHITECTURE.split("```")[1]

    drawn = set(re.findall(r"\w+(?:\.py|/)", picture))
    folders = {f"{folder.name}/" for folder in packages_in(PACKAGE)}
    workflows = {f"{folder.name}/" for folder in packages_in(PACKAGE / "workflows")}

    assert [name for name in PATH.findall(ARCHITECTURE) if not exists(name)] == []
    assert drawn == {"functions/", *folders, *workflows, *(path.name for path in PACKAGE.glob("[!_]*.py"))}


def packages_in(folder: Path) -> Iterator[Path]:
    """The packages in a folder."""
    return (path.parent for path in folder.glob("*/__init__.py"))


def test_the_reading_order_of_an_invoice_enters_at_most_ten_files_once_each() -> None:
    order = re.findall(r"^\d+\. `([\w./]+)`", ARCHITECTURE, flags=re.MULTILINE)

    assert 0 < len(order) <= 10
    assert len(set(order)) == len(order)
    assert all((ROOT / name).is_file() or (PACKAGE / name).is_file() for name in order)


def test_the_readme_is_one_screen_and_a_half() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 170
