"""The shop's pages. Each view asks one module for what it shows and picks a template."""
