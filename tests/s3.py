"""A server that speaks S3 over HTTP, for the tests that keep bundles in one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["BUCKET", "backend", "running_s3"]

BUCKET = "bundles"
_ACCESS: dict[str, str] = {"access_key": "tests", "secret_key": "tests", "region_name": "us-east-1"}


def backend(endpoint: str, *, bucket: str = BUCKET) -> dict[str, Any]:
    """An entry of `STORAGES` for a bucket of that server; a fault is told at once, not after several attempts."""
    from botocore.config import Config

    patience = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
    options = {**_ACCESS, "endpoint_url": endpoint, "bucket_name": bucket, "client_config": patience}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


@contextmanager
def running_s3() -> Iterator[str]:
    """The address of an S3 server on a free port, with one empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=_ACCESS["region_name"],
            aws_access_key_id=_ACCESS["access_key"],
            aws_secret_access_key=_ACCESS["secret_key"],
        )
        client.create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        server.stop()
