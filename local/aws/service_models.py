"""What botocore knows of AWS's services, read once for a process."""

from functools import cache

from botocore.model import ServiceModel
from botocore.session import Session, get_session


@cache
def _session() -> Session:
    return get_session()


@cache
def service_model(service: str) -> ServiceModel:
    """Return the model of a service: its operations, and the shapes of their requests and answers.

    Args:
        service: the name that its requests are signed with.
    """
    return _session().get_service_model(service)
