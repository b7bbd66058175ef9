"""SpiffWorkflow's own tests and models, run on this engine.

Their sources are no part of the project: give the path of a checkout, as ``make upstream-tests
UPSTREAM=/path`` does. Only `test_stand_ins.py` needs none.
"""
