"""Everything in the settings that must not be shown, stored or logged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from worker.notifications.channels import secrets_in
from worker.settings import SECRETS, VENDOR_SECRETS
from worker.trouble import SHORTEST, secrets_of, without

OF_OTHERS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")      # of the environment, that libraries read
ADDRESSES = ("MLFLOW_TRACKING_URI", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def secrets_of_settings(settings: Any, environment: Mapping[str, str] = os.environ) -> set[str]:
    """Passwords of addresses, tokens and keys, as written and as meant."""
    addresses = [str(getattr(getattr(settings, section), key)) for section, _, key in (name.partition(".") for name in SECRETS)]
    addresses += [value for name, value in settings.vendors.items() if name.endswith("_URL")] + [environment.get(name, "") for name in ADDRESSES]
    plain = [settings.vendors.get(name, "") for name in VENDOR_SECRETS] + [environment.get(name, "") for name in OF_OTHERS]
    plain += [value for each in fields(settings) if not each.repr and isinstance(value := getattr(settings, each.name), str)]
    return secrets_of(*addresses) | secrets_in(settings.notify_urls) | {value for value in plain if len(value) >= SHORTEST}


def cleaned(value: Any, secrets: Iterable[str]) -> Any:
    """Texts in ``value``, however deep, without ``secrets``.

    >>> cleaned({"sentence": "token s3cret is refused", "tries": 2}, {"s3cret"})
    {'sentence': 'token *** is refused', 'tries': 2}
    """
    if isinstance(value, str):
        return without(value, secrets)
    if isinstance(value, Mapping):
        return {key: cleaned(item, secrets) for key, item in value.items()}
    return [cleaned(item, secrets) for item in value] if isinstance(value, (list, tuple)) else value
