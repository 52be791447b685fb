"""Django on the benchmark's own servers, with a champion; and which processes those servers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["first_processes", "prepared"]


def prepared(bundle: Path | None, log: Path, zone: str) -> Any:
    """Bring up Django, make the tables, and have the model of a bundle serve, or one of the log learnt now."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from purchase_intent.conf import bundle_key
    from purchase_intent.features.schema import schema_hash
    from purchase_intent.learning import load
    from tests.trained import register

    data = bundle.read_bytes() if bundle is not None else _learnt(log, zone)
    register(data)
    return load(data, schema=schema_hash(), key=bundle_key())


def first_processes(stream: str) -> dict[str, int]:
    """The first process of each server, by the server's name."""
    from django.db import connection

    from purchase_intent.tracking.sinks.wire import wire_to

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    first = int(Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    valkey = int(wire_to(stream, patient=True).client.info("server")["process_id"])
    return {"PostgreSQL": first, "Valkey": valkey}


def _learnt(log: Path, zone: str) -> bytes:
    from benchmarks.bench_row import cases
    from purchase_intent.conf import bundle_key
    from purchase_intent.features.schema import schema_hash
    from purchase_intent.learning import IntentEnsemble, dump

    made = IntentEnsemble.fit(cases(log, zone), seed=3)
    return dump(made, schema=schema_hash(), facts={}, key=bundle_key())
