"""What shoppers type, checked; what is wrong is said in words beside the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.models import User

from demo_shop.models import MOST_OF_ONE, Order

__all__ = ["AddressForm", "ChangeForm", "FilterForm", "PaymentForm", "QuantityForm", "RegisterForm", "SignInForm"]

if TYPE_CHECKING:
    _CreationForm = BaseUserCreationForm[User]
else:
    _CreationForm = BaseUserCreationForm

_COUNTRIES = (("DE", "Germany"), ("AT", "Austria"), ("BE", "Belgium"), ("FR", "France"), ("NL", "Netherlands"))
_PLAIN_NUMBER = "Please give a number, such as 25 or 19.99."


class QuantityForm(forms.Form):
    """How many to put into the basket."""

    quantity = forms.IntegerField(
        min_value=1,
        max_value=MOST_OF_ONE,
        initial=1,
        error_messages={
            "required": "Please say how many.",
            "invalid": "Please give a whole number.",
            "min_value": "Please choose at least one.",
            "max_value": f"We sell at most {MOST_OF_ONE} to one person.",
        },
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class ChangeForm(QuantityForm):
    """How many to have in the basket; 0 takes the line out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quantity"] = forms.IntegerField(
            min_value=0,
            max_value=MOST_OF_ONE,
            error_messages=QuantityForm.base_fields["quantity"].error_messages
            | {"min_value": "Please choose at least one, or remove it."},
            widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        )


class FilterForm(forms.Form):
    """Which products of a listing to show."""

    brand = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    lowest = forms.DecimalField(
        label="From €",
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        error_messages={"invalid": _PLAIN_NUMBER, "min_value": "A price cannot be less than 0."},
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
    )
    highest = forms.DecimalField(
        label="To €",
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        error_messages={"invalid": _PLAIN_NUMBER, "min_value": "A price cannot be less than 0."},
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
    )
    stock = forms.BooleanField(label="In stock only", required=False)

    def __init__(self, *args: Any, brands: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["brand"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 (tells the type)
        field.choices = [(brand, brand) for brand in brands]

    def clean(self) -> dict[str, Any]:
        """Tell of prices the wrong way round."""
        given = super().clean() or self.cleaned_data
        lowest, highest = given.get("lowest"), given.get("highest")
        if lowest is not None and highest is not None and lowest > highest:
            self.add_error("highest", "This is less than the lowest price.")
        return given


class AddressForm(forms.Form):
    """Where the order goes."""

    name = forms.CharField(label="Full name", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Email",
        help_text="For the confirmation. The demo shop sends none.",
        error_messages={"invalid": "This is no email address: it looks like name@example.com."},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    street = forms.CharField(
        label="Street and number", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "street-address"})
    )
    postcode = forms.RegexField(
        r"^[0-9A-Za-z][0-9A-Za-z -]{2,10}$",
        label="Postcode",
        error_messages={"invalid": "A postcode has 3 to 11 letters or digits."},
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    city = forms.CharField(
        label="Town or city", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )
    country = forms.ChoiceField(
        label="Country", choices=_COUNTRIES, widget=forms.Select(attrs={"autocomplete": "country"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = f"Please give your {_WANTED[name]}."


_WANTED = {
    "name": "name",
    "email": "email address",
    "street": "street and number",
    "postcode": "postcode",
    "city": "town or city",
    "country": "country",
}


class PaymentForm(forms.Form):
    """How the order would be paid, if this shop took money."""

    payment = forms.ChoiceField(
        label="How would you like to pay?",
        choices=Order.Payment.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Please choose one.", "invalid_choice": "Please choose one of these."},
    )


class SignInForm(AuthenticationForm):
    """Sign in by email address."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "We know no account with this email address and password."
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Email"
        self.fields["username"].error_messages["required"] = "Please give your email address."
        self.fields["password"].error_messages["required"] = "Please give your password."

    def clean_username(self) -> str:
        """Accounts are kept by the address in lower case."""
        return str(self.cleaned_data["username"]).lower()


class RegisterForm(_CreationForm):
    """A new account, known by its email address."""

    email = forms.EmailField(
        label="Email",
        max_length=150,
        error_messages={
            "required": "Please give your email address.",
            "invalid": "This is no email address: it looks like name@example.com.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    first_name = forms.CharField(
        label="First name",
        max_length=60,
        error_messages={"required": "Please give your name."},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )

    class Meta:
        model = User
        fields = ("first_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].error_messages["required"] = "Please choose a password."
        self.fields["password2"].error_messages["required"] = "Please give the same password again."

    def clean_email(self) -> str:
        """An address has one account."""
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(username=email).exists():
            raise forms.ValidationError("There is an account with this address. Please sign in.", code="taken")
        return email

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 (the signature is Django's)
        """Make the account."""
        user = super().save(commit=False)
        user.username = self.cleaned_data["email"]
        if commit:
            user.save()
        return user
