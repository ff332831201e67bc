"""``python -m worker``: the service's processes and the tools beside them."""

from worker.command import main

main()
