"""Blame the flow node at which something failed, and let its error event catch it."""

from __future__ import annotations

import logging

from SpiffWorkflow.exceptions import SpiffWorkflowException

from engine.bpmn.decisions import DecisionFailed
from engine.bpmn.expressions import ExpressionFailed
from engine.bpmn.plain import NotPlain
from engine.bpmn.running import state
from engine.bpmn.running.throwing import throw_error
from engine.bpmn.running.workflow import CaseWorkflow, Token
from engine.kernel.errors import EngineError, ExecutionFailed

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ExpressionFailed, "expression_failed"),
    (NotPlain, "data_not_plain"),
    (state.StateTooLarge, "state_too_large"),
    (RecursionError, "too_many_steps"),
    (SpiffWorkflowException, "engine_refused"),
)
TECHNICAL = frozenset({"expression_failed", "no_rule_matched", "several_rules_matched"})
"""Failures of one activity that an error event without a code may catch."""

# The library composes log records for every change of state, wanted or not.
for _name in ("spiff", "spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class blame:
    """Turns whatever the library or the sandbox raises into ExecutionFailed at `element`."""

    def __init__(self, element: str | None) -> None:
        self._element = element

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, EngineError):
            raise _blamed(self._element, error) from error


def _blamed(element: str | None, error: Exception) -> ExecutionFailed:
    if isinstance(error, DecisionFailed):
        return ExecutionFailed(element=element, reason=str(error))
    reason = next((code for kind, code in _REASONS if isinstance(error, kind)), "unexpected")
    detail = f"{error}" if reason != "unexpected" else f"{type(error).__name__}: {error}"
    return ExecutionFailed(element=element, reason=reason, detail=detail[:500])


class BlamingWorkflow(CaseWorkflow):
    """Blames the flow node at which something failed, and lets its error event catch it."""

    def run_token(self, token: Token) -> None:
        try:
            token.run()
        except ExecutionFailed as failed:
            if not self._caught(token, failed):
                raise
        except EngineError:
            raise
        except Exception as error:
            blamed = _blamed(token.node.id, error)
            if not self._caught(token, blamed):
                raise blamed from error

    def _caught(self, token: Token, failed: ExecutionFailed) -> bool:
        if failed.params.get("reason") not in TECHNICAL or token.id not in self.tasks:
            return False
        return throw_error(token, None, str(failed.params.get("detail") or ""))
