"""The preview: what an editor looks at while writing, made anew at every save."""
