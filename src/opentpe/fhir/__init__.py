"""FHIR R4 bundles in, resources out."""
