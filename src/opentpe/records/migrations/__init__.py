"""Migrations of the records, shipped with the package."""
