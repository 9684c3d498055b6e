"""`amends` inside other systems. Each module imports the system it is for only when it is called."""
