"""What makes and judges the models of amends; never imported when a complaint is scored."""
