"""One thread a process for the libraries that multiply matrices.

There is a process a core already, a library with threads of its own cannot be forked, and products that are shared out
to threads round otherwise.
"""

ONE_THREAD = dict.fromkeys(
    (
        "BLIS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
"""What must be in the environment of a process that reads, before it imports numpy."""
