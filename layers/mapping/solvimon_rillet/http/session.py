"""A session of requests: which calls it repeats, and what it never adds to them."""

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry


def session(get_retries: int) -> requests.Session:
    """A session that repeats safe reads automatically, and nothing else.

    Args:
        get_retries: number of times that a GET is repeated after a connection error or a 5xx.
    """
    retry = Retry(
        total=get_retries,
        read=0,  # a vendor that did not answer in 20 seconds is not asked again in this run
        allowed_methods={"GET"},
        status_forcelist={500, 502, 503, 504},
        backoff_factor=0.2,
        raise_on_status=False,
        redirect=0,
        respect_retry_after_header=False,
    )
    made = requests.Session()
    made.headers["Accept"] = "application/json"  # Rillet answers an invoice as PDF to others
    made.mount("https://", HTTPAdapter(max_retries=retry))
    made.mount("http://", HTTPAdapter(max_retries=retry))
    made.auth = _keep_headers
    # Several connections share a session; a cookie of one must not reach another.
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return made


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate by the headers as they are; without it, requests replaces ours by those of ~/.netrc."""
    return request
