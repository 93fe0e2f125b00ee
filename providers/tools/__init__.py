"""Functions of agents' owners over HTTP, and the guard that keeps them away from our own network."""
