"""Files sealed as one: a zip of data with a manifest, the checksums of its files, and a signature.

`manifest.json` names every file with its size and sha256, the library versions, the schema hash and the facts given;
`signature` is the HMAC-SHA256 of the manifest. Reading checks the signature before it looks at anything else, and
runs no code from the bundle: no pickle anywhere. The same files, facts and key give the same bytes.
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

__all__ = ["FORMAT", "MAX_FILE", "RESTORE", "as_json", "fitting", "read_manifest", "seal", "sealed_files"]

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "signature"
MAX_FILE = 512 * 2**20
"""Bytes one file of a bundle may have unpacked; no model comes near, a hostile zip might."""

RESTORE = "restore the bundle from its storage or train again"


def seal(
    files: Mapping[str, bytes], *, schema: str, libraries: Mapping[str, str], facts: Mapping[str, Any], key: bytes
) -> bytes:
    """The bundle of files.

    `schema` is the hash of the features that the model was trained on, `libraries` the versions of its learners,
    `facts` any JSON data to keep with it, `key` the secret that signs. Raises ConfigurationError for an empty key,
    TrainingRefused where facts are no JSON.
    """
    manifest = {
        "format": FORMAT,
        "schema": schema,
        "libraries": dict(libraries),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
        "facts": dict(facts),
    }
    sealed = as_json(manifest)
    return _zipped({MANIFEST: sealed, SIGNATURE: _sign(sealed, key), **files})


def sealed_files(data: bytes, *, schema: str, key: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a bundle, by name, and its manifest.

    Raises BundleRefused, with the remedy, for: an unreadable zip, a missing, additional, repeated or changed file, a
    signature made with another key, another schema, or a newer format.
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
    return _checked_files(archive, manifest["files"]), manifest


def read_manifest(data: bytes, *, key: bytes) -> dict[str, Any]:
    """The manifest of a bundle (schema, libraries, files, facts), once its signature is checked; needs no learner."""
    return _manifest(_opened(data), key)


@contextmanager
def fitting() -> Iterator[None]:
    """Turn what signed but ill-made data raises into a refusal."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, TrainingRefused) as wrong:
        raise BundleRefused(f"the bundle's parts do not fit together: {RESTORE}", problem=str(wrong)) from wrong


def as_json(value: Any) -> bytes:
    """Bytes of JSON, the same for the same data. TrainingRefused where it is none, or holds an infinite number."""
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
        raise BundleRefused(f"the bundle is no readable zip: {RESTORE}") from unreadable
    names = archive.namelist()
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise BundleRefused(f"the bundle holds {repeated} more than once: {RESTORE}", files=repeated)
    return archive


def _member_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
        if info.file_size > MAX_FILE:
            raise BundleRefused(f"{name} is larger than any model: {RESTORE}", file=name, bytes=info.file_size)
        return archive.read(info)
    except KeyError as missing:
        raise BundleRefused(f"{name} is missing from the bundle: {RESTORE}", file=name) from missing
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as broken:
        raise BundleRefused(f"{name} is damaged: {RESTORE}", file=name) from broken


def _manifest(archive: zipfile.ZipFile, key: bytes) -> dict[str, Any]:
    sealed = _member_bytes(archive, MANIFEST)
    if not hmac.compare_digest(_member_bytes(archive, SIGNATURE), _sign(sealed, key)):
        raise BundleRefused(
            "the bundle's signature does not match: it was changed, or signed with another key; "
            f"check the key, else {RESTORE}"
        )
    with fitting():
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
        raise BundleRefused(f"the bundle holds files its manifest does not name, {extra}: {RESTORE}", files=extra)
    files = {}
    for name, facts in declared.items():
        data = _member_bytes(archive, name)
        if hashlib.sha256(data).hexdigest() != facts["sha256"]:
            raise BundleRefused(f"{name} was changed: {RESTORE}", file=name)
        files[name] = data
    return files
