"""A reconciliation from its first step to its answer, with nothing of AWS in it.

What a step does is in ``reconcile_run``; what is compared, and how, in the package ``reconciliation``.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from solvimon_rillet.workflows.durable_steps import Json, Patience, Steps

RESTARTS = 5  # how often Rillet's list may begin anew
LONGEST_PERIOD = 400  # days


class ReconcileRequest(BaseModel):
    """What a person or a schedule may ask for; without days, the month before and this one until today."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

    connection: str | None = None
    first: Annotated[date | None, Field(alias="from", description="First day, inclusive.")] = None
    last: Annotated[date | None, Field(alias="to", description="Last day, inclusive.")] = None
    redrive: bool | None = Field(
        default=None, description="Export what is missing; without it, the connection's setting decides."
    )

    @model_validator(mode="after")
    def _period(self) -> "ReconcileRequest":
        if (self.first is None) != (self.last is None):
            raise ValueError("give both from and to, or neither")
        if self.first and self.last and not 0 <= (self.last - self.first).days < LONGEST_PERIOD:
            raise ValueError(f"to should be at or after from, and within {LONGEST_PERIOD} days")
        return self


EXAMPLE = {"connection": "default", "from": "2026-10-01", "to": "2026-10-31"}


class Work(Protocol):
    """What the steps do for one connection. Each answers small JSON: ``stop``, ``later``, or its result."""

    def begin(self) -> Json:
        """Fix the period and what else must stay the same to the end."""

    def solvimon_page(self, begun: Json, number: int) -> Json:
        """Read a page of Solvimon's final documents, with what the ledger says of them."""

    def rillet_page(self, begun: Json, kind: str, since: str, cursor: str | None, number: int) -> Json:
        """Read a page of Rillet's invoices or credit memos."""

    def absent(self, begun: Json, counts: Mapping[str, int], number: int) -> Json:
        """Ask Rillet for documents that the ledger has and Rillet's list has not."""

    def unmapped_records(self, begun: Json, what: str, number: int) -> Json:
        """Read a page of what the next invoices need."""

    def conclude(self, begun: Json, counts: Mapping[str, int]) -> Json:
        """Compare, write the report, tell, and export what is missing."""

    def fail(self) -> Json:
        """Note that the run came to no result."""


class Reconciliation:
    """One run over one connection or all of them.

    Args:
        request: what was asked for.
        steps: runs the steps.
        connections: names all connections, in a step.
        work: what the steps do, by connection.
    """

    def __init__(
        self,
        request: ReconcileRequest,
        steps: Steps,
        connections: Callable[[], Json],
        work: Callable[[str], Work],
    ) -> None:
        self._request = request
        self._patience = Patience(steps)
        self._connections = connections
        self._work = work

    def run(self) -> Json:
        """Reconcile, and say what came of it; an error of one connection does not stop another."""
        if self._request.connection:
            return self._one(self._request.connection, "")
        found = self._patience.do("connections", lambda _: self._connections())
        if "stop" in found:
            return _stopped({}, found["stop"])
        names = [str(name) for name in found["connections"]]
        if len(names) == 1:
            return self._one(names[0], "")
        answers = [self._one(name, f"{name}: ") for name in names]
        return {"tied_out": all(answer["tied_out"] for answer in answers), "connections": answers}

    def _one(self, connection: str, prefix: str) -> Json:
        return _Pass(self._patience, self._work(connection), prefix).run() | {"connection": connection}


class _Pass:
    """The steps for one connection, in order."""

    def __init__(self, patience: Patience, work: Work, prefix: str) -> None:
        self._patience = patience
        self._work = work
        self._prefix = prefix
        self._counts: dict[str, int] = {}
        self._calls = 0
        self._stop: Json | None = None

    def run(self) -> Json:
        begun = self._do("begin", self._work.begin)
        if self._stop is None:
            self._read(begun)
        concluded: Json = {}
        if self._stop is None:
            concluded = self._do("report", lambda: self._work.conclude(begun, self._counts))
        answer: Json = {**concluded, "rillet_calls": self._calls}
        if self._stop is None:
            return answer
        self._patience.do(f"{self._prefix}failed", lambda _: self._work.fail())
        return _stopped(answer, self._stop)

    def _read(self, begun: Json) -> None:
        since = self._bills(begun)
        for kind in ("invoices", "credit-memos"):
            if self._stop is None:
                self._books(begun, kind, since)
        self._pages("absent", lambda number: self._work.absent(begun, self._counts, number))
        for what in ("products", "billing-entities", "customers"):
            self._pages(what, lambda number, what=what: self._work.unmapped_records(begun, what, number))  # type: ignore[misc]

    def _bills(self, begun: Json) -> str:
        """Read Solvimon's documents.

        Returns:
            Since when Rillet's documents for them have changed: the first day, or the first export before it.
        """
        pages = self._pages("Solvimon's documents", lambda number: self._work.solvimon_page(begun, number))
        return min([str(begun["since"]), *(str(page["earliest"]) for page in pages if "earliest" in page)])

    def _books(self, begun: Json, kind: str, since: str) -> None:
        """Read a list of Rillet's; an expired cursor begins it anew without a word (dossier, trap 16)."""
        cursor: str | None = None
        firsts, restarts, number = set[str](), 0, 0
        while self._stop is None:
            number += 1
            result = self._do(
                f"Rillet's {kind}, page {number}",
                lambda n=number, c=cursor: self._work.rillet_page(begun, kind, since, c, n),  # type: ignore[misc]
            )
            if self._stop is not None:
                return
            self._counts[kind] = number
            restarts += result["first"] in firsts
            firsts.add(str(result["first"]))
            cursor = result["cursor"]
            if cursor is None:
                return
            if restarts > RESTARTS or self._patience.exhausted:
                self._stop = {
                    "what": f"Rillet's list of {kind} does not come to its end.",
                    "remedy": "Reconcile a shorter period, or again when less is going on.",
                }

    def _pages(self, what: str, page: Callable[[int], Json]) -> list[Json]:
        """Read pages until one says that there is no more."""
        results: list[Json] = []
        while self._stop is None:
            number = len(results) + 1
            result = self._do(f"{what}, page {number}", lambda n=number: page(n))  # type: ignore[misc]
            if self._stop is not None:
                break
            results.append(result)
            self._counts[what] = number
            if not result.get("more"):
                break
            if self._patience.exhausted:
                self._stop = {
                    "what": f"There is more of {what} than one run may read.",
                    "remedy": "Reconcile a shorter period.",
                }
        return results

    def _do(self, name: str, work: Callable[[], Json]) -> Json:
        def once(_failing: int) -> Json:
            return work()

        result = self._patience.do(f"{self._prefix}{name}", once)
        self._calls += int(result.get("rillet_calls", 0))
        if "stop" in result:
            self._stop = dict(result["stop"])
        return result


def _stopped(told: Mapping[str, Any], stop: Json) -> Json:
    return {"tied_out": False, **told, "error": stop["what"], "remedy": stop["remedy"]}
