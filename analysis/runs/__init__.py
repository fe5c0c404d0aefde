"""What trainings left behind: their folders, results and logs, read and never written."""
