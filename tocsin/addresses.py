"""Which addresses of the Internet may be asked."""
