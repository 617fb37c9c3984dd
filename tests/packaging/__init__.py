"""What `sam build` made, run as AWS runs it: `awslambdaric` in a clean process, and a stub of its API."""
