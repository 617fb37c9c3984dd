"""Solvimon's resources: their fields (`shapes`), their lists (`listing`) and a blueprint for each path."""
