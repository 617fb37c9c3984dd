"""Links between records that exist in both systems."""
