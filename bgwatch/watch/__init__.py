"""The folder daemon: ``service`` is the loop, its siblings are its parts."""
