"""A page as a shopper sees it: its links, and its forms with what they would send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Button", "Form", "Page", "read_page"]

_TYPED = frozenset({"submit", "button", "reset", "image", "file"})  # input types that send nothing by themselves


@dataclass(slots=True)
class Button:
    """A button that submits its form, and what it adds to what is sent."""

    name: str
    value: str
    text: str = ""


@dataclass(slots=True)
class Form:
    """A form. `fields` is what it sends untouched; `choices` the values that a name offers, checked or not."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """What can be filled in."""
        return {name for name, _ in self.fields} | set(self.choices)

    def filled(self, values: Mapping[str, str], button: Button | None = None) -> list[tuple[str, str]]:
        """What is sent with `values` filled in. A value that is not among a name's choices becomes the first of them.

        Raises KeyError for a name that the form does not have.
        """
        if missing := set(values) - self.names:
            raise KeyError(f"the form has no {', '.join(sorted(missing))}")
        sent = [(name, value) for name, value in self.fields if name not in values]
        sent += [(name, self._offered(name, value)) for name, value in values.items()]
        return [*sent, (button.name, button.value)] if button is not None and button.name else sent

    def _offered(self, name: str, value: str) -> str:
        offered = self.choices.get(name)
        return value if not offered or value in offered else offered[0]


@dataclass(slots=True)
class Page:
    """What a shopper can do on a page."""

    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    title: str = ""
    arms: set[str] = field(default_factory=set)
    """What experiments show here: "key:arm"."""

    def form_with(self, *names: str) -> Form | None:
        """The first form that posts all of `names`."""
        return next((each for each in self.posting() if each.names >= set(names)), None)

    def posting(self) -> Iterator[Form]:
        """The forms that change something."""
        return (each for each in self.forms if each.method == "post")


def read_page(html: str) -> Page:
    """Read a page; whatever is not understood is left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    """Gathers links and forms; a form ends where its tag ends."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._form: Form | None = None
        self._button: Button | None = None
        self._select = ""
        self._text = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if arm := given.get("data-arm"):
            self.page.arms.add(arm)
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        elif tag == "title":
            self._in_title = True
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.page.forms.append(self._form)
        elif self._form is not None and "disabled" not in given:
            self._in_form(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._button = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._text = ""
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button.text += data
        elif self._text and self._form is not None:
            self._form.fields[-1] = (self._text, self._form.fields[-1][1] + data)
        elif self._in_title:
            self.page.title += data

    def _in_form(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        kind = given.get("type", "text" if tag == "input" else "submit").lower()
        if tag == "button" and kind == "submit":
            self._button = Button(name, value)
            form.buttons.append(self._button)
        elif tag == "input" and kind == "submit":
            form.buttons.append(Button(name, value, value))
        elif tag == "input" and name and kind not in _TYPED:
            _note_input(form, name, kind, given)
        elif tag == "select" and name:
            self._select = name
            form.choices.setdefault(name, [])
        elif tag == "option" and self._select:
            _note_option(form, self._select, given)
        elif tag == "textarea" and name:
            self._text = name
            form.fields.append((name, ""))


def _note_input(form: Form, name: str, kind: str, given: Mapping[str, str]) -> None:
    if kind not in {"radio", "checkbox"}:
        form.fields.append((name, given.get("value", "")))
        return
    value = given.get("value", "on")
    form.choices.setdefault(name, []).append(value)
    if "checked" in given:
        form.fields.append((name, value))


def _note_option(form: Form, name: str, given: Mapping[str, str]) -> None:
    value = given.get("value", "")
    form.choices[name].append(value)
    if "selected" in given or name not in {sent for sent, _ in form.fields}:
        form.fields[:] = [(sent, kept) for sent, kept in form.fields if sent != name]
        form.fields.append((name, value))
