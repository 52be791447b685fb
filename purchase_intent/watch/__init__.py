"""The watch: whether live traffic, its events and the champion's scores still are what training promised."""
