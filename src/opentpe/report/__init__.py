"""Report, figures, leaflet and every sentence."""
