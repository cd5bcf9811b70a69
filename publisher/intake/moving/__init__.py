"""Other systems' exports -> posts -> issues: what was published elsewhere, in our own form."""
