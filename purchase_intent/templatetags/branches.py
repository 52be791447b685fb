"""Tags with an else: `{% ifsegment %}`, `{% ifintent %}`, `{% ifpersuadable %}`. No page fails by them.

With `cached=True` both parts are written into the page, which is then nobody's own, and the script shows one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from purchase_intent.scoring.faults import tell_once
from purchase_intent.scoring.limits import keeps_all
from purchase_intent.shortcuts import in_segment, is_persuadable, score

__all__ = ["Branches", "branches", "has_intent", "is_in_any", "is_persuadable_by_any"]

Test = Callable[[HttpRequest, list[str]], bool]
Condition = Callable[[Sequence[str]], str]
"""Spells what a tag asks for a page that comes out of a cache."""

_ELEMENT: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_CACHED: Final = "cached="
_OFF: Final = ("", "False", "None", "0")


@dataclass(frozen=True, slots=True)
class _Word:
    """An argument of a tag: what it resolves to, or the word itself where it resolves to nothing."""

    text: str
    expression: FilterExpression | None

    def resolve(self, context: Context) -> str:
        try:
            found = self.expression.resolve(context, ignore_failures=True) if self.expression is not None else None
            return self.text if found is None else str(found)
        except Exception as fault:  # noqa: BLE001 - the edge to what the project has put into the template
            tell_once(fault, effect="A condition of a template was taken as it is written")
            return self.text


class Branches(Node):
    """Shows its first part where a test of the request holds, else the part after `{% else %}`."""

    child_nodelists = ("then", "otherwise")

    def __init__(self, test: Test, words: list[_Word], then: NodeList, otherwise: NodeList) -> None:
        self.test, self.words, self.then, self.otherwise = test, words, then, otherwise

    def render(self, context: Context) -> str:
        """The part that is to be shown."""
        request = context.get("request")
        holds = isinstance(request, HttpRequest) and self.test(request, [word.resolve(context) for word in self.words])
        return str((self.then if holds else self.otherwise).render(context))


class Placeholders(Branches):
    """Writes both parts for the script to choose from; until it has, and where there is none, the latter is shown."""

    def __init__(self, branches: Branches, condition: Condition, cached: _Word) -> None:
        super().__init__(branches.test, branches.words, branches.then, branches.otherwise)
        self.condition, self.cached = condition, cached

    def render(self, context: Context) -> str:
        """Both parts, each in an element of its own; only one that would be empty is left out."""
        told = self.cached.resolve(context)
        if told in _OFF:
            return super().render(context)
        element = told if _ELEMENT.fullmatch(told) else "div"
        condition = self.condition([word.resolve(context) for word in self.words])
        return self._part(context, self.then, element, "if", condition) + self._part(
            context, self.otherwise, element, "else", condition
        )

    def _part(self, context: Context, nodes: NodeList, element: str, which: str, condition: str) -> SafeString:
        if not nodes:
            return mark_safe("")
        hidden = mark_safe(" hidden") if which == "if" else ""
        name = mark_safe(element)  # noqa: S308 (letters, digits and hyphens)
        return format_html(
            '<{} data-intent-{}="{}"{}>{}</{}>', name, which, condition, hidden, nodes.render(context), name
        )


def branches(parser: Parser, token: Token, test: Test, condition: Condition | None = None) -> Branches:
    """Parse a tag up to its end, such as `{% endifsegment %}`, with or without an `{% else %}`.

    Without `condition` no script can choose: `cached` is passed over, and the page is one visitor's.
    """
    name, *bits = token.split_contents()
    told = [bit for bit in bits if not bit.startswith(_CACHED)]
    words = [_word(parser, bit) for bit in told]
    then, otherwise = parser.parse(("else", f"end{name}")), NodeList()
    if parser.next_token().contents == "else":
        otherwise = parser.parse((f"end{name}",))
        parser.delete_first_token()
    found = Branches(test, words, then, otherwise)
    cached = [bit.removeprefix(_CACHED) for bit in bits if bit.startswith(_CACHED)]
    return Placeholders(found, condition, _word(parser, cached[-1])) if cached and condition is not None else found


def _word(parser: Parser, bit: str) -> _Word:
    return _Word(bit.strip("'\""), _expression(parser, bit))


def is_in_any(request: HttpRequest, names: list[str]) -> bool:
    """Whether the visit belongs to one of the segments."""
    return any(in_segment(request, name) for name in names)


def is_persuadable_by_any(request: HttpRequest, keys: list[str]) -> bool:
    """Whether a treatment of one of the experiments is worth it for the visitor; `KEY:ARM` names the treatment."""
    named = (key.partition(":") for key in keys)
    return any(is_persuadable(request, key, arm=arm) for key, _, arm in named)


def has_intent(request: HttpRequest, limits: list[str]) -> bool:
    """Whether the visit's score keeps every limit: ">= 0.8", "< 5%", "offer", or the name of a band that it reaches."""
    return keeps_all(limits, lambda: score(request))


def _expression(parser: Parser, bit: str) -> FilterExpression | None:
    try:
        return parser.compile_filter(bit)
    except TemplateSyntaxError:
        return None  # such as a key with a hyphen and no quotes: the word is meant as it stands
