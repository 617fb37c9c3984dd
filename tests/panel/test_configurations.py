"""Configurations: the switches, the settings, their review, their history."""

import json
from html import escape, unescape

import pytest

from local.system import Connection, LocalSystem
from tests.integration.configure.support import change, stored, version
from tests.panel.visitor import Visitor, forms, signed_in, visible
from tests.support.builders import Json

PAGE = "/configurations"
SWITCHES = [
    *("Export Invoices", "Export Credit Memos", "Sync Customer to Rillet", "Mark Invoices as Paid"),
    *("Import Subsidiaries", "Import Products", "Import Customers"),
]


def values(system: LocalSystem) -> Json:
    """The settings as they are stored."""
    found: Json = json.loads(stored(system))
    return found


def test_the_seven_switches_have_the_names_of_the_guide(admin: Visitor) -> None:
    page = admin.page(PAGE)

    places = [page.index(f"<b>{name}</b>") for name in SWITCHES]
    assert places == sorted(places)
    assert page.count('role="switch"') == len(SWITCHES)
    assert "finalised invoices are skipped, not queued" in visible(page)


def test_a_field_shows_its_value_its_default_and_whether_it_was_changed(
    system: LocalSystem, admin: Visitor
) -> None:
    change(system, {"start_date": "2026-10-01"})

    page = admin.page(PAGE)

    assert 'id="start_date" name="start_date" type="date" value="2026-10-01"' in page
    assert "Changed; the default is none." in visible(page)
    assert "Default: FULL." in visible(page)


def test_a_change_is_reviewed_then_confirmed_and_kept_with_the_name_of_who_did_it(
    system: LocalSystem, admin: Visitor
) -> None:
    before = version(system)
    page = admin.page(PAGE)

    form = admin.form(page, "/configurations/review")
    filled = {**form.fields, "start_date": "2026-10-01"}
    del filled["workflows.sync_customer"]
    review = admin.get(admin.post(form.action, filled).headers["location"]).text
    untouched = version(system)
    result = admin.send(review, "/configurations/confirm")
    after = admin.page(PAGE)

    assert "Review 2 changes" in visible(review)
    assert "Sync Customer to Rillet workflows.sync_customer On Off" in visible(review)
    assert "Edits of customers that are made from now on would be skipped" in visible(review)
    assert untouched == before
    assert f"Version {before + 1} is saved" in visible(result)
    assert values(system)["start_date"] == "2026-10-01"
    assert values(system)["workflows"] == {"sync_customer": False}
    assert "controller@tideway.example (admin)" in after
    assert "Sync Customer to Rillet: on → off" in visible(after)


def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(system: LocalSystem, admin: Visitor) -> None:
    change(
        system,
        {"tax_types": {"NL": "VAT"}, "rillet.pacing.requests": 50, "time_zones": {"X.Y": "Europe/Amsterdam"}},
    )

    result = admin.send(admin.page(PAGE), "/configurations/review")

    assert "Nothing would change" in visible(result)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"advanced": '{"swep": {"lookback_days": 7}}'}, "Did you mean sweep"),
        ({"advanced": "{"}, "This is no JSON"),
        ({"advanced": "[]"}, "it is no object"),
        ({"tax_types": "NL"}, "is no JSON"),
        ({"tax_country": "Netherlands"}, "Not saved"),
        ({"invoice_scope": "full"}, "Not saved"),
        ({"advanced": '{"rillet": {"pacing": {"requests": "many"}}}'}, "rillet.pacing.requests"),
    ],
)
def test_a_refusal_stands_at_its_field_and_loses_nothing_that_was_written(
    system: LocalSystem, admin: Visitor, written: Json, problem: str
) -> None:
    before = stored(system)
    page = admin.page(PAGE)

    refused = admin.send(page, "/configurations/review", mark_as_sent="no", **written)
    form = admin.form(refused, "/configurations/review")

    assert problem in visible(refused), visible(refused)[-1500:]
    assert 'aria-invalid="true"' in refused
    assert "Nothing was changed." in visible(refused)
    assert stored(system) == before
    corrected = admin.form(page, "/configurations/review").fields
    assert 'value="no" selected' in refused.partition('id="mark_as_sent"')[2].partition("</select>")[0]
    assert set(form.fields) == set(corrected)


def test_other_settings_are_changed_and_removed_as_json(system: LocalSystem, admin: Visitor) -> None:
    change(system, {"rillet.pacing.requests": 50, "time_zones": {"X": "Europe/Amsterdam"}})

    review = admin.send(
        admin.page(PAGE), "/configurations/review", advanced='{"rillet": {"pacing": {"requests": 40}}}'
    )
    admin.send(review, "/configurations/confirm")

    assert values(system)["rillet"]["pacing"]["requests"] == 40
    assert "time_zones" not in values(system)


def test_a_change_on_a_version_that_is_not_in_force_any_more_shows_who_changed_what(
    system: LocalSystem, admin: Visitor
) -> None:
    review = admin.send(admin.page(PAGE), "/configurations/review", start_date="2026-10-01")
    change(system, {"tax_country": "NL"})

    result = visible(admin.send(review, "/configurations/confirm"))

    assert "Ada Lovelace changed" in result
    assert "start_date" not in values(system)


def test_an_earlier_version_is_restored_after_a_review(system: LocalSystem, admin: Visitor) -> None:
    before = version(system)
    first = values(system)
    change(system, {"tax_country": "NL"})
    page = admin.page(PAGE)

    form = next(each for each in forms(page) if each.fields.get("restore") == str(before))
    review = admin.get(admin.post(form.action, form.fields).headers["location"]).text
    result = admin.send(review, "/configurations/confirm")

    assert f"Version {before} is in force again then" in visible(review)
    assert f"Restored version {before}" in visible(result)
    assert values(system) == first


def test_only_an_admin_sees_buttons_that_change_settings(system: LocalSystem, default: Connection) -> None:
    page = signed_in(system, "operator").page(PAGE)

    assert "<fieldset disabled>" in page
    assert "Review changes" not in page
    assert "Restore…" not in page


def test_fallback_products_are_picked_by_their_names_in_rillet(system: LocalSystem, admin: Visitor) -> None:
    listed = system.invoke("configure", {"show": True, "products": True})["products"]
    identity, name = listed[-1]["id"], listed[-1]["name"]
    change(system, {"fallback_products.discount": listed[0]["id"]})
    page = admin.page(PAGE)

    review = admin.send(page, "/configurations/review", **{"fallback_products.discount": identity})
    admin.send(review, "/configurations/confirm")
    after = admin.page(PAGE).partition('id="fallback_products.discount"')[2].partition("</select>")[0]

    assert f'<option value="{identity}">{escape(name)}</option>' in page
    assert f"{name} ({identity})" in unescape(visible(review))
    assert values(system)["fallback_products"]["discount"] == identity
    assert f'<option value="{identity}" selected>' in after


def test_where_rillets_products_cannot_be_read_their_ids_are_written(
    system: LocalSystem, default: Connection, admin: Visitor
) -> None:
    system.rillet.state.revoke(default.rillet_api_key)
    system.runtime.reset()

    page = admin.page(PAGE)

    assert "Rillet&#39;s products cannot be read" in page
    assert '<input id="fallback_products.discount"' in page


def test_notifications_say_where_alarms_go_and_how_each_part_is_changed(admin: Visitor) -> None:
    before = visible(admin.page(PAGE))
    admin.page("?check=1")
    section = visible(admin.page(PAGE).partition('<h2 id="notifications">')[2].partition("</section>")[0])

    assert "Not checked yet" in before
    assert "Nobody gets the alarms" in section
    assert "Deploy with the parameter AlarmEmail" in section
    assert "SlackWorkspaceId=" in section
    assert "make deploy" in section
    for path in ("digest.hour", "digest.time_zone", "outcome_events"):
        assert path in section


def test_the_hour_of_the_digest_is_set_by_the_form(system: LocalSystem, admin: Visitor) -> None:
    review = admin.send(admin.page(PAGE), "/configurations/review", **{"digest.hour": "8"})
    wrong = admin.send(admin.page(PAGE), "/configurations/review", **{"digest.hour": "noon"})

    admin.send(review, "/configurations/confirm")

    assert system.invoke("configure", {"show": True})["effective"]["digest"]["hour"] == 8
    assert 'aria-invalid="true"' in wrong
