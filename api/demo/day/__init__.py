"""A simulated day of a hotline: many tickets and departments, on the product itself."""

from api.demo.day.figures import DayFigures
from api.demo.day.run import DayPlan, simulate_day

__all__ = ["DayFigures", "DayPlan", "simulate_day"]
