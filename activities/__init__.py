"""The steps of a monitor that touch the world. `declarations` is what workflows see of them."""
