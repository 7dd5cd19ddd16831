"""What decodes a picture; `bgwatch.imagefile` is its door."""
