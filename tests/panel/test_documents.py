"""Documents: the filters of the list."""

import re
from urllib.parse import parse_qsl

from local.system import Connection, LocalSystem
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.answers import AnswerWith
from tests.panel.visitor import CONNECTION, Visitor, visible

PAGE = "/documents"


def test_a_list_is_filtered_by_cause_currency_and_date_beside_state_kind_and_search(
    operator: Visitor, answered: AnswerWith
) -> None:
    failure = {"code": "product_not_linked", "meaning": "A product has no link.", "documents": 3}
    asked = answered({"sync_status": {"failures": [failure], "documents": []}})
    wanted = "code=product_not_linked&currency=EUR&from=2026-10-01&to=2026-10-31"

    page = operator.page(f"{PAGE}?kind=credit_memo&state=rejected&{wanted}")
    operator.page(f"{PAGE}?q=Maas&kind=credit_memo&{wanted}")

    filters = {"code": "product_not_linked", "currency": "EUR", "from": "2026-10-01", "to": "2026-10-31"}
    assert [each["documents"] for each in asked if "documents" in each] == [
        {"kind": "credit_memo", "state": "rejected", **filters, "after": None, "limit": 50},
        {"search": "Maas", "state": None, **filters, "after": None, "limit": 50},
    ]
    form = operator.form(page, PAGE)
    assert {name: form.fields[name] for name in filters} == filters
    assert '<option value="product_not_linked" selected>A product has no link</option>' in page


def test_a_page_that_looked_at_enough_offers_to_go_on_with_the_same_filters(
    operator: Visitor, answered: AnswerWith
) -> None:
    said = {"documents": [], "next": "token", "looked_at": 1000, "in_words": "No invoices in USD."}
    answered({"sync_status": said})

    page = operator.page(f"{PAGE}?currency=USD")

    assert "None of 1,000 documents matches; there are more." in visible(page)
    [address] = re.findall(rf'href="{CONNECTION}([^"]+)">Go on looking', page)
    assert address.replace("&amp;", "&") == f"{PAGE}?kind=invoice&currency=USD&after=token"


def test_the_rejected_of_one_cause_are_listed_from_its_card(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    unlinked(default)
    finalised(system, default, *some(2))

    page = operator.page(f"{PAGE}?kind=invoice&state=rejected&code=product_not_linked&currency=EUR")
    none = operator.page(f"{PAGE}?currency=USD")

    assert "2 invoices in the state rejected with the cause product_not_linked in EUR." in visible(page)
    assert "No document matches." in visible(none)


UNREADABLE = {
    "currency=Euro": "Currency: should be the code of a currency, such as EUR",
    "from=2026-11-30&to=2026-11-01": "From should not be later than to",
    "from=1.11.2026": "From: should be a day such as 2026-10-01",
}


def test_a_filter_that_is_none_is_named_and_keeps_what_was_written(operator: Visitor) -> None:
    for query, problem in UNREADABLE.items():
        page = operator.page(f"{PAGE}?{query}")

        assert problem in visible(page)
        assert dict(parse_qsl(query)).items() <= operator.form(page, PAGE).fields.items()
