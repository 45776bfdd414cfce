"""`python -m mmzoo`."""

from mmzoo.cli import main

if __name__ == "__main__":
    main()
