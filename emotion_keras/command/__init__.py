"""What all commands share: options, limits, progress, and how they end."""
