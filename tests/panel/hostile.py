"""Names that somebody could give a customer, to break a page or to fool a reader."""

HOSTILE = {
    "markup": "<img src=x onerror=alert(1)>",
    "attribute": '"><script>alert(1)</script>',
    "expression": "{{ 7 * 7 }}{% raw %}",
    "direction": "\u202egnirts\u202c abc",
    "long": "x" * 256,
    "emoji": "🦑 Squid & Söhne ‘quoted’",
    "htmx": '<div hx-get="/panel/sign-out" hx-trigger="load"></div>',
    "address": "javascript:alert(1)",
    "formula": "=HYPERLINK(1)",
}
"""By what each of them tries."""
