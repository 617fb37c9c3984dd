"""What ``configure`` can be asked for."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from solvimon_rillet.ledger.actor import RequestedBy

CONFIGURE_EXAMPLES: list[dict[str, Any]] = [
    {"connection": "default", "show": True},
    {"show": True, "products": True},
    {"set": {"workflows.export_invoice": False, "start_date": "2026-12-01"}, "dry_run": True},
    {"set": {"start_date": None}, "version": 7, "by": "your name"},
    {"restore": 5, "version": 7, "by": "your name"},
]


class ConfigureRequest(RequestedBy):
    """The event of ``configure``: one of its acts.

    Attributes:
        connection: name of the connection.
        show: show the settings; so does an event that names no act.
        products: with ``show``, also the products of Rillet that a setting may name.
        set: new values by the settings' paths; ``null`` is the default again.
        restore: the version whose settings are to be in force again.
        version: the version that the change was decided on; a write needs it.
        dry_run: show the changes and their effect, and write nothing.
    """

    model_config = ConfigDict(extra="forbid")

    connection: str = "default"
    show: bool = False
    products: bool = False
    set: dict[str, Any] | None = Field(default=None, min_length=1, max_length=100)
    restore: int | None = Field(default=None, ge=1)
    version: int | None = Field(default=None, ge=1)
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_act(self) -> Self:
        acts = [name for name in ("show", "set", "restore") if getattr(self, name)]
        if self.products and acts not in ([], ["show"]):
            raise ValueError("products goes with show")
        if len(acts) > 1:
            raise ValueError(f"{' and '.join(acts)} do not go together; send one of them")
        if acts[:1] in (["set"], ["restore"]) and self.version is None and not self.dry_run:
            raise ValueError(
                "version is missing: give the one that show answers, so that nobody's change is lost"
            )
        return self
