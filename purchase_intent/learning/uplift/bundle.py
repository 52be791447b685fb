"""An uplift model as one sealed file of data, as `learning.bundle` does for an ensemble."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from purchase_intent.exceptions import BundleRefused
from purchase_intent.learning.bundle import check_libraries
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.members import MEMBERS
from purchase_intent.learning.sealed import RESTORE, as_json, fitting, seal, sealed_files
from purchase_intent.learning.uplift.model import Learner, Part, UpliftModel

__all__ = ["dump_uplift", "load_uplift"]

SETTINGS: Final = "uplift.json"


def dump_uplift(model: UpliftModel, *, schema: str, facts: Mapping[str, Any], key: bytes) -> bytes:
    """The bundle of a model; arguments and errors as for `learning.dump`."""
    files = {"encoder.json": as_json(model.encoder.to_json()), SETTINGS: as_json(_settings(model))}
    libraries = {}
    for name, part in model.parts.items():
        for member in part.members.values():
            files |= {f"{name}/{file}": data for file, data in member.to_files().items()}
            libraries[member.package] = member.version()
    return seal(files, schema=schema, libraries=libraries, facts=facts, key=key)


def load_uplift(data: bytes, *, schema: str, key: bytes) -> UpliftModel:
    """The model of a bundle. Raises BundleRefused, with the remedy, as `learning.load` does."""
    files, manifest = sealed_files(data, schema=schema, key=key)
    if SETTINGS not in files:
        raise BundleRefused(f"the bundle holds no uplift model: {RESTORE}")
    with fitting():
        settings = json.loads(files[SETTINGS])
        for part in settings["parts"].values():
            check_libraries(part["members"], manifest["libraries"])
        return UpliftModel(
            learner=Learner(settings["learner"]),
            names=tuple(settings["names"]),
            categorical=frozenset(settings["categorical"]),
            encoder=TargetEncoder.from_json(json.loads(files["encoder.json"])),
            parts={name: _part(name, part, files) for name, part in settings["parts"].items()},
            share=float(settings["share"]),
            centre=float(settings["centre"]),
            spread=float(settings["spread"]),
            figures=settings["figures"],
        )


def _settings(model: UpliftModel) -> dict[str, Any]:
    return {
        "learner": model.learner.value,
        "names": list(model.names),
        "categorical": sorted(model.categorical),
        "share": model.share,
        "centre": model.centre,
        "spread": model.spread,
        "figures": dict(model.figures),
        "parts": {
            name: {
                "calibration": asdict(part.calibration),
                "members": {
                    each: {"rounds": member.rounds, "settings": member.settings}
                    for each, member in part.members.items()
                },
            }
            for name, part in model.parts.items()
        },
    }


def _part(name: str, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Part:
    own = {file.removeprefix(f"{name}/"): data for file, data in files.items() if file.startswith(f"{name}/")}
    members = {
        each: MEMBERS[each].from_files(own, rounds=facts["rounds"], settings=facts["settings"])
        for each, facts in settings["members"].items()
    }
    return Part(members, Calibration(**settings["calibration"]))
