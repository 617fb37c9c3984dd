"""`{"show": true}` answers values, defaults, descriptions, schema, faults, version and history."""

import json

import pytest

from docs.generate.reference import settings_page
from local.system import Connection, LocalSystem
from solvimon_rillet.invalid_values import setting_paths
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.configure.fields import GROUPS, LABELS
from tests.integration.configure.support import ADA, NAME, ask, change, field, stored, version

pytestmark = pytest.mark.usefixtures("default")


def test_show_answers_every_setting_with_its_value_default_description_and_group(
    default: Connection, system: LocalSystem
) -> None:
    system.put_settings("default", {**default.settings, "invoice_scope": "AR_ONLY"})

    answer = ask(system, show=True)

    assert {row["path"] for row in answer["fields"]} == set(setting_paths(Settings))
    assert field(answer, "invoice_scope") == {
        "path": "invoice_scope",
        "label": "Invoice scope",
        "group": "What is booked",
        "value": "AR_ONLY",
        "default": "FULL",
        "changed": True,
        "description": Settings.model_fields["invoice_scope"].description,
        "choices": ["FULL", "REVENUE_RECOGNITION_ONLY", "AR_ONLY"],
    }
    assert field(answer, "start_date")["changed"] is False
    assert answer["values"]["invoice_scope"] == answer["effective"]["invoice_scope"] == "AR_ONLY"
    assert answer["effective"]["workflows"]["sync_customer"] is True
    assert sorted(answer["faults"]) == []
    assert answer["version"] == version(system)
    assert answer["schema"]["properties"]["invoice_scope"]["description"]


def test_an_event_without_an_act_shows_too(system: LocalSystem) -> None:
    assert ask(system)["version"] == version(system)


@pytest.mark.parametrize(
    "label",
    [
        "Import Customers",
        "Import Products",
        "Import Subsidiaries",
        "Export Invoices",
        "Export Credit Memos",
        "Sync Customer to Rillet",
        "Mark Invoices as Paid",
    ],
)
def test_the_guides_switches_have_the_guides_names(system: LocalSystem, label: str) -> None:
    [row] = [row for row in ask(system, show=True)["fields"] if row["label"] == label]

    assert (row["group"], row["choices"]) == ("Workflows", [True, False])
    assert row["path"].startswith("workflows.")


def test_the_form_and_the_page_of_settings_say_the_same() -> None:
    page = settings_page()

    assert all(f"## {group}" in page for group in (*GROUPS, "Advanced"))
    assert all(f"**{label}.**" in page for label in LABELS.values())
    assert {name for names in GROUPS.values() for name in names} <= Settings.model_fields.keys()


def test_faults_are_shown_in_words_with_the_values_that_stay_in_force(
    default: Connection, system: LocalSystem
) -> None:
    system.put_settings("default", {**default.settings, "invoice_scope": "AR_ONLY"})
    system.put_settings("default", {**default.settings, "invoice_scope": "full", "invoce_scope": "FULL"})

    answer = ask(system, show=True)

    assert answer["faults"] == [
        "invoce_scope: there is no such setting – did you mean invoice_scope?",
        'invoice_scope: "full" is not one of FULL, REVENUE_RECOGNITION_ONLY or AR_ONLY – did you mean FULL?',
    ]
    assert answer["effective"]["invoice_scope"] == "AR_ONLY"


@pytest.mark.parametrize("text", ["{", "[]", "not json", '"FULL"'])
def test_settings_that_are_no_object_are_shown_as_a_fault_and_can_be_restored(
    default: Connection, system: LocalSystem, text: str
) -> None:
    good = version(system)
    system.put_settings("default", text)

    shown = ask(system, show=True)
    refused = change(system, {"start_date": "2026-01-01"})
    restored = ask(system, restore=good, version=version(system), by=ADA)

    assert len(shown["faults"]) == 1
    assert "is not" in shown["faults"][0]
    assert "restore" in refused["remedy"]
    assert restored["written"] is True
    assert json.loads(stored(system)) == default.settings


def test_the_history_says_when_who_and_what(default: Connection, system: LocalSystem) -> None:
    change(system, {"start_date": "2026-01-01"})
    system.put_settings("default", {**default.settings, "mark_as_sent": False})  # by hand

    newest, before, _ = ask(system, show=True)["history"]

    assert before["by"] == ADA
    assert [(each["path"], each["old"], each["new"]) for each in before["changes"]] == [
        ("start_date", None, "2026-01-01")
    ]
    assert newest["by"] != ADA
    assert {each["path"] for each in newest["changes"]} == {"start_date", "mark_as_sent"}
    assert newest["version"] == before["version"] + 1
    assert newest["at"]


def test_the_history_has_the_last_ten_of_many_versions(default: Connection, system: LocalSystem) -> None:
    for number in range(60):
        system.put_settings("default", {**default.settings, "address_state": str(number)})

    answer = ask(system, show=True)

    assert len(answer["history"]) == 10
    assert answer["history"][0]["version"] == answer["version"] == 61


def test_an_unknown_connection_says_which_exist_and_how_to_make_one(system: LocalSystem) -> None:
    answer = ask(system, connection="defalt", show=True)

    assert "'defalt'" in answer["error"]
    assert "There are: default. Did you mean default?" in answer["remedy"]
    assert "/solvimon-rillet/defalt/settings" in answer["remedy"]
    assert "solvimon-rillet/defalt/solvimon" in answer["remedy"]


@pytest.mark.parametrize("name", ["Default!", "", "a" * 33])
def test_a_name_that_no_connection_can_have_is_said_to_be_none(system: LocalSystem, name: str) -> None:
    assert "letters a-z, digits and hyphens" in ask(system, connection=name)["remedy"]


def test_the_parameter_is_named(system: LocalSystem) -> None:
    assert ask(system)["parameter"] == NAME
