"""The operators' page: its own service, one writer of queue.db and web.db."""
