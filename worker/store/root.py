"""Where frames and files are stored: a folder of this machine, or a bucket that every machine sees.

S3 and what speaks it are reached through pyarrow, which is here anyway; any other address through fsspec.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec

from domain.errors import BadRequest

REGION = "us-east-1"        # where none is named; servers that speak S3 do not look at it
PART = 1 << 20              # bytes


@dataclass(frozen=True)
class Root:
    """``local``: a folder of this machine. ``flat``: names may contain slashes, and there are no folders to be made."""

    fs: Any
    path: str
    local: bool
    flat: bool

    @classmethod
    def of(cls, url: str, environment: Mapping[str, str] = os.environ) -> Root:
        """
        >>> Root.of("/srv/frames").local, Root.of("file:///srv/frames").path, Root.of("memory://desk/frames").local
        (True, '/srv/frames', False)
        >>> Root.of("s3://")
        Traceback (most recent call last):
        ...
        domain.errors.BadRequest: frames_url names no bucket; write s3://bucket/folder
        """
        if url.startswith("s3://"):
            return cls(_s3(environment), _bucket_path(url), False, True)
        try:
            fs, path = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise BadRequest(f"frames_url cannot be used here: {error}. Write a folder, or s3://bucket/folder") from None
        return cls(fs, path, "file" in (fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,)), False)

    def make(self) -> None:
        """The bucket, where there is none and whoever asks may make one. A folder is made by what is first stored in it."""
        if not self.flat:
            return
        bucket = self.path.partition("/")[0]
        try:
            if not self.fs.exists(bucket):
                _s3(os.environ, allow_bucket_creation=True).fs.create_dir(bucket)
        except OSError as error:
            raise BadRequest(f"the bucket {bucket} cannot be used: {str(error).splitlines()[0]}. Its server is named in AWS_ENDPOINT_URL_S3, who asks in AWS_SHARED_CREDENTIALS_FILE or AWS_ACCESS_KEY_ID") from None

    def make_folder_of(self, path: str) -> None:
        if not self.flat:
            self.fs.makedirs(os.path.dirname(path), exist_ok=True)

    def upload(self, here: Path, path: str) -> None:
        """A file of this machine, part by part; what breaks off leaves nothing new, and what was there stays for its readers to verify."""
        self.make_folder_of(path)
        new = not self.fs.exists(path)
        try:
            with here.open("rb") as source, self.fs.open(path, "wb") as sink:
                shutil.copyfileobj(source, sink, PART)
        except BaseException:
            with contextlib.suppress(OSError):      # the bucket is away
                if new:
                    self.fs.rm_file(path)
            raise

    def silent(self) -> str:
        """Why a bucket does not answer; empty where it does, and of a folder of this machine."""
        try:
            if not self.local:
                self.fs.exists(self.path)
        except OSError as error:
            return str(error).strip().splitlines()[0]
        return ""

    def download(self, path: str, here: Path) -> None:
        with self.fs.open(path, "rb") as source, here.open("wb") as sink:
            shutil.copyfileobj(source, sink, PART)


def _bucket_path(url: str) -> str:
    path = url.removeprefix("s3://").strip("/")
    if not path or "?" in path:
        raise BadRequest("frames_url names no bucket; write s3://bucket/folder")
    return path


def _s3(environment: Mapping[str, str], **options: Any) -> Any:
    """Credentials as AWS has them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE; the server of another vendor in AWS_ENDPOINT_URL_S3."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem

    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or REGION
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or ""
    return ArrowFSWrapper(S3FileSystem(region=region, connect_timeout=10, request_timeout=60, **_server(endpoint), **options))


def _server(endpoint: str) -> dict[str, str]:
    """
    >>> _server("http://bucket:9000"), _server("")
    ({'endpoint_override': 'bucket:9000', 'scheme': 'http'}, {})
    """
    parts = urlsplit(endpoint)
    if endpoint and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/")):
        raise BadRequest("AWS_ENDPOINT_URL_S3 is no address of a server; write https://host or http://host:9000")
    return dict(endpoint_override=parts.netloc, scheme=parts.scheme) if endpoint else {}
