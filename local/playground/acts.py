"""What a person can do on the playground, in the words of Solvimon, of Rillet and of the bank."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from local.books_check.records import rillet_documents
from local.fake_rillet.problems import Problem
from local.fake_solvimon.errors import ApiProblem
from local.playground.drafts import add_draft
from local.sample_data.identity import Json
from local.system import Connection, LocalSystem

Form = Mapping[str, str]
Act = Callable[[LocalSystem, Connection, Form], str]

LONGEST_JUMP = 30 * 24 * 3600
"""Seconds by which the clock moves at most at once."""


class NotDoneError(Exception):
    """It cannot be done; the text says why."""


def do(system: LocalSystem, name: str, connection: Connection, form: Form) -> str:
    """Do one of the `ACTS` and return what happened, in plain words.

    Raises:
        NotDoneError: it cannot be done, or is not an act.
    """
    try:
        return ACTS[name](system, connection, form)
    except KeyError as error:
        raise NotDoneError(f"There is no such thing: {error.args[0] if error.args else name}.") from error
    except Problem as problem:
        raise NotDoneError(f"Rillet refuses it: {problem.detail}") from problem
    except ApiProblem as problem:
        raise NotDoneError(f"Solvimon refuses it: {problem.message}.") from problem
    except InvalidOperation as error:
        raise NotDoneError("An amount is a number such as 100.00.") from error
    except ValueError as error:
        raise NotDoneError(f"{error}.") from error


def money_open(invoice: Json) -> str:
    """Return what is open on an invoice of Rillet, with its currency."""
    due = invoice["amount_due"]
    return f"{Decimal(due['amount']):,} {due['currency']}"


def _finalise_draft(system: LocalSystem, connection: Connection, form: Form) -> str:
    invoice_id = add_draft(connection, form["draft"], system.clock.now())
    return f"{connection.platform.finalise(invoice_id)['invoice_number']} is final in Solvimon."


def _credit_invoice(_: LocalSystem, connection: Connection, form: Form) -> str:
    invoice = connection.platform.invoice(form["invoice"])
    share = {"whole": None, "half": Fraction(1, 2)}[form["share"]]
    note = connection.platform.credit(invoice["id"], share)
    return f"{note['invoice_number']} credits {invoice['invoice_number']}."


def _pay(_: LocalSystem, connection: Connection, form: Form) -> str:
    booked = _booked(connection, form["invoice"])
    due = Decimal(booked["amount_due"]["amount"])
    amount = {"whole": due, "half": (due / 2).quantize(due)}[form["share"]]
    connection.organisation.pay(booked["id"], amount)
    currency = booked["amount_due"]["currency"]
    return f"{booked['invoice_number']} has a payment of {amount:,} {currency} in Rillet."


def _undo_payment(_: LocalSystem, connection: Connection, form: Form) -> str:
    booked = _booked(connection, form["invoice"])
    paid = rillet_payments_of(connection, booked["id"])
    if not paid:
        raise ValueError(f"{booked['invoice_number']} has no payment in Rillet")
    connection.organisation.delete_payment(paid[-1]["id"])
    return f"The last payment of {booked['invoice_number']} is deleted in Rillet."


def rillet_payments_of(connection: Connection, rillet_id: str) -> list[Json]:
    """Return the payments of one of Rillet's invoices, oldest first."""
    return [one for one in connection.organisation.payments.documents() if one["invoice_id"] == rillet_id]


def _edit_customer(_: LocalSystem, connection: Connection, form: Form) -> str:
    customer = connection.platform.records["customers"][form["customer"]]
    person = "individual" in customer
    changes: Json = {"email": form["email"]} if form.get("email") else {}
    if name := form.get("name"):
        changes |= (
            {"individual": {"name": {"last_name": name}}}
            if person
            else {"organization": {"legal_name": name}}
        )
    if not changes:
        raise ValueError("Give a new name or a new e-mail address")
    connection.platform.edit_customer(customer["id"], **changes)
    return "The customer is changed in Solvimon."


def _rillet_down(system: LocalSystem, _: Connection, __: Form) -> str:
    system.rillet.state.misbehave("down")
    return "Rillet answers nobody: 503 to every call."


def _rillet_up(system: LocalSystem, _: Connection, __: Form) -> str:
    system.rillet.state.behave()
    return "Rillet answers again."


def _refuse_key(system: LocalSystem, connection: Connection, _: Form) -> str:
    system.rillet.state.oauth.revoke_all(connection.organisation)
    for key in _keys(system, connection):
        system.rillet.state.revoke(key)
    return f"Rillet refuses the key and every token of {connection.name}."


def _accept_key(system: LocalSystem, connection: Connection, _: Form) -> str:
    for key in _keys(system, connection):
        system.rillet.state.api_keys[key].revoked = False
    return f"Rillet accepts the key of {connection.name} again; a token stays revoked: connect again."


def refuses_key(system: LocalSystem, connection: Connection) -> bool:
    """Whether Rillet refuses the connection's key."""
    return any(system.rillet.state.api_keys[key].revoked for key in _keys(system, connection))


def _keys(system: LocalSystem, connection: Connection) -> list[str]:
    keys = system.rillet.state.api_keys.items()
    return [key for key, one in keys if one.organisation_id == connection.organisation.id]


def _advance(system: LocalSystem, _: Connection, form: Form) -> str:
    seconds = int(form["seconds"])
    if not 0 < seconds <= LONGEST_JUMP:
        raise ValueError(f"The clock moves by 1 to {LONGEST_JUMP} seconds")
    system.advance(seconds)
    return "The clock of Solvimon, of Rillet and of the functions has moved on."


def _booked(connection: Connection, invoice_id: str) -> Json:
    """Return Rillet's invoice of a Solvimon one."""
    found = rillet_documents(connection, invoice_id)
    if not found:
        raise ValueError("Rillet has no invoice for it yet")
    return found[0]


ACTS: Mapping[str, Act] = {
    "finalise": _finalise_draft,
    "credit": _credit_invoice,
    "pay": _pay,
    "undo-payment": _undo_payment,
    "edit-customer": _edit_customer,
    "rillet-down": _rillet_down,
    "rillet-up": _rillet_up,
    "refuse-key": _refuse_key,
    "accept-key": _accept_key,
    "advance": _advance,
}
"""By the name that a form's address ends in."""
