"""The lives of documents after their export, one of each kind every week, as tables of hours and acts.

The acts are methods of `Company` and `Afterwards`; `docs/workflows.md` states what each leaves.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.soak.company_data import customer_with_role
from tests.soak.seeded_random import seeded_random

HOUR = 3600
WEEK = 7

Step = tuple[float, str, Mapping[str, Any]]
"""Hours after its beginning, the act, and what it takes besides the names of the life's documents."""

BILL: Step = (0, "finalise", {})
_OTHER = {"other": True}
LIVES: Mapping[str, tuple[Step, ...]] = {
    "card": (BILL, (4, "collect", {})),
    "card, paid out later": (BILL, (4, "collect", {"paid_out": False}), (30, "pay_out", {})),
    "card, fee booked": (BILL, (4, "collect", {}), (28, "book_fee", {})),
    "card, charged back": (BILL, (4, "collect", {}), (28, "charge_back", {})),
    "another currency": (BILL, (5, "pay_in_another_currency", {})),
    "one receipt": (BILL, (0, "finalise", _OTHER), (6, "pay_together", _OTHER)),
    "written off": (BILL, (5, "write_off", {})),
    "goodwill": (BILL, (5, "write_off", {"part": 0.25})),
    "refunded instead": (BILL, (3, "credit", {"part": 0.5}), (7, "refund_instead", {})),
    "credit used": (
        BILL,
        (0, "finalise", _OTHER),
        (3, "credit", {"part": 0.25}),
        (7, "use_elsewhere", _OTHER),
    ),
    "another entity": (BILL, (5, "credit_of_another_entity", {})),
    "memo edited": (BILL, (3, "credit", {"part": 0.5}), (7, "edit_memo", {"by": "1"})),
    "memo corrected": (
        BILL,
        (3, "credit", {"part": 0.5}),
        (7, "edit_memo", {"by": "1"}),
        (29, "edit_memo", {"by": "-1"}),
    ),
    "moved": (BILL, (5, "move", {})),
    "deleted": (BILL, (5, "delete", {})),
    "entered again": (BILL, (5, "enter_again", {})),
    "confirmed": (BILL, (5, "enter_again", {}), (26, "confirm", {}), (31, "pay_all", {})),
    "same number": (BILL, (5, "enter_same_number", {})),
    "relinked product": (
        (0, "finalise", {"product": "relinked"}),
        (6, "correct_product", {"alone": True}),
        (7, "finalise", {"product": "relinked", **_OTHER}),
    ),
}
"""Documents of an ordinary customer of the week."""
_BY_ROLE: Mapping[str, tuple[Step, ...]] = {
    "erased": ((2, "erase", {"alone": True}),),
    "archived": (BILL, (6, "archive", {"alone": True})),
    "never billed": ((2, "archive", {"alone": True}),),
    "merged": (
        BILL,
        (4, "merge", {"alone": True}),
        (5, "finalise", _OTHER),
        (26, "correct_merged_link", {"other_only": True}),
    ),
    "linked again": (
        BILL,
        (4, "correct_link", {"alone": True}),
        (5, "credit", {"part": None}),
        (29, "move_to_right_customer", {}),
    ),
}
"""Documents of a customer of its own, and what happens to that."""
_NEEDS_CUSTOMER = {
    "archive",
    "correct_link",
    "correct_merged_link",
    "erase",
    "merge",
    "move_to_right_customer",
}


def lives(seed: int, customers: int, day: int) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Yield what happens to the documents of a week, with its time in seconds since the start."""
    if day % WEEK:
        return
    rng = seeded_random(seed, "lives", day)
    rows = [(name, steps, rng.randrange(customers)) for name, steps in LIVES.items()]
    rows += [
        (role, steps, customer_with_role(customers, role, day // WEEK)) for role, steps in _BY_ROLE.items()
    ]
    for number, (name, steps, who) in enumerate(rows):
        begin = day * 24 * HOUR + 7 * HOUR + number * 120
        for hours, act, facts in steps:
            yield begin + int(hours * HOUR), act, _facts(act, f"{name}-{day}", who, facts)
    at, refund = day * 24 * HOUR + 9 * HOUR, f"refund-{day}"
    yield at, "one_off", {"number": refund, "invoice": None, "who": rng.randrange(customers)}
    yield at + 5 * HOUR, "refund", {"number": refund}
    yield at, "credit_long_ago", {"number": f"long-ago-{day}", "who": rng.randrange(customers)}


def _facts(act: str, name: str, who: int, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an act takes: the names of its documents, and its customer."""
    own = {key: value for key, value in given.items() if key not in ("other", "alone", "other_only")}
    other = f"{name}, other"
    if act == "finalise":
        return {"number": other if "other" in given else name, "who": who, "shape": "plain", **own}
    if "alone" not in given:
        own["invoice"] = other if "other_only" in given else name
        own |= {"other": other} if "other" in given else {}
    return own | ({"who": who} if act in _NEEDS_CUSTOMER else {})
