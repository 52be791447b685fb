"""Arms on one request: each experiment asked once, its exposure written once the request is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final, Protocol, TypeVar

from purchase_intent.experiments.active import Ready
from purchase_intent.experiments.assigning import Given, Unit, given_arm, shown_before, shown_to
from purchase_intent.experiments.exposing import Facts, write_exposures, written_arm
from purchase_intent.scoring.answer import Intent
from purchase_intent.segments.live import is_in, segment_rows_of
from purchase_intent.segments.subject import Subject
from purchase_intent.tracking.bots import STAFF
from purchase_intent.tracking.source import browser_of, device_of
from purchase_intent.tracking.tracker import Tracker

__all__ = ["ATTRIBUTE", "FORCE", "Judged", "Showing", "forced_arm", "showing_of"]

FORCE: Final = "intent_arm"
"""`?intent_arm=KEY:ARM` shows staff an arm without counting it."""
ATTRIBUTE: Final = "_purchase_intent_showing"
"""Of a request, where its `Showing` is kept."""

T = TypeVar("T")


class Judged(Protocol):
    """Asks a request's visit something, after all that the request has told; `otherwise` where nothing is known."""

    def __call__(self, judge: Callable[[Subject], T], otherwise: T) -> T: ...


class Showing:
    """What one request's visitor is shown.

    `judged` asks the visit, `score` gives its answer: at a first exposure, and where a segment decides.
    """

    def __init__(self, tracker: Tracker, *, judged: Judged, score: Callable[[], Intent]) -> None:
        self._tracker = tracker
        self._judged, self._score = judged, score
        self._arms: dict[str, str] = {}
        self._exposed: dict[str, tuple[Ready, str]] = {}
        self._chance: float | None = None
        self._segments: tuple[int, ...] | None = None

    def arm(self, experiment: Ready) -> str:
        """The visitor's arm. The first time it counts, the exposure is written after the request."""
        known = self._arms.get(experiment.key)
        if known is not None:
            return known
        forced = forced_arm(self._tracker, experiment)
        if forced:
            return forced
        given = self._given(experiment)
        self._arms[experiment.key] = given.arm
        if given.counts and written_arm(experiment, self._unit.key) is None:
            self._expose(experiment, given.arm)
        return given.arm

    def settled(self, experiment: Ready) -> Given | None:
        """The arm where it does not follow from the visitor's id alone, else None; nobody is exposed by asking."""
        forced = forced_arm(self._tracker, experiment)
        if forced:
            return Given(forced, counts=False)
        unit = self._unit
        is_drawn = experiment.is_running and not unit.is_excluded and not (experiment.segment or experiment.is_bandit)
        if is_drawn and (unit.visitor is None or not unit.visitor.known):
            return None
        return self._given(experiment)

    def foreseen(self, experiment: Ready) -> Given:
        """The arm that would be shown, by which nobody is exposed."""
        return self.settled(experiment) or given_arm(experiment, self._unit, shown=dict, is_in=self._is_in)

    def told(self, experiment: Ready, arm: str) -> str:
        """Count what a page's own script says it has shown: "counted", or why it is not."""
        given = self.foreseen(experiment)
        if not given.counts:
            return "not_taking_part"
        if given.arm != arm:
            return "another_arm"
        self.arm(experiment)
        return "counted"

    def write_now(self) -> None:
        """Store the exposures at once, for an answer that promises them. DatabaseError where that fails."""
        if self._exposed:
            self._tracker.afterwards.remove(self._write)
            self._write(self._unit.key)

    def _given(self, experiment: Ready) -> Given:
        """The arm; that of an exposure which this process knows to be stored is asked for no more.

        Unless it may be another's: a bandit's weights move, and to a login earlier visits come.
        """
        unit = self._unit
        is_own = experiment.is_running and not (experiment.is_bandit or unit.is_excluded)
        if is_own and not (unit.visitor is not None and unit.visitor.known):
            kept = written_arm(experiment, unit.key)
            if kept is not None:
                return Given(kept, counts=True)
        return given_arm(experiment, unit, shown=lambda: self._before, is_in=self._is_in)

    def _is_in(self, segment: str) -> bool:
        return self._judged(lambda subject: is_in(subject, segment), False)

    def _expose(self, experiment: Ready, arm: str) -> None:
        if not self._exposed:
            self._chance = self._score().probability
            self._segments = self._judged(segment_rows_of, None)
            self._tracker.afterwards.append(self._write)
        self._exposed[experiment.key] = experiment, arm

    def _write(self, cookie: str) -> None:
        tracker = self._tracker
        facts = Facts(
            unit=cookie,
            site=tracker.site,
            at=tracker.moment,
            device=device_of(tracker.request),
            browser=browser_of(tracker.request),
            score=self._chance,
            segments=self._segments,
        )
        write_exposures(self._exposed, facts)

    @cached_property
    def _unit(self) -> Unit:
        tracker = self._tracker
        visitor = tracker.journey.visitor(at=tracker.moment)
        is_excluded = bool(tracker.label.kind) or (visitor is not None and bool(visitor.bot))
        return Unit(key=tracker.identity.visitor, visitor=visitor, is_excluded=is_excluded)

    @cached_property
    def _before(self) -> Mapping[int, str]:
        visitor = self._unit.visitor
        return shown_to(self._unit.key, site=self._tracker.site) if visitor is None else shown_before(visitor)


def forced_arm(tracker: Tracker, experiment: Ready) -> str:
    """The arm that staff ask to see, or ""."""
    if tracker.label.kind != STAFF.kind:  # asked first: shoppers' parameters need not be read
        return ""
    key, _, arm = tracker.request.GET.get(FORCE, "").partition(":")
    return arm if key == experiment.key and arm in experiment.arms else ""


def showing_of(tracker: Tracker, *, judged: Judged, score: Callable[[], Intent]) -> Showing:
    """The one of a request."""
    found = getattr(tracker.request, ATTRIBUTE, None)
    if not isinstance(found, Showing):
        found = Showing(tracker, judged=judged, score=score)
        setattr(tracker.request, ATTRIBUTE, found)
    return found
