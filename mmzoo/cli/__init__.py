"""The command line: parse, call one function, print.

Commands import what they need when they run, so that `mmzoo --help` imports only Click.
"""

from mmzoo.cli.main import main as main
