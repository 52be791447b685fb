"""Tags with an else: `{% ifsegment %}` and `{% ifintent %}`. Whatever they are given, no page fails by them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Final

from django.http import HttpRequest
from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token

from purchase_intent.learning.thresholds import BANDS
from purchase_intent.scoring.answer import Intent
from purchase_intent.shortcuts import in_segment, score

__all__ = ["Branches", "branches", "has_intent", "is_in_any"]

logger = logging.getLogger(__name__)

Test = Callable[[HttpRequest, list[str]], bool]

_LIMIT: Final = re.compile(r"\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*")
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {">=": ge, ">": gt, "<=": le, "<": lt}


@dataclass(frozen=True, slots=True)
class _Word:
    """An argument of a tag: what it resolves to, or the word itself where it resolves to nothing."""

    text: str
    expression: FilterExpression | None

    def resolve(self, context: Context) -> str:
        found = self.expression.resolve(context, ignore_failures=True) if self.expression is not None else None
        return self.text if found is None else str(found)


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


def branches(parser: Parser, token: Token, test: Test) -> Branches:
    """Parse a tag up to its end, such as `{% endifsegment %}`, with or without an `{% else %}`."""
    name, *bits = token.split_contents()
    words = [_Word(bit.strip("'\""), _expression(parser, bit)) for bit in bits]
    then, otherwise = parser.parse(("else", f"end{name}")), NodeList()
    if parser.next_token().contents == "else":
        otherwise = parser.parse((f"end{name}",))
        parser.delete_first_token()
    return Branches(test, words, then, otherwise)


def is_in_any(request: HttpRequest, names: list[str]) -> bool:
    """Whether the visit belongs to one of the segments."""
    return any(in_segment(request, name) for name in names)


def has_intent(request: HttpRequest, limits: list[str]) -> bool:
    """Whether the visit's score keeps every limit: ">= 0.8", "< 5%", or the name of a band that it reaches."""
    tests = [_test(limit) for limit in limits]
    return bool(tests) and all(test is not None and test(score(request)) for test in tests)


@lru_cache(maxsize=256)
def _test(limit: str) -> Callable[[Intent], bool] | None:
    """What a limit asks of an answer; None, logged once, where it is none."""
    if limit in BANDS:
        return lambda intent: limit in intent.bands
    match = _LIMIT.fullmatch(limit)
    if match is None:
        logger.warning(
            "ifintent: %r is no limit, so nobody keeps it: write one such as '>= 0.8', '< 5%%', or a band: %s.",
            limit,
            ", ".join(BANDS),
        )
        return None
    compare, bound = _COMPARISONS[match[1]], float(match[2]) / (100 if match[3] else 1)
    return lambda intent: intent.probability is not None and compare(intent.probability, bound)


def _expression(parser: Parser, bit: str) -> FilterExpression | None:
    try:
        return parser.compile_filter(bit)
    except TemplateSyntaxError:
        return None  # such as a key with a hyphen and no quotes: the word is meant as it stands
