"""Suggests the next services at closure. It advises: it reads plain data and decides nothing."""

from recommender.explain import reason_sentence
from recommender.score import NextServices
from recommender.train import Model, prior_model, train

__all__ = ["Model", "NextServices", "prior_model", "reason_sentence", "train"]
