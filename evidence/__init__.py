"""Evidence of incidents: the files, and the store that they lie in."""
