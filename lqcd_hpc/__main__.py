"""`python -m lqcd_hpc` is the command `lqcd-hpc`."""

from .cli import main

if __name__ == "__main__":
    main()
