"""The pages of the panel's menu, one module each.

How to add a page, or a form to one:

1. Write ``pages/NAME.py`` with ``PAGE = MenuPage("name")``; the name is one of ``page.MENU``. Add it to
   ``PAGES`` below: the menu, the routes and the tests of access then know it.
2. Show something: a function under ``@PAGE.get("/name")``. Paths are below
   ``/panel/connections/{connection}``; a part such as ``/documents/<document>`` is handed over by name. The
   function gets the ``Visit`` and returns ``visit.render("name.html.j2", "Title", {"view": view})``. It
   asks with ``visit.ask("sync_status", {...})``: the connection is added, the answer is offered as JSON and
   the event as a command, without more work. At most two invocations a page; the number in the frame may be
   the second one.
3. Do something: a function under ``@PAGE.post("/name/act", Role.OPERATOR, "retry")`` that sends
   ``visit.act("export_invoice", visit.event(...))`` and returns an ``Outcome``. Session, role, origin,
   token and single use are checked before, Activity is written afterwards. The form in the template holds
   ``{{ hidden() }}``; show it only where ``may.allows("operator")``. An answer with ``error`` needs no
   code: the result page shows error and remedy.
4. Read an answer with ``reading`` into small frozen dataclasses or plain values, and give only these to the
   template: a field that an older function leaves out must not fail a page (``StrictUndefined``).
5. The template extends ``base.html.j2`` and fills ``{% block content %}``; ``p`` has the macros of
   ``parts.html.j2`` for amounts, times and marks. Never ``|safe``, no inline style, script or ``on...``
   attribute: the content security policy forbids them.
6. A function that is invoked for the first time is named in the role of the template (``AskFunctions``).
"""

from solvimon_rillet.panel.page import MenuPage
from solvimon_rillet.panel.pages import (
    activity,
    configurations,
    documents,
    needs_attention,
    overview,
    reconciliation,
    synchronise,
)

PAGES: tuple[MenuPage, ...] = (
    overview.PAGE,
    configurations.PAGE,
    synchronise.PAGE,
    documents.PAGE,
    needs_attention.PAGE,
    reconciliation.PAGE,
    activity.PAGE,
)
"""The pages; the first one is shown at the connection's own address."""
