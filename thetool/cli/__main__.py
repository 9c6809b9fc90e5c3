"""`python -m thetool.cli`."""

from thetool.cli.main import main

main()
