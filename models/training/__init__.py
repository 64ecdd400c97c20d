"""How the shipped model was made; needs the `training` extra, and nothing else imports it."""
