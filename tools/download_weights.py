from tfvfi.cli import run_script

# Workers that start afresh import this file again.
if __name__ == "__main__":
    run_script(__file__)
