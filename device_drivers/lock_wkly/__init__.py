"""Lock boards whose frames begin with WKLY: codec and driver."""
