"""A made-up city: its offices, its people, and years of cases, to try the product at its size.

What is regular in its history, and what a model may therefore find, is written in
`api.demo.city.history`. Nothing in it is about real people.
"""

from api.demo.city.load import CityNotEmpty, LoadCity, load_city

__all__ = ["CityNotEmpty", "LoadCity", "load_city"]
