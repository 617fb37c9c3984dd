"""Credit memos: list, create, read, replace, delete, and their applications to invoices."""

from flask import Blueprint

from local.fake_rillet import credit_memos, listing
from local.fake_rillet.context import body, organisation, state
from local.fake_rillet.document_requests import (
    read_applications,
    read_credit_memo,
    read_credit_memo_update,
)
from local.fake_rillet.store import Json, Record

blueprint = Blueprint("credit_memos", __name__, url_prefix="/credit-memos")


@blueprint.get("")
def list_credit_memos() -> Json:
    """List credit memos, newest first; only by subsidiary and update, whatever Rillet's prose says."""
    subsidiary_id = listing.uuid("subsidiary_id")
    since = listing.timestamp("updated.gt")

    def passes(memo: Record) -> bool:
        mine = subsidiary_id in (None, memo.document["subsidiary_id"])
        return mine and (since is None or memo.updated > since)

    memos = filter(passes, organisation().credit_memos)
    return listing.page("credit_memos", memos, state(), organisation().id)


@blueprint.post("")
def post_credit_memo() -> Json:
    """Create a credit memo, which is applied to nothing yet."""
    request = read_credit_memo(body())
    return credit_memos.create_credit_memo(organisation(), request).document


@blueprint.get("/<memo_id>")
def retrieve_credit_memo(memo_id: str) -> Json:
    """Return one credit memo."""
    return organisation().credit_memos.get(memo_id).document


@blueprint.put("/<memo_id>")
def update_credit_memo(memo_id: str) -> Json:
    """Replace a credit memo's items, date and references: what the body leaves out is gone."""
    memo = organisation().credit_memos.get(memo_id)
    request = read_credit_memo_update(body(), memo.document)
    return credit_memos.replace_credit_memo(organisation(), memo, request).document


@blueprint.delete("/<memo_id>")
def delete_credit_memo(memo_id: str) -> tuple[str, int]:
    """Delete a credit memo that is applied to nothing."""
    credit_memos.remove_credit_memo(organisation(), organisation().credit_memos.get(memo_id))
    return "", 204


@blueprint.post("/<memo_id>/applications")
def reconcile_applications(memo_id: str) -> Json:
    """Make the memo's applications the whole set that the body names."""
    memo = organisation().credit_memos.get(memo_id)
    requests = read_applications(body())
    credit_memos.reconcile(organisation(), memo, requests)
    return memo.document


@blueprint.delete("/<memo_id>/applications")
def remove_applications(memo_id: str) -> tuple[str, int]:
    """Take the memo off all invoices."""
    credit_memos.reconcile(organisation(), organisation().credit_memos.get(memo_id), ())
    return "", 204
