"""What is done to a segment: made, its conditions changed, switched on and off. An edit is a new version."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, connections, router, transaction

from purchase_intent.exceptions import SegmentRefused
from purchase_intent.models import Segment, SegmentMembership, SegmentVersion
from purchase_intent.models.segment import Why, is_key
from purchase_intent.segments.active import look_again
from purchase_intent.segments.rules import Rule

__all__ = ["change_segment", "make_segment", "mark_of", "save_rule", "switch"]


def make_segment(rule: Rule, *, who: str, now: datetime, **words: Any) -> Segment:
    """Make a segment with its first version, both or neither. `words` are key, title, about and action.

    SegmentRefused, with nothing written, for a key that is unfit or taken.
    """
    key = str(words["key"])
    if not is_key(key):
        remedy = f"“{key}” is no key: use small letters, digits and hyphens, 64 at most"
        raise SegmentRefused(f"key: {remedy}", field="key", remedy=remedy)
    try:
        with transaction.atomic(using=router.db_for_write(Segment)):
            segment: Segment = Segment.objects.create(created_at=now, **words)
            _add_version(segment, rule, who=who, now=now)
    except IntegrityError:
        remedy = f"another segment is called {key}: its key is taken for good"
        raise SegmentRefused(f"key: {remedy}", field="key", remedy=remedy, reason="taken") from None
    return segment


def mark_of(segment: Segment) -> str:
    """Its version, and some letters that are others once its words are."""
    words = repr((segment.title, segment.about, segment.action))
    return f"{segment.current_id}:{sha256(words.encode()).hexdigest()[:16]}"


def change_segment(segment: Segment, rule: Rule, *, who: str, now: datetime, seen: str = "", **words: str) -> bool:
    """Give a segment other words and `save_rule`, both or neither; whether the conditions are a new version.

    `seen` is the `mark_of` the segment that its author knew. SegmentRefused, with nothing written, where it was changed
    since.
    """
    alias = router.db_for_write(Segment, instance=segment)
    with transaction.atomic(using=alias):
        latest = _locked(segment)
        if seen and mark_of(latest) != seen:
            version = latest.current
            is_edited = version is not None and str(version.pk) != seen.partition(":")[0]
            by = f" by {version.who}" if version is not None and is_edited else ""
            remedy = "see how it stands now, then save again to replace it with this"
            raise SegmentRefused(
                f"it was changed{by} meanwhile: nothing was saved; {remedy}",
                field="seen",
                remedy=remedy,
                reason="overtaken",
            )
        Segment.objects.using(alias).filter(pk=segment.pk).update(**words)
        return save_rule(segment, rule, who=who, now=now)


def save_rule(segment: Segment, rule: Rule, *, who: str, now: datetime) -> bool:
    """Make `rule` the conditions of a segment, as a new version; whether it was one: the same conditions are none.

    Memberships by the version before stay as they are until the members are told anew.
    """
    alias = router.db_for_write(Segment, instance=segment)
    with transaction.atomic(using=alias):
        latest = _locked(segment)
        if latest.current is not None and latest.current.rule == rule.to_json():
            return False
        _add_version(latest, rule, who=who, now=now)
    segment.refresh_from_db(fields=("current",))
    return True


def switch(segment: Segment, *, on: bool, now: datetime) -> bool:
    """Switch a segment on or off; whether that changed anything. Switched off, its memberships end."""
    alias = router.db_for_write(Segment, instance=segment)
    with transaction.atomic(using=alias):
        changed = Segment.objects.using(alias).filter(pk=segment.pk, is_active=not on).update(is_active=on)
        if changed and not on:
            members = SegmentMembership.objects.using(alias).open().filter(segment=segment.pk)
            members.filter(entered_at__lte=now).order_by().update(left_at=now, why=Why.OFF)
        transaction.on_commit(look_again, using=alias)
    segment.is_active = on
    return bool(changed)


def _locked(segment: Segment) -> Segment:
    alias = router.db_for_write(Segment, instance=segment)
    stored = Segment.objects.using(alias).select_related("current")
    if connections[alias].features.has_select_for_update:
        stored = stored.select_for_update(of=("self",))
    found: Segment = stored.get(pk=segment.pk)
    return found


def _add_version(segment: Segment, rule: Rule, *, who: str, now: datetime) -> None:
    number = segment.versions.count() + 1
    segment.current = SegmentVersion.objects.create(
        segment=segment, number=number, rule=rule.to_json(), made_at=now, who=who
    )
    segment.save(update_fields=("current",))
    transaction.on_commit(look_again, using=router.db_for_write(Segment, instance=segment))
