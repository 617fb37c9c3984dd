"""The workflows, each in a small setup: how it begins, what starts it, and how a person or AWS goes on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import requests
import simplejson

from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.fault_injection import documents
from tests.fault_injection.documents import FIRST, NOTE, SECOND
from tests.fault_injection.setups import Setup, set_up, unlinked_customer


@dataclass(frozen=True)
class Scenario:
    """One workflow in one situation.

    Attributes:
        name: what happens.
        workflows: the functions whose effects meet faults.
        prepare: makes the setup, undisturbed.
        act: starts the workflow.
        again: starts the same work a second time, as a doubled message does; ``None`` where that cannot be.
        repeated: a person repeats ``act`` until it ends well; all others recover automatically.
        done: whether the answer to ``act`` says so.
        told: what of the answer must be the same in the end.
        findings: what an audit of both sides' books finds in the end all the same, and rightly.
        fix: what a person does when everything else has had its time.
    """

    name: str
    workflows: tuple[str, ...]
    prepare: Callable[[LocalSystem], Setup]
    act: Callable[[Setup], object]
    again: Callable[[Setup], object] | None = None
    repeated: bool = False
    done: Callable[[Any], bool] = lambda _answer: True
    told: Callable[[Any], object] = lambda _answer: None
    findings: frozenset[FindingType] = frozenset()
    fix: Callable[[Setup], object] = lambda _setup: None


def _export(
    setup: Setup, document_id: str, function: str = "export_invoice", ids: str = "invoice_ids"
) -> Any:  # noqa: ANN401
    return setup.system.invoke(function, {ids: [document_id]})


def _exported(system: LocalSystem, **settings: str) -> Setup:
    """A setup in which one invoice is in Rillet, so that all links are known."""
    made = set_up(system, settings=settings)
    made.finalise(documents.invoice())
    made.work_off()
    return made


def _second(made: Setup, **more: object) -> Setup:
    """One more invoice is FINAL and announced."""
    made.finalise(documents.invoice(SECOND, "250.00", **more))
    made.system.deliver_webhooks()
    return made


def _work(setup: Setup) -> None:
    setup.work_off()


def _unlucky(system: LocalSystem) -> Setup:
    """Rillet fails once, so that the message must wait."""
    made = _second(_exported(system))
    system.rillet.state.misbehave("status")
    return made


def _new_customer(system: LocalSystem) -> Setup:
    made = set_up(system, settings={"create_missing_customers": True})
    return _second(made, customer_id=unlinked_customer())


def _revenue_recognition(system: LocalSystem) -> Setup:
    return _second(_exported(system, invoice_scope="REVENUE_RECOGNITION_ONLY"))


def _receivables(system: LocalSystem) -> Setup:
    return _second(_exported(system, invoice_scope="AR_ONLY"))


def _noted(system: LocalSystem) -> Setup:
    made = _exported(system)
    made.finalise(documents.credit_note())
    system.deliver_webhooks()
    return made


def _noted_too_early(system: LocalSystem) -> Setup:
    """The original's webhook got lost, so the note comes first."""
    made = set_up(system)
    system.solvimon.state.webhooks_on = False
    made.finalise(documents.invoice())
    system.solvimon.state.webhooks_on = True
    made.finalise(documents.credit_note("-40.00"))
    system.deliver_webhooks()
    return made


def _edited(system: LocalSystem) -> Setup:
    made = _exported(system)
    made.connection.platform.edit_customer(
        "maasvlakte-quay", organization={"legal_name": "Quay Services N.V."}
    )
    system.deliver_webhooks()
    return made


def _edit_again(setup: Setup) -> object:
    customer = next(iter(setup.connection.platform.records["customers"]))
    return _export(setup, customer, "sync_customer", "customer_ids")


def _paid(system: LocalSystem, payments: str = "state") -> Setup:
    made = _exported(system, payments=payments)
    made.connection.organisation.pay(made.rillet_id(FIRST), "21.00", date="2040-02-01")
    made.connection.organisation.deliver_webhooks()
    return made


def _paid_each(system: LocalSystem) -> Setup:
    return _paid(system, "record_each")


def _undone(system: LocalSystem) -> Setup:
    """A payment that Solvimon shows was a mistake."""
    made = _paid_each(system)
    made.work_off()
    [payment] = made.connection.organisation.payments.documents()
    made.connection.organisation.delete_payment(payment["id"])
    made.connection.organisation.deliver_webhooks()
    return made


def _mark_again(setup: Setup) -> object:
    return _export(setup, FIRST, "mark_invoice_paid")


def _announced(system: LocalSystem) -> Setup:
    """A FINAL invoice whose webhook is due."""
    made = set_up(system)
    made.finalise(documents.invoice())
    return made


def _payment_announced(system: LocalSystem) -> Setup:
    made = _exported(system)
    made.connection.organisation.pay(made.rillet_id(FIRST), date="2040-02-01")
    return made


def _to_import(system: LocalSystem) -> Setup:
    def rows(make: Callable[[int], Any]) -> list[Any]:
        return [make(1), make(2)]

    rillet = {
        "customers": rows(documents.rillet_customer),
        "products": rows(documents.rillet_product),
        "subsidiaries": rows(documents.rillet_subsidiary),
    }
    return set_up(system, solvimon={}, rillet=rillet)


def _to_import_again(system: LocalSystem) -> Setup:
    """One customer has another name since the first import, and a third one is new."""
    made = _to_import(system)
    system.invoke("import_customers", {})
    organisation = made.connection.organisation
    organisation.edit_customer(documents.rillet_customer(1)["id"], name="Renamed N.V.")
    organisation.customers.add(documents.rillet_customer(3))
    return made


def _import(what: str, prepare: Callable[[LocalSystem], Setup] = _to_import, name: str = "") -> Scenario:
    return Scenario(
        name=name or f"import {what}",
        workflows=(f"import_{what}",),
        prepare=prepare,
        act=lambda setup: setup.invoke(f"import_{what}"),
        repeated=True,
        done=lambda answer: bool(answer.get("complete")) and not answer.get("failed"),
        told=lambda answer: [answer.get("complete"), answer.get("failed")],
        # The customers that are there too are not imported.
        findings=frozenset() if what == "customers" else frozenset({FindingType.CUSTOMER}),
    )


def _unauthorised(system: LocalSystem) -> Setup:
    made = set_up(system, auth="oauth")
    made.finalise(documents.invoice())
    return made


def _authorise(setup: Setup) -> str:
    """A person authorises the connection in the browser; what they see in the end."""
    if not _is_connected(setup):
        setup.system.authorise()
    return str(_is_connected(setup))


def _authorised(system: LocalSystem) -> Setup:
    made = _unauthorised(system)
    system.authorise()
    made.work_off()
    return made


def _disconnect(setup: Setup) -> object:
    return setup.invoke("connect_rillet", action="disconnect")


def _is_connected(setup: Setup) -> bool:
    checklist = setup.invoke("connect_rillet", action="status")["checklist"]
    return any(line["check"] == "Rillet" and line["ok"] for line in checklist)


def _expired(system: LocalSystem) -> Setup:
    """The access token's time is over when the next invoice comes."""
    made = _unauthorised(system)
    system.authorise()
    made.work_off()
    system.advance(2 * 3600)
    return _second(made)


def _reconnect(setup: Setup) -> None:
    """Rillet's answer with the only new refresh token got lost: a person must connect again."""
    if not _is_connected(setup):
        setup.system.authorise()


def _silent(system: LocalSystem) -> Setup:
    """A document, an edit and a payment of which no webhook notified."""
    made = _exported(system)
    system.invoke("sweep", {})
    made.work_off()
    system.solvimon.state.webhooks_on = system.rillet.state.webhooks_on = False
    made.finalise(documents.invoice(SECOND, "250.00"))
    made.connection.platform.edit_customer(
        "maasvlakte-quay", organization={"legal_name": "Quay Services N.V."}
    )
    made.connection.organisation.pay(made.rillet_id(FIRST), date="2040-02-01")
    system.advance(900)
    return made


def _sweep(setup: Setup) -> None:
    setup.system.invoke("sweep", {})
    setup.work_off()


def _not_synchronised(system: LocalSystem) -> Setup:
    """Rillet lacks an invoice, and no webhook notified of it."""
    made = _exported(system)
    system.solvimon.state.webhooks_on = False
    made.finalise(documents.invoice(SECOND, "250.00"))
    return made


def _reconcile(setup: Setup) -> object:
    answer = setup.invoke("reconcile", **{"from": "2040-01-01", "to": "2040-02-28"})
    setup.work_off()
    return answer


def _rejected(system: LocalSystem) -> Setup:
    """An invoice was rejected, and the cause is fixed."""
    made = set_up(system)
    product = next(
        p for p in made.connection.platform.records["products"].values() if p["name"] == "Harbour Planner"
    )
    field, product["custom_fields"] = product["custom_fields"], []
    made.system.put_settings("default", made.connection.settings | {"fallback_products": {}})
    made.finalise(documents.invoice())
    made.work_off()
    product["custom_fields"] = field
    return made


def _retry(setup: Setup) -> object:
    answer = setup.invoke("export_invoice", retry="all")
    setup.work_off()
    return answer


def _booked_by_hand(system: LocalSystem) -> Setup:
    """A rejected invoice that a person has booked; here the other one stands for it."""
    made = _rejected(system)
    made.kept["rillet_id"] = _copy_in_rillet(made)
    return made


def _copy_in_rillet(made: Setup) -> str:
    planned = made.system.invoke("export_invoice", {"invoice_ids": [FIRST], "dry_run": True})
    payload = planned["results"][0]["payload"] | {"external_references": []}
    return str(_post(made, "/invoices", payload)["id"])


def _post(made: Setup, path: str, body: object) -> Any:  # noqa: ANN401
    headers = {
        "Authorization": f"Bearer {made.connection.rillet_api_key}",
        "X-Rillet-API-Version": "4",
        "Content-Type": "application/json",
    }
    text = simplejson.dumps(body, use_decimal=True)
    answer = requests.post(f"{made.system.rillet.url}{path}", data=text, headers=headers, timeout=5)
    answer.raise_for_status()
    return answer.json()


def _resolve(setup: Setup) -> object:
    said = {"invoice_id": FIRST, "rillet_id": setup.kept["rillet_id"], "note": "booked by hand"}
    return setup.invoke("sync_status", resolve=said)


_STEADY = Scenario(
    "export an invoice",
    ("export_invoice",),
    lambda system: _second(_exported(system)),
    _work,
    again=lambda setup: _export(setup, SECOND),
)
_CREDIT = Scenario(
    "export a credit memo with its application",
    ("export_credit_memo",),
    _noted,
    _work,
    again=lambda setup: _export(setup, NOTE, "export_credit_memo", "credit_note_ids"),
)
_MARK = Scenario("mark an invoice partly paid", ("mark_invoice_paid",), _paid, _work, again=_mark_again)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("receive a webhook of Solvimon", ("receive_webhook",), _announced, _work),
    Scenario("receive a webhook of Rillet", ("receive_webhook",), _payment_announced, _work),
    _STEADY,
    replace(_STEADY, name="export an invoice of a new customer", prepare=_new_customer),
    replace(_STEADY, name="hand back an invoice that must wait", prepare=_unlucky),
    replace(_STEADY, name="export an invoice for revenue recognition only", prepare=_revenue_recognition),
    replace(_STEADY, name="export an invoice for receivables only", prepare=_receivables),
    _CREDIT,
    replace(_CREDIT, name="export a credit memo before its invoice", prepare=_noted_too_early),
    Scenario("sync a customer", ("sync_customer",), _edited, _work, again=_edit_again),
    _MARK,
    replace(_MARK, name="mark an invoice partly paid and record the payment", prepare=_paid_each),
    replace(_MARK, name="take back a payment that was recorded", prepare=_undone),
    _import("customers"),
    _import("customers", _to_import_again, "import customers again"),
    _import("products"),
    _import("subsidiaries"),
    Scenario(
        "connect Rillet by OAuth",
        ("connect_rillet",),
        _unauthorised,
        _authorise,
        repeated=True,
        done=lambda answer: answer == "True",
        told=str,
    ),
    Scenario(
        "disconnect Rillet",
        ("connect_rillet",),
        _authorised,
        _disconnect,
        repeated=True,
        done=lambda answer: bool(answer.get("disconnected")),
        told=lambda answer: answer.get("disconnected"),
    ),
    Scenario("refresh an expired token in an export", ("export_invoice",), _expired, _work, fix=_reconnect),
    Scenario("sweep", ("sweep",), _silent, _sweep, again=lambda setup: setup.system.invoke("sweep", {})),
    Scenario(
        "reconcile and export what is missing",
        ("reconcile",),
        _not_synchronised,
        _reconcile,
        repeated=True,
        done=lambda answer: "error" not in answer and "tied_out" in answer,
    ),
    Scenario(
        "retry what was rejected",
        ("export_invoice",),
        _rejected,
        _retry,
        repeated=True,
        done=lambda answer: "error" not in answer,
        again=lambda setup: setup.system.invoke("export_invoice", {"retry": "all"}),
    ),
    Scenario(
        "resolve an invoice that was booked by hand",
        ("sync_status",),
        _booked_by_hand,
        _resolve,
        repeated=True,
        done=lambda answer: "error" not in answer,
        # What is booked by hand carries no reference.
        findings=frozenset({FindingType.LOST, FindingType.DUPLICATE}),
    ),
)
