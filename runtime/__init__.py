"""What every process shares: settings, logging, the Temporal connection, serving HTTP."""
