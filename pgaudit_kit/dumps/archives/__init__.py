"""Archives: custom, directory, tar."""
