"""What may be given as INPUT besides files and folders: addresses, lists of them, standard input."""
