"""A model as one file of data: a zip of native model files and JSON, with checksums and a signature.

`manifest.json` names every file with its size and sha256, the library versions, the schema hash and the facts given;
`signature` is the HMAC-SHA256 of the manifest. Reading checks the signature before it looks at anything else, and
runs no code from the bundle: no pickle anywhere. The same ensemble, facts and key give the same bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from purchase_intent.exceptions import BundleRefused, ConfigurationError, TrainingRefused
from purchase_intent.learning.baseline import LogisticBaseline
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.ensemble import IntentEnsemble
from purchase_intent.learning.explained import Explained
from purchase_intent.learning.members import MEMBERS
from purchase_intent.learning.thresholds import Thresholds

__all__ = ["FORMAT", "MAX_FILE", "dump", "load", "read_manifest"]

FORMAT = 1
MANIFEST, SIGNATURE, EXPLAINED = "manifest.json", "signature", "explained.npy"
MAX_FILE = 512 * 2**20
"""Bytes one file of a bundle may have unpacked; no model comes near, a hostile zip might."""

_RESTORE = "restore the bundle from its storage or train again"


def dump(ensemble: IntentEnsemble, *, schema: str, facts: Mapping[str, Any], key: bytes) -> bytes:
    """The bundle of an ensemble.

    `schema` is the hash of the features it was trained on, `facts` any JSON data to keep with it (window, figures),
    `key` the secret that signs. Raises ConfigurationError for an empty key, TrainingRefused where facts are no JSON.
    """
    files = {
        **{name: data for member in ensemble.members.values() for name, data in member.to_files().items()},
        "encoder.json": _json(ensemble.encoder.to_json()),
        "baseline.json": _json(ensemble.baseline.to_json()),
        "ensemble.json": _json(_settings(ensemble)),
        **({EXPLAINED: ensemble.explained.to_bytes()} if ensemble.explained is not None else {}),
    }
    manifest = {
        "format": FORMAT,
        "schema": schema,
        "libraries": {member.package: member.version() for member in ensemble.members.values()},
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
        "facts": dict(facts),
    }
    sealed = _json(manifest)
    return _zipped({MANIFEST: sealed, SIGNATURE: _sign(sealed, key), **files})


def load(data: bytes, *, schema: str, key: bytes) -> IntentEnsemble:
    """The ensemble of a bundle.

    Raises BundleRefused, with the remedy, for: an unreadable zip, a missing, additional, repeated or changed file, a
    signature made with another key, another schema, a newer format or a learner older by a major version than the one
    that trained; MissingExtra where a learner is not installed.
    """
    archive = _opened(data)
    manifest = _manifest(archive, key)
    if manifest["schema"] != schema:
        raise BundleRefused(
            "the bundle was trained on other features than this version computes: train again, or run the version it "
            "was trained with",
            expected=schema,
            found=manifest["schema"],
        )
    files = _checked_files(archive, manifest["files"])
    with _fitting():
        settings = json.loads(files["ensemble.json"])
        _check_libraries(settings["members"], manifest["libraries"])
        return _assembled(settings, files)


def read_manifest(data: bytes, *, key: bytes) -> dict[str, Any]:
    """The manifest of a bundle (schema, libraries, files, facts), once its signature is checked; needs no learner."""
    return _manifest(_opened(data), key)


@contextmanager
def _fitting() -> Iterator[None]:
    """Turn what signed but ill-made data raises into a refusal."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, TrainingRefused) as wrong:
        raise BundleRefused(f"the bundle's parts do not fit together: {_RESTORE}", problem=str(wrong)) from wrong


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


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as unfit:
        raise TrainingRefused(f"facts: must be JSON data with finite numbers: {unfit}", field="facts") from unfit


def _sign(manifest: bytes, key: bytes) -> bytes:
    if not key:
        raise ConfigurationError("the key that signs bundles is empty: set one", field="key")
    return hmac.new(key, manifest, hashlib.sha256).hexdigest().encode()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # A fixed time stamp, so that equal models are equal files.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 6)
    return buffer.getvalue()


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as unreadable:
        raise BundleRefused(f"the bundle is no readable zip: {_RESTORE}") from unreadable
    names = archive.namelist()
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise BundleRefused(f"the bundle holds {repeated} more than once: {_RESTORE}", files=repeated)
    return archive


def _member_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
        if info.file_size > MAX_FILE:
            raise BundleRefused(f"{name} is larger than any model: {_RESTORE}", file=name, bytes=info.file_size)
        return archive.read(info)
    except KeyError as missing:
        raise BundleRefused(f"{name} is missing from the bundle: {_RESTORE}", file=name) from missing
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as broken:
        raise BundleRefused(f"{name} is damaged: {_RESTORE}", file=name) from broken


def _manifest(archive: zipfile.ZipFile, key: bytes) -> dict[str, Any]:
    sealed = _member_bytes(archive, MANIFEST)
    if not hmac.compare_digest(_member_bytes(archive, SIGNATURE), _sign(sealed, key)):
        raise BundleRefused(
            "the bundle's signature does not match: it was changed, or signed with another key; "
            f"check the key, else {_RESTORE}"
        )
    with _fitting():
        manifest: dict[str, Any] = json.loads(sealed)
        if int(manifest["format"]) > FORMAT:
            raise BundleRefused(
                "the bundle is of a newer format: upgrade django-purchase-intent or train again",
                expected=FORMAT,
                found=manifest["format"],
            )
        return {part: manifest[part] for part in ("format", "schema", "libraries", "files", "facts")}


def _checked_files(archive: zipfile.ZipFile, declared: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    if extra := sorted(set(archive.namelist()) - set(declared) - {MANIFEST, SIGNATURE}):
        raise BundleRefused(f"the bundle holds files its manifest does not name, {extra}: {_RESTORE}", files=extra)
    files = {}
    for name, facts in declared.items():
        data = _member_bytes(archive, name)
        if hashlib.sha256(data).hexdigest() != facts["sha256"]:
            raise BundleRefused(f"{name} was changed: {_RESTORE}", file=name)
        files[name] = data
    return files


def _check_libraries(members: Mapping[str, Any], trained_with: Mapping[str, str]) -> None:
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
