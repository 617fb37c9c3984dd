"""The API's resources, one module with one blueprint each."""
