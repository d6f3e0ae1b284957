"""The steps of a monitor that touch the world, one file a step."""
