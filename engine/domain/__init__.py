"""The words and laws of case work: pure, no I/O, no clock of its own."""
