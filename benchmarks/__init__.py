"""What the service costs, measured. Each benchmark is a package that prints its figures."""
