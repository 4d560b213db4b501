"""What the pipeline works on: content and instances, versioned with the bundle."""
