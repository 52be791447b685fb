"""Fields of the desk's forms on experiments: keys, and shares that are written in per cent."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator

from purchase_intent.models.segment import LONGEST_KEY

__all__ = ["KeyField", "ShareField", "share_words"]

_DIGITS: Final = 10
"""Of a share in per cent: thirds written so still sum to 1 within what weights may be off."""


class KeyField(forms.CharField):
    """Small letters, digits and hyphens, 64 at most."""

    def __init__(self, **options: Any) -> None:
        validators = [
            RegexValidator(
                r"^[a-z0-9]+(-[a-z0-9]+)*$",
                "Use small letters, digits and single hyphens, such as free-shipping-bar.",
            )
        ]
        super().__init__(max_length=LONGEST_KEY, validators=validators, **options)
        self.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class ShareField(forms.CharField):
    """A share, 0 to 1, which is written in per cent: "12.5", "12,5" or "12.5%".

    `least_open` and `most_open` say that 0 and 100% themselves are none.
    """

    def __init__(self, *, least_open: bool = False, most_open: bool = False, **options: Any) -> None:
        super().__init__(max_length=20, **options)
        self.least_open, self.most_open = least_open, most_open
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        """A share as it is written; what was sent stays as it is."""
        return _written(value) if isinstance(value, float) else value

    def to_python(self, value: Any) -> Any:
        """The share, or None of an empty field."""
        text = str(super().to_python(value) or "").strip().removesuffix("%").strip().replace(",", ".")
        if not text:
            return None
        try:
            share = float(Decimal(text) / 100)
        except InvalidOperation:
            raise forms.ValidationError(f"“{value}” is no number: write per cent, such as 12.5.") from None
        is_low = share <= 0 if self.least_open else share < 0
        is_high = share >= 1 if self.most_open else share > 1
        if is_low or is_high or not isfinite(share):
            least, most = "above 0" if self.least_open else "from 0", "below 100" if self.most_open else "up to 100"
            raise forms.ValidationError(f"Write a number {least} and {most} per cent, not {text}.")
        return share

    def validate(self, value: Any) -> None:
        """A required share must be there."""
        if self.required and value is None:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """The validators of text have nothing to say of a number."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether what was sent differs from what was written."""
        return super().has_changed(_written(initial) if isinstance(initial, float) else initial, data)


def share_words(share: float) -> str:
    """A share as it was decided: "50%", "33.3%"."""
    return f"{round(share * 100, 1):g}%"


def _written(share: float) -> str:
    return f"{share * 100:.{_DIGITS}g}"
