"""Waits of documents whose connection cannot be opened, so that no worker claims them."""

import contextlib
from collections.abc import Iterator

from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.events import BusEvent
from solvimon_rillet.ledger.document_types import DocumentType
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.rate_limit.limiter import RateLimited


@contextlib.contextmanager
def recorded_wait(services: Services, event: BusEvent, kind: DocumentType) -> Iterator[None]:
    """Record the wait of a document whose connection cannot be opened, and raise the error again.

    Args:
        services: the function's.
        event: the bus event of the document.
        kind: the document's type.
    """
    try:
        yield
    except RateLimited:  # a queue of thousands waits for seconds, and needs no record of that
        raise
    except Recoverable as error:
        with contextlib.suppress(Recoverable):
            services.ledger.record_wait(Document(event.connection, kind.name, event.id), error)
        raise
