"""What can be done to a trained model: tokens added, positions extended, checkpoints averaged."""
