"""Patients, courses, run sheets and labs that are kept."""
