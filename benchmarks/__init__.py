"""Measurements of Zonda beside its peers; `python3 dev bench` runs them."""
