"""What the company does, and when: drawn from the seed before anything happens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.soak import company_data
from tests.soak.lives import WEEK, lives
from tests.soak.seeded_random import seeded_random

DAY = 24 * 3600
MONTH_END = datetime(2030, 11, 1, tzinfo=UTC)
"""In the middle of the run. It lies ahead of the machine's clock: moto's queues do not go back in time."""


@dataclass(frozen=True)
class Plan:
    """The size of a run; all else follows from the seed.

    Attributes:
        seed: of all random numbers.
        days: simulated.
        customers: of the first day.
        invoices: finalised on an ordinary day, at least and at most.
        sweep_seconds: simulated seconds between two sweeps.
        outage_hours: how long each vendor is away.
        failing: share of the calls to the vendors that fail.
        lost: share of the webhooks that never come.
    """

    seed: int
    days: int = 30
    customers: int = 300
    invoices: tuple[int, int] = (22, 30)
    sweep_seconds: int = 900
    outage_hours: float = 3.0
    failing: float = 0.01
    lost: float = 0.02

    @property
    def start(self) -> datetime:
        """When the run begins."""
        return MONTH_END - timedelta(days=self.days // 2)

    @property
    def weeks(self) -> int:
        """How many weeks begin."""
        return -(-self.days // WEEK)

    @property
    def seconds(self) -> int:
        """How long the company acts."""
        return self.days * DAY

    @property
    def closes_at(self) -> int:
        """When the month before is closed in Rillet, in seconds since the start."""
        return (self.days // 2 + min(3, self.days // 8)) * DAY + 12 * 3600

    @property
    def linked_at(self) -> int:
        """When somebody links the product that has been billed for a while."""
        return int(0.45 * self.seconds) + 1800

    @property
    def restored_at(self) -> int:
        """When the ledger is restored, to its state of six hours before.

        Not on a day on which people correct links: what they answered since that moment is lost.
        """
        day = int(0.8 * self.days)
        return (day - (day > 0 and day % WEEK == 0)) * DAY + 16 * 3600 + 1800

    def outages(self) -> dict[str, tuple[float, float]]:
        """From when until when each vendor is away, in seconds since the start; one of them by night."""
        by_day, by_night = int(0.3 * self.days) * DAY + 10 * 3600, int(0.7 * self.days) * DAY + 2.5 * 3600
        length = self.outage_hours * 3600
        return {"rillet": (by_day, by_day + length), "solvimon": (by_night, by_night + length)}


@dataclass(frozen=True, order=True)
class Action:
    """Something that somebody does; `facts` are what the method of `Company` of that name takes."""

    at: int
    number: int
    kind: str = field(compare=False)
    facts: Mapping[str, Any] = field(compare=False)


def actions(plan: Plan) -> list[Action]:
    """Return all that happens, in order of time."""
    drawn = [one for one in _drawn(plan) if one[0] < plan.seconds]
    drawn.sort(key=lambda one: one[0])
    return [Action(at, number, kind, facts) for number, (at, kind, facts) in enumerate(drawn)]


Drawn = tuple[int, str, Mapping[str, Any]]


def _drawn(plan: Plan) -> Iterator[Drawn]:
    yield from _closed_month(plan)
    yield plan.restored_at - 6 * 3600, "keep_ledger", {}
    yield plan.restored_at, "restore_ledger", {}
    yield plan.linked_at, "link_late_product", {}
    yield plan.seconds // 3, "reconnect", {}
    invoices, entered = 0, list[int]()
    for day in range(plan.days):
        rng = seeded_random(plan.seed, "day", day)
        for _ in range(_count(plan, day, rng)):
            yield from _invoice(plan, day, invoices, rng, entered)
            invoices += 1
        yield from _late_product(plan, day, rng)
        yield from _customers(plan, day, rng)
        yield from _one_off(plan, day, rng)
        yield from lives(plan.seed, plan.customers, day)
        yield from _by_hand(day, invoices, seeded_random(plan.seed, "by hand", day))
        for _ in range(rng.randint(0, 2)):
            entered.append(len(entered))
            yield day * DAY + rng.randrange(DAY), "enter_customer", {"number": entered[-1]}
        if day % 6 == 1:
            yield day * DAY + 9 * 3600, "enter_product", {"number": day}


def _count(plan: Plan, day: int, rng: Random) -> int:
    """How many invoices a day has; on the first of a month twice as many."""
    count = rng.randint(*plan.invoices)
    return 2 * count if (plan.start + timedelta(days=day)).day == 1 else count


def _invoice(plan: Plan, day: int, number: int, rng: Random, entered: list[int]) -> Iterator[Drawn]:
    at = day * DAY + rng.randint(6 * 3600, 20 * 3600)
    back = 0
    if plan.closes_at < at < plan.closes_at + 3 * DAY and rng.random() < 0.25:
        back = rng.randint(4, 9) * DAY  # of the month that is closed by now
    is_new = entered and rng.random() < 0.08
    who = f"new {rng.choice(entered)}" if is_new else rng.randrange(plan.customers)
    shape = rng.choice(list(company_data.SHAPES))
    yield at, "finalise", {"number": number, "who": who, "shape": shape, "back": back}
    yield from _settlement(at, number, rng)


def _late_product(plan: Plan, day: int, rng: Random) -> Iterator[Drawn]:
    """Invoices of the product that is not linked yet, in the days before it is."""
    since = plan.linked_at - max(DAY // 2, plan.seconds // 5)
    for number in range(2):
        at = day * DAY + rng.randint(6 * 3600, 20 * 3600)
        if since < at < plan.linked_at:
            name, who = f"late-{day}-{number}", rng.randrange(plan.customers)
            yield (
                at,
                "finalise",
                {"number": name, "who": who, "shape": "plain", "back": 0, "product": "unlinked"},
            )


def _closed_month(plan: Plan) -> Iterator[Drawn]:
    """The month before is closed, opened for what was forgotten, and closed again."""
    name, opened = "forgotten", plan.closes_at + 3 * 3600
    yield plan.closes_at, "close_month", {}
    yield opened, "reopen_month", {}
    facts = {"number": name, "who": 0, "shape": "plain", "back": 5 * DAY, "on_time": True}
    yield opened + 1800, "finalise", facts
    yield opened + 3600, "close_again", {"invoice": name}


def _settlement(at: int, number: int, rng: Random) -> Iterator[Drawn]:
    """Payments and credits of an invoice. Nothing is undone on a credited one: people would do that."""
    soon, later = at + rng.randint(DAY // 8, 2 * DAY), at + rng.randint(2 * DAY + 1, 4 * DAY)
    last = later + rng.randint(DAY // 2, 2 * DAY)
    one, two = f"{number}.1", f"{number}.2"
    share = rng.choice((0.25, 0.4, 0.5, 0.75))

    def pay(when: int, payment: str, part: float | None = None, *, cleared: bool = True) -> Drawn:
        return when, "pay", {"invoice": number, "payment": payment, "part": part, "cleared": cleared}

    match rng.choices(list(_SETTLEMENTS), list(_SETTLEMENTS.values()))[0]:
        case "paid":
            yield pay(soon, one)
        case "part":
            yield pay(soon, one, share)
        case "parts":
            yield from (pay(soon, one, share), pay(later, two))
        case "cleared":
            yield from (pay(soon, one, cleared=False), (later, "clear", {"payment": one}))
        case "failed":
            yield from (pay(soon, one, cleared=False), (later, "fail", {"payment": one}))
        case "failed, paid":
            yield from (pay(soon, one, cleared=False), (later, "fail", {"payment": one}), pay(last, two))
        case "undone":
            yield from (pay(soon, one), (later, "undo", {"payment": one}))
        case "undone in part":
            yield from (pay(soon, one, share), pay(later, two), (last, "undo", {"payment": two}))
        case "credited":
            yield soon, "credit", {"invoice": number, "part": None}
        case "credited in part":
            yield soon, "credit", {"invoice": number, "part": share}
        case "paid, credited":
            yield from (pay(soon, one, share), (later, "credit", {"invoice": number, "part": share}))
        case "credited, paid":
            yield from ((soon, "credit", {"invoice": number, "part": share}), pay(later, one))
        case "one-off":
            yield soon, "one_off", {"number": f"of-{number}", "invoice": number, "who": None}


_SETTLEMENTS = {
    "open": 22,
    "paid": 30,
    "part": 6,
    "parts": 6,
    "cleared": 6,
    "failed": 3,
    "failed, paid": 3,
    "undone": 5,
    "undone in part": 3,
    "credited": 4,
    "credited in part": 4,
    "paid, credited": 3,
    "credited, paid": 3,
    "one-off": 2,
}


def _customers(plan: Plan, day: int, rng: Random) -> Iterator[Drawn]:
    for number in range(rng.randint(4, 8)):
        what = rng.choice(("name", "email", "street", "nothing"))
        facts = {"who": rng.randrange(plan.customers), "what": what, "mark": f"{day}.{number}"}
        yield day * DAY + rng.randrange(DAY), "edit_customer", facts
    facts = {"who": rng.randrange(plan.customers), "days": rng.choice((7, 21, 45, 60))}
    yield day * DAY + rng.randrange(DAY), "edit_terms", facts


def _by_hand(day: int, invoices: int, rng: Random) -> Iterator[Drawn]:
    """Edits of Solvimon's documents in Rillet, and imports that people start themselves."""
    for number in range(rng.randint(1, 3)):
        at = day * DAY + rng.randint(6 * 3600, 20 * 3600)
        yield at, "edit_invoice", {"invoice": rng.randrange(max(1, invoices)), "mark": f"{day}.{number}"}
    if rng.random() < 0.3:
        yield day * DAY + rng.randint(6 * 3600, 20 * 3600), "import_customers", {}


def _one_off(plan: Plan, day: int, rng: Random) -> Iterator[Drawn]:
    """A credit note that refers to no invoice."""
    at, who = day * DAY + rng.randint(6 * 3600, 20 * 3600), rng.randrange(plan.customers)
    if rng.random() < 0.5:
        yield at, "one_off", {"number": f"day-{day}", "invoice": None, "who": who}
