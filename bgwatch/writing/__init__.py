"""What makes a file of a cut-out; `finish` and `encode` are its doors."""
