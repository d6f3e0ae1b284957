"""Evidence of incidents: taking it from workers, serving it, forgetting it."""
