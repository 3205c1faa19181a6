"""One module a command; each has one function of the command's name. `pql.cli` lists them."""
