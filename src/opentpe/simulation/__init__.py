"""What would happen: cohorts, sessions, courses."""
