"""Lambda function ``link_records``: records that exist in both systems, and their links.

Takes a direct invocation::

    {"list": "customers", "only": "proposed"}     pairs that are alike; also unlinked, ambiguous, linked
    {"link": {"kind": "product", "solvimon_id": "prod_...", "rillet_id": "..."}}
    {"unlink": {"kind": "product", "solvimon_id": "prod_..."}}
    {"different": {...}}                           never propose this pair again
    {"accept": "all", "kind": "product"}           link every proposal that is not ambiguous
    {"doubles": "customers"}                       records of one system that are alike
    {"csv": "products"}                            all of them as a file in the bucket of reports
    {"csv_in": "lists/default/...csv"}             what the rows of a file say
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.link_function import link_handler


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return link_handler(environment, clock)


handler = on_first_call(create_handler)
