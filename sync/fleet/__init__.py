"""The fleet side: what stations send is collected in one database, and acknowledged."""
