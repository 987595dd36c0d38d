"""What a run of training would be: its size, its cost, its inputs as a person reads them."""
