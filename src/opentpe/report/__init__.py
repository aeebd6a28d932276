"""What people read: report, terminal summary, leaflet and letters, all from one `Consultation`."""
