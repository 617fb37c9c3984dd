"""The current request: its platform, id, body and URL."""

from typing import cast

from flask import g, request

from local.fake_solvimon.errors import ApiProblem, Json
from local.fake_solvimon.platform import Platform


def current_platform() -> Platform:
    """Return the platform that the request's key opens."""
    return cast(Platform, g.platform)


def request_id() -> str:
    """Return the id that the answer carries as `X-REQUEST-ID`."""
    return cast(str, g.request_id)


def body() -> Json:
    """Return the request's JSON object; an empty body is an empty object.

    Raises:
        ApiProblem: It is not JSON, or not an object.
    """
    if not request.get_data():
        return {}
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise ApiProblem(400, "BAD_REQUEST", "the body must be a JSON object")
    return value


def listed_records(collection: str) -> list[Json]:
    """Return the records that a list shows: all but those that are too new for one that lags."""
    platform = current_platform()
    records = list(platform.records[collection].values())
    lag = g.state.faults.take(request.method, request.path, ("lag",))
    if lag is None:
        return records
    latest = g.state.clock() - lag.seconds()
    return [record for record in records if platform.made_at.get(record["id"], 0) <= latest]


def list_url() -> str:
    """Return the list's own address for `links`, whole or from its path on."""
    return request.base_url if g.state.absolute_links else request.path
