"""The clinic's application."""
