"""What an engine says to whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


def answers(s3: Any) -> bool:
    """Whether anything comes back from the engine, be it a refusal."""
    try:
        s3.list_buckets()
    except ClientError:
        return True
    except BotoCoreError:
        return False
    return True


def refusal(call: Callable[[], Any]) -> str | None:
    """The error code by which S3 refuses a call; `None` of one that it does."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None
