"""Subsidiaries become billing entities; those that a person made are linked, never renamed or doubled."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    definition,
    forget_calls,
    in_solvimon,
    linked,
    rillet_id,
    run,
    subsidiary,
    value,
    writes,
)
from tests.support.arrange import configure


def entity(**more: Any) -> Json:
    """A billing entity that a person made."""
    return {
        "id": "bile_mine",
        "reference": "Tideway-NL",
        "status": "ACTIVE",
        "timezone": "UTC",
        "legal_name": "Tideway Software B.V.",
        "tax_id": "NL861234567B01",
        **more,
    }


def world(system: LocalSystem, entities: list[Json], rillet: list[Json], link: str = "") -> Connection:
    seed = {"custom_fields": [definition("subsidiaries")], "billing_entities": entities}
    settings: Json = {"subsidiaries": {rillet_id(1): link} if link else {}}
    return connect(system, solvimon=seed, settings=settings, subsidiaries=rillet)


@pytest.mark.parametrize("link", ["bile_mine", "Tideway-NL"], ids=["by its id", "by its reference"])
def test_a_billing_entity_that_the_settings_name_is_linked_and_nothing_else_about_it_changes(
    system: LocalSystem, link: str
) -> None:
    connection = world(system, [entity()], [subsidiary()], link)

    first = run(system, "subsidiaries")
    forget_calls(system)
    second = run(system, "subsidiaries")

    assert counts(first) == {"updated": 1}
    assert linked(connection, 1, "subsidiaries") == {
        **entity(),
        "object_type": "BILLING_ENTITY",
        "custom_fields": value(1, "subsidiaries"),
    }
    assert counts(second) == {"unchanged": 1}
    assert writes(system) == []


@pytest.mark.parametrize(
    ("entities", "code"),
    [
        pytest.param([], "solvimon_record_missing", id="Solvimon does not have it"),
        pytest.param(
            [entity(custom_fields=value(9, "subsidiaries"))],
            "linked_elsewhere",
            id="it belongs to another subsidiary",
        ),
    ],
)
def test_a_billing_entity_that_the_settings_name_and_that_cannot_be_linked_is_a_failure(
    system: LocalSystem, entities: list[Json], code: str
) -> None:
    connection = world(system, entities, [subsidiary()], "bile_mine")

    answer = run(system, "subsidiaries")

    assert counts(answer) == {"failed": 1}
    assert answer["failures"][0]["code"] == code
    assert writes(system) == []
    assert len(in_solvimon(connection, "subsidiaries")) == len(entities)


@pytest.mark.parametrize("name", ["Tideway Software B.V.", "TIDEWAY  software b.v."])
def test_one_with_the_same_legal_name_is_never_doubled_but_reported_with_the_setting_to_make(
    system: LocalSystem, name: str
) -> None:
    connection = world(system, [entity()], [subsidiary(trade_name=name), subsidiary(2)])
    configure(system, connection, matching="create")

    answer = run(system, "subsidiaries")

    assert counts(answer) == {"created": 1, "failed": 1}
    [failure] = answer["failures"]
    assert failure["code"] == "billing_entity_exists"
    assert f'"subsidiaries": {{"{rillet_id(1)}": "bile_mine"}}' in failure["remedy"]
    assert len(in_solvimon(connection, "subsidiaries")) == 2


def test_following_the_remedy_links_it(system: LocalSystem) -> None:
    connection = world(system, [entity()], [subsidiary(trade_name="Tideway Software B.V.")])
    run(system, "subsidiaries")
    links = {"subsidiaries": {rillet_id(1): "bile_mine"}}
    system.put_settings("default", {**connection.settings, **links})
    system.advance(61)

    answer = run(system, "subsidiaries")

    assert counts(answer) == {"updated": 1}
    assert linked(connection, 1, "subsidiaries")["reference"] == "Tideway-NL"
    assert len(in_solvimon(connection, "subsidiaries")) == 1


def test_one_that_is_linked_by_its_custom_field_takes_rillets_name_and_zone(system: LocalSystem) -> None:
    connection = world(system, [entity(custom_fields=value(1, "subsidiaries"))], [subsidiary()])

    answer = run(system, "subsidiaries")

    found = linked(connection, 1, "subsidiaries")
    assert counts(answer) == {"updated": 1}
    assert (found["reference"], found["legal_name"], found["timezone"], found["tax_id"]) == (
        "Tideway-NL",
        "Tideway 1 B.V.",
        "Europe/Amsterdam",
        "NL861234567B01",
    )


def test_a_setting_that_comes_after_an_import_fails_with_the_entity_that_has_the_id(
    system: LocalSystem,
) -> None:
    connection = world(system, [entity()], [subsidiary()])
    run(system, "subsidiaries")
    made = linked(connection, 1, "subsidiaries")
    system.put_settings("default", {**connection.settings, "subsidiaries": {rillet_id(1): "bile_mine"}})
    system.advance(61)

    answer = run(system, "subsidiaries")

    assert counts(answer) == {"failed": 1}
    assert made["id"] in answer["failures"][0]["what"]
    assert len(in_solvimon(connection, "subsidiaries")) == 2
    assert "custom_fields" not in connection.platform.records["billing-entities"]["bile_mine"]


def test_an_unknown_time_zone_is_left_out_and_the_answer_says_for_which(system: LocalSystem) -> None:
    connection = world(system, [], [subsidiary(timezone="Atlantis/Central"), subsidiary(2)])

    answer = run(system, "subsidiaries")

    assert counts(answer) == {"created": 2}
    assert "timezone" not in linked(connection, 1, "subsidiaries")
    [note] = answer["notes"]
    assert note.startswith("1 row: The time zone is not known")
    assert f"(Tideway 1 B.V. ({rillet_id(1)}))" in note


def test_the_link_carries_the_currency_of_the_books(system: LocalSystem) -> None:
    connection = world(system, [], [subsidiary(currency="JPY")])

    run(system, "subsidiaries")

    made = linked(connection, 1, "subsidiaries")
    link = system.ledger_item(f"default#link-subsidiary#{made['id']}", "RECORD")
    assert link is not None
    assert (link["rillet_id"], link["currency"]) == (rillet_id(1), "JPY")
