"""FHIR R4 bundles in, resources out: the ward's letter box."""
