"""Solvimon's resources: fields (`definitions`), lists (`listing`) and a blueprint for each path."""
