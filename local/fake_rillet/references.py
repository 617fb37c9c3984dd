"""External references: which types exist, and how often one may appear."""

from collections import Counter
from collections.abc import Iterable, Sequence

from local.fake_rillet.books import Books
from local.fake_rillet.problems import refused
from local.fake_rillet.store import Json
from local.fake_rillet.validation import Fields


def read_references(fields: Fields) -> list[Json]:
    """Read `external_references` of an object; absent is empty."""
    return [
        {
            "type": reference.require("type", reference.filled_text, ""),
            "id": reference.require("id", reference.filled_text, ""),
        }
        | ({"url": reference.uri("url")} if "url" in reference else {})
        for reference in fields.objects("external_references", unique=True) or []
    ]


def check_references(books: Books, references: Iterable[Json]) -> None:
    """Check all references of one document, header and lines together.

    Raises:
        Problem: 400; a type is not registered in the organisation, lacks the URL it needs, or is restricted
            and used more than once.
    """
    counted: Counter[str] = Counter()
    for reference in references:
        slug = reference["type"]
        if slug not in books.reference_types:
            raise refused(
                "external_reference_type_not_found", f"External reference type does not exist: {slug}"
            )
        if slug == "CUSTOMER_CUSTOM" and "url" not in reference:
            raise refused(
                "external_reference_url_required",
                "The URL is required for external reference for Customer_Custom",
            )
        counted[slug] += 1
    for slug, count in counted.items():
        if count > 1 and books.reference_types[slug].restricted:
            raise refused(
                "external_reference_restricted", f"{slug}: multiple references of a restricted type"
            )


def check_rev_rec(books: Books, parts: Sequence[Sequence[Json]]) -> None:
    """Check that header and every item carry a reference that revenue recognition accepts.

    Args:
        books: checked only if its `rev_rec` switch is on.
        parts: the references of the header and of each item.

    Raises:
        Problem: 400; one of the parts has none.
    """
    if not books.switches.rev_rec:
        return
    types = books.reference_types
    for references in parts:
        if not any(types[reference["type"]].accepted_for_rev_rec for reference in references):
            raise refused(
                "external_reference_required",
                "Revenue recognition is enabled: the invoice and its items need an external reference of an "
                "accepted integration type",
            )
