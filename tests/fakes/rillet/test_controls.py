"""The Rillet fake's own controls over HTTP."""

import pytest

from tests.fakes.rillet.support import KEY, SEED, UNKNOWN_ID, Rillet
from tests.fakes.support import Receiver


def test_faults_are_put_in_force_and_removed(rillet: Rillet) -> None:
    fault = {"kind": "status", "method": "GET", "path": "/customers", "times": 2, "status": 500}

    shown = rillet.admin("misbehave", fault).json()
    status = rillet.get("/customers").status_code
    rillet.admin("behave")

    assert shown["faults"] == [{"kind": "status", "method": "GET", "path": "/customers", "remaining": 2}]
    assert status == 500
    assert rillet.get("/customers").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("misbehave", {"kind": "explode"}),
        ("misbehave", {"kind": "drop", "path": "/", "loud": True}),
        ("misbehave", []),
        ("misbehave", {}),
        ("webhooks", {"url": "x", "events": ["no"]}),
        ("pay", {"organization_id": UNKNOWN_ID}),
        ("load", {"organization": {"switches": {"colour": "blue"}}}),
    ],
)
def test_a_wrong_body_is_refused(rillet: Rillet, path: str, body: object) -> None:
    response = rillet.admin(path, body)

    assert response.status_code == response.json()["status"] == 400
    assert path != "load" or "colour" in response.json()["detail"]


def test_the_rate_limit_can_be_changed_and_does_not_concern_the_controls(rillet: Rillet) -> None:
    answer = rillet.admin("rate", {"limit": 1, "window": 10}).json()

    statuses = [rillet.get("/api-key").status_code for _ in range(2)]

    assert answer == {"limit": 1, "window": 10.0}
    assert statuses == [200, 429]
    assert rillet.admin("state").json()["organizations"][0]["counts"]["refused"] == 1


def test_a_reset_removes_everything_and_a_load_fills_again(rillet: Rillet) -> None:
    rillet.post("/customers", {"name": "A"}, key="k1")
    rillet.admin("misbehave", {"kind": "down"})
    rillet.admin("reset")

    unknown = rillet.get("/customers").status_code
    loaded = rillet.admin("load", SEED).json()
    customers = rillet.read("/customers")["customers"]

    assert unknown == 401
    assert loaded["organization_id"] == rillet.state.organisation(KEY).id
    assert [customer["name"] for customer in customers] == ["Bob Industries"]


def test_a_load_for_a_known_organisation_adds_to_it(rillet: Rillet) -> None:
    seed = {
        "organization": {"id": rillet.organisation.id, "switches": {"full_scope_number": "kept"}},
        "customers": [{"name": "Carol"}],
    }

    rillet.admin("load", seed)

    assert len(rillet.organisation.customers) == 2
    assert len(rillet.organisation.subsidiaries) == 2
    assert rillet.organisation.switches.full_scope_number == "kept"


def test_the_state_shows_counts_and_objects(rillet: Rillet) -> None:
    created = rillet.invoice()

    shown = rillet.admin("state").json()

    organisation = shown["organizations"][0]
    assert (shown["calls"], shown["replays"]) == (1, 0)
    assert organisation["invoices"] == [created]
    assert organisation["counts"] == {"calls": 1, "refused": 0, "replays": 0}
    assert KEY not in str(shown)


def test_webhooks_are_added_and_delivered_and_invoices_are_paid(rillet: Rillet, receiver: Receiver) -> None:
    webhook = {"url": receiver.url, "events": ["invoice-payment-updated"]}
    added = rillet.admin("webhooks", webhook).json()
    invoice = rillet.invoice()
    paid = rillet.admin("pay", {"invoice_id": invoice["id"], "amount": "10.00", "cleared": False}).json()
    waiting = rillet.admin("state").json()["organizations"][0]

    delivered = rillet.admin("deliver", {"organization_id": rillet.organisation.id}).json()["deliveries"]

    assert added["token"]
    assert (added["enabled"], paid["status"]) == (True, "UNCLEARED")
    assert (waiting["webhook_events_waiting"], len(waiting["payments"])) == (1, 1)
    assert "token" not in waiting["webhooks"][0]
    assert [(row["event"], row["status"]) for row in delivered] == [("invoice-payment-updated", 200)]
    assert rillet.admin("deliver", {}).json() == {"deliveries": []}
