"""`set` and `restore` write what was validated, on the version that was seen, and say what they do."""

import json
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from local import sample_data
from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from solvimon_rillet.connections.settings_parameter import SettingsParameter
from tests.integration.configure.support import ADA, NAME, Json, ask, change, stored, version
from tests.support.arrange import patched
from tests.support.interposed import after_call, before_call
from tests.support.logs import function_logs

PRODUCTS = sample_data.fallback_products()
A_PRODUCT = PRODUCTS["default"]

pytestmark = pytest.mark.usefixtures("default")


def paths(answer: Json) -> list[tuple[str, Any, Any]]:
    return [(each["path"], each["old"], each["new"]) for each in answer["changes"]]


def test_set_writes_old_and_new_and_every_function_follows(default: Connection, system: LocalSystem) -> None:
    before = version(system)

    answer = change(system, {"workflows.export_invoice": False, "start_date": "2026-12-01"})
    system.advance(61)
    status = system.invoke("connect_rillet", {"action": "status"})

    assert answer["written"] is True
    assert (answer["version"], version(system)) == (before + 1, before + 1)
    assert paths(answer) == [("workflows.export_invoice", True, False), ("start_date", None, "2026-12-01")]
    assert answer["changes"][0]["in_words"] == "Export Invoices: on → off"
    assert answer["undo"] == {"restore": before, "version": before + 1}
    assert status["workflows"]["export_invoice"] is False
    kept = json.loads(stored(system))
    assert kept["fallback_products"] == default.settings["fallback_products"], "other values stay"


def test_a_dry_run_writes_nothing(system: LocalSystem) -> None:
    before = stored(system), version(system), system.ledger()

    answer = ask(system, set={"start_date": "2026-12-01"}, dry_run=True)

    assert paths(answer) == [("start_date", None, "2026-12-01")]
    assert (answer["written"], answer["version"]) == (False, before[1])
    assert (stored(system), version(system), system.ledger()) == before


def test_null_is_the_default_again_and_empty_objects_go(default: Connection, system: LocalSystem) -> None:
    change(system, {"workflows.export_invoice": False, "tax_types.NL:STANDARD": "VAT"})

    answer = change(system, {"workflows.export_invoice": None, "tax_types.NL:STANDARD": None})

    assert paths(answer) == [
        ("workflows.export_invoice", False, True),
        ("tax_types", {"NL:STANDARD": "VAT"}, {}),
    ]
    assert json.loads(stored(system)).keys() == default.settings.keys()


def test_one_kind_of_a_setting_that_one_word_stood_for_changes_alone(system: LocalSystem) -> None:
    change(system, {"matching": "link"})

    answer = change(system, {"matching.products": "create"})

    assert paths(answer) == [("matching.products", "link", "create")]
    assert json.loads(stored(system))["matching"] == {
        "customers": "link",
        "products": "create",
        "subsidiaries": "link",
    }


def test_what_is_in_force_already_is_not_written_again(system: LocalSystem) -> None:
    before = version(system)

    answer = change(system, {"mark_as_sent": True})

    assert (answer["changes"], answer["written"], version(system)) == ([], False, before)
    assert "in force already" in answer["effect"][0]


@pytest.mark.parametrize(
    ("changes", "path", "problem", "meant"),
    [
        ({"invoce_scope": "FULL"}, "invoce_scope", "there is no such setting", "invoice_scope"),
        ({"invoce_scope": None}, "invoce_scope", "there is no such setting", "invoice_scope"),
        (
            {"workflows.export_invoices": False},
            "workflows.export_invoices",
            "there is no such",
            "workflows.export_invoice",
        ),
        ({"invoice_scope": "full"}, "invoice_scope", '"full" is not one of FULL, ', None),
        (
            {"workflows.export_invoice": "maybe"},
            "workflows.export_invoice",
            '"maybe" is not true or false',
            None,
        ),
        ({"invoice_scope.x": 1}, "invoice_scope", "is not one of FULL", None),
        (
            {"solvimon.base_url": "https://evil.example"},
            "solvimon.base_url",
            "host that the deployment",
            None,
        ),
    ],
)
def test_a_mistake_is_refused_in_words_with_its_path_and_what_was_meant(
    system: LocalSystem, changes: Json, path: str, problem: str, meant: str | None
) -> None:
    before = stored(system)

    answer = change(system, changes)

    [found] = [each for each in answer["problems"] if each["path"] == path]
    assert problem in found["problem"]
    assert found["did_you_mean"] == meant
    assert answer["error"].startswith(f"{path}: ")
    assert "Nothing was written" in answer["remedy"]
    assert stored(system) == before


def test_all_mistakes_are_named_at_once(system: LocalSystem) -> None:
    answer = change(system, {"invoce_scope": "FULL", "tax_country": "nl"})

    assert {each["path"] for each in answer["problems"]} == {"invoce_scope", "tax_country"}
    assert "(and 1 more)" in answer["error"]


def test_a_stale_version_is_refused_with_who_changed_what(system: LocalSystem) -> None:
    seen = version(system)
    change(system, {"mark_as_sent": False})

    answer = ask(system, set={"start_date": "2026-01-01"}, version=seen, by="Grace Hopper")

    assert f"The settings have version {seen + 1} by now, not {seen}" in answer["error"]
    assert f"{ADA} changed Mark as sent: on → off" in answer["error"]
    assert f'"version": {seen + 1}' in answer["remedy"]
    assert answer["since"][0]["by"] == ADA
    assert "start_date" not in stored(system)


def test_a_stale_dry_run_is_refused_too(system: LocalSystem) -> None:
    seen = version(system)
    change(system, {"mark_as_sent": False})

    assert "by now" in ask(system, set={"start_date": None}, version=seen, dry_run=True)["error"]


def test_a_write_without_a_version_is_refused(system: LocalSystem) -> None:
    assert "version is missing" in ask(system, set={"mark_as_sent": False})["error"]


@pytest.mark.parametrize(
    "event",
    [{"set": {}, "version": 1}, {"set": {"mark_as_sent": True}, "restore": 1, "version": 1}, {"restore": 0}],
)
def test_a_request_that_makes_no_sense_is_answered_with_examples(system: LocalSystem, event: Json) -> None:
    answer = ask(system, **event)

    assert "error" in answer
    assert answer["examples"]


def test_restore_brings_an_earlier_version_back(system: LocalSystem) -> None:
    good, text = version(system), stored(system)
    change(system, {"mark_as_sent": False})

    answer = ask(system, restore=good, version=version(system), by="Grace Hopper")

    assert paths(answer) == [("mark_as_sent", False, True)]
    assert stored(system) == text
    assert ask(system)["history"][0]["by"] == "Grace Hopper"


def test_a_version_that_is_not_kept_is_named_with_those_that_are(system: LocalSystem) -> None:
    answer = ask(system, restore=99, version=version(system))

    assert "there is no version 99; Parameter Store keeps the versions 1 to 1" in answer["error"]


def test_an_invalid_version_is_not_restored(default: Connection, system: LocalSystem) -> None:
    system.put_settings("default", {**default.settings, "invoice_scope": "HALF"})
    system.put_settings("default", default.settings)

    answer = ask(system, restore=2, version=3)

    assert answer["problems"][0]["path"] == "invoice_scope"


def test_settings_edited_by_hand_go_on_working(default: Connection, system: LocalSystem) -> None:
    change(system, {"mark_as_sent": False})
    system.put_settings("default", {**default.settings, "address_state": "ZH"})

    answer = change(system, {"start_date": "2026-01-01"})

    assert answer["written"] is True
    assert json.loads(stored(system))["address_state"] == "ZH"


def test_an_edit_by_hand_at_the_same_moment_is_said_and_can_be_brought_back(
    default: Connection, system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = version(system)

    def edit_by_hand(*_: object) -> None:
        system.put_settings("default", {**default.settings, "address_state": "ZH"})

    before_call(monkeypatch, SettingsParameter, "write", edit_by_hand, call=1)

    answer = ask(system, set={"mark_as_sent": False}, version=seen)
    restored = ask(system, restore=seen + 1, version=answer["version"])

    assert answer["version"] == seen + 2
    assert (
        f"Version {seen + 1} was written by hand at the same moment, and is replaced" in answer["warnings"][0]
    )
    assert ("address_state", None, "ZH") in paths(restored)


def test_of_two_who_write_at_once_one_waits(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Json] = []

    def write_too(*_: object) -> None:
        answers.append(ask(system, set={"start_date": "2026-01-01"}, version=version(system)))

    after_call(monkeypatch, SettingsParameter, "current", write_too, call=1)

    first = ask(system, set={"mark_as_sent": False}, version=version(system))

    assert first["written"] is True
    assert "Another user changes these settings at this moment" in answers[0]["error"]
    assert "start_date" not in stored(system)


def test_a_writer_that_died_holds_nobody_up_for_long(system: LocalSystem) -> None:
    with patched(SettingsParameter, "write"), pytest.raises(Killed):
        change(system, {"mark_as_sent": False})
    system.advance(61)

    assert change(system, {"mark_as_sent": False})["written"] is True


def test_settings_above_the_limit_of_parameter_store_are_refused_with_the_remedy(system: LocalSystem) -> None:
    zones = {f"Zone {number}": "Europe/Amsterdam" for number in range(300)}

    answer = change(system, {"time_zones": zones})

    assert "Parameter Store takes 8,192" in answer["error"]
    assert "tables such as tax_types" in answer["remedy"]
    assert "Zone 1" not in stored(system)


def test_settings_above_4096_characters_become_an_advanced_parameter(system: LocalSystem) -> None:
    zones = {f"Zone {number}": "Europe/Amsterdam" for number in range(130)}

    assert change(system, {"time_zones": zones})["written"] is True
    assert 4096 < len(stored(system)) < 8192


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("0198c1d2-0000-4000-8000-000000000001", "Rillet has no product with this id"),
        ("{name}", "did you mean {id} ({name})?"),
    ],
)
def test_a_product_that_rillet_does_not_have_is_refused(
    default: Connection, system: LocalSystem, given: str, problem: str
) -> None:
    products = {each["id"]: each["name"] for each in default.organisation.products.documents()}
    words = {"id": A_PRODUCT, "name": products[A_PRODUCT]}

    answer = change(system, {"fallback_products.one_off": given.format(**words)})

    assert problem.format(**words) in answer["error"]
    assert answer["problems"][0]["path"] == "fallback_products.one_off"


def test_a_product_that_rillet_has_is_taken(system: LocalSystem) -> None:
    answer = change(system, {"fallback_products.one_off": A_PRODUCT, "fallback_products.discount": None})

    assert answer["written"] is True


def test_without_an_answer_of_rillet_the_products_are_said_not_to_be_checked(system: LocalSystem) -> None:
    system.rillet.state.misbehave("down")

    answer = change(system, {"fallback_products.one_off": "0198c1d2-0000-4000-8000-000000000001"})

    assert answer["written"] is True
    assert "was not checked" in answer["effect"][0]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ReadTimeoutError(endpoint_url="x"), "whether the settings were written is not known"),
        (
            ClientError({"Error": {"Code": "ParameterMaxVersionLimitExceeded"}}, "PutParameter"),
            "ParameterMaxVersionLimitExceeded",
        ),
    ],
    ids=["a lost answer", "a refusal"],
)
def test_a_lost_answer_of_parameter_store_is_said_to_be_unknown_and_a_refusal_is_named(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, failure: Exception, words: str
) -> None:
    def fail(_: BaseClient, operation: str, _asked: object) -> None:
        if operation == "PutParameter":
            raise failure

    before_call(monkeypatch, BaseClient, "_make_api_call", fail)

    answer = change(system, {"mark_as_sent": False})

    assert words in answer["error"]


def test_no_log_has_a_value_or_who_wrote_it(system: LocalSystem) -> None:
    with function_logs(system, ["configure"]) as logs:
        change(system, {"address_state": "a-value-of-ours"})

    assert "settings changed" in logs.text
    assert "address_state" in logs.text
    assert "a-value-of-ours" not in logs.text
    assert ADA not in logs.text


def test_who_wrote_it_is_in_the_parameters_description(system: LocalSystem) -> None:
    change(system, {"mark_as_sent": False})

    found = system.aws.ssm.get_parameter_history(Name=NAME)["Parameters"][-1]

    assert found["Description"] == f"Version {found['Version']}, by {ADA}"
