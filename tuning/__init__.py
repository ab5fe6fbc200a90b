"""Many runs, to learn what a setting does."""
