"""What a call may raise."""

from __future__ import annotations

from typing import Any, Dict, List, Optional


class LoopaiError(Exception):
    """Whatever the server refuses, with the code that the command line gives for it."""

    def __init__(self, message: str, status: Optional[int] = None, problem: Optional[Dict[str, Any]] = None):
        super().__init__(message)
        self.status = status
        self.problem: Dict[str, Any] = problem or {}
        self.code: Optional[str] = self.problem.get("code")


class ValidationError(LoopaiError):
    """The input does not fit the schema."""

    @property
    def pointers(self) -> List[str]:
        """JSON pointers into the input."""
        return list(self.problem.get("pointers", []))


class ExecutionError(LoopaiError):
    """The program failed: it raised, was too slow, or its output does not fit."""

    @property
    def kind(self) -> Optional[str]:
        return self.problem.get("kind")

    @property
    def execution_id(self) -> Optional[str]:
        return self.problem.get("execution_id")


class NotFoundError(LoopaiError):
    pass


class ConnectionError(LoopaiError):  # noqa: A001
    pass


def error_of(status: int, problem: Dict[str, Any]) -> LoopaiError:
    message = str(problem.get("detail", f"the server answered {status}"))
    kinds = {404: NotFoundError, 422: ValidationError, 500: ExecutionError, 502: ExecutionError, 504: ExecutionError}
    return kinds.get(status, LoopaiError)(message, status, problem)
