"""The course kinetics as SBML."""
