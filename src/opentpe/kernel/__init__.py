"""Equations on plain numbers and arrays; knows no patient, file, date or unit conversion."""
