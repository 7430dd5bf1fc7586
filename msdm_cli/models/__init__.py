"""Networks, their specs, and how they are loaded."""
