"""What the gateway's client and its TLS cost in processor time, against the former way."""
