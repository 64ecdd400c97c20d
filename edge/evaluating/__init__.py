"""How good the model is on parts of known truth, and on which of them it is worst."""
