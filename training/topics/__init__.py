"""The topics' training: the making of services/extraction/data/topics.zip."""
