"""The parts of the report in the order in which they are read, each from the consultation to plain data."""
