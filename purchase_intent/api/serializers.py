"""What the API says, and what it takes: the shapes behind the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from purchase_intent.models import Session, Stage
from purchase_intent.scoring.answer import Standing
from purchase_intent.scoring.rules import CUTOFFS

__all__ = [
    "AnswerQuery",
    "BatchSerializer",
    "Body",
    "ContributionSerializer",
    "ExplanationQuery",
    "ExplanationSerializer",
    "ProblemSerializer",
    "ReasonSerializer",
    "ScoreSerializer",
    "SessionQuery",
    "SessionSerializer",
    "StageField",
    "ToldEventSerializer",
    "VerdictSerializer",
    "VerdictsSerializer",
]

STAGES = {stage.name.lower(): stage for stage in Stage}


class StageField(serializers.ChoiceField):
    """How far a session has come, as a word."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=tuple(STAGES), **options)

    def to_representation(self, value: Any) -> str:
        """The word for the number of a stage."""
        return Stage(value).name.lower()


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A session as the list shows it."""

    visitor = serializers.IntegerField(source="visitor_id", help_text="The visitor's number in the admin.")
    stage = StageField(help_text="How far the session has come.")
    score = serializers.FloatField(
        allow_null=True, min_value=0, max_value=1, help_text="Probability of a purchase when it was last scored."
    )
    band = serializers.CharField(help_text="The narrowest band the score reaches; empty for none.")
    last_at = serializers.DateTimeField(help_text="When its latest event happened.")
    open = serializers.SerializerMethodField(help_text="Whether nobody has recorded yet how it ended.")

    class Meta:
        model = Session
        fields = ("key", "site", "visitor", "stage", "score", "band", "last_at", "open")

    def get_open(self, session: Session) -> bool:
        """Whether the outcome is still to come."""
        return session.closed_at is None


class CorrectionSerializer(serializers.Serializer[Any]):
    """A correction of a model's log-odds from recent outcomes: log-odds as said = slope * log-odds + intercept."""

    id = serializers.IntegerField()
    slope = serializers.FloatField()
    intercept = serializers.FloatField()
    since = serializers.DateTimeField(source="begun_at")
    sessions = serializers.IntegerField(help_text="Sessions whose outcomes it was fitted on.")


class ScoreSerializer(serializers.Serializer[Any]):
    """The answer to one session, as of its latest event."""

    session = serializers.CharField(help_text="The session's key.")
    site = serializers.CharField(help_text="Which of several sites; empty where there is one.")
    standing = serializers.ChoiceField(
        choices=[standing.value for standing in Standing],
        help_text="Where the answer comes from, or why there is none.",
    )
    probability = serializers.FloatField(
        allow_null=True, min_value=0, max_value=1, help_text="That this session still buys; null without a number."
    )
    band = serializers.CharField(help_text="The narrowest band the probability reaches; empty for none.")
    bands = serializers.ListField(child=serializers.CharField(), help_text="Every band it reaches.")
    stage = StageField(help_text="How far the session has come.")
    model = serializers.IntegerField(allow_null=True, help_text="The model version's number; null for rules.")
    recalibration = CorrectionSerializer(
        allow_null=True, help_text="The correction of the model that is in force and in this answer; null for none."
    )
    offer = serializers.BooleanField(
        allow_null=True, help_text="Whether the shop's offer is for this score; null where it stored no rule for it."
    )
    moment = serializers.DateTimeField(help_text="The moment the answer is about.")


class ReasonSerializer(serializers.Serializer[Any]):
    """One cause in words."""

    text = serializers.CharField()
    effect = serializers.FloatField(help_text="What it adds to the log-odds.")
    features = serializers.ListField(child=serializers.CharField(), help_text="The features behind it.")


class ContributionSerializer(serializers.Serializer[Any]):
    """What one feature adds."""

    feature = serializers.CharField()
    meaning = serializers.CharField(help_text="What the feature is.")
    unit = serializers.CharField()
    value = serializers.FloatField(help_text="What it was; the number of a name where the unit is a key.")
    effect = serializers.FloatField(help_text="What it adds to the log-odds.")


class ExplanationSerializer(ScoreSerializer):
    """The answer with its arithmetic: the base and the contributions add up to the log-odds."""

    log_odds = serializers.FloatField(allow_null=True, help_text="ln(p / (1 - p)); null without a number.")
    base = serializers.FloatField(allow_null=True, help_text="What it starts from, before anything is known.")
    reasons = ReasonSerializer(many=True, help_text="The strongest causes in words, the strongest first.")
    contributions = ContributionSerializer(many=True, help_text="By feature, the strongest first.")


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One thing wrong with a request."""

    field = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField(help_text="Always about:blank: the code tells which problem it is.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong, and what to do about it.")
    code = serializers.CharField(help_text="Stable, for programs.")
    errors = FieldErrorSerializer(  # type: ignore[assignment]  # a field of that name, as RFC 9457 has it
        many=True, required=False, help_text="By field, where the request is at fault."
    )


class ToldEventSerializer(serializers.Serializer[Any]):
    """One event. Names of fields and events of GA4, Segment and REES46 are understood as well."""

    event_id = serializers.CharField(max_length=500, help_text="The sender's own; the same at every attempt.")
    name = serializers.CharField(help_text="What was done, such as page_view, view, cart, checkout.")
    occurred_at = serializers.IntegerField(
        help_text="By the sender's clock: milliseconds since 1970 UTC, or ISO 8601 with a zone."
    )
    page = serializers.CharField(required=False, help_text="The role of the page.")
    product = serializers.CharField(required=False, max_length=500)
    category = serializers.CharField(required=False, max_length=500)
    brand = serializers.CharField(required=False, max_length=500)
    quantity = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    search = serializers.CharField(required=False, max_length=500)
    visitor = serializers.CharField(required=False, max_length=500, help_text="With a key: whose it is.")
    session = serializers.CharField(required=False, max_length=500, help_text="With a key: in which session.")
    cookie = serializers.CharField(required=False, help_text="With a key: the shop's cookie, in place of both.")
    user_agent = serializers.CharField(required=False, help_text="With a key: looked at and not kept.")
    device = serializers.CharField(required=False, max_length=500, help_text="With a key.")
    channel = serializers.CharField(required=False, max_length=500, help_text="With a key.")
    country = serializers.CharField(required=False, max_length=500, help_text="With a key.")
    customer = serializers.CharField(required=False, max_length=500, help_text="With the scope orders: who it is.")
    price = serializers.FloatField(required=False, help_text="With the scope orders: of one unit.")
    order = serializers.CharField(required=False, max_length=500, help_text="With the scope orders: its id.")
    revenue = serializers.FloatField(required=False, help_text="With the scope orders: the order's total.")
    currency = serializers.CharField(required=False, help_text="With the scope orders: the shop's own.")


class BatchSerializer(serializers.Serializer[Any]):
    """A batch of events, as JSON under any content type but a form's."""

    events = ToldEventSerializer(many=True, help_text="200 at most from a browser, 1000 with a key.")
    sent_at = serializers.IntegerField(
        required=False, help_text="The sender's clock when it sends; a clock that is wrong is corrected by it."
    )
    url = serializers.CharField(required=False, help_text="The page's address, for the channel; not kept.")
    referrer = serializers.CharField(required=False, help_text="What led there, for the channel; not kept.")
    driven = serializers.BooleanField(required=False, help_text="Whether the browser says that a program drives it.")


class VerdictSerializer(serializers.Serializer[Any]):
    """What became of one event."""

    index = serializers.IntegerField(help_text="Its place in the batch, from 0.")
    event_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=("accepted", "duplicate", "refused"))
    count = serializers.IntegerField(required=False, help_text="Of how many events from there on, where not of one.")
    field = serializers.CharField(required=False, help_text="What is wrong.")
    reason = serializers.CharField(required=False, help_text="Stable, for programs.")
    detail = serializers.CharField(required=False, help_text="What to do about it.")


class VerdictsSerializer(serializers.Serializer[Any]):
    """What became of a batch."""

    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = VerdictSerializer(many=True)


class Body(serializers.Serializer[Any]):
    """What is sent: a name that is not known is refused, so that a slip of the pen is not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is none of the fields."""
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            remedy = _("Not a field. Use one of: %(names)s.") % {"names": ", ".join(self.fields)}
            raise serializers.ValidationError({str(name): [remedy] for name in unknown})
        return super().to_internal_value(data)


class Query(serializers.Serializer[Any]):
    """Parameters of a request: one that is not known is refused, so that a slip of the pen is no empty filter."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is none of the fields."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            remedy = _("Not a parameter. Use one of: %(names)s.") % {"names": ", ".join(self.fields)}
            raise serializers.ValidationError(dict.fromkeys(unknown, remedy))
        return attrs


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    remedy = gettext_lazy("“{input}” is none of them. Use one of: {names}.")
    return {"invalid_choice": str(remedy).replace("{names}", ", ".join(names))}


class SessionQuery(Query):
    """Filters of the list."""

    band = serializers.ChoiceField(
        choices=tuple(CUTOFFS),
        required=False,
        error_messages=_one_of(tuple(CUTOFFS)),
        help_text="Only sessions whose narrowest band this is.",
    )
    stage = StageField(
        required=False, error_messages=_one_of(tuple(STAGES)), help_text="Only sessions that have come this far."
    )
    open = serializers.ChoiceField(
        choices=("true", "false"),
        required=False,
        error_messages=_one_of(("true", "false")),
        help_text="Only sessions whose outcome is still to come, or only the others.",
    )
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=200, help_text="Sessions a page, 50 unless told."
    )
    cursor = serializers.CharField(required=False, help_text="Where to go on: from `next` or `previous`.")


class AnswerQuery(Query):
    """Which session, where a key is not enough."""

    site = serializers.CharField(
        required=False, allow_blank=True, help_text="Needed where sessions of several sites have this key."
    )


class ExplanationQuery(AnswerQuery):
    """How much to say of a session."""

    reasons = serializers.IntegerField(
        required=False, default=5, min_value=0, max_value=20, help_text="How many causes to put into words."
    )
