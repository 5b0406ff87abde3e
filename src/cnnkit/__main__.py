"""`python -m cnnkit`: the command line."""

from cnnkit.cli.main import main

if __name__ == "__main__":
    main()
