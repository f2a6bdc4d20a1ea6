"""The only modules that open a socket, one per neighbour."""
