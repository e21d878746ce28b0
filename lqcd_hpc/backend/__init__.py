"""Compiling and launching of site kernels over index ranges; knows no field and no lattice.

`program.py` writes the loop around a site function, `compiler.py` compiles and keeps it, `cpu.py` loads it,
`cuda.py` does the same for a GPU by CuPy, `memory.py` allocates. Imports nothing of ours."""
