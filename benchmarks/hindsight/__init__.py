"""What a plan cost against the best action in hindsight."""
