"""OpenTPE plans and simulates therapeutic plasma exchange for an MS relapse that steroids did not stop."""

__version__ = "0.1.0"
