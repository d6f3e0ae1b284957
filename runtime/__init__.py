"""What every process shares: settings, logging, the encrypted connection to Temporal, HTTP."""
