"""What a partner pays the platform: application, certification, listing and support pack fees."""
