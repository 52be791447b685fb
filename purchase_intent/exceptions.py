"""The one tree of errors: each class has a stable `code`, and each instance the facts behind it."""

from __future__ import annotations

__all__ = [
    "BatchRefused",
    "BundleRefused",
    "ConfigurationError",
    "DayNotOver",
    "EntryRefused",
    "EventRefused",
    "ExperimentRefused",
    "ForkedTooLate",
    "IntentError",
    "LogRefused",
    "MergeRefused",
    "MissingExtra",
    "ModelNotFound",
    "OfferRefused",
    "SegmentRefused",
    "SendingFailed",
    "TrainingBusy",
    "TrainingRefused",
]


class IntentError(Exception):
    """Root of the tree: `message` says what is wrong and what to do, `facts` hold the particulars."""

    code = "intent_error"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class ConfigurationError(IntentError):
    """A setting of `PURCHASE_INTENT` is unknown, of the wrong type or out of range."""

    code = "configuration"


class MissingExtra(IntentError):
    """A part needs packages that are not installed; the message holds the line that installs them."""

    code = "missing_extra"

    def __init__(self, *, extra: str, package: str) -> None:
        super().__init__(
            f"{package} is not installed: pip install 'django-purchase-intent[{extra}]'",
            extra=extra,
            package=package,
        )


class EventRefused(IntentError):
    """One event is not fit to be recorded: `field` names the culprit, `reason` is countable."""

    code = "event_refused"

    def __init__(self, *, field: str, reason: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}", field=field, reason=reason, remedy=remedy)
        self.field = field
        self.reason = reason
        self.remedy = remedy


class ExperimentRefused(IntentError):
    """An experiment, or figures of one, make no sense: `field` names the culprit, `reason` is countable."""

    code = "experiment_refused"

    def __init__(self, *, field: str, reason: str, remedy: str, **facts: object) -> None:
        super().__init__(f"{field}: {remedy}", field=field, reason=reason, remedy=remedy, **facts)
        self.field = field
        self.reason = reason
        self.remedy = remedy


class BatchRefused(IntentError):
    """A whole batch of events cannot be read: `field` names the part at fault."""

    code = "batch_refused"

    def __init__(self, *, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}", field=field, remedy=remedy)
        self.field = field
        self.remedy = remedy


class EntryRefused(IntentError):
    """What was kept on its way to the database is not fit to be recorded."""

    code = "entry_refused"


class LogRefused(IntentError):
    """A whole event log cannot be read: a missing file or column, no rows, an unknown layout."""

    code = "log_refused"


class MergeRefused(IntentError):
    """A merge of visitors cannot be taken back."""

    code = "merge_refused"


class OfferRefused(IntentError):
    """An offer, or a wish about one, cannot be worked out: `field` names the figure that is out of range."""

    code = "offer_refused"


class SegmentRefused(IntentError):
    """The conditions of a segment cannot be used: the message names each culprit and its remedy."""

    code = "segment_refused"


class SendingFailed(IntentError):
    """The endpoint did not take a batch of events; sent again, they count once."""

    code = "sending_failed"


class TrainingRefused(IntentError):
    """The data does not allow a model, or a check stopped one."""

    code = "training_refused"


class TrainingBusy(IntentError):
    """Another training is under way, and there is to be one at a time."""

    code = "training_busy"


class BundleRefused(IntentError):
    """A stored model is damaged, incomplete, forged or made for another feature schema."""

    code = "bundle_refused"


class ModelNotFound(IntentError):
    """No model version answers to the name given."""

    code = "model_not_found"


class ForkedTooLate(IntentError):
    """This process was forked from one that had called a learner: calling one here would hang, so it refuses."""

    code = "forked_too_late"

    def __init__(self) -> None:
        super().__init__(
            "This process was forked from one that had already scored, and scoring here would hang: let the parent "
            "make no score before it forks (with Gunicorn, leave preload_app off), set OMP_NUM_THREADS=1, and start "
            "the server anew."
        )


class DayNotOver(IntentError):
    """A catalogue day was to be frozen while it still went on."""

    code = "day_not_over"
