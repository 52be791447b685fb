"""A bundle gives back the same model to the bit, or is refused with the remedy."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purchase_intent.exceptions import BundleRefused, ConfigurationError, TrainingRefused
from purchase_intent.learning import MEMBERS, IntentEnsemble, dump, load, read_manifest
from purchase_intent.learning import sealed as module
from tests.unit.learning.conftest import KEY
from tests.unit.learning.samples import shop

MATRIX = shop(sessions=100, seed=21).table.values

FILES = (
    "manifest.json",
    "signature",
    "catboost.cbm",
    "xgboost.ubj",
    "lightgbm.txt",
    "forest.ubj",
    "encoder.json",
    "baseline.json",
    "ensemble.json",
    "explained.npy",
)


def unpack(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def forge(bundle: bytes, change: Callable[[dict[str, Any]], None], **replaced: bytes) -> bytes:
    """A bundle with another manifest, signed with the right key; `replaced` files keep their checksums right."""
    files = unpack(bundle)
    manifest = json.loads(files["manifest.json"])
    for name, data in replaced.items():
        path = name.replace("__", ".")
        files[path] = data
        manifest["files"][path]["sha256"] = hashlib.sha256(data).hexdigest()
    change(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()
    files["signature"] = hmac.new(KEY, files["manifest.json"], hashlib.sha256).hexdigest().encode()
    return pack(files)


def refusal(data: bytes, *, schema: str = "abc", key: bytes = KEY) -> BundleRefused:
    with pytest.raises(BundleRefused) as refused:
        load(data, schema=schema, key=key)
    return refused.value


def test_a_round_trip_keeps_every_bit(ensemble: IntentEnsemble, bundle: bytes) -> None:
    again = load(bundle, schema="abc", key=KEY)
    assert again.log_odds(MATRIX).tobytes() == ensemble.log_odds(MATRIX).tobytes()
    assert again.baseline_log_odds(MATRIX).tobytes() == ensemble.baseline_log_odds(MATRIX).tobytes()
    for name, margins in ensemble.member_log_odds(MATRIX).items():
        assert again.member_log_odds(MATRIX)[name].tobytes() == margins.tobytes()
    np.testing.assert_array_equal(again.contributions(MATRIX)[0], ensemble.contributions(MATRIX)[0])
    for name in ("names", "categorical", "weights", "calibration", "thresholds", "figures"):
        assert getattr(again, name) == getattr(ensemble, name)


def test_equal_models_are_equal_files(ensemble: IntentEnsemble, bundle: bytes) -> None:
    assert dump(ensemble, schema="abc", facts={"window": [1, 2]}, key=KEY) == bundle


def test_it_holds_native_files_json_and_plain_arrays_alone(bundle: bytes) -> None:
    assert set(unpack(bundle)) == set(FILES)


def test_the_manifest_is_readable_on_its_own(bundle: bytes) -> None:
    manifest = read_manifest(bundle, key=KEY)
    assert manifest["schema"] == "abc"
    assert manifest["facts"] == {"window": [1, 2]}
    assert set(manifest["libraries"]) == {member.package for member in MEMBERS.values()}
    assert set(manifest["files"]) == set(FILES) - {"manifest.json", "signature"}


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_refused(bundle: bytes, name: str) -> None:
    files = unpack(bundle)
    middle = len(files[name]) // 2
    files[name] = files[name][:middle] + bytes([files[name][middle] ^ 1]) + files[name][middle + 1 :]
    message = refusal(pack(files)).message
    assert (
        ("signature" in message)
        if name in ("manifest.json", "signature")
        else message.startswith(f"{name} was changed")
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(bundle: bytes, name: str) -> None:
    files = unpack(bundle)
    del files[name]
    refused = refusal(pack(files))
    assert refused.facts == {"file": name}
    assert "train again" in refused.message


def test_an_additional_file_is_refused(bundle: bytes) -> None:
    assert refusal(pack({**unpack(bundle), "code.py": b""})).facts == {"files": ["code.py"]}


def test_a_repeated_file_is_refused(bundle: bytes) -> None:
    buffer = io.BytesIO(bundle)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("ensemble.json", b"{}")
    assert refusal(buffer.getvalue()).facts == {"files": ["ensemble.json"]}


def test_another_schema_is_refused(bundle: bytes) -> None:
    refused = refusal(bundle, schema="abd")
    assert refused.facts == {"expected": "abd", "found": "abc"}
    assert "train again" in refused.message


def test_another_key_is_refused(bundle: bytes) -> None:
    assert "check the key" in refusal(bundle, key=b"another").message
    with pytest.raises(BundleRefused):
        read_manifest(bundle, key=b"another")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_bundle_is_refused(bundle: bytes, share: float) -> None:
    assert "no readable zip" in refusal(bundle[: int(len(bundle) * share)]).message


@settings(max_examples=60)
@given(st.data())
def test_a_flipped_byte_anywhere_is_refused_or_harmless(bundle: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bundle) - 1))
    broken = bundle[:at] + bytes([bundle[at] ^ data.draw(st.integers(1, 255))]) + bundle[at + 1 :]
    try:
        again = load(broken, schema="abc", key=KEY)
    except BundleRefused:
        return
    # The zip's own fields that nothing depends on, such as a time stamp.
    assert again.weights == load(bundle, schema="abc", key=KEY).weights


@pytest.mark.parametrize("package", sorted({member.package for member in MEMBERS.values()}))
def test_a_newer_learner_is_refused(bundle: bytes, package: str) -> None:
    def newer(manifest: dict[str, Any]) -> None:
        manifest["libraries"][package] = "99.1.0"

    refused = refusal(forge(bundle, newer))
    assert refused.facts["package"] == package
    assert f"install {package} 99.1.0" in refused.message


def test_an_older_learner_is_read(bundle: bytes) -> None:
    def older(manifest: dict[str, Any]) -> None:
        manifest["libraries"]["xgboost"] = "2.1.0"

    assert load(forge(bundle, older), schema="abc", key=KEY).predict(MATRIX).shape == (len(MATRIX),)


def test_a_newer_format_is_refused(bundle: bytes) -> None:
    def newer(manifest: dict[str, Any]) -> None:
        manifest["format"] = module.FORMAT + 1

    assert "upgrade" in refusal(forge(bundle, newer)).message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ensemble__json", b"{}"),
        ("ensemble__json", b"no json"),
        ("ensemble__json", b"[]"),
        ("encoder__json", b"[1]"),
        ("baseline__json", b"{}"),
        ("catboost__cbm", b"no model"),
        ("xgboost__ubj", b"no model"),
        ("lightgbm__txt", b"no model"),
    ],
)
def test_signed_nonsense_is_refused(bundle: bytes, name: str, content: bytes) -> None:
    assert "train again" in refusal(forge(bundle, lambda manifest: None, **{name: content})).message


@pytest.mark.parametrize("part", ["format", "schema", "files", "libraries", "facts"])
def test_a_signed_manifest_without_its_parts_is_refused(bundle: bytes, part: str) -> None:
    assert "train again" in refusal(forge(bundle, lambda manifest: manifest.pop(part))).message


def test_a_file_too_large_to_be_a_model_is_not_unpacked(bundle: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 10)
    assert "larger than any model" in refusal(bundle).message


def test_an_empty_key_signs_nothing(ensemble: IntentEnsemble, bundle: bytes) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        dump(ensemble, schema="abc", facts={}, key=b"")
    with pytest.raises(ConfigurationError, match="empty"):
        load(bundle, schema="abc", key=b"")


@pytest.mark.parametrize("facts", [{"at": np.float32(1)}, {"auc": float("nan")}])
def test_facts_that_are_no_json_are_refused(ensemble: IntentEnsemble, facts: dict[str, Any]) -> None:
    with pytest.raises(TrainingRefused, match=r"^facts: "):
        dump(ensemble, schema="abc", facts=facts, key=KEY)


def test_a_member_left_out_is_left_out_of_the_bundle(ensemble: IntentEnsemble) -> None:
    alone = replace(ensemble, members={"lightgbm": ensemble.members["lightgbm"]}, weights={"lightgbm": 1.0})
    again = load(dump(alone, schema="abc", facts={}, key=KEY), schema="abc", key=KEY)
    assert again.predict(MATRIX).tobytes() == alone.predict(MATRIX).tobytes()
