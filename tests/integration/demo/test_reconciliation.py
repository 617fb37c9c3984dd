"""The demo ends with a reconciliation, and fails with it."""

from local.demo.context import Context, Section
from local.demo.sections import one_invoice, reconciliation
from local.system import LocalSystem
from tests.integration.demo.support import figures, in_one_line, run_demo


def test_the_reports_of_both_connections_are_left_in_the_build_folder(system: LocalSystem) -> None:
    pages = [reconciliation.BUILD / f"reconciliation-{name}.html" for name in ("default", "acme")]
    for page in pages:
        page.unlink(missing_ok=True)

    code, screen = run_demo(system, one_invoice.SECTION, reconciliation.SECTION)

    assert code == 0
    assert figures(screen)["tied_out"] is True
    for page in pages:
        assert "Both sides agree" in page.read_text(encoding="utf-8")


def test_an_invoice_that_was_edited_in_rillet_is_named_and_the_demo_fails(system: LocalSystem) -> None:
    def edit(context: Context) -> dict[str, int | str]:
        [invoice] = context.connection.organisation.invoices.documents()
        context.connection.organisation.edit_invoice(invoice["id"], amount_by="0.01")
        return {}

    code, screen = run_demo(
        system, one_invoice.SECTION, Section("Somebody edits it", edit), reconciliation.SECTION
    )

    assert code == 1
    assert figures(screen)["tied_out"] is False
    assert "default has 1 difference(s)" in in_one_line(screen)
