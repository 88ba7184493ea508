from tfvfi.cli import run_script

run_script(__file__)
