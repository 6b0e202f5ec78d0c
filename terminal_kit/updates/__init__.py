"""Software updates: the signed feed that says what is due, and installing it over SMP (U)."""
