"""What the server answers."""

from __future__ import annotations

import sys
from typing import Any, List, Optional

if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict


class Execution(TypedDict):
    output: Any
    confidence: NotRequired[float]
    reason: NotRequired[str]
    execution_id: str
    loop_app_id: str
    version: int
    digest: str
    status: str
    latency_ms: float
    sampled_for_validation: bool


class Failure(TypedDict):
    kind: str
    message: str
    pointers: NotRequired[List[str]]


class BatchResult(TypedDict):
    id: int
    status: str
    output: NotRequired[Any]
    confidence: NotRequired[float]
    reason: NotRequired[str]
    error: NotRequired[Failure]
    execution_id: NotRequired[str]
    version: NotRequired[int]


class Batch(TypedDict):
    total: int
    succeeded: int
    failed: int
    skipped: int
    results: List[BatchResult]


class Feedback(TypedDict):
    execution_id: str
    match: Optional[bool]


class Health(TypedDict):
    status: str
