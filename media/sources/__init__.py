"""Where a stream's media is: manifests that are named by their own URL, and YouTube."""
