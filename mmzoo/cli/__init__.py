"""The command line: parse, call one function, print.

Commands import what they need when they run, so `mmzoo --help` imports little but Click.
"""

from mmzoo.cli.main_command import main as main
