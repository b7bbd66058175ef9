"""Running a model in memory with a clock that jumps: nothing is stored, nothing reaches outside.

`answers` is what people, job workers and senders of messages will do; `world` runs the process and
those it exchanges messages with; `outcome` is what came of it.
"""

from engine.simulation.answers import Answers, AnswersWrong, read_answers
from engine.simulation.outcome import Outcome
from engine.simulation.world import simulate

__all__ = ["Answers", "AnswersWrong", "Outcome", "read_answers", "simulate"]
