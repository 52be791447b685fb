"""What a shop's own code calls; nothing here raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from django.db import DatabaseError, router, transaction
from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.events import EventName, Page
from purchase_intent.experiments.active import Ready, experiment_called, experiments
from purchase_intent.experiments.offering import offered
from purchase_intent.experiments.showing import Showing, forced_arm, showing_of
from purchase_intent.experiments.uplift import serving as uplift
from purchase_intent.metrics import SCORE_SECONDS
from purchase_intent.models import Session
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import UNKNOWN, Intent
from purchase_intent.scoring.faults import tell_once
from purchase_intent.scoring.score import answer
from purchase_intent.segments.live import is_in, segments_of
from purchase_intent.segments.subject import Subject
from purchase_intent.segments.visiting import stored_subject, visit_foreseen, visiting_subject
from purchase_intent.tracking.attached import attached, tracker_of
from purchase_intent.tracking.deeds import Amount, Line
from purchase_intent.tracking.scripting import script_facts
from purchase_intent.tracking.telling import shown_again as tell_shown_again
from purchase_intent.tracking.telling import tell, tell_order
from purchase_intent.tracking.tracker import Tracker

__all__ = [
    "Line",
    "arms_of",
    "experiment_facts",
    "in_segment",
    "is_persuadable",
    "persuasion",
    "score",
    "script_facts",
    "segments",
    "shown_again",
    "track",
    "track_order",
    "variant_for",
]

_ATTRIBUTE: Final = "_purchase_intent_score"
T = TypeVar("T")


def score(subject: HttpRequest | Session, *, reasons: int = 0, as_of: datetime | None = None) -> Intent:
    """Whether a session will still buy, with at most `reasons` of the strongest causes.

    Of a request: its visitor's session after all that the request has told, as of the latest of it. Of a stored
    session: as of now, or of the moment it ended. `as_of` (aware) puts another moment in its place. UNKNOWN where the
    request is not tracked, and where a fault stands in the way, which is logged once an hour with its remedy. No cache
    keeps the answer to a request that was scored.
    """
    try:
        with SCORE_SECONDS.timing():
            return _answered(subject, reasons=reasons, as_of=as_of)
    except Exception as fault:  # noqa: BLE001 - the page's edge: it is served whatever becomes of its score
        told, tracker = tell_once(fault, effect="No score was given"), attached(subject)
        if told and tracker is not None and isinstance(fault, DatabaseError):
            tracker.has_failed = True  # what it will not be able to write follows from this
        return UNKNOWN


def in_segment(subject: HttpRequest | Session, name: str, *, as_of: datetime | None = None) -> bool:
    """Whether a visit belongs to the segment of a key now, after all that the request has told.

    An underscore in `name` may stand for a hyphen. False of a request that is not tracked, of a key that no active
    segment has, which is logged, and where a fault stands in the way, which is logged once an hour with its remedy.
    """
    return _judged(subject, lambda found: is_in(found, name), False, as_of=as_of)


def segments(subject: HttpRequest | Session, *, as_of: datetime | None = None) -> tuple[str, ...]:
    """The keys of all segments that a visit belongs to now; none in the cases in which `in_segment` is False."""
    return _judged(subject, segments_of, (), as_of=as_of)


def track(  # noqa: PLR0913 (an event has these fields)
    request: HttpRequest,
    name: str | EventName,
    *,
    product: str | int = "",
    category: str = "",
    brand: str = "",
    price: Amount | None = None,
    quantity: int | None = None,
    search: str = "",
    page: Page | str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """Record what the visitor does; what is not fit is logged with its remedy and left out.

    `name` is ours, GA4's, Segment's or REES46's; a purchase is told by `track_order`. `price` is of one unit, in the
    shop's currency; what is left out of a product is asked of the adapter. `page` is where it happens, by default the
    one the event implies or else the one asked for. `occurred_at` (aware) is by default the request's time; with it and
    `event_id` a second telling adds nothing. Within a transaction it counts once that is committed.
    """
    tell(
        request,
        name,
        product=product,
        category=category,
        brand=brand,
        price=price,
        quantity=quantity,
        search=search,
        page=page,
        event_id=event_id,
        occurred_at=occurred_at,
    )


def track_order(
    request: HttpRequest, *, number: str | int, revenue: Amount, lines: Sequence[Line], currency: str = ""
) -> None:
    """Record an order once, however often it is told: `number` is the shop's own id of it.

    `revenue` is its total and, like the prices of its lines, in the shop's currency; another `currency` is refused.
    """
    tell_order(request, number=number, revenue=revenue, lines=lines, currency=currency)


def shown_again(request: HttpRequest) -> None:
    """Say that this page only answers what was just done and is told already: it becomes no page view.

    For the page to which a form leads back, such as a product's after it was put into the cart. What `track` is told
    is recorded all the same.
    """
    tell_shown_again(request)


def variant_for(request: HttpRequest, key: str) -> str:
    """The arm of an experiment that this visitor is shown; the first time, that is an exposure and counted once.

    The control, or once it is stopped the arm that was shipped, of a visitor who is not tracked, a bot, and whoever the
    experiment leaves alone; the control for good of whom a holdout keeps out. "" of an unknown key or a fault: logged.
    """
    try:
        with _apart():
            experiment = experiment_called(key)
            tracker = tracker_of(request)
            _keep_uncached(request)
            if experiment is None or tracker is None or tracker.has_left:
                return "" if experiment is None else _left_alone(request, experiment)
            showing = arms_of(request, tracker)
            return showing.arm(experiment)
    except Exception as fault:  # noqa: BLE001 - the page's edge: it is served whatever becomes of its experiments
        tell_once(fault, effect="No arm was given")
        return ""


def experiment_facts(request: HttpRequest | None, *keys: str, is_shared: bool = False) -> dict[str, Any]:
    """What a page tells its own scripts of experiments: of those named, or of all; nobody is exposed by it.

    `is_shared` leaves out everything that is one visitor's, for a page that a cache hands to others. {} where a fault
    stands in the way, which is logged once an hour.
    """
    try:
        with _apart():
            known = experiments()
            chosen = [known[key] for key in (keys or known) if key in known]
            tracker = None if request is None or is_shared else tracker_of(request)
            if request is None or tracker is None or tracker.has_left:
                return offered(chosen, None)
            _keep_uncached(request)
            showing = arms_of(request, tracker)
            return offered(chosen, showing, unit=tracker.identity.visitor)
    except Exception as fault:  # noqa: BLE001 - the page's edge: it is served whatever becomes of its experiments
        tell_once(fault, effect="Scripts were told of no experiment")
        return {}


def arms_of(request: HttpRequest, tracker: Tracker) -> Showing:
    """The arms of one request, each asked for once."""
    return showing_of(tracker, judged=partial(_judged, request), score=partial(score, request))


def persuasion(
    subject: HttpRequest | Session, key: str, *, arm: str = "", as_of: datetime | None = None
) -> uplift.Persuasion | None:
    """What a treatment of an experiment would do to a visit, after all that the request has told.

    `arm` names the treatment; without it, of several, the one that is expected to earn most, or else adds most.
    None where no model of uplift serves the experiment, and in the cases in which `in_segment` is False.
    """
    effect = f"No answer about {key} was given"
    return _judged(subject, partial(uplift.persuasion, key, arm=arm), None, as_of=as_of, effect=effect)


def is_persuadable(request: HttpRequest, key: str, *, arm: str = "") -> bool:
    """Whether a treatment of an experiment is worth it for this visitor; False where `persuasion` is None."""
    found = persuasion(request, key, arm=arm)
    return found is not None and found.pays


def _left_alone(request: HttpRequest, experiment: Ready) -> str:
    """The arm of who may not be recorded: the default one, or what staff ask to see."""
    tracker = attached(request)
    return (forced_arm(tracker, experiment) if tracker is not None else "") or experiment.default


def _answered(subject: HttpRequest | Session, *, reasons: int, as_of: datetime | None) -> Intent:
    if not isinstance(subject, Session):
        return _of_request(subject, reasons=reasons, as_of=as_of)
    at = as_of or min(timezone.now(), subject.last_at + IDLE)
    with _apart():
        return answer(subject.read_state(), subject.read_past(), at=at, reasons=reasons, session=subject)


def _of_request(request: HttpRequest, *, reasons: int, as_of: datetime | None) -> Intent:
    _keep_uncached(request)
    tracker = tracker_of(request)
    if tracker is None or tracker.has_left:
        return UNKNOWN
    with _apart():
        return _foreseen(request, tracker, reasons=reasons, as_of=as_of)


def _foreseen(request: HttpRequest, tracker: Tracker, *, reasons: int, as_of: datetime | None) -> Intent:
    """The answer after what is pending; as of its latest event, so that history folded later gives the same."""
    pending = tracker.pending()
    events = tuple(event.event_id for event in pending)
    if as_of is None and (known := _remembered(request, events, reasons)) is not None:
        return known
    foreseen, at = visit_foreseen(request, tracker, pending, as_of)
    if as_of is not None:
        return answer(foreseen.state, foreseen.past, at=at, reasons=reasons, session=foreseen.session)
    tracker.score = None
    found = answer(foreseen.state, foreseen.past, at=at, reasons=reasons, session=foreseen.session)
    tracker.score = found
    setattr(request, _ATTRIBUTE, (events, reasons, found))
    return found


def _judged(
    subject: HttpRequest | Session,
    judge: Callable[[Subject], T],
    otherwise: T,
    *,
    as_of: datetime | None = None,
    effect: str = "No segment was given",
) -> T:
    try:
        with _apart():
            if isinstance(subject, Session):
                found: Subject | None = stored_subject(subject, as_of)
            else:
                _keep_uncached(subject)
                found = visiting_subject(subject, as_of, intent=lambda: score(subject, as_of=as_of))
            return otherwise if found is None or found.state.events == 0 else judge(found)
    except Exception as fault:  # noqa: BLE001 - the page's edge: it is served whatever becomes of its segments
        tell_once(fault, effect=effect)
        return otherwise


def _apart() -> AbstractContextManager[None]:
    """Within the shop's own transaction a savepoint: a statement of ours that fails must not spoil the shop's."""
    alias = router.db_for_write(Session)
    return transaction.atomic(using=alias) if transaction.get_connection(alias).in_atomic_block else nullcontext()


def _keep_uncached(request: HttpRequest) -> None:
    """See to it that no cache hands one visitor's answer to another."""
    tracker = attached(request)
    if tracker is None:
        return
    tracker.is_personal = True
    # Where `cache_page` wraps the view, the answer is stored before a middleware can mark it as private.
    setattr(tracker.request, "_cache_update_cache", False)  # noqa: B010 - Django's own word for it, unknown to its types


def _remembered(request: HttpRequest, events: tuple[str | None, ...], reasons: int) -> Intent | None:
    """What this request was answered after the same events, with as many reasons at least."""
    for_events, asked, found = getattr(request, _ATTRIBUTE, (None, 0, UNKNOWN))
    if for_events != events or asked < reasons:
        return None
    return replace(found, reasons=found.reasons[: max(reasons, 0)])
