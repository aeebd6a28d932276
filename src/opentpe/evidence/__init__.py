"""Every number and every rule, with its source; and its reader."""
