"""What is true about trading: no input or output, no clock."""
