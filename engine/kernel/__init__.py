"""What every layer may use: errors, clock, identifiers, crash points. Pure."""
