"""Blame the flow node at which something failed, and let its error event catch it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def blame(element: str | None) -> Iterator[None]:
    """Turns whatever the library or the sandbox raises into ExecutionFailed at `element`."""
    try:
        yield
    except EngineError:
        raise
    except DecisionFailed as error:
        raise ExecutionFailed(element=element, reason=str(error)) from error
    except Exception as error:
        reason = next((code for kind, code in _REASONS if isinstance(error, kind)), "unexpected")
        detail = f"{error}" if reason != "unexpected" else f"{type(error).__name__}: {error}"
        raise ExecutionFailed(element=element, reason=reason, detail=detail[:500]) from error


class BlamingWorkflow(CaseWorkflow):
    """Blames the flow node at which something failed, and lets its error event catch it."""

    def run_token(self, token: Token) -> None:
        try:
            with blame(token.node.id):
                token.run()
        except ExecutionFailed as failed:
            reason = failed.params.get("reason")
            if reason not in TECHNICAL or token.id not in self.tasks:
                raise
            detail = str(failed.params.get("detail") or "")
            if not throw_error(token, None, detail):
                raise
