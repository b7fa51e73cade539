"""The training service: runs in processes of their own, stored as they go, watched by whoever likes."""
