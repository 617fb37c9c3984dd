"""The digest that a sweep sends, from the answer of ``sync_status``."""

import contextlib
import logging

from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.errors import RetryLater, SolvimonRilletError

logger = logging.getLogger(__name__)


def send_digest_if_due(services: Services, name: str) -> None:
    """Send a connection's digest, if it is due; one that fails stops nothing, and the next sweep sends it."""
    try:
        _send_if_due(services, name)
    except SolvimonRilletError as error:
        logger.warning("digest not sent", extra={"connection": name, "reason": error.own_words})
    except Exception:  # the sweep does its work, whatever fails here
        logger.exception("digest not sent", extra={"connection": name})


def _send_if_due(services: Services, name: str) -> None:
    settings = services.configuration.settings(name)
    if settings.digest.hour is None:
        return
    from solvimon_rillet.entrypoints.status_function import connection_report
    from solvimon_rillet.workflows.status.digest import Digest

    digest = Digest(
        name,
        settings.digest,
        services.table,
        lambda: services.topic,
        lambda: _panel_address(services),
        services.clock,
    )
    if digest.send_if_due(lambda: connection_report(services, name)):
        logger.info("digest sent", extra={"connection": name})


def _panel_address(services: Services) -> str:
    """The panel's address; empty if there is none, or if it cannot be read now."""
    with contextlib.suppress(RetryLater):
        return f"{services.configuration.api_url()}/panel" if services.has_panel else ""
    return ""
