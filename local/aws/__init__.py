"""AWS on one machine: moto with `template.yaml` deployed into it, and Lambda's event sources."""
