"""Solvimon's error document (OpenAPI `ApiError`) and the refusals the fake gives with it."""

from typing import Any

Json = dict[str, Any]


class ApiProblem(Exception):
    """A request Solvimon refuses.

    Args:
        status: HTTP status of the answer.
        code: One of Solvimon's 35 `ApiErrorCode` values.
        message: A text for users.
        field: Dotted path with indexes of the field at fault, such as `custom_fields.0.value`.
        resource_id: The resource the refusal is about, when there is one.
        resource_type: Its object type, such as `CUSTOMER`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        resource_id: str | None = None,
        resource_type: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.resource_id = resource_id
        self.resource_type = resource_type

    def document(self) -> Json:
        """Return the body Solvimon answers with."""
        body: Json = {
            "type": "API_ERROR" if self.status >= 500 else "INVALID_REQUEST",
            "code": self.code,
            "message": self.message,
        }
        optional = {
            "field": self.field,
            "resource_id": self.resource_id,
            "resource_type": self.resource_type,
        }
        return body | {name: value for name, value in optional.items() if value is not None}


def invalid_field(field: str, message: str) -> ApiProblem:
    """Return the refusal of a value that breaks a field's rule."""
    return ApiProblem(400, "INVALID_FIELD", message, field=field)


def missing_field(field: str) -> ApiProblem:
    """Return the refusal of a body without a required field, in the words of the guide's example."""
    return ApiProblem(400, "MISSING_FIELD", "value required, but not set", field=field)


def not_found(object_type: str, key: str, field: str | None = None) -> ApiProblem:
    """Return the refusal of an id or reference that this platform does not have.

    Solvimon's OpenAPI rarely lists a 404; its troubleshooting guide pairs it with `RESOURCE_NOT_FOUND`.
    """
    return ApiProblem(
        404,
        "RESOURCE_NOT_FOUND",
        f"{object_type} {key} was not found",
        field=field,
        resource_id=key,
        resource_type=object_type,
    )


def impossible(record: Json, message: str, field: str | None = None) -> ApiProblem:
    """Return the refusal of an act that the state of a record does not allow."""
    return ApiProblem(
        400,
        "INVALID_OPERATION",
        message,
        field=field,
        resource_id=record["id"],
        resource_type=record["object_type"],
    )


def no_such_path(path: str) -> ApiProblem:
    """Return the refusal of a path that the API does not have."""
    return ApiProblem(404, "RESOURCE_NOT_FOUND", f"there is nothing at {path}")


def already_exists(object_type: str, reference: str, resource_id: str) -> ApiProblem:
    """Return the refusal of a reference that another resource of the same kind has."""
    return ApiProblem(
        409,
        "RESOURCE_ALREADY_EXISTS",
        f"{object_type} with reference {reference} already exists",
        field="reference",
        resource_id=resource_id,
        resource_type=object_type,
    )
