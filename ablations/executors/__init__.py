"""Where runs happen: in this process, in processes of this machine, or elsewhere."""
