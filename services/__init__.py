"""The programs of onrecord: the reading, the stream service, the local broker and the command line."""
