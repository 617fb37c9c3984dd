"""The whole system on one machine: AWS by moto, both vendors by fakes, the demo."""
