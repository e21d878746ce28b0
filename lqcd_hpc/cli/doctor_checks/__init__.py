"""What `lqcd-hpc doctor` looks at: `checks()` of every file here, in the order of `GROUPS`."""

GROUPS = ("processor", "compiler", "mpi", "gpu", "memory", "storage")
