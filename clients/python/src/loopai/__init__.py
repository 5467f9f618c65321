"""Calls Loop Apps that `loopai serve` answers for."""

from .client import AsyncLoopaiClient, LoopaiClient
from .errors import ConnectionError, ExecutionError, LoopaiError, NotFoundError, ValidationError
from .types import Batch, BatchResult, Execution, Feedback, Health

__all__ = [
    "AsyncLoopaiClient",
    "Batch",
    "BatchResult",
    "ConnectionError",
    "Execution",
    "ExecutionError",
    "Feedback",
    "Health",
    "LoopaiClient",
    "LoopaiError",
    "NotFoundError",
    "ValidationError",
]
