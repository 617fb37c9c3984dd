"""Roles of the panel: what a person who is signed in may do."""

from enum import StrEnum


class Role(StrEnum):
    """A role; each one may also do what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: "Role") -> bool:
        """Whether the role is enough where another one is needed."""
        order = list(Role)
        return order.index(self) >= order.index(needed)

    @property
    def text(self) -> str:
        """What a person with the role may do."""
        return _ROLE_TEXTS[self]


_ROLE_TEXTS = {
    Role.VIEWER: "You may see everything, make dry runs, download reports and sign off reconciliations.",
    Role.OPERATOR: "You may also retry, resolve, import, back-fill, reconcile and link. "
    "You may not change settings.",
    Role.ADMIN: "You may do everything, also connect, disconnect and change settings.",
}
