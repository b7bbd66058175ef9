"""Backups: one file with every row and every uploaded file, as they were at one instant.

A format of our own and not the dump of a database: it means the same on each kind, so that it is
also the way from one machine to several; every row of any version's tables goes in, and uploads
with them; and it can be checked before anything is changed. For very large databases
`docs/operations.md` names what the databases bring with them.
"""
