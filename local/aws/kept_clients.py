"""boto3's clients, made once: to make one takes longer than most calls, and each cold start makes several."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from botocore.retries import quota


@contextmanager
def clients_made_once() -> Iterator[None]:
    """While this lasts, a cold start gets the client that an earlier one with the same options has made.

    Its allowance of retries is full again, as that of a new client.
    """
    make: Callable[..., Any] = boto3.client
    made: dict[tuple[str, str], tuple[Any, list[quota.RetryQuota]]] = {}
    making = threading.Lock()  # boto3 cannot make clients in two threads at once

    def client(service: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the client's type is the service's
        config = options.get("config")
        if args or options.keys() != {"config"} or not isinstance(config, Config):
            return make(service, *args, **options)
        with making:
            key = service, repr(sorted(vars(config).items(), key=str))
            if key not in made:
                allowances: list[quota.RetryQuota] = []
                with patch.object(quota, "RetryQuota", _remembering(allowances)):
                    made[key] = make(service, **options), allowances
            kept, allowances = made[key]
            for allowance in allowances:
                allowance.release(allowance.INITIAL_CAPACITY)
            return kept

    with patch.object(boto3, "client", client):
        yield


def _remembering(allowances: list[quota.RetryQuota]) -> Callable[[], quota.RetryQuota]:
    real = quota.RetryQuota

    def new() -> quota.RetryQuota:
        allowances.append(real())
        return allowances[-1]

    return new
