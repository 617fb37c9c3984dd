"""What a finished run must not leave beside the books: waiting work, charged customers, refused calls."""

from collections.abc import Iterator, Sequence

from local.books_check.records import Json, document_records
from local.system import LocalSystem

_UNFINISHED = {"claimed", "sending"}


def messages_left(system: LocalSystem) -> int:
    """Return how many messages are on the queues, those included that wait for a later moment."""
    return sum(queue.depth().total for queue in system.pollers.queues.values())


def webhooks_left(system: LocalSystem) -> int:
    """Return how many webhooks of both vendors are not delivered yet."""
    sides = [side for one in system.connections.values() for side in (one.platform, one.organisation)]
    return sum(side.webhooks.pending() for side in sides)


def held_records(ledger: Sequence[Json], now: float) -> Iterator[str]:
    """Yield which items of the ledger are claimed, leased or locked beyond a moment in Unix seconds."""
    documents = document_records(ledger)
    for item in documents:
        if item["state"] in _UNFINISHED or "lease_until" in item:
            yield f"{item['pk']} is {item['state']}, with a lease until {item.get('lease_until', 'now')}"
    for item in (one for one in ledger if one not in documents):
        if any(float(item[name]) > now for name in ("lease_until", "until") if name in item):
            yield f"{item['pk']} is held"


def unfinished_work(system: LocalSystem) -> Iterator[str]:
    """Yield which records are held, and which queues, dead-letter queues and webhooks are not empty."""
    yield from held_records(system.ledger(), system.clock.now())
    for function, queue in system.pollers.dead_letters.items():
        if letters := queue.bodies():
            yield f"{len(letters)} message(s) of {function} were given up, such as {letters[0]}"
    for function, queue in system.pollers.queues.items():
        if waiting := queue.depth().total:
            yield f"{waiting} message(s) of {function} still wait"
    if webhooks := webhooks_left(system):
        yield f"{webhooks} webhook(s) are not delivered"


def system_problems(system: LocalSystem) -> Iterator[str]:
    """Yield what is unfinished, and what the product must never do to the vendors."""
    yield from unfinished_work(system)
    if charged := system.solvimon.state.charged:
        yield f"Customers were charged by Solvimon's /pay: {charged}"
    if refused := sum(one.organisation.counts.refused for one in system.connections.values()):
        yield f"Rillet refused {refused} calls for their pace"
