"""A person with a browser, as far as the panel notices: cookies, forms and redirects, without JavaScript."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import requests

from local.aws.stack_contents import TableView
from local.system import LocalSystem
from tests.support.builders import Json

CONNECTION = "/panel/connections/default"
REJECTED = "invo_many000"
"""Id of the invoice of the fixture `rejected`."""
SECONDS = 30


@dataclass
class FoundForm:
    """A form of a page: where it goes, how, and its fields with their values."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    """Finds the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[FoundForm] = []
        self._inside = self._button = False
        self._select = self._textarea = ""
        self._is_first_option = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(FoundForm(given.get("action", ""), given.get("method", "get").upper()))
            self._inside = True
        elif self._inside and tag in {"input", "textarea", "select"} and "name" in given:
            if given.get("type") not in {"radio", "checkbox"} or "checked" in dict(attrs):
                self.found[-1].fields.setdefault(given["name"], given.get("value", ""))
            self._select, self._is_first_option = given["name"] if tag == "select" else "", True
            self._textarea = given["name"] if tag == "textarea" else ""
        elif self._inside and tag == "option" and self._select:
            fields, name = self.found[-1].fields, self._select
            if "selected" in given or self._is_first_option:
                fields[name] = given.get("value", "")
            self._is_first_option = False
        elif self._inside and tag == "button":
            self._button = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
        self._button = self._button and tag != "button"
        self._select = "" if tag == "select" else self._select
        self._textarea = "" if tag == "textarea" else self._textarea

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.found[-1].fields[self._textarea] += data.removeprefix("\n")
        if self._button and data.strip():
            self.found[-1].buttons.append(data.strip())


class Markup(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    @property
    def names(self) -> set[str]:
        """The names of all tags."""
        return {tag for tag, _ in self.tags}

    @property
    def attributes(self) -> set[str]:
        """The names of all attributes."""
        return {name for _, attributes in self.tags for name in attributes}

    @property
    def addresses(self) -> list[str]:
        """All addresses that a page leads to or loads."""
        names = ("href", "src", "action", "formaction", "hx-get", "hx-post")
        return [attributes[name] for _, attributes in self.tags for name in names if name in attributes]


class Visitor:
    """A person at the panel of a local system.

    Args:
        system: the local system.
        cookie: of a session; empty for nobody.
    """

    def __init__(self, system: LocalSystem, cookie: str = "") -> None:
        self.system = system
        self.cookie = cookie

    def request(self, method: str, path: str, headers: Mapping[str, str], **more: Any) -> requests.Response:
        """Send any request with the session's cookie, and follow no redirect."""
        # `requests` sends no Secure cookie to http, as browsers do to a loopback address.
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        return requests.request(
            method,
            f"{self.system.gateway.url}{path}",
            headers={**cookie, **headers},
            allow_redirects=False,
            timeout=SECONDS,
            **more,
        )

    def get(self, path: str, **headers: str) -> requests.Response:
        """Open an address, and follow no redirect."""
        return self.request("GET", path, headers)

    def post(
        self, path: str, fields: Json, files: Mapping[str, Any] | None = None, **headers: str
    ) -> requests.Response:
        """Send a form, as a browser of today does from a page of the panel."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "POST", path, {"Sec-Fetch-Site": "same-origin", **named}, data=fields, files=files
        )

    def page(self, path: str = "") -> str:
        """The page at a path below the connection's; it must be there."""
        answer = self.get(f"{CONNECTION}{path}")
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-3000:])
        return answer.text

    def form(self, page: str, ending: str = "", *, button: str = "") -> FoundForm:
        """The form of a page that goes to an address with an ending, or has a button."""
        found = [
            form
            for form in forms(page)
            if form.action.endswith(ending) and (not button or button in form.buttons)
        ]
        assert found, (ending, button, [(form.action, form.buttons) for form in forms(page)])
        return found[0]

    def send(self, page: str, ending: str = "", *, button: str = "", **fields: str) -> str:
        """Press the button of a form, and return the page that follows."""
        form = self.form(page, ending, button=button)
        answer = self.post(form.action, {**form.fields, **fields})
        assert answer.status_code == 303, answer.text[-2000:]
        return self.get(answer.headers["location"]).text


def forms(page: str) -> list[FoundForm]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


def link_for(system: LocalSystem, role: str, person: str = "controller@tideway.example") -> str:
    """The one-time part of a link to sign in."""
    answer = system.invoke("panel", {"sign_in": {"as": person, "role": role}})
    return str(answer["open"]).partition("once=")[2]


def signed_in(system: LocalSystem, role: str, person: str = "controller@tideway.example") -> Visitor:
    """A person who has opened a link."""
    visitor = Visitor(system)
    answer = visitor.post("/panel/enter", {"once": link_for(system, role, person)})
    return Visitor(system, answer.headers["set-cookie"].partition(";")[0])


def table(system: LocalSystem) -> list[Json]:
    """The records of the panel's table."""
    return TableView(system.aws, system.deployment.resources["PanelTable"]).items()


def kept(system: LocalSystem, kind: str) -> list[Json]:
    """The records of one kind of the panel's table, such as ``action``."""
    return [item for item in table(system) if str(item["pk"]).startswith(f"{kind}#")]


def invocations(system: LocalSystem) -> int:
    """How often the panel has invoked a function."""
    name = system.deployment.functions["panel"].name
    return system.aws.permissions.counted[name, "lambda:InvokeFunction"]


def state_of(system: LocalSystem) -> Any:  # noqa: ANN401 - records of any shape
    """All that a form could change: the ledger, both sides, the actions and the activity."""
    return (
        sorted(map(str, system.ledger())),
        sorted(map(str, kept(system, "action"))),
        sorted(map(str, kept(system, "activity"))),
    )


def visible(page: str) -> str:
    """The text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def csv_rows(answer: requests.Response) -> list[dict[str, str]]:
    """The rows of a table that a browser saves."""
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
