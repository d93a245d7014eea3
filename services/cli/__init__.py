"""The `onrecord` command, a file a command. Nothing else of the project imports it."""
