"""Names that somebody could give a customer, to break a page or to fool a reader."""

from tests.panel.visitor import Markup, visible
from tests.support.builders import Json

HOSTILE = {
    "markup": "<img src=x onerror=alert(1)>",
    "attribute": '"><script>alert(1)</script>',
    "expression": "{{ 7919 * 7919 }}{% raw %}",
    "direction": "\u202egnirts\u202c abc",
    "long": "x" * 256,
    "emoji": "🦑 Squid & Söhne ‘quoted’",
    "htmx": '<div hx-get="/panel/sign-out" hx-trigger="load"></div>',
    "address": "javascript:alert(1)",
    "formula": "=HYPERLINK(1)",
}
"""By what each of them tries."""


def assert_only_text(page: str, name: str, path: str) -> None:
    """A page runs and loads nothing of a name that it shows."""
    markup = Markup(page)
    assert not markup.names & {"img", "iframe", "object", "embed"}, path
    assert page.count("<script") == [tag for tag, _ in markup.tags].count("script") == 1, path
    assert not [each for each in markup.attributes if each.startswith("on") or each == "style"], path
    assert not [each for each in markup.addresses if each.startswith("javascript:")], path
    assert "62710561" not in visible(page), path


def hostile_status(name: str) -> Json:
    """An answer of `sync_status` and of `connect_rillet` in which every text is a name."""

    def named(*fields: str) -> Json:
        return dict.fromkeys(fields, name)

    row = {"kind": "invoice", "id": "invo_1", "state": "exported"}
    row |= named("number", "customer", "state_text", "amount", "currency", "date", "updated_at", "message")
    row |= named("rillet_number")
    cause = {**named("code", "kind", "title"), "documents": 3, "amounts": {name: name}}
    return {
        **named("at", "summary", "in_words", "next", "number", "customer", "message", "where", "what_to_do"),
        **named("note", "amount", "currency", "dated", "rillet_id", "rillet_number"),
        "connection": "default",
        "ready": False,
        "state": "rejected",
        "headline": {"state": "needs_you", "text": name},
        "counts": {"invoice": {"exported": 1, "rejected": 2}},
        "failures": [{**cause, "oldest": {"since": name}}],
        "waiting": [{**cause, "reason": name, "next_try": name}],
        "recent": [row],
        "documents": [row],
        "organisation": named("name"),
        "checklist": [{"ok": False, **named("check", "found", "remedy")}],
        "webhook_urls": named("solvimon", "rillet"),
        "last_reconciliation": {"documents": 1, "differences": 2, **named("period", "at")},
        "connections": [named("connection", "organisation")],
        "warnings": [name],
        "links": named("desk", "rillet"),
        "totals": named("net", "tax", "gross"),
        "retry": named("function"),
        "if_done_by_hand": named("function"),
        "attempts": [{**named("at", "what", "in_words", "by"), "sent": {"totals": named("net")}}],
        "credits": [named("amount", "credit_note_id")],
        "payment": named("in_words"),
        "finished": [{**named("kind", "by", "ended", "state"), "result": named("summary"), "request": {}}],
    }
