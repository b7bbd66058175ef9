"""Decisions (DMN 1.1 to 1.5): tables of every hit policy, literal expressions, and their graphs.

What cannot be decided as the standard says is refused at publish, never decided otherwise.
"""

from engine.bpmn.decisions.reader import read_decisions
from engine.bpmn.decisions.table import Decision, DecisionFailed, facts_of

__all__ = ["Decision", "DecisionFailed", "facts_of", "read_decisions"]
