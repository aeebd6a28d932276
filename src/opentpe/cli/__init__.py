"""One file a command; imports inside commands, so that --help stays fast."""
