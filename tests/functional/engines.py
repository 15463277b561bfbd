"""What an engine says by itself, whoever asks."""

from __future__ import annotations

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
