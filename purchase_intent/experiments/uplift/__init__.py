"""Who buys because of the treatment of an experiment: learnt by a command, answered on the request's path."""
