"""The documented deployment, rehearsed against an emulator of AWS that nobody here wrote."""
