"""The public site: the built files, and the one thing that people do there, which is to consent."""
