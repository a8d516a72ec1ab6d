"""What a loan is and how its state follows from its events: pure, without a clock or I/O."""
