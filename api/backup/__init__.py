"""Backups: one file with every row and every uploaded file, as they were at one instant."""
