"""A model as one file of data: a sealed zip of native model files and JSON (`learning.sealed`).

The same ensemble, facts and key give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from purchase_intent.exceptions import BundleRefused
from purchase_intent.learning.baseline import LogisticBaseline
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.ensemble import IntentEnsemble
from purchase_intent.learning.explained import Explained
from purchase_intent.learning.members import MEMBERS
from purchase_intent.learning.sealed import FORMAT, MAX_FILE, as_json, fitting, read_manifest, seal, sealed_files
from purchase_intent.learning.thresholds import Thresholds

__all__ = ["FORMAT", "MAX_FILE", "check_libraries", "dump", "load", "read_manifest"]

EXPLAINED = "explained.npy"


def dump(ensemble: IntentEnsemble, *, schema: str, facts: Mapping[str, Any], key: bytes) -> bytes:
    """The bundle of an ensemble.

    `schema` is the hash of the features it was trained on, `facts` any JSON data to keep with it (window, figures),
    `key` the secret that signs. Raises ConfigurationError for an empty key, TrainingRefused where facts are no JSON.
    """
    files = {
        **{name: data for member in ensemble.members.values() for name, data in member.to_files().items()},
        "encoder.json": as_json(ensemble.encoder.to_json()),
        "baseline.json": as_json(ensemble.baseline.to_json()),
        "ensemble.json": as_json(_settings(ensemble)),
        **({EXPLAINED: ensemble.explained.to_bytes()} if ensemble.explained is not None else {}),
    }
    libraries = {member.package: member.version() for member in ensemble.members.values()}
    return seal(files, schema=schema, libraries=libraries, facts=facts, key=key)


def load(data: bytes, *, schema: str, key: bytes) -> IntentEnsemble:
    """The ensemble of a bundle.

    Raises BundleRefused, with the remedy, for: an unreadable zip, a missing, additional, repeated or changed file, a
    signature made with another key, another schema, a newer format or a learner older by a major version than the one
    that trained; MissingExtra where a learner is not installed.
    """
    files, manifest = sealed_files(data, schema=schema, key=key)
    with fitting():
        settings = json.loads(files["ensemble.json"])
        check_libraries(settings["members"], manifest["libraries"])
        return _assembled(settings, files)


def _settings(ensemble: IntentEnsemble) -> dict[str, Any]:
    return {
        "names": list(ensemble.names),
        "categorical": sorted(ensemble.categorical),
        "members": {
            name: {"rounds": member.rounds, "settings": member.settings, "weight": ensemble.weights[name]}
            for name, member in ensemble.members.items()
        },
        "calibration": {"slope": ensemble.calibration.slope, "intercept": ensemble.calibration.intercept},
        "thresholds": ensemble.thresholds.to_json(),
        "figures": dict(ensemble.figures),
        **({"beside": dict(ensemble.beside)} if ensemble.beside else {}),
    }


def _assembled(settings: Mapping[str, Any], files: Mapping[str, bytes]) -> IntentEnsemble:
    return IntentEnsemble(
        names=tuple(settings["names"]),
        categorical=frozenset(settings["categorical"]),
        encoder=TargetEncoder.from_json(json.loads(files["encoder.json"])),
        members={
            name: MEMBERS[name].from_files(files, rounds=part["rounds"], settings=part["settings"])
            for name, part in settings["members"].items()
        },
        weights={name: float(part["weight"]) for name, part in settings["members"].items()},
        calibration=Calibration(**settings["calibration"]),
        thresholds=Thresholds.from_json(settings["thresholds"]),
        baseline=LogisticBaseline.from_json(json.loads(files["baseline.json"])),
        figures=settings["figures"],
        explained=Explained.from_bytes(files[EXPLAINED]) if EXPLAINED in files else None,
        beside=settings.get("beside", {}),
    )


def check_libraries(members: Mapping[str, Any], trained_with: Mapping[str, str]) -> None:
    """Raise BundleRefused where a learner installed here is older by a major version than the one that trained."""
    for name in members:
        package, installed = MEMBERS[name].package, MEMBERS[name].version()
        if int(trained_with[package].split(".")[0]) > int(installed.split(".")[0]):
            raise BundleRefused(
                f"the bundle was trained with {package} {trained_with[package]}, but {installed} is installed: "
                f"install {package} {trained_with[package]} or train again",
                package=package,
                expected=trained_with[package],
                found=installed,
            )
