"""What others publish -> what a draft may be made of: lists, feeds, their words, and duplicates."""
